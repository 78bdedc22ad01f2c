"""The Explain tab in a real browser: every figure made, stopped, kept, linked to and sent to the studio."""

import io
import json
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster.save import PRINT_WIDTH, read_poster
from nst_core.assets import ASSETS
from nst_core.ui.explain import tab
from nst_core.ui.explain.save import PREPARING
from nst_core.ui.explain.session import Board
from nst_core.ui.explain.tour import TOUR
from tests.classifier_file import OTHER_LABEL, save_known
from tests.e2e.test_instant import downloaded, says
from tests.e2e.visitors import FORGET, fill, upload, wait_for_status

pytestmark = pytest.mark.e2e

PICTURES = "content=china_temple&style=dawn_window"
LESSON = f"?figure=start&{PICTURES}&starts=content%2C+noise&optimizers=lbfgs&size=64&steps=3&seed=3"
PARTS = "#figure .parts button"

# Notes what is said while a file is prepared, which may take too short a time to be asked for.
NOTE_KEEPING = """() => {
  const line = document.querySelector('#keeping'), button = document.querySelector('#keep-poster');
  window.keepingSaid = [];
  const note = () => { keepingSaid.push([line.textContent.trim(), button.getAttribute('aria-busy')]); };
  for (const part of [line, button])
    new MutationObserver(note).observe(part, {attributes: true, childList: true, subtree: true, characterData: true});
}"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The folder in which weights are looked for, without any, from before the page is opened."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("NST_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def by_link(browser_tab, app_url, cache) -> Page:
    """The page as a lesson's link opens it; all tests share it, as to open one takes seconds of a processor."""
    browser_tab.goto(app_url + LESSON)
    says(browser_tab, "make-status", "The lesson .* is set")
    return browser_tab


@pytest.fixture
def explain(by_link) -> Page:
    """The Explain tab of that page, with what tests before left there."""
    by_link.set_viewport_size({"width": 1280, "height": 900})
    by_link.get_by_role("tab", name="Explain", exact=True).click()
    return by_link


@pytest.fixture
def show_lesson(explain, monkeypatch):
    """A function that has the tour's "Show me" set a lesson and make it, which opens no page."""

    def show(figure: str, settings: str = "", ends: str = "Done after") -> Page:
        step = replace(TOUR[0], query={"figure": figure, **dict(parse_qsl(f"{PICTURES}&{settings}"))})
        monkeypatch.setattr(tab, "TOUR", (step,) * len(TOUR))
        unfold_tour(explain)
        explain.evaluate(FORGET)
        explain.click("#tour-show")
        says(explain, "make-status", ends, timeout=120_000)
        expect(explain.locator("#make-stop" if ends.startswith("Step") else "#make")).to_be_enabled()
        expect(explain.locator("#figure-words h2")).to_have_text(FIGURES[figure].title)
        return explain

    return show


def unfold_tour(page: Page) -> None:
    """Open the tour, if no test before has done so."""
    if not page.locator("#tour-show").is_visible():
        page.get_by_text("Guided tour").click()
        expect(page.locator("#tour-show")).to_be_visible()


def choose(page: Page, figure: str) -> None:
    """Choose a figure in the menu."""
    page.get_by_text(f"{list(FIGURES).index(figure) + 1}. {FIGURES[figure].title}", exact=True).click()
    expect(page.locator("#figure-words h2")).to_have_text(FIGURES[figure].title)


def make(page: Page, ends: str = "Done after", timeout: float = 120_000) -> None:
    page.evaluate(FORGET)  # or the end of the last figure were taken for that of this one
    page.click("#make")
    says(page, "make-status", ends, timeout=timeout)
    expect(page.locator("#make")).to_be_enabled()  # with what comes last of it


def has_pictures(page: Page, count: int) -> None:
    """So many, and not all the same."""
    expect(page.locator(f"{PARTS} img")).to_have_count(count)
    assert len(set(pictures(page))) >= count // 2


def pictures(page: Page) -> list[str]:
    """Every picture of the figure."""
    return page.locator(f"{PARTS} img").evaluate_all("images => images.map(image => image.src)")


