"""The page in a real browser before it paints: what stands there, what settings show, what may be dropped on it."""

import math
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core.assets import ASSETS
from nst_core.transfer.presets import PRESETS
from tests.e2e.visitors import fill, load, upload, wait_for_status

pytestmark = pytest.mark.e2e

FIRST_IDS = ["content", "style", "preset", "alpha", "beta", "style-layers", "init", "steps", "size", "run", "stop"]
GROUPS = {
    "Brush strokes and more styles": "#style-2",
    "Where to paint": "#mask",
    "More layers": "#layer-weights",
    "Network and optimiser": "#backbone",
}
IDS = [*FIRST_IDS, "status", "preview", "losses", "result", "download", "backbone"]


def open_groups(page: Page) -> None:
    """Unfold all settings."""
    for group, content in GROUPS.items():
        page.get_by_text(group, exact=True).click()
        expect(page.locator(content)).to_be_visible()


@pytest.fixture(scope="module")
def opened(lasting_visitor, app_url, tmp_path_factory):
    """A page without pictures and with all settings unfolded, `page`; what it asked for as it opened, `requests`.

    Its server has no weights but its own, and no network.
    """
    nowhere, elsewhere = tmp_path_factory.mktemp("nowhere"), pytest.MonkeyPatch()
    elsewhere.delenv("NST_WEIGHTS")
    elsewhere.setenv("NST_CACHE", str(nowhere))
    elsewhere.setenv("TORCH_HOME", str(nowhere / "torch"))
    elsewhere.setenv("HF_HUB_OFFLINE", "1")
    page, requests = lasting_visitor(), []
    page.on("request", lambda request: requests.append(request.url))
    load(page, app_url)
    open_groups(page)
    yield SimpleNamespace(page=page, requests=tuple(requests))
    elsewhere.undo()


def choose_preset(page: Page, name: str) -> None:
    page.locator("#preset input").click()
    page.get_by_role("option", name=PRESETS[name].title).click()


def test_page_has_every_control_and_asks_nothing_of_other_hosts(opened, app_url):
    page = opened.page
    expect(page.locator("#style-examples img")).to_have_count(len(list((ASSETS / "styles").glob("*.jpg"))))
    assert {elem_id: page.locator(f"#{elem_id}").count() for elem_id in IDS} == dict.fromkeys(IDS, 1)
    expect(page.locator("#go-on")).to_be_hidden()
    expect(page.locator("#welcome img").first).to_be_visible()  # a painting before any click
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith((app_url, "data:", "blob:"))] == []


