"""Painting in a real browser: watched, stopped, steered, gone on with, compared and downloaded."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core import images
from nst_core.transfer.color import COLORS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import read_record
from nst_core.ui.page.slow_animations import CALM_RATE
from tests.e2e.visitors import KeptPage, choose_plain, fill, load, prepare, upload, wait_for_status

pytestmark = pytest.mark.e2e

# Milliseconds at which a canvas is drawn anew, of a second.
DRAWN = """() => new Promise(done => {
  const times = new Set(), own = WebGL2RenderingContext.prototype, clear = own.clear;
  own.clear = function(...given) { times.add(Math.round(performance.now())); return clear.apply(this, given); };
  setTimeout(() => { own.clear = clear; done(times.size); }, 1000);
})"""
BRUSH = "#mask button[aria-label='Draw button'], #mask button[aria-label*='Brush']"


@pytest.fixture(scope="module")
def studio(lasting_visitor, app_url, picture_files) -> KeptPage:
    """A page with both pictures in their places."""
    return KeptPage(
        lasting_visitor(),
        lambda page: prepare(load(page, app_url), picture_files),
        ("size", "steps", "more-steps"),
        bring_back=choose_plain,
    )


@pytest.fixture
def page(studio) -> Page:
    """The page with both pictures in their places; something may have been painted on it before."""
    return studio.ready()


def run(page: Page, *, steps: int, size: int = 64) -> None:
    """Press Paint."""
    fill(page, "size", size)
    fill(page, "steps", steps)
    page.click("#run")


def stop(page: Page) -> None:
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator("#run")).to_be_enabled()


def downloaded(page: Page, path: Path) -> Path:
    """The painting's file."""
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename.endswith(".png")
    download.value.save_as(path)
    return path


def test_pictures_words_and_losses_keep_coming_while_it_paints(page):
    run(page, steps=100_000)
    canvas = page.locator("#preview canvas")
    expect(canvas).to_be_visible(timeout=30_000)
    expect(page.locator("#welcome")).to_be_hidden()
    assert page.evaluate("[...document.querySelectorAll('#preview canvas')].map(c => [c.width, c.height])") == [
        [64, 43]
    ]
    for _ in range(3):
        before = int(canvas.get_attribute("data-version")), page.inner_text("#status"), page.inner_text("#losses")
        page.wait_for_function(
            """([version, status, losses]) => document.querySelector('#preview canvas').dataset.version > version
                && document.querySelector('#status').innerText !== status
                && document.querySelector('#losses').innerText !== losses""",
            arg=before,
        )
    expect(page.locator("#fetch")).to_be_disabled()  # it would write over this run's status
    stop(page)
    expect(canvas).to_be_hidden()
    expect(page.locator("#fetch")).to_be_enabled()


def test_a_run_paints_compares_recolours_and_downloads_with_its_record(page, tmp_path):
    run(page, steps=4)
    wait_for_status(page, r"Done: 4 steps in .*VGG-19 Lite from")
    shown = page.locator("#result img").first
    expect(shown).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator("#losses polyline")).to_have_count(8)
    expect(page.locator("#losses")).to_contain_text("content conv4_2")
    path = downloaded(page, tmp_path / "result.png")
    with Image.open(path) as result:
        assert result.size == (64, 43)  # the content's shape
    record = read_record(path)
    assert (record.steps, record.stopped, record.config.size) == (4, False, 64)
    page.get_by_text("Record of the run").click()
    expect(page.locator("#record")).to_contain_text(record.weights_sha256)
    handle = page.locator("#result input[type=range]")
    handle.focus()
    handle.press("End")
    share = page.locator("#result figure").evaluate("figure => figure.style.getPropertyValue('--share')")
    assert share == "100%"
    before = shown.get_attribute("src")
    page.locator("#color input").click()
    page.get_by_role("option", name=COLORS["content"].title).click()
    expect(shown).not_to_have_attribute("src", before)


def test_what_is_stopped_is_kept_and_goes_on(page, tmp_path):
    run(page, steps=100_000)
    wait_for_status(page, r"Step ([2-9]|\d\d)")
    stop(page)
    made = int(re.search(r"Stopped: (\d+) steps of 100000", page.inner_text("#status"))[1])
    record = read_record(downloaded(page, tmp_path / "stopped.png"))
    assert record.stopped and record.steps == made > 0
    page.click("#one-step")
    wait_for_status(page, f"Done: {made + 1} steps")
    fill(page, "more-steps", 4)
    page.click("#more")
    wait_for_status(page, f"Done: {made + 5} steps")
    page.click("#go-on")
    wait_for_status(page, r"Step \d+ of 100000")
    stop(page)


# A loss as the legend of the chart has it: "25,400" or "2.6 × 10⁻⁵".
TERM = """name => {
  const entry = document.querySelector(`#losses li[data-line="${name}"] b`)?.textContent ?? '';
  const [, factor, power] = /^(?:(.*)\\u00a0×\\u00a0)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/.exec(entry) ?? [];
  if (!power) return Number(entry.replaceAll(',', ''));
  return Number(`${factor ?? 1}e${[...power].map(one => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(one) - 1).join('').replace('-1', '-')}`);
}"""


def test_a_slider_steers_the_painting_in_progress(page):
    weight = page.locator("#beta input[type=number]").input_value()
    run(page, steps=100_000)
    wait_for_status(page, r"Step \d\d")
    before = page.evaluate(TERM, "style conv5_1")
    assert before > 0
    fill(page, "beta", 7e4)
    page.wait_for_function(f"before => ({TERM})('style conv5_1') > 30 * before", arg=before)
    stop(page)
    expect(page.locator("#status")).to_contain_text("changed at step")
    fill(page, "beta", weight)