def test_a_figure_is_made_from_its_link_kept_as_a_page_and_as_parts_and_given_that_link(by_link):
    page = by_link
    expect(page.locator("#figure-words h2")).to_have_text(FIGURES["start"].title)
    expect(page.locator("#explain-start-seed input")).to_have_value("3")
    expect(page.locator("#explain-start-size input")).to_have_value("64")
    expect(page.locator("#explain-content img").first).to_be_visible()
    make(page)
    has_pictures(page, 6)
    assert page.locator("#figure .chart polyline").count() > 0
    page.evaluate(NOTE_KEEPING)
    with page.expect_download() as download:
        page.click("#keep-poster")
    poster = Path(download.value.path()).read_bytes()
    expect(page.locator("#keeping")).to_be_hidden()
    expect(page.locator("#keep-poster")).not_to_have_attribute("aria-busy", "true")
    assert [PREPARING, "true"] in page.evaluate("keepingSaid")
    assert Image.open(io.BytesIO(poster)).width == PRINT_WIDTH
    name, settings = read_poster(io.BytesIO(poster))
    assert name == "start" and settings["seed"] == 3
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "keep-parts"))) as archive:
        names = archive.namelist()
        assert sum(name.endswith(".png") for name in names) == 6
        (told,) = [name for name in names if name.endswith("figure.json")]
        assert json.loads(archive.read(told))["figure"] == "start"
    page.click("#keep-link")
    link = page.locator("#lesson-link a")
    expect(link).to_be_visible()
    assert dict(parse_qsl(link.get_attribute("href")[1:])) == dict(parse_qsl(LESSON[1:]))


def test_a_figure_of_a_layer_has_its_pictures_and_lines(show_lesson):
    page = show_lesson("gram", "layer=conv2_1&maps=4&pairs=1&size=64&steps=3")
    has_pictures(page, 15)
    assert page.locator("#figure .chart polyline").count() > 0


def test_the_terms_of_a_formula_point_at_their_lines(show_lesson):
    page = show_lesson("formula", "preset=gatys&size=64&steps=3")
    has_pictures(page, 3)
    expect(page.locator("#figure .figure-table")).to_have_count(4)
    expect(page.locator("#figure tr.lined").first).to_contain_text("content conv4_2")
    page.locator("#figure tr.lined").first.hover()
    expect(page.locator("#figure polyline.pointed")).to_have_count(1)  # the term's own line stands out
    style = page.get_by_role("button", name="Lstyle").first  # all of its lines
    style.hover()
    expect(page.locator("#figure polyline.pointed")).to_have_count(5)
    style.focus()
    page.mouse.move(0, 0)
    page.keyboard.press("Shift+Tab")  # to the content's
    expect(page.locator("#figure polyline.pointed")).to_have_count(1)
    style.press("Enter")
    style.blur()
    expect(page.locator("#figure polyline.pointed")).to_have_count(5)  # until it is pressed again
    style.press("Enter")
    style.blur()
    expect(page.locator("#figure polyline.pointed")).to_have_count(0)


def test_a_figure_that_is_chosen_and_made_has_as_many_pictures_as_its_example(explain):
    page = explain
    for figure in ("content", "style", "step"):
        choose(page, figure)
        expect(page.locator(f"{PARTS} img[src*='/figures/{figure}/']").first).to_be_visible()
        count = len(pictures(page))
        for number in (name for name in ("size", "steps") if name in {one.name for one in FIGURES[figure].options}):
            fill(page, f"explain-{figure}-{number}", {"size": 64, "steps": 3}[number])
        expect(page.locator("#figure .example")).to_be_visible()
        make(page)
        has_pictures(page, count)
        expect(page.locator("#figure .example")).to_have_count(0)
        assert all(picture.startswith("data:") for picture in pictures(page))
        expect(page.locator("#figure .chart polyline")).not_to_have_count(0)


def test_the_tour_shows_its_figures_on_a_projector_too(explain, monkeypatch):
    page = explain
    small = replace(TOUR[1], query=TOUR[1].query | {"size": "64", "steps": "20000"})  # begun soon, and long to be seen
    monkeypatch.setattr(tab, "TOUR", (TOUR[0], small, *TOUR[2:]))
    expect(page.locator("#explain-content-examples .gallery-item").first).to_have_attribute(
        "aria-label", re.compile("^Example: "), timeout=15_000
    )
    unfold_tour(page)
    expect(page.locator("#tour-words")).to_contain_text(TOUR[0].title)
    expect(page.locator("#tour-back")).to_be_disabled()
    page.click("#tour-next")
    expect(page.locator("#tour-words")).to_contain_text(TOUR[1].title)
    page.click("#tour-show")
    says(page, "make-status", "Step [1-9]")
    expect(page.locator("#figure-words h2")).to_have_text(FIGURES["style"].title)
    expect(page.locator(f"{PARTS} img").nth(3)).to_be_visible()
    page.click("#projector")
    expect(page.locator("#explain-inputs")).to_be_hidden()
    expect(page.locator("#make-stop")).to_be_visible()
    page.click("#make-stop")
    says(page, "make-status", "Stopped")
    page.click("#projector")
    expect(page.locator("#explain-inputs")).to_be_visible()


