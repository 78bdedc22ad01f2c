"""What the page shows before a click, and what one click does."""

import re

import pytest
from playwright.sync_api import Page, expect

from nst_core.transfer.presets import PRESETS
from nst_core.ui.studio.looks import LOOKS
from nst_core.ui.stylize.recipes import RECIPES, SIZE
from tests.e2e.visitors import KeptPage, fill, load, wait_for_status

pytestmark = pytest.mark.e2e

BETA = "#beta input[type=number]"
BALANCE = "#balance input[type=number]"
SCREENS = {"laptop": (1280, 720), "phone": (390, 844)}


# What of the stage holds more than it shows.
SCROLLED_WITHIN = """() => [...document.querySelectorAll('#stage, #stage .column')]
  .filter(one => one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).overflowY !== 'visible')
  .map(one => one.id)"""

# Where what is below the picture on a phone begins, in pixels of the page.
PLACES = """() => ['#recipes', '#inputs'].map(place =>
  Math.round(document.querySelector(place).getBoundingClientRect().top + scrollY))"""

# Pixels from what is said to what to try.
BLANK = """() => document.querySelector('#recipes .strip').getBoundingClientRect().top
  - document.querySelector('#status .status').lastElementChild.getBoundingClientRect().bottom"""

# Counts, now and then, that no picture is on the stage.
COUNT_BLANK = """() => {
  window.blank = 0;
  setInterval(() => { blank += ![...document.querySelectorAll('#picture :is(.pictures, canvas)')]
    .some(one => one.getBoundingClientRect().height); }, 20);
}"""

# What is to be chosen of, and pressed, and lies under a toast.
COVERED = """() => {
  const over = [...document.querySelectorAll('.toast-body')].map(toast => toast.getBoundingClientRect());
  return [...document.querySelectorAll('#recipes .thumbnail, #looks .thumbnail, #run, #content, #style')]
    .filter(one => { const place = one.getBoundingClientRect(); return over.some(({left, top, right, bottom}) =>
      left < place.right && right > place.left && top < place.bottom && bottom > place.top); }).map(one => one.id);
}"""


def in_sight(page: Page, selector: str) -> bool:
    """Whether all of it is in the window, without scrolling."""
    box, window = page.locator(selector).first.bounding_box(), page.viewport_size
    return bool(
        box
        and window
        and box["y"] >= 0
        and box["y"] + box["height"] <= window["height"]
        and box["x"] + box["width"] <= window["width"]
    )


@pytest.fixture(scope="module")
def first_screen(browser_tab, app_url) -> KeptPage:
    """The page as it opens."""
    return KeptPage(
        browser_tab,
        lambda page: load(page, app_url),
        bring_back=lambda page: page.locator("#looks .thumbnail").first.click(),
    )


@pytest.fixture
def page(first_screen) -> Page:
    page = first_screen.ready()
    page.evaluate("scrollTo(0, 0)")
    return page


@pytest.mark.parametrize("screen", SCREENS)
def test_paint_a_painting_and_what_to_try_are_in_sight_before_a_click(page, screen):
    page.set_viewport_size(dict(zip(("width", "height"), SCREENS[screen], strict=True)))
    expect(page.locator("#run")).to_contain_text("Paint")
    expect(page.locator("#stop")).to_be_hidden()  # it comes where Paint was
    wanted = ("#run", "#welcome .pictures", "#recipes .thumbnail", "#content", "#style")
    assert {selector: in_sight(page, selector) for selector in wanted} == dict.fromkeys(wanted, True)
    names = page.locator("#recipes .thumbnail span")
    expect(names).to_have_count(len(RECIPES))
    for name in names.all():
        expect(name).to_be_visible()
    assert screen == "laptop" or page.evaluate(BLANK) <= 72  # words of a painting take 88
    page.mouse.wheel(0, 600)
    page.wait_for_function("scrollY > 300")
    assert in_sight(page, "#welcome .pictures")  # the stage stays
    assert screen == "laptop" or in_sight(page, "#run")
    assert screen == "laptop" or page.evaluate(SCROLLED_WITHIN) == []
    page.set_viewport_size({"width": 640, "height": 360})  # of a laptop at 200 %
    places = ("#stage", "#picture", "#press")
    positions = [page.locator(place).evaluate("place => getComputedStyle(place).position") for place in places]
    assert positions == ["static"] * 3  # the knobs have all of it