def test_the_page_paints_with_what_its_controls_say(page, tmp_path):
    fill(page, "alpha", "2.5e-2")
    page.locator("#beta input[type=range]").press("Home")
    page.locator("#beta input[type=range]").press("ArrowRight")
    page.get_by_label("conv5_1").first.uncheck()
    page.locator("#init").get_by_label("noise").check()
    run(page, steps=2, size=48)
    wait_for_status(page, "Done")
    config = read_record(downloaded(page, tmp_path / "result.png")).config
    assert (config.content_weight, config.style_weight) == (0.025, 0.0013)  # four decades below the 9 of `studio`
    assert config.style_layers == ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
    assert (config.start, config.size, config.steps) == ("noise", 48, 2)


def test_settings_that_cannot_paint_are_named_and_nothing_is_lost(page):
    for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"):
        page.locator("#style-layers").get_by_label(layer).uncheck()
    run(page, steps=1, size=48)
    wait_for_status(page, "no style layer is chosen; tick at least one")
    page.locator("#style-layers").get_by_label("conv1_1").check()
    fill(page, "alpha", 0)
    fill(page, "beta", 0)
    page.click("#run")
    wait_for_status(page, "α and β are both 0")
    fill(page, "beta", 1000)
    fill(page, "steps", 100_001)
    page.click("#run")
    wait_for_status(page, "“Steps” is 100001; give a whole number from 1 to 100000 steps")
    expect(page.locator("#run")).to_be_enabled()
    fill(page, "steps", 1)
    page.click("#run")
    wait_for_status(page, "Done: 1 step in")
    fill(page, "more-steps", 2.5)
    page.click("#more")
    wait_for_status(page, "the number of steps is 2.5; give a whole number")
    fill(page, "size", 48.5)
    page.click("#run")
    wait_for_status(page, "“Size” is 48.5; give a whole number from 16 to")
    expect(page.locator("#run")).to_be_enabled()
    fill(page, "more-steps", 2)
    page.click("#more")  # with the painting that there was before
    wait_for_status(page, "Done: 3 steps in")


# The last three go on where those before them end, as a picture and a network that are changed stay so.


def test_upload_of_every_kind_paints(page, picture_files, tmp_path):
    source = Image.open(picture_files[0])
    animated, transparent = tmp_path / "moving.gif", tmp_path / "transparent.png"
    source.save(animated, save_all=True, append_images=[source.rotate(90)])
    source.convert("RGBA").save(transparent)
    fill(page, "size", 48)
    fill(page, "steps", 1)
    for path in (animated, transparent):
        page.locator("#content button[aria-label='Remove Image']").click()
        expect(page.locator("#content img")).to_have_count(0)
        upload(page, "content", path)
        page.click("#run")
        wait_for_status(page, "(Waiting|Looking|Step)")
        wait_for_status(page, "Done: 1 step in")


def test_vgg19_is_one_click_away_and_has_the_layers_for_which_others_stand_in_on_lite(studio):
    page = studio.as_it_is()
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS["tran_nguyen"].title).click()
    expect(page.locator("#preset-about")).to_contain_text("VGG-19 Lite has no conv5_3: conv5_1 stands in for it.")
    run(page, steps=1)
    wait_for_status(page, r"Done: 1 step in .*VGG-19 Lite from")
    expect(page.locator("#fetch")).to_have_text("Use VGG-19")
    page.click("#fetch")
    expect(page.locator("#weights")).to_contain_text("VGG-19 from NST_WEIGHTS")
    expect(page.locator("#preset-about")).not_to_contain_text("stands in")
    page.click("#run")
    wait_for_status(page, r"Done: 1 step in .*VGG-19 from NST_WEIGHTS")
    expect(page.locator("#losses")).to_contain_text("conv5_3")


def test_a_brush_says_where_the_style_goes(studio, picture_files, tmp_path):
    page = studio.as_it_is()  # the last, and small, as the canvas is drawn on no GPU here
    page.set_viewport_size({"width": 390, "height": 900})
    page.add_style_tag(content="#mask { max-width: 220px; height: 220px !important; }")
    choose_plain(page)
    page.get_by_text("Where to paint", exact=True).click()
    page.click("#take-photo")
    page.wait_for_timeout(1500)  # the canvas is laid out anew
    page.locator(BRUSH).first.click()
    box = page.locator("#mask canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 12, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=3)
    page.mouse.up()
    page.get_by_label("Keep the photo elsewhere").check()
    page.wait_for_timeout(500)
    run(page, steps=3)
    wait_for_status(page, "Done: 3 steps")
    painted = images.load(downloaded(page, tmp_path / "masked.png"))
    changed = ((painted - images.fit(images.load(picture_files[0]), 64)).abs().amax(1) > 3 / 255).float()
    assert 0 < changed.mean() < 0.9
    assert changed[..., :4].mean() == 0  # the left edge was not painted over


def test_a_canvas_on_which_nobody_draws_takes_no_processor(studio):
    page, where = studio.as_it_is(), studio.page.get_by_text("Where to paint", exact=True)
    if not page.locator("#mask canvas").first.is_visible():
        where.click()
        expect(page.locator("#mask canvas").first).to_be_visible()
    page.mouse.move(5, 5)
    page.wait_for_timeout(1100)  # so long nothing happens on it
    assert page.evaluate(DRAWN) <= 4 * CALM_RATE  # of two canvases, whose frames may count twice
    where.click()
    expect(page.locator("#mask canvas").first).to_be_hidden()
    assert 0 in (page.evaluate(DRAWN) for _ in range(4))  # once those are drawn that were asked for