def test_nothing_is_cut_off_on_a_phone_and_a_part_goes_on_in_the_studio(show_lesson, explain):
    page = explain
    page.set_viewport_size({"width": 390, "height": 900})
    show_lesson("grid", "sets=A-B,A&ratios=1e-4,1e-3,1e-2,1e-1&size=64&steps=2")
    has_pictures(page, 10)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    last, area = page.locator(PARTS).last.bounding_box(), page.locator("#figure").bounding_box()
    assert last["x"] + last["width"] <= area["x"] + area["width"] + 1
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator(PARTS).nth(1).click()
    expect(page.locator("#enlarged-picture img")).to_be_visible()
    expect(page.locator("#enlarged-picture")).to_contain_text("A-B, α/β 1e-4")
    page.click("#to-studio")
    expect(page.locator("#run")).to_be_visible()
    expect(page.locator("#content img").first).to_be_visible()
    expect(page.locator("#style img").first).to_be_visible()
    expect(page.locator("#size input[type=number]")).to_have_value("64")
    expect(page.locator("#steps input[type=number]")).to_have_value("2")
    page.click("#run")
    wait_for_status(page, "Done: 2 steps")


def test_the_cut_out_that_is_chosen_first_is_put_into_its_place_and_painted(show_lesson):
    page = show_lesson("compose", "size=96&steps=3&preset=gatys_code")
    expect(page.locator(f"{PARTS} img")).to_have_count(4)
    expect(page.locator("#figure")).to_contain_text("painted from the blend")
    piece, x = page.locator("#placer .piece"), page.locator("#explain-compose-x input")
    expect(piece).to_be_visible()
    expect(x).to_have_value("0.5")
    piece.focus()
    late = []  # the first request, answered after what follows it
    page.route("**/run/predict*", lambda route: route.continue_() if late else late.append(route))
    with page.expect_request("**/run/predict*"):
        page.keyboard.press("ArrowRight")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    expect(piece).to_have_attribute("aria-label", re.compile("Centre 60 % from the left"))
    late[0].continue_()
    expect(x).to_have_value("0.6")
    page.unroute("**/run/predict*")


def test_contents_and_styles_of_ones_own_make_a_sheet(show_lesson, explain):
    page = explain
    choose(page, "sheet")
    page.set_input_files("#more-photos input[type=file]", ASSETS / "photos" / "coffee.jpg")
    page.set_input_files("#more-styles input[type=file]", ASSETS / "styles" / "great_swell.jpg")
    expect(page.locator("#more-photos")).to_contain_text("KB")
    expect(page.locator("#more-styles")).to_contain_text("KB")
    show_lesson("sheet", "size=64&steps=2&preset=gatys_code")
    has_pictures(page, 8)
    expect(page.locator("#figure")).to_contain_text("great swell")


def test_the_classifier_is_asked_for_and_where_it_is_it_names_the_pictures(show_lesson, cache):
    missing = "the classifier is not here yet; press “Download the classifier .548 MB.”"
    page = show_lesson("classify", "size=64&steps=2&every=2&preset=gatys_code", missing)
    expect(page.locator("#classifier")).to_contain_text("Download the classifier (548 MB)")
    save_known(cache / "vgg19-dcbb9e9d.pth")
    make(page)
    expect(page.locator("#figure")).to_contain_text(OTHER_LABEL)
    expect(page.locator("#figure .findings")).to_contain_text(re.compile("label"))


def test_a_figure_that_is_stopped_goes_on_where_it_was_and_ends_with_its_page(show_lesson, app_url):
    page = show_lesson("grid", "sets=A&ratios=1e-3,1e-2&size=64&steps=50000", r"Step [1-9]\d* of 50000")
    page.click("#make-stop")
    says(page, "make-status", "Stopped after")
    expect(page.locator("#make")).to_be_enabled()
    before = pictures(page)
    page.click("#make-go-on")
    expect(page.locator("#make-stop")).to_be_enabled()
    says(page, "make-status", r"Step [1-9]\d* of 50000")
    page.click("#make-stop")
    says(page, "make-status", "Stopped after")
    expect(page.locator("#make")).to_be_enabled()
    assert pictures(page) != before
    page.click("#make")
    says(page, "make-status", "Step [1-9]")
    (board,) = [board for board in Board.open.values() if board.job.busy]
    page.goto("about:blank")
    for _ in range(100):
        if board.making is None:
            break
        time.sleep(0.1)
    assert board.left and board.making is None


def test_what_is_wrong_is_said_and_what_was_made_stays(browser_tab, app_url, picture_files):
    page = browser_tab
    page.goto(f"{app_url}?figure=nonsense")
    says(page, "make-status", "the link's figure is 'nonsense'; choose one of content")
    page.locator("#explain-content").get_by_role("button", name="Remove Image").click()  # a photo is chosen at first
    make(page, "there is no content picture")
    expect(page.get_by_text("there is no content picture").first).to_be_visible()
    upload(page, "explain-content", picture_files[0])
    fill(page, "explain-content-size", 64)
    fill(page, "explain-content-steps", 2)
    make(page)
    shown = pictures(page)
    fill(page, "explain-content-steps", 0)
    make(page, "Steps is .*; give a whole number from 1")
    assert pictures(page) == shown
