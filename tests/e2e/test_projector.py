"""Figures for a class, in a real browser: each shows an example at once, and on a projector all fits the screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain.examples import TOLD
from nst_core.ui.explain.tour import TOUR
from tests.benchmarks.figures import WITHOUT
from tests.e2e.test_explain import PARTS
from tests.e2e.test_instant import says
from tests.e2e.visitors import KeptPage

pytestmark = pytest.mark.e2e

NAMES = list(FIGURES)
# Measured, by which its cells have a width; or known, by which its pictures are off until their slide comes.
LAID_OUT = """() => {
  const figure = document.querySelector('#figure .figure');
  return !figure || figure.style.cssText.includes('--cell: ') || Boolean(figure.querySelector('.parts.off'));
}"""
# What is to be seen and lies beyond the screen, or is cut off by what holds it.
BEYOND = """() => {
  const found = [], holders = ['#figure-words', '#tour', '#figure', '#figure .parts', '#figure .figure', '#predict'];
  if (getComputedStyle(document.body).overflow !== 'hidden') found.push('the page scrolls');
  for (const holder of holders.map(name => document.querySelector(name)).filter(Boolean)) {
    if (getComputedStyle(holder).visibility === 'hidden' || !holder.offsetWidth) continue;
    if (holder.scrollHeight > holder.clientHeight + 1 || holder.scrollWidth > holder.clientWidth + 1)
      found.push(`${holder.id || holder.className} is larger than its place`);
  }
  const all = '#figure :is(td, th, p, li, span, .plot, button), #making button, #projector, #tour p, #tour button, '
    + '#predict :is(legend, label, button, p, svg)';
  for (const part of document.querySelectorAll(all)) {
    const box = part.getBoundingClientRect();
    const cut = part.tagName === 'TH' && part.scrollWidth > part.clientWidth + 1;  // a word is wider than its column
    if (cut || (box.width && box.height
        && (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight)))
      found.push(`${part.tagName} ${part.textContent.slice(0, 40)}`);
  }
  return found;
}"""
# What is to be read in letters smaller than 28 pixels; what stands below or above its line may be smaller.
SMALL = """() => {
  const places = ['#explain-stage', '#projector-bar'].map(name => document.querySelector(name)), found = [];
  const walkers = places.map(place => document.createTreeWalker(place, NodeFilter.SHOW_TEXT));
  for (let text; (text = walkers[0].nextNode() ?? walkers[1].nextNode());) {
    const element = text.parentElement, range = document.createRange();
    range.selectNodeContents(text);
    const shown = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!text.data.trim() || !shown || !range.getBoundingClientRect().width || element.tagName === 'SUB') continue;
    if (parseFloat(getComputedStyle(element).fontSize) < 28) found.push(text.data.trim());
  }
  return found;
}"""
WORDS = "() => parseFloat(getComputedStyle(document.querySelector('%s')).fontSize)"
# Goes through all slides by a key, before any of them is painted; what ASKED finds, by the slide's number.
ALL_SLIDES = """() => {
  const asked = ASKED, wrong = [], told = () => document.querySelector('#projector-bar b').textContent;
  const count = parseInt(told().split('/')[1] ?? 1);
  for (let number = 1; number <= count; number++) {
    if (number > 1)
      document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true, cancelable: true}));
    const found = asked();
    if (count > 1 && told() !== `${number} / ${count}`) found.push(`it is ${told()}`);
    if (found.length) wrong.push([number, found]);
  }
  return wrong;
}"""
# Whether a figure is there as the projector shows it, with all pictures of its example, if it has one.
EXAMPLE = """([name, title]) => {
  const pictures = [...document.querySelectorAll('#figure .parts img')];
  if (document.querySelector('#figure-words h2')?.textContent !== title) return false;
  if (!name) return Boolean(document.querySelector('#figure .no-figure'));
  return pictures.length && pictures.every(({src, naturalWidth}) => src.includes(`/figures/${name}/`) && naturalWidth)
    && (LAID_OUT)();
}""".replace("LAID_OUT", LAID_OUT)


@pytest.fixture(scope="module")
def by_plan(browser_tab, app_url) -> KeptPage:
    """The page as the link of a lesson's plan opens it, which a module's tests share."""

    def open_anew(page: Page) -> None:
        page.goto(f"{app_url}lesson")
        expect(page.get_by_role("heading", name="A lesson of 40 minutes")).to_be_visible()
        page.get_by_role("link", name="Open it on the projector").nth(4).click()
        expect(page.locator("body")).to_have_class(re.compile("projector"), timeout=30_000)

    return KeptPage(browser_tab, open_anew)


@pytest.fixture
def explain(by_plan) -> Page:
    """The Explain tab with its first figure; others may have been made on it before."""
    page = by_plan.as_it_is()
    page.keyboard.press("Escape")  # from the projector
    page.get_by_role("tab", name="Explain", exact=True).click()
    page.get_by_text(f"1. {FIGURES[NAMES[0]].title}", exact=True).click()
    expect(page.locator("#figure-words h2")).to_have_text(FIGURES[NAMES[0]].title)
    expect(page.locator("body")).not_to_have_class(re.compile("projector"))
    return page


@pytest.fixture
def projected(explain) -> Page:
    """The same on a projector."""
    explain.set_viewport_size({"width": 1920, "height": 1080})
    explain.click("#projector")
    expect(explain.locator("body")).to_have_class(re.compile("projector"))
    return explain


def wrong_slides(page: Page, asked: str = BEYOND) -> list[tuple[int, list[str]]]:
    """Go through all slides; what a script finds on them, or that does not fit, by the slide's number."""
    page.wait_for_function(LAID_OUT)
    return page.evaluate(ALL_SLIDES.replace("ASKED", asked))


