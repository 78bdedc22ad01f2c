"""The strip of results in a real browser."""

import re
from pathlib import Path

import av
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from nst_core.transfer.record import read_record
from tests.e2e.visitors import KeptPage, fill, load, prepare, upload, wait_for_status

pytestmark = pytest.mark.e2e

BETA = "#beta input[type=number]"
THUMBNAILS = "#results .thumbnail"


@pytest.fixture(scope="module")
def studio(lasting_visitor, app_url, picture_files) -> KeptPage:
    """A page with two results at least, of β 9000 and 250."""

    def open_anew(page: Page) -> None:
        prepare(load(page, app_url), picture_files)
        for beta in (9000, 250):
            fill(page, "beta", beta)
            run(page, steps=3)

    return KeptPage(lasting_visitor(), open_anew, ("size", "steps"), bring_back=lambda page: result(page, 2).click())


@pytest.fixture
def painted(studio) -> Page:
    """That page, with the second result in sight; there may be more by now."""
    page = studio.ready()
    bring_back(page, 2)
    return page


def run(page: Page, *, steps: int) -> None:
    """Press Paint and wait until one more result is in the strip."""
    fill(page, "steps", steps)
    count = page.locator(THUMBNAILS).count()
    page.click("#run")
    expect(page.locator(THUMBNAILS)).to_have_count(count + 1, timeout=30_000)
    wait_for_status(page, rf"Done: {steps} steps? in")
    expect(page.locator("#run")).to_be_enabled()


def result(page: Page, number: int) -> Locator:
    """In the strip."""
    return page.get_by_role("button", name=re.compile(f"^Result {number}:"))


def bring_back(page: Page, number: int) -> None:
    """A result and its settings, unless they are there."""
    if result(page, number).get_attribute("aria-pressed") != "true":
        result(page, number).click()
    expect(result(page, number)).to_have_attribute("aria-pressed", "true")


def download(page: Page, button: str, path: Path) -> str:
    """What a button downloads, to path; its suggested name."""
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


def test_a_strip_without_results_says_what_comes(kept_page):
    page = kept_page.as_it_is()
    expect(page.locator("#results")).to_contain_text("will line up here")
    page.click("#use-start")
    expect(page.get_by_text("there is no result yet")).to_be_visible()
    for action in ("#again", "#as-jpeg", "#as-tiff", "#timelapse"):
        expect(page.locator(action)).to_be_hidden()  # there is nothing yet to do it with


def test_a_click_brings_an_older_picture_and_its_settings_back(painted, tmp_path):
    page, shown = painted, painted.locator("#result img").first
    second = shown.get_attribute("src")
    fill(page, "beta", 500)
    run(page, steps=2)
    expect(shown).not_to_have_attribute("src", second)
    newest = page.locator(THUMBNAILS).first
    expect(newest).to_have_attribute("aria-pressed", "true")
    expect(newest).to_have_attribute("aria-label", re.compile(r"^Result \d+: 2 steps, 64×43 pixels; β 500"))
    result(page, 1).focus()
    page.keyboard.press("Enter")
    wait_for_status(page, "Result 1 and its settings are back")
    expect(page.locator(BETA)).to_have_value("9000")
    chosen = page.locator(f"{THUMBNAILS}[aria-pressed=true]")
    expect(chosen).to_have_attribute("aria-label", re.compile("^Result 1: 3 steps"))
    expect(chosen).to_be_focused()
    download(page, "#download", tmp_path / "first.png")
    assert read_record(tmp_path / "first.png").config.style_weight == 9000
    bring_back(page, 2)
    expect(shown).to_have_attribute("src", second)
    expect(page.locator(BETA)).to_have_value("250")


def test_settings_come_back_from_a_file_and_a_photo_changes_nothing(painted, kept_page, picture_files, tmp_path):
    page = kept_page.as_it_is()
    download(painted, "#download", tmp_path / "painted.png")
    expect(page.locator(THUMBNAILS)).to_have_count(0)  # another visitor
    for name in (picture_files[0], tmp_path / "painted.png"):
        before = page.locator(BETA).input_value()
        page.set_input_files("#settings-from input[type=file]", name)
        if name == picture_files[0]:
            expect(page.get_by_text(f"{name.name} carries no record")).to_be_visible()
            expect(page.get_by_text("No settings to take", exact=True)).to_be_visible()
            assert page.locator(BETA).input_value() == before != "250"
        expect(page.locator("#settings-from input[type=file]")).to_have_count(1)  # empty again
    wait_for_status(page, "The settings of painted.png are here")
    expect(page.locator(BETA)).to_have_value("250")
    expect(page.locator("#size input")).to_have_value("64")