def test_the_first_key_leads_to_paint_from_any_tab(page):
    page.get_by_role("tab", name="Explain").click()
    expect(page.locator("#run")).to_be_hidden()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.locator(".skip-link").focus()
    assert in_sight(page, ".skip-link")
    page.keyboard.press("Enter")
    expect(page.locator("#run")).to_be_focused()
    first = "[...document.querySelectorAll('a, button, input')].find(one => one.getClientRects().length).className"
    assert page.evaluate(first) == "skip-link"


def test_looks_and_the_handle_move_beta_and_show_where_it_is(page):
    beta = PRESETS["studio"].config.style_weight
    chosen = page.locator("#looks [aria-pressed=true]")
    expect(chosen).to_have_text(re.compile(LOOKS[0].title))
    page.locator("#looks .thumbnail", has_text="Bold").click()
    expect(page.locator(BETA)).to_have_value("45")
    handle = page.locator("#balance input[type=range]")
    for key, value in (("ArrowRight", "0.8"), ("ArrowLeft", "0.7")):  # from where the look has it, at once
        handle.press(key)
        assert handle.input_value() == value
    expect(page.locator(BALANCE)).to_have_value("0.7")
    expect(chosen).to_have_text(re.compile("Bold"))
    fill(page, "balance", -1)
    expect(page.locator(BETA)).to_have_value(f"{beta / 10:g}")
    expect(chosen).to_have_count(0)
    fill(page, "beta", beta * 100)
    expect(page.locator(BALANCE)).to_have_value("2")
    page.locator("#looks .thumbnail", has_text="Balanced").click()
    expect(page.locator(BALANCE)).to_have_value("0")
    expect(page.locator(BETA)).to_have_value(f"{beta:g}")


def test_the_line_between_photo_and_painting_is_moved_on_the_picture(page):
    figure = page.locator("#welcome .before-after")
    line = page.get_by_label("Share of the picture that shows the photo").first
    line.focus()
    before = figure.evaluate("figure => figure.style.getPropertyValue('--share')")
    page.keyboard.press("ArrowRight")
    assert figure.evaluate("figure => figure.style.getPropertyValue('--share')") == f"{int(before[:-1]) + 1}%"
    box = page.locator("#welcome .pictures").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    moved = figure.evaluate("figure => figure.style.getPropertyValue('--share')")
    assert 70 <= int(moved[:-1]) <= 80
    page.locator("#welcome .whole").click()
    page.wait_for_function("document.fullscreenElement !== null")
    whole = page.locator("#welcome .pictures").evaluate("place => [place.clientWidth, place.clientHeight]")
    window = page.evaluate("[innerWidth, innerHeight]")
    assert any(abs(own - all_) <= 1 for own, all_ in zip(whole, window, strict=True))  # it fills the screen
    page.locator("#welcome .pixels").click()
    assert page.locator("#welcome img").first.evaluate("image => [image.clientWidth, image.naturalWidth]") == [SIZE] * 2
    page.locator("#welcome .whole").click()
    page.wait_for_function("document.fullscreenElement === null")
    line.fill(before[:-1])  # as it was


