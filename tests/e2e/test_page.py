"""The page in a real browser, as people use it."""

import math
import re
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.transfer.color import COLORS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import read_record
from nst_core.ui.widgets.channel import Channel
from tests.e2e.conftest import fill, prepare, upload, wait_for_status

pytestmark = pytest.mark.e2e

FIRST_IDS = ["content", "style", "preset", "alpha", "beta", "style-layers", "init", "steps", "size", "run", "stop"]
GROUPS = ["Brush strokes and more styles", "Where to paint", "More layers", "Network and optimiser"]
IDS = [*FIRST_IDS, "status", "preview", "losses", "result", "download", "backbone"]


def test_page_has_every_control_and_asks_nothing_of_other_hosts(open_page, app_url):
    requests = []
    page = open_page()
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    expect(page.locator("#run")).to_be_visible()
    expect(page.locator("#style-examples img")).to_have_count(len(list((ASSETS / "styles").glob("*.jpg"))))
    page.get_by_text("Network and optimiser").click()
    expect(page.locator("#backbone")).to_be_visible()
    for elem_id in IDS:
        assert page.locator(f"#{elem_id}").count() == 1, elem_id
    assert requests
    assert [url for url in requests if not url.startswith((app_url, "data:", "blob:"))] == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_fits_its_width(open_page, width, theme):
    page = open_page(width, f"?__theme={theme}")
    for group in GROUPS:
        page.get_by_text(group, exact=True).click()
        page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")