def test_a_moment_is_marked_while_the_run_goes_on_and_the_run_becomes_an_animation(painted, tmp_path):
    page, count = painted, painted.locator(THUMBNAILS).count()
    fill(page, "steps", 100_000)
    page.click("#run")
    wait_for_status(page, r"Step ([2-9]|\d\d)")
    page.click("#mark")
    expect(page.locator(THUMBNAILS)).to_have_count(count + 1)
    page.locator(THUMBNAILS).first.click()
    expect(page.locator("#result img").first).to_be_visible()  # beside the preview, which goes on
    before = int(page.locator("#preview canvas").get_attribute("data-version"))
    page.wait_for_function(f"document.querySelector('#preview canvas').dataset.version > {before}")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator(THUMBNAILS)).to_have_count(count + 2)
    assert download(page, "#timelapse", tmp_path / "run.mp4") == "content_style_studio_64_timelapse.mp4"
    with av.open(str(tmp_path / "run.mp4")) as film:
        assert film.streams.video[0].frames > 3
    name = download(page, "#as-tiff", tmp_path / "one.tif")
    assert name.endswith(".tif") and read_record(tmp_path / "one.tif").stopped
    name = download(page, "#as-jpeg", tmp_path / "one.jpg")
    assert name.startswith("content_style") and name.endswith(".jpg") and read_record(tmp_path / "one.jpg").steps > 0


def test_the_strip_fits_its_page(painted):
    page = painted
    while page.locator(THUMBNAILS).count() < 4:
        run(page, steps=1)
    seen = {}
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        strip = page.locator("#results .strip").evaluate("strip => [strip.scrollWidth, strip.clientWidth]")
        seen[width] = page.evaluate("document.documentElement.scrollWidth") <= width, strip[0] > strip[1]
    assert seen == {390: (True, True), 1280: (True, False)}  # only on a phone it scrolls


def test_a_restored_result_names_its_preset(painted):
    page = painted
    page.locator("#preset input").click()
    page.get_by_role("option", name="Luo", exact=True).click()
    expect(page.locator("#preset-about")).to_contain_text("8e4")
    result(page, 2).click()
    expect(page.locator("#preset input")).to_have_value("Studio: coarse to fine")
    expect(page.locator("#preset-about")).not_to_contain_text("8e4")


def test_pictures_that_were_replaced_are_put_back(painted, picture_files):
    page = painted
    before = page.locator("#content img").first.evaluate("image => image.naturalWidth")
    upload(page, "content", picture_files[1])  # of another width
    page.wait_for_function("before => document.querySelector('#content img')?.naturalWidth !== before", arg=before)
    page.click("#put-back")
    wait_for_status(page, "The pictures of result 2 are back")
    page.wait_for_function("before => document.querySelector('#content img')?.naturalWidth === before", arg=before)
    run(page, steps=1)


def test_a_result_goes_on_as_start_content_and_at_twice_its_size(painted, tmp_path):
    page = painted
    page.click("#use-start")
    wait_for_status(page, "Result 2 is the start")
    expect(page.locator("#start-picture img")).to_be_visible()
    expect(page.locator("#init").get_by_label("another picture")).to_be_checked()
    results = page.locator(THUMBNAILS).count()
    page.click("#again")  # paints at once
    expect(page.locator(THUMBNAILS)).to_have_count(results + 1)
    wait_for_status(page, "Done: 1 step in")
    download(page, "#download", tmp_path / "twice.png")
    config = read_record(tmp_path / "twice.png").config
    assert (config.start, config.size, config.smallest_scale) == ("image", 128, 0)
    with Image.open(tmp_path / "twice.png") as twice:
        assert twice.size == (128, 85)
    before = page.locator("#content img").first.get_attribute("src")
    page.click("#use-content")
    wait_for_status(page, r"Result \d+ is the content")
    expect(page.locator("#content img").first).not_to_have_attribute("src", before)
