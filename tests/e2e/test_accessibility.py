"""What the page is to those who see little, hear it, or have a keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.visitors import load, prepare, wait_for_status

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()

pytestmark = pytest.mark.e2e

TABS = ("Stylize", "Instant", "Train", "Explain")
UNFOLD = "document.querySelectorAll('button.label-wrap:not(.open)').forEach(head => head.click())"
# Keeps what is announced, in order.
LISTEN = """() => {
  window.announced = [];
  const region = document.querySelector('#announcements');
  new MutationObserver(() => announced.push(region.textContent)).observe(region, {childList: true});
}"""


@pytest.fixture(scope="module")
def in_the_dark(browser_tab, app_url) -> Page:
    """The page, opened in its dark theme."""
    load(browser_tab, f"{app_url}?__theme=dark")
    assert browser_tab.evaluate("document.body.classList.contains('dark')")
    return browser_tab


def visited(page: Page, theme: str, width: int) -> Page:
    """The page in a theme, for which gradio's own style sheets and ours look at one class."""
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
    return page


@pytest.fixture
def light(in_the_dark) -> Page:
    """The page on a laptop; what is folded may have been opened."""
    page = visited(in_the_dark, "light", 1280)
    page.get_by_role("tab", name="Stylize", exact=True).click()
    return page


@pytest.fixture
def dark(in_the_dark) -> Page:
    """The page on a phone in the dark."""
    return visited(in_the_dark, "dark", 390)


def opened(page: Page, tab: str) -> Page:
    """The page with a tab open and laid out; on the first, what is folded is opened."""
    page.get_by_role("tab", name=tab, exact=True).click()
    expect(page.locator(".gallery-item:visible").first).to_be_visible()
    expect(page.locator(".gallery-item:visible:not([aria-label])")).to_have_count(0)  # the last to be named
    if tab == "Stylize":  # where most is folded
        page.evaluate(UNFOLD)
    page.wait_for_timeout(500)  # gradio fades some of it in
    return page


def broken_rules(page: Page) -> dict[tuple[str, str], list[str]]:
    """Rules of axe that a tab breaks, and where."""
    broken = {}
    for tab in TABS:
        for rule in axe.run(opened(page, tab)).response["violations"]:
            broken[tab, rule["id"]] = [node["html"][:200] for node in rule["nodes"]]
    return broken


def test_no_rule_of_axe_is_broken_on_any_tab(light):  # colours and layouts, each once
    assert broken_rules(light) == {}
    assert light.locator(".error-container").count() == 0  # what gradio shows where a template fails


def widths_that_overflow(page: Page) -> list[int]:
    """Of a phone and a laptop, those into which the page with all its settings does not fit."""
    opened(page, "Stylize")
    wide = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(width)
    return wide


def test_all_settings_fit_a_phone_and_a_laptop(light):
    assert widths_that_overflow(light) == []


def test_every_place_for_files_has_a_name_of_its_own(light):
    page = light
    places = page.locator("button.upload-container:visible")
    expect(places.first).to_have_attribute("aria-label", re.compile("^Content: "))
    names = [place.get_attribute("aria-label") for place in places.all()]
    assert len(set(names)) == len(names) >= 2
    assert all(
        name.endswith(place.inner_text().split("\n")[-1]) for name, place in zip(names, places.all(), strict=True)
    )


FOCUSED = """() => {
  const one = document.activeElement, {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(one);
  const chip = one.closest('label') && getComputedStyle(one.closest('label')).backgroundColor;
  return [outlineStyle, outlineWidth, outlineColor === chip];
}"""
RINGS = (["solid", "2px"], ["solid", "3px"])


def test_what_has_the_focus_shows_it(light):
    page = light
    checked = "#knobs label.selected input[type=checkbox]"
    for kind in ("#knobs input[type=checkbox]", "#knobs input[type=radio]", checked, "#balance input[type=range]"):
        page.locator(f"{kind}:visible").first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == ["solid", "2px", False], kind
    menu = page.locator("#preset input")
    menu.focus()
    expect(page.locator(".option-list")).to_be_visible()
    assert page.evaluate(FOCUSED)[:2] == ["solid", "2px"]
    page.keyboard.press("Tab")
    expect(page.locator(".option-list")).to_have_count(0)  # it would lie over what has the focus
    expect(page.locator("#alpha-weight")).to_be_focused()


def test_a_row_is_one_stop_of_the_tab_key_within_which_arrows_move(light):
    page = light
    expect(page.locator("#style-examples .gallery-item[aria-label]").first).to_be_visible()
    expect(page.locator("#style-examples .gallery-item[tabindex='0']")).to_have_count(1)
    for row, count in (("#recipes", 1), ("#looks", 1), ("#content-examples", 1), ("[role=tablist]", 1)):
        assert page.locator(row).first.locator("button[tabindex='0']").count() == count, row
    recipes = page.locator("#recipes .thumbnail")
    recipes.first.focus()
    for key, number in (("ArrowRight", 1), ("End", 3), ("ArrowRight", 0), ("ArrowLeft", 3), ("Home", 0)):
        page.keyboard.press(key)
        expect(recipes.nth(number)).to_be_focused()
        assert page.evaluate(FOCUSED)[:2] in RINGS
    expect(page.locator("#recipes [aria-pressed=true]")).to_have_count(0)  # an arrow chooses nothing
    page.keyboard.press("Tab")
    assert not page.evaluate("Boolean(document.activeElement.closest('#recipes'))")
    page.get_by_role("tab", name="Stylize").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Instant")).to_be_focused()
    assert page.evaluate(FOCUSED)[:2] in RINGS
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Instant")).to_have_attribute("aria-selected", "true")


def test_a_painting_is_announced_when_it_begins_by_quarters_and_when_it_ends(light, picture_files):
    page = light
    prepare(page, picture_files, size=64, steps=40)
    page.evaluate(LISTEN)
    page.click("#run")
    wait_for_status(page, "Done: 40 steps")
    page.wait_for_function("announced.at(-1)?.startsWith('Done: 40 steps')")
    said = page.evaluate("announced")
    assert 2 <= len(said) <= 5 and len(set(said)) == len(said)
    quarters = [int(text.split(" %")[0]) for text in said[1:-1]]
    assert quarters == sorted(set(quarters)) and set(quarters) <= {25, 50, 75}


def test_all_settings_fit_a_phone_and_a_laptop_in_the_dark(dark):
    assert widths_that_overflow(dark) == []


def test_no_rule_of_axe_is_broken_on_a_phone_in_the_dark_nor_by_a_question(dark):
    assert broken_rules(dark) == {} and dark.locator(".error-container").count() == 0
    dark.get_by_text("Predict first").click()
    expect(dark.get_by_role("radiogroup")).to_be_visible()
    expect(dark.locator("#figure")).to_be_hidden()
    response = axe.run(dark, "#explain-stage").response  # all else is as it was on that tab
    broken = {rule["id"]: rule["nodes"][0]["html"][:200] for rule in response["violations"]}
    assert broken == {} and dark.evaluate("document.documentElement.scrollWidth") == 390