def test_every_control_has_a_name_for_screen_readers(opened):
    page = opened.page
    expect(page.get_by_role("button", name="Example: koi mosaic")).to_be_visible()
    nameless = page.evaluate(
        """[...document.querySelectorAll('#inputs input, #knobs input, #stage input, button')]
        .filter(e => e.type !== 'file' && !e.closest('[hidden]') && e.offsetParent)
        .filter(e => !(e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby') || e.title || e.innerText))
        .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []


def test_a_preset_fills_the_controls(opened):
    page = opened.page
    for name in ("neural_style", "crowson"):
        config = PRESETS[name].config
        choose_preset(page, name)
        expect(page.locator("#steps input")).to_have_value(str(config.steps))
        expect(page.locator("#alpha input[type=number]")).to_have_value(f"{config.content_weight:g}")
        expect(page.locator("#optimizer input")).to_have_value({"lbfgs": "L-BFGS", "adam": "Adam"}[config.optimizer])
        expect(page.locator("#init").get_by_label(config.start)).to_be_checked()
        expect(page.locator("#preset-about")).to_contain_text(PRESETS[name].source[:30])


def test_a_preset_and_its_formula_as_printed_are_a_click_apart(opened):
    page = opened.page
    choose_preset(page, "gatys")
    for name, other in (("gatys", "As printed"), ("gatys_printed", "As painted"), ("gatys", "As printed")):
        if page.locator("#preset input").input_value() != PRESETS[name].title:
            page.locator("#printed").click()
        expect(page.locator("#preset input")).to_have_value(PRESETS[name].title)
        weight = PRESETS[name].config.content_weight
        expect(page.locator("#alpha input[type=number]")).to_have_value(f"{weight:g}")
        handle = page.locator("#alpha input[type=range]")
        ends = [float(handle.get_attribute(end)) for end in ("min", "max")]
        assert ends == [pytest.approx(math.log10(weight) + side, abs=0.051) for side in (-4, 4)]
        expect(page.locator("#printed")).to_have_text(other)
    choose_preset(page, "studio")
    expect(page.locator("#printed")).to_be_hidden()
    expect(page.locator("#beta input[type=number]")).to_have_value(f"{PRESETS['studio'].config.style_weight:g}")


def test_leaving_the_preset_menu_as_it_is_keeps_what_was_set(opened):
    page = opened.page
    fill(page, "beta", 123)
    menu = page.locator("#preset input")
    menu.focus()
    menu.press("Tab")
    page.wait_for_timeout(700)
    assert float(page.locator("#beta input[type=number]").input_value()) == 123


def test_an_example_is_one_click(opened):
    page = opened.page
    page.locator("#content-examples button, #content-examples img").first.click()
    expect(page.locator("#content img").first).to_be_visible()
    page.locator("#content button[aria-label='Remove Image']").click()
    expect(page.locator("#content input[type=file]")).to_have_count(1)  # as it was


def test_run_without_pictures_says_what_is_missing(opened, picture_files):
    page = opened.page
    page.click("#run")
    wait_for_status(page, "there is no content picture; drop one or click an example")
    expect(page.locator("#run")).to_be_enabled()


def bad_files(folder: Path) -> dict[str, Path]:
    text = folder / "letter.jpg"
    text.write_text("Dear reader, this is no picture.")
    tiny = folder / "tiny.png"
    Image.new("RGB", (1, 1)).save(tiny)
    return {"letter.jpg": text, "tiny.png": tiny}


def test_a_bad_upload_is_named_at_once_and_the_page_goes_on(opened, picture_files, tmp_path):
    page = opened.page
    # each in a place of its own: a file that is given in the moment in which the last one is cleared away goes with it
    for (name, path), place in zip(bad_files(tmp_path).items(), ("content", "style"), strict=True):
        page.set_input_files(f"#{place} input[type=file]", path)
        expect(page.get_by_text(re.compile(rf"{re.escape(name)} (cannot be read|is 1×1)"))).to_be_visible()
        expect(page.locator(f"#{place} input[type=file]")).to_have_count(1)  # empty again, ready for another
    whole, short = tmp_path / "whole.jpg", tmp_path / "short.jpg"
    Image.effect_noise((200, 200), 60).save(whole)
    short.write_bytes(whole.read_bytes()[:2000])
    fill(page, "steps", 1)
    fill(page, "size", 64)
    upload(page, "style", picture_files[1])
    upload(page, "content", short)  # its header says nothing of what is missing
    expect(page.get_by_text("short.jpg is cut short or damaged")).to_be_visible()
    expect(page.locator("#content img").first).to_have_attribute("src", re.compile("short.png$"))  # as far as it goes
    page.click("#run")
    wait_for_status(page, "Done: 1 step in")


def test_without_weights_or_network_the_page_paints_and_says_what_is_missing(opened, picture_files):
    page = opened.page
    expect(page.locator("#weights")).to_contain_text("VGG-19 Lite is in use")
    expect(page.locator("#fetch")).to_have_text("Use VGG-19 (80 MB to download)")
    for place, path in zip(("content", "style"), picture_files, strict=True):
        if not page.locator(f"#{place} img").count():
            upload(page, place, path)
    fill(page, "steps", 2)
    fill(page, "size", 64)
    page.click("#run")
    wait_for_status(page, r"Done: 2 steps in .*VGG-19 Lite from this program")
    began = time.monotonic()
    page.click("#fetch")
    wait_for_status(page, "VGG-19 could not be downloaded.*NST_WEIGHTS", timeout=15_000)
    assert time.monotonic() - began < 12  # no network is said within ten seconds
    expect(page.locator("#fetch")).to_be_visible()
    expect(page.locator("#weights")).to_contain_text("VGG-19 Lite is in use")