def test_every_control_has_a_name_for_screen_readers(page):
    for group in GROUPS:
        page.get_by_text(group, exact=True).click()
    expect(page.get_by_role("button", name="Example: koi mosaic")).to_be_visible()
    nameless = page.evaluate(
        """[...document.querySelectorAll('#inputs input, #knobs input, #stage input, button')]
        .filter(e => e.type !== 'file' && !e.closest('[hidden]') && e.offsetParent)
        .filter(e => !(e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby') || e.title || e.innerText))
        .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []


def test_pictures_words_and_losses_keep_coming_while_it_paints(page, picture_files):
    prepare(page, picture_files, size=64, steps=100_000)
    page.click("#run")
    canvas = page.locator("#preview canvas")
    expect(canvas).to_be_visible(timeout=30_000)
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
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(canvas).to_be_hidden()
    expect(page.locator("#fetch")).to_be_enabled()


def test_a_run_paints_compares_and_downloads_with_its_record(page, picture_files, tmp_path):
    prepare(page, picture_files, size=64, steps=4)
    page.click("#run")
    wait_for_status(page, r"Done: 4 steps in .*VGG-19 Lite from")
    expect(page.locator("#result img").first).to_be_visible()
    expect(page.locator("#losses polyline")).to_have_count(8)
    expect(page.locator("#losses")).to_contain_text("content conv4_2")
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / "result.png"
    download.value.save_as(path)
    assert download.value.suggested_filename.endswith(".png")
    with Image.open(path) as result:
        assert result.size == (64, 43)  # the content's shape
    record = read_record(path)
    assert (record.steps, record.stopped, record.config.size) == (4, False, 64)
    page.get_by_text("Record of the run").click()
    expect(page.locator("#record")).to_contain_text(record.weights_sha256)


def test_the_before_after_handle_moves_by_keyboard(page, picture_files):
    prepare(page, picture_files, steps=1)
    page.click("#run")
    wait_for_status(page, "Done")
    handle = page.locator("#result input[type=range]")
    handle.focus()
    handle.press("End")
    share = page.locator("#result figure").evaluate("figure => figure.style.getPropertyValue('--share')")
    assert share == "100%"


def test_stop_keeps_picture_and_record(page, picture_files, tmp_path):
    prepare(page, picture_files, steps=100_000)
    page.click("#run")
    wait_for_status(page, r"Step ([2-9]|\d\d)")
    page.click("#stop")
    wait_for_status(page, r"Stopped: \d+ steps of 100000")
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / "stopped.png"
    download.value.save_as(path)
    record = read_record(path)
    assert record.stopped
    assert 0 < record.steps < 100_000
    expect(page.locator("#run")).to_be_enabled()


def test_the_page_paints_with_what_its_controls_say(page, picture_files, tmp_path):
    prepare(page, picture_files, size=48, steps=2)
    fill(page, "alpha", "2.5e-2")
    page.locator("#beta input[type=range]").press("Home")
    page.locator("#beta input[type=range]").press("ArrowRight")
    page.get_by_label("conv5_1").first.uncheck()
    page.locator("#init").get_by_label("noise").check()
    page.click("#run")
    wait_for_status(page, "Done")
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / "result.png"
    download.value.save_as(path)
    config = read_record(path).config
    assert (config.content_weight, config.style_weight) == (0.025, 0.0013)  # four decades below the 9 of `studio`
    assert config.style_layers == ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
    assert (config.start, config.size, config.steps) == ("noise", 48, 2)


@pytest.mark.parametrize("name", ["neural_style", "crowson"])
def test_a_preset_fills_the_controls(page, name):
    config = PRESETS[name].config
    page.get_by_text("Network and optimiser").click()
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS[name].title).click()
    expect(page.locator("#steps input")).to_have_value(str(config.steps))
    expect(page.locator("#alpha input[type=number]")).to_have_value(f"{config.content_weight:g}")
    expect(page.locator("#optimizer input")).to_have_value({"lbfgs": "L-BFGS", "adam": "Adam"}[config.optimizer])
    expect(page.locator("#init").get_by_label(config.start)).to_be_checked()
    expect(page.locator("#preset-about")).to_contain_text(PRESETS[name].source[:30])


def test_a_preset_and_its_formula_as_printed_are_a_click_apart(page):
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS["gatys"].title).click()
    for name, other in (("gatys", "As printed"), ("gatys_printed", "As painted"), ("gatys", "As printed")):
        expect(page.locator("#preset input")).to_have_value(PRESETS[name].title)
        weight = PRESETS[name].config.content_weight
        expect(page.locator("#alpha input[type=number]")).to_have_value(f"{weight:g}")
        handle = page.locator("#alpha input[type=range]")
        ends = [float(handle.get_attribute(end)) for end in ("min", "max")]
        assert ends == [pytest.approx(math.log10(weight) + side, abs=0.051) for side in (-4, 4)]
        expect(page.locator("#printed")).to_have_text(other)
        page.locator("#printed").click()
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS["studio"].title).click()
    expect(page.locator("#printed")).to_be_hidden()


def test_an_example_is_one_click(page):
    page.locator("#content-examples button, #content-examples img").first.click()
    expect(page.locator("#content img").first).to_be_visible()


def bad_files(folder: Path) -> dict[str, Path]:
    text = folder / "letter.jpg"
    text.write_text("Dear reader, this is no picture.")
    tiny = folder / "tiny.png"
    Image.new("RGB", (1, 1)).save(tiny)
    return {"letter.jpg": text, "tiny.png": tiny}


def test_a_bad_upload_is_named_at_once_and_the_page_goes_on(page, open_page, picture_files, tmp_path):
    # each on a page of its own: a file that is given in the moment in which the last one is cleared away goes with it
    for (name, path), place in zip(bad_files(tmp_path).items(), (page, open_page()), strict=True):
        place.set_input_files("#content input[type=file]", path)
        expect(place.get_by_text(re.compile(rf"^{re.escape(name)} (cannot be read|is 1×1)"))).to_be_visible()
        expect(place.locator("#content input[type=file]")).to_have_count(1)  # empty again, ready for another
    whole, short = tmp_path / "whole.jpg", tmp_path / "short.jpg"
    Image.effect_noise((200, 200), 60).save(whole)
    short.write_bytes(whole.read_bytes()[:2000])
    other = open_page()
    prepare(other, (short, picture_files[1]), steps=1)  # its header says nothing of what is missing
    other.click("#run")
    expect(other.get_by_text("short.jpg is cut short or damaged")).to_be_visible()  # painted as far as it goes
    wait_for_status(other, "Done: 1 step in")
    prepare(page, picture_files, steps=1)
    page.click("#run")
    wait_for_status(page, "Done: 1 step in")


def test_run_without_pictures_says_what_is_missing(page):
    page.click("#run")
    wait_for_status(page, "there is no content picture; drop one or click an example")
    expect(page.locator("#run")).to_be_enabled()


def test_settings_that_cannot_paint_are_named_and_nothing_is_lost(page, picture_files):
    prepare(page, picture_files, steps=1)
    for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"):
        page.locator("#style-layers").get_by_label(layer).uncheck()
    page.click("#run")
    wait_for_status(page, "no style layer is chosen; tick at least one")
    page.locator("#style-layers").get_by_label("conv1_1").check()
    fill(page, "alpha", 0)
    fill(page, "beta", 0)
    page.click("#run")
    wait_for_status(page, "α and β are both 0")
    fill(page, "beta", 1000)
    fill(page, "size", 999_999)
    page.click("#run")
    wait_for_status(page, "size is 999999; give a whole number from 16 to")
    fill(page, "size", 48.5)
    page.click("#run")
    wait_for_status(page, "size is 48.5; give a whole number from 16 to")
    fill(page, "size", 48)
    page.click("#run")
    wait_for_status(page, "Done: 1 step in")
    fill(page, "more-steps", 2.5)
    page.click("#more")
    wait_for_status(page, "the number of steps is 2.5; give a whole number")
    fill(page, "size", 5)
    page.click("#run")
    wait_for_status(page, "size is 5; give a whole number")
    fill(page, "more-steps", 2)
    page.click("#more")  # with the painting that there was before
    wait_for_status(page, "Done: 3 steps in")


def test_one_lane_serves_people_in_turn_and_apart(open_page, picture_files):
    first, second = open_page(), open_page()
    prepare(first, picture_files, steps=100_000)
    prepare(second, picture_files, steps=2)
    first.click("#run")
    wait_for_status(first, "Step")
    second.click("#run")
    wait_for_status(second, "Waiting for the device: 1 before you")
    assert len(Channel.live) >= 1
    expect(second.locator("#preview canvas")).to_be_hidden()
    first.click("#stop")
    wait_for_status(first, "Stopped")
    wait_for_status(second, "Done: 2 steps")


def test_stop_leaves_the_queue(open_page, picture_files):
    first, second = open_page(), open_page()
    prepare(first, picture_files, steps=100_000)
    prepare(second, picture_files, steps=2)
    first.click("#run")
    wait_for_status(first, "Step")
    second.click("#run")
    wait_for_status(second, "Waiting for the device: 1 before you")
    second.click("#stop")
    wait_for_status(second, "Left the queue")
    expect(second.locator("#run")).to_be_enabled()
    first.click("#stop")
    wait_for_status(first, "Stopped")
    second.click("#run")
    wait_for_status(second, "Done: 2 steps")


def test_a_server_without_room_says_so_and_the_page_is_as_before(open_page, picture_files, monkeypatch):
    first, second = open_page(), open_page()
    prepare(first, picture_files, steps=100_000)
    prepare(second, picture_files, steps=2)
    first.click("#run")
    wait_for_status(first, "Step")
    monkeypatch.setenv("NST_WAITING", "1")
    second.click("#run")
    wait_for_status(second, "1 job waits for this computer, more it does not take; try again later")
    expect(second.locator("#run")).to_be_enabled()
    expect(second.locator("#stop")).to_be_disabled()
    upload(second, "style", picture_files[0])  # checked all the same
    first.click("#stop")  # as is Stop
    wait_for_status(first, "Stopped")
    second.click("#run")
    wait_for_status(second, "Done: 2 steps")


def test_a_number_out_of_range_leaves_the_page_usable(page, picture_files):
    prepare(page, picture_files, steps=100_001)
    page.click("#run")
    wait_for_status(page, "steps is 100001; give a whole number from 1 to 100000 steps")
    expect(page.locator("#run")).to_be_enabled()
    fill(page, "steps", 1)
    page.click("#run")
    wait_for_status(page, "Done: 1 step")


def test_closing_the_page_frees_the_device(open_page, picture_files):
    first, second = open_page(), open_page()
    prepare(first, picture_files, steps=100_000)
    prepare(second, picture_files, steps=2)
    first.click("#run")
    wait_for_status(first, "Step")
    first.close()
    second.click("#run")
    wait_for_status(second, "Done: 2 steps")


def test_without_weights_or_network_the_page_paints_and_says_what_is_missing(
    open_page, picture_files, tmp_path, monkeypatch
):
    monkeypatch.delenv("NST_WEIGHTS")
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    page = open_page()
    expect(page.locator("#weights")).to_contain_text("VGG-19 Lite is in use")
    expect(page.locator("#fetch")).to_have_text("Use VGG-19 (80 MB to download)")
    prepare(page, picture_files, steps=1)
    page.click("#run")
    wait_for_status(page, r"Done: 1 step in .*VGG-19 Lite from this program")
    began = time.monotonic()
    page.click("#fetch")
    wait_for_status(page, "VGG-19 could not be downloaded.*NST_WEIGHTS", timeout=15_000)
    assert time.monotonic() - began < 12  # no network is said within ten seconds
    expect(page.locator("#fetch")).to_be_visible()
    expect(page.locator("#weights")).to_contain_text("VGG-19 Lite is in use")


def test_vgg19_is_one_click_away(page, picture_files):
    prepare(page, picture_files, steps=1)
    expect(page.locator("#fetch")).to_have_text("Use VGG-19")
    page.click("#fetch")
    expect(page.locator("#weights")).to_contain_text("VGG-19 from NST_WEIGHTS")
    page.click("#run")
    wait_for_status(page, r"Done: 1 step in .*VGG-19 from NST_WEIGHTS")


def test_a_preset_says_what_stands_in_for_layers_that_lite_lacks_and_paints(page, picture_files):
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS["tran_nguyen"].title).click()
    expect(page.locator("#preset-about")).to_contain_text("VGG-19 Lite has no conv5_3: conv5_1 stands in for it.")
    prepare(page, picture_files, size=64, steps=1)
    page.click("#run")
    wait_for_status(page, r"Done: 1 step in .*VGG-19 Lite from")
    page.click("#fetch")
    expect(page.locator("#preset-about")).not_to_contain_text("stands in")
    page.click("#run")
    wait_for_status(page, r"Done: 1 step in .*VGG-19 from NST_WEIGHTS")
    assert "conv5_3" in page.inner_text("#losses")


def test_upload_of_every_kind_paints(page, picture_files, tmp_path):
    upload(page, "style", picture_files[1])
    fill(page, "size", 48)
    fill(page, "steps", 1)
    source = Image.open(picture_files[0])
    animated = tmp_path / "moving.gif"
    source.save(animated, save_all=True, append_images=[source.rotate(90)])
    transparent = tmp_path / "transparent.png"
    source.convert("RGBA").save(transparent)
    for path in (animated, transparent):
        upload(page, "content", path)
        page.wait_for_timeout(300)
        page.click("#run")
        wait_for_status(page, "(Waiting|Looking|Step)")
        wait_for_status(page, "Done: 1 step in")
        page.locator("#content button[aria-label='Remove Image']").click()


def term(page, name: str) -> float:
    """A loss as the legend of the chart has it."""
    return float(re.search(rf"{name} ([\d.e+-]+)", page.inner_text("#losses"))[1])


def test_a_slider_steers_the_painting_in_progress(page, picture_files, tmp_path):
    prepare(page, picture_files, size=64, steps=100_000)
    page.click("#run")
    wait_for_status(page, r"Step \d\d\d")
    before = term(page, "style conv5_1")
    fill(page, "beta", 7e4)
    page.wait_for_function(
        """before => Number(/style conv5_1 ([\\d.e+-]+)/.exec(document.querySelector('#losses').innerText)?.[1])
            > 30 * before""",
        arg=before,
    )
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator("#status")).to_contain_text("steered at step")


def test_a_stopped_painting_goes_on(page, picture_files):
    prepare(page, picture_files, size=64, steps=100_000)
    expect(page.locator("#go-on")).to_be_hidden()
    page.click("#run")
    wait_for_status(page, r"Step ([2-9]|\d\d)")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    made = int(re.search(r"(\d+) steps of", page.inner_text("#status"))[1])
    page.click("#one-step")
    wait_for_status(page, f"Done: {made + 1} steps")
    fill(page, "more-steps", 4)
    page.click("#more")
    wait_for_status(page, f"Done: {made + 5} steps")
    page.click("#go-on")
    wait_for_status(page, rf"Step {made}\d* of 100000|Step \d+ of 100000")
    page.click("#stop")
    wait_for_status(page, "Stopped")


def test_a_brush_says_where_the_style_goes(page, picture_files, tmp_path):
    prepare(page, picture_files, size=64, steps=3)
    page.get_by_text("Where to paint", exact=True).click()
    page.click("#take-photo")
    page.wait_for_timeout(1500)  # the editor lays out its canvas anew
    page.locator("#mask button[aria-label='Draw button'], #mask button[aria-label*='Brush']").first.click()
    box = page.locator("#mask canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 12, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=6)
    page.mouse.up()
    page.get_by_label("Keep the photo elsewhere").check()
    page.wait_for_timeout(500)
    page.click("#run")
    wait_for_status(page, "Done: 3 steps")
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / "masked.png"
    download.value.save_as(path)
    painted, photo = images.load(path), images.fit(images.load(picture_files[0]), 64)
    changed = ((painted - photo).abs().amax(1) > 3 / 255).float()
    assert 0 < changed.mean() < 0.9
    assert changed[..., :4].mean() == 0  # the left edge was not painted over


def test_colours_change_on_a_finished_painting(page, picture_files):
    prepare(page, picture_files, size=64, steps=3)
    page.click("#run")
    wait_for_status(page, "Done: 3 steps")
    before = page.locator("#result img").first.get_attribute("src")
    page.locator("#color input").click()
    page.get_by_role("option", name=COLORS["content"].title).click()
    page.wait_for_function("before => document.querySelector('#result img').src !== before", arg=before)


def test_leaving_the_preset_menu_as_it_is_keeps_what_was_set(page):
    fill(page, "beta", 123)
    menu = page.locator("#preset input")
    menu.focus()
    menu.press("Tab")
    page.wait_for_timeout(700)
    assert float(page.locator("#beta input[type=number]").input_value()) == 123