def test_a_recipe_shows_its_painting_and_paint_begins_it_with_the_focus_on_stop(page):
    number, recipe = 3, RECIPES[3]
    page.locator("#recipes .thumbnail").nth(number).click()
    wait_for_status(page, f"An example: {recipe.title}")
    expect(page.locator("#result img[alt='The painting']")).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator("#recipes [aria-pressed=true]")).to_have_attribute("title", f"Try {recipe.title}")
    for field in ("content", "style"):
        expect(page.locator(f"#{field} img").first).to_be_visible()
    expect(page.locator("#size input")).to_have_value(str(SIZE))
    expect(page.locator("#as-jpeg")).to_be_hidden()  # it is nobody's result
    fill(page, "size", 7)
    page.click("#run")
    wait_for_status(page, "“Size” is 7")
    expect(page.locator("#result img[alt='The painting']")).to_be_visible()  # nothing is lost
    expect(page.locator(".toast-body")).to_be_visible()
    assert page.evaluate(COVERED) == []
    fill(page, "size", 96)
    fill(page, "steps", 100_000)  # long enough to be stopped three times
    expect(page.locator("#run")).to_be_enabled()  # a moment after what is said
    page.evaluate(COUNT_BLANK)
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stop")).to_be_focused()
    expect(page.locator("#run")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#losses .legend")).to_be_visible()
    painted = ("#preview canvas", "#losses .chart", "#losses .legend")
    assert [what for what in painted if not in_sight(page, what)] == []
    assert page.evaluate("blank") <= 1  # the picture before was there until the first one came
    page.keyboard.press("Enter")
    wait_for_status(page, "Stopped:")
    expect(page.locator("#run")).to_be_focused()
    assert [what for what in ("#result .pictures", *painted[1:], "#actions") if not in_sight(page, what)] == []
    for width in (834, 1280):  # beside what its lines are called, or above
        page.set_viewport_size({"width": width, "height": 720})
        assert page.locator("#losses .plot").bounding_box()["width"] >= 200
    assert float(page.locator("#status progress").get_attribute("value")) < 1
    which = page.locator("#goes-on-with")
    expect(which).to_contain_text(re.compile(r"Size 96.*Step \d+ of"))
    expect(page.locator("#go-on")).to_have_attribute("aria-describedby", "goes-on-with")
    page.set_viewport_size({"width": 390, "height": 844})
    for further in ("#go-on", "#more"):
        page.locator(further).press("Enter")
        expect(page.locator("#stop")).to_be_focused()
        expect(page.locator("#preview canvas")).to_be_visible()
        painting = page.evaluate(PLACES)
        page.keyboard.press("Enter")
        expect(page.locator(further)).to_be_focused()
        assert page.evaluate(PLACES) == painting  # nothing moves when a painting begins or ends
    saves = page.locator("#actions button:visible").all_inner_texts()
    assert saves[:2] == ["Download JPEG", "PNG"]
    page.locator("#result input").press("Home")
    line = page.locator("#result .line").evaluate("line => getComputedStyle(line, '::after').left")
    assert line == "0px"  # the handle stays within the picture
    page.evaluate("scrollTo(0, 600)")
    assert page.evaluate(SCROLLED_WITHIN) == []
    paint, save = (page.locator(button).bounding_box() for button in ("#run", "#as-jpeg"))
    assert in_sight(page, "#run") and in_sight(page, "#as-jpeg")  # beside each other in the bar
    assert paint["x"] + paint["width"] <= save["x"] and save["y"] < paint["y"] + paint["height"]


def test_the_page_opens_as_it_was_left_and_a_link_as_it_says(first_screen, app_url):
    page = first_screen.as_it_is()
    papers = page.locator("button.label-wrap", has_text="Papers and programs")
    expect(papers).to_have_class(re.compile(r"\bopen\b"))
    papers.click()
    expect(papers).not_to_have_class(re.compile(r"\bopen\b"))
    page.get_by_role("tab", name="Explain").click()
    page.reload()
    expect(page.get_by_role("tab", name="Explain")).to_have_attribute("aria-selected", "true", timeout=15_000)
    expect(papers).not_to_have_class(re.compile(r"\bopen\b"))
    page.goto(f"{app_url}?preset=lab")
    expect(page.locator("#run")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("tab", name="Stylize")).to_have_attribute("aria-selected", "true")
    papers.click()
