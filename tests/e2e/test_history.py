"""The strip of results in a real browser."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core.transfer.record import read_record
from tests.e2e.conftest import fill, prepare, upload, wait_for_status

pytestmark = pytest.mark.e2e

BETA = "#beta input[type=number]"


def show_history(page: Page) -> None:
    """Until the strip is there, which comes unfolded."""
    expect(page.locator("#results")).to_be_visible()


def run(page: Page, results: int, steps: int = 3) -> None:
    """Press Run and wait until so many results are in the strip."""
    page.click("#run")
    expect(page.locator("#run")).to_be_disabled()
    wait_for_status(page, rf"Done: {steps} steps? in")
    expect(page.locator("#results .thumbnail")).to_have_count(results)


def download(page: Page, button: str, path: Path) -> str:
    """What a button downloads, to path; its suggested name."""
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


def test_a_click_brings_an_older_picture_and_its_settings_back(page, picture_files, tmp_path):
    show_history(page)
    expect(page.locator("#results")).to_contain_text("will line up here")
    prepare(page, picture_files)
    fill(page, "beta", 250)
    run(page, 1)
    first = page.locator("#result img").first.get_attribute("src")
    fill(page, "beta", 9000)
    run(page, 2)
    assert page.locator("#result img").first.get_attribute("src") != first
    newest, oldest = page.locator("#results .thumbnail").all()
    expect(newest).to_have_attribute("aria-pressed", "true")
    expect(newest).to_have_attribute("aria-label", re.compile("Result 2: 3 steps, 64×43 pixels; β 9000"))
    oldest.focus()
    page.keyboard.press("Enter")
    wait_for_status(page, "Result 1 and its settings are back")
    expect(page.locator("#result img").first).to_have_attribute("src", first)
    expect(page.locator(BETA)).to_have_value("250")
    chosen = page.locator("#results .thumbnail[aria-pressed=true]")
    expect(chosen).to_have_attribute("aria-label", re.compile("^Result 1"))
    expect(chosen).to_be_focused()
    download(page, "#download", tmp_path / "first.png")
    assert read_record(tmp_path / "first.png").config.style_weight == 250


def test_settings_come_back_from_a_file_and_a_photo_changes_nothing(open_page, picture_files, tmp_path):
    page = open_page()
    show_history(page)
    prepare(page, picture_files)
    fill(page, "beta", 250)
    run(page, 1)
    download(page, "#download", tmp_path / "painted.png")
    page = open_page()
    show_history(page)
    expect(page.locator("#results .thumbnail")).to_have_count(0)  # another visitor
    for name in (picture_files[0], tmp_path / "painted.png"):
        before = page.locator(BETA).input_value()
        page.set_input_files("#settings-from input[type=file]", name)
        if name == picture_files[0]:
            expect(page.get_by_text(f"{name.name} carries no record")).to_be_visible()
            assert page.locator(BETA).input_value() == before != "250"
        expect(page.locator("#settings-from input[type=file]")).to_have_count(1)  # empty again
    wait_for_status(page, "The settings of painted.png are here")
    expect(page.locator(BETA)).to_have_value("250")
    expect(page.locator("#size input")).to_have_value("64")


def test_a_result_goes_on_as_start_content_and_at_twice_its_size(page, picture_files, tmp_path):
    show_history(page)
    page.click("#again")
    expect(page.get_by_text("there is no result yet")).to_be_visible()
    prepare(page, picture_files, steps=2)
    run(page, 1, steps=2)
    page.click("#use-start")
    wait_for_status(page, "Result 1 is the start")
    expect(page.locator("#start-picture img")).to_be_visible()
    expect(page.locator("#init").get_by_label("another picture")).to_be_checked()
    page.click("#again")
    wait_for_status(page, "Press Run: size 128, 1 step, from result 1")
    run(page, 2, steps=1)
    download(page, "#download", tmp_path / "twice.png")
    config = read_record(tmp_path / "twice.png").config
    assert (config.start, config.size, config.smallest_scale) == ("image", 128, 0)
    with Image.open(tmp_path / "twice.png") as twice:
        assert twice.size == (128, 85)
    before = page.locator("#content img").first.get_attribute("src")
    page.click("#use-content")
    wait_for_status(page, "Result 2 is the content")
    expect(page.locator("#content img").first).not_to_have_attribute("src", before)


def test_pictures_that_were_replaced_are_put_back(page, picture_files):
    show_history(page)
    prepare(page, picture_files, steps=1)
    run(page, 1, steps=1)
    before = page.locator("#content img").first.evaluate("image => image.naturalWidth")
    upload(page, "content", picture_files[1])  # of another width
    page.wait_for_function("before => document.querySelector('#content img')?.naturalWidth !== before", arg=before)
    page.click("#put-back")
    wait_for_status(page, "The pictures of result 1 are back")
    page.wait_for_function("before => document.querySelector('#content img')?.naturalWidth === before", arg=before)
    run(page, 2, steps=1)


def test_a_restored_result_names_its_preset(page, picture_files):
    show_history(page)
    prepare(page, picture_files, steps=1)
    run(page, 1, steps=1)
    page.locator("#preset input").click()
    page.get_by_role("option", name="Luo", exact=True).click()
    expect(page.locator("#preset-about")).to_contain_text("8e4")
    page.locator("#results .thumbnail").click()
    wait_for_status(page, "Result 1 and its settings are back")
    expect(page.locator("#preset input")).to_have_value("Studio: coarse to fine")
    expect(page.locator("#preset-about")).not_to_contain_text("8e4")


def test_a_moment_is_marked_while_the_run_goes_on_and_the_run_becomes_an_animation(page, picture_files, tmp_path):
    show_history(page)
    page.click("#timelapse")
    expect(page.get_by_text("there is nothing to show yet")).to_be_visible()
    prepare(page, picture_files, steps=100_000)
    page.click("#run")
    wait_for_status(page, r"Step ([2-9]|\d\d)")
    page.click("#mark")
    expect(page.locator("#results .thumbnail")).to_have_count(1)
    page.locator("#results .thumbnail").click()
    expect(page.locator("#result img").first).to_be_visible()  # beside the preview, which goes on
    before = int(page.locator("#preview canvas").get_attribute("data-version"))
    page.wait_for_function(f"document.querySelector('#preview canvas').dataset.version > {before}")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator("#results .thumbnail")).to_have_count(2)
    assert download(page, "#timelapse", tmp_path / "run.webp") == "neural-style-lab.webp"
    with Image.open(tmp_path / "run.webp") as animation:
        assert animation.n_frames > 2
    name = download(page, "#as-jpeg", tmp_path / "one.jpg")
    assert name.startswith("content_style") and name.endswith(".jpg") and read_record(tmp_path / "one.jpg").steps > 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_strip_fits_its_page(open_page, picture_files, width):
    page = open_page(width)
    show_history(page)
    prepare(page, picture_files, size=48, steps=1)
    for number in range(1, 5):
        fill(page, "beta", 100 * number)  # the same again might be taken for one
        run(page, number, steps=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("#results .strip").evaluate("strip => [strip.scrollWidth, strip.clientWidth]")
    assert (shown[0] > shown[1]) == (width == 390)