def test_a_plan_s_link_opens_its_figure_on_the_projector(by_plan):
    page = by_plan.as_it_is()
    page.set_viewport_size({"width": 1920, "height": 1080})
    expect(page.locator("#figure-words h2")).to_have_text(FIGURES["step"].title)
    expect(page.locator(f"{PARTS} img[src*='/figures/step/']").first).to_be_attached()
    expect(page.locator("#predict legend")).to_be_visible()
    assert wrong_slides(page) == []


def test_an_example_s_picture_is_enlarged(explain):
    explain.locator(PARTS).nth(1).click()
    expect(explain.locator("#enlarged-picture img")).to_be_visible()
    expect(explain.locator("#to-studio")).to_be_hidden()


def test_every_figure_shows_an_example_of_files_as_soon_as_it_is_chosen_and_its_slides_fit_the_screen(projected):
    wrong = {}
    for number, name in enumerate(NAMES, 1):
        projected.keyboard.press(str(number % 10) if number <= 10 else "ArrowDown")
        shown = "" if name in WITHOUT else name
        projected.wait_for_function(EXAMPLE, arg=[shown, FIGURES[name].title], polling=100)
        if shown:
            expect(projected.locator("#figure .example")).to_have_text(re.sub("<[^>]*>", "", TOLD))
            projected.keyboard.press("ArrowRight")
            assert projected.evaluate(WORDS % "#figure .parts p") >= (23 if name == "gram" else 28)  # four rows
            projected.keyboard.press("ArrowLeft")
        for words in ("#figure-words p", "#predict legend", "#predict label"):
            assert projected.evaluate(WORDS % words) >= 28
        if found := wrong_slides(projected):
            wrong[name] = found
    assert wrong == {}


def test_nothing_small_stays_on_the_screen_once_nobody_operates_it(projected):
    small = ("#make", "#projector", "#projector-bar .keys span")
    projected.mouse.move(300, 300)
    projected.mouse.move(310, 300)
    for place in small:
        expect(projected.locator(place)).not_to_have_css("opacity", "0")
    projected.locator("#make-status .status").evaluate("line => { line.firstElementChild.textContent = 'Ready.'; }")
    expect(projected.locator("body")).not_to_have_class(re.compile("operated"))
    assert wrong_slides(projected, SMALL) == []
    projected.locator("#make").focus()
    expect(projected.locator("#making")).to_have_css("opacity", "1")


def test_arrows_lead_through_slides_and_on_to_the_next_figure_and_escape_ends(projected):
    expect(projected.locator("#projector-bar b")).to_have_text(re.compile("^1 / 4"))
    expect(projected.locator("#predict legend")).to_be_visible()
    expect(projected.locator("#figure .charts")).to_be_hidden()
    projected.keyboard.press("ArrowRight")
    expect(projected.locator("#figure .parts")).to_be_visible()
    projected.keyboard.press("ArrowRight")
    expect(projected.locator("#figure .charts")).to_be_visible()
    expect(projected.locator("#figure .parts")).to_be_hidden()
    projected.keyboard.press("ArrowLeft")
    expect(projected.locator("#figure .parts")).to_be_visible()
    for _ in range(3):
        projected.keyboard.press("ArrowRight")
    expect(projected.locator("#figure-words h2")).to_have_text(FIGURES[NAMES[1]].title)
    projected.keyboard.press("ArrowUp")
    expect(projected.locator("#figure-words h2")).to_have_text(FIGURES[NAMES[0]].title)
    projected.keyboard.press("Escape")
    expect(projected.locator("#explain-inputs")).to_be_visible()
    expect(projected.locator("#figure .charts")).to_be_visible()


def test_every_step_of_the_tour_fits_a_projector_s_screen_and_shows_its_figure_at_once(projected):
    projected.keyboard.press("t")
    for number, station in enumerate(TOUR, 1):
        expect(projected.locator("#tour-words")).to_contain_text(f"Tour, step {number} of {len(TOUR)}")
        name = station.query["figure"]
        projected.wait_for_function(EXAMPLE, arg=[name, FIGURES[name].title], polling=100)
        assert projected.evaluate(WORDS % "#tour p") >= 28
        assert wrong_slides(projected) == []
        projected.keyboard.press("ArrowDown")
    projected.keyboard.press("t")


def test_the_space_bar_makes_the_figure_of_the_pictures_that_are_chosen_already_and_stops_it(projected):
    expect(projected.locator("#explain-content img").first).to_be_attached()
    expect(projected.locator("#figure .example")).to_have_count(1)
    projected.keyboard.press(" ")
    says(projected, "make-status", "Step [1-9]")
    expect(projected.locator("#figure .example")).to_have_count(0)
    expect(projected.locator(f"{PARTS} img[src^='data:']")).not_to_have_count(0)
    for _ in range(20):  # also while it grows
        assert projected.evaluate(BEYOND) == []
    projected.keyboard.press(" ")
    says(projected, "make-status", "Stopped after")
