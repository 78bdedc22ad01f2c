"""The preview in a real browser: what it shows of a run, and how it gets over a connection that is not good."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from nst_core.ui.widgets import channel as module
from nst_core.ui.widgets.channel import Channel
from tests.e2e.preview_site import Site, follow, put

pytestmark = pytest.mark.e2e

LOST = re.compile("No connection to the server")


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.blocks.close()


@pytest.fixture(scope="module")
def shown_page(lasting_visitor, site) -> Page:
    page = lasting_visitor()
    page.goto(site.url)
    expect(page.locator("#preview figure")).to_be_visible()
    return page


@pytest.fixture
def page(shown_page, site) -> Page:
    """The page; nothing is over yet, and no picture is shown."""
    site.over.clear()
    shown_page.evaluate("document.querySelector('#preview canvas').hidden = true")
    return shown_page


@pytest.fixture
def run(page) -> Channel:
    """A run that the page shows."""
    channel = Channel()
    follow(page, channel.token)
    return channel


def expect_shown(page: Page, text: str, side: int | None) -> None:
    expect(page.locator("#status .status")).to_have_text(text)
    if side is None:
        expect(page.locator("#preview canvas")).to_be_hidden()
        return
    page.wait_for_function("side => document.querySelector('#preview canvas').width === side", arg=side)
    expect(page.locator("#preview canvas")).to_be_visible()


def test_words_come_before_the_first_picture_and_leave_the_one_that_is_there(page, run):
    put(run, "2 before you")
    expect_shown(page, "2 before you", None)
    put(run, "Step 1", 24)
    expect_shown(page, "Step 1", 24)
    put(run, "Resting")
    expect_shown(page, "Resting", 24)


def test_a_run_that_ends_is_over_once_all_is_seen(page, run, site):
    put(run, "Step 1", 32)
    run.close()
    expect(page.locator("#answers textarea")).to_have_value(run.token)
    expect_shown(page, "Step 1", 32)
    assert site.over == [run.token]


def test_a_run_that_the_server_does_not_know_is_over_too(page, run, site):
    del Channel.live[run.token]
    expect(page.locator("#answers textarea")).to_have_value(run.token)
    assert site.over == [run.token]


def test_no_run_is_over_twice(page, site):
    tokens = ["not-known", "nor-this", "not-known", "last"]
    for token in tokens:
        follow(page, token)
        page.wait_for_function("token => window.endedRuns.has(token)", arg=token)
    expect(page.locator("#answers textarea")).to_have_value(re.compile("last"))
    assert sorted(site.over) == sorted(set(tokens))


def test_a_lost_connection_is_told_and_tried_again_until_it_is_there(page, run):
    put(run, "Step 1", 40)
    expect_shown(page, "Step 1", 40)
    for side in (None, 48):
        page.context.set_offline(True)
        expect(page.locator("#status .connection")).to_have_text(LOST)
        if side:
            put(run, "Step 2", side)
        page.context.set_offline(False)
        expect_shown(page, "Step 2" if side else "Step 1", side or 40)


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 502}, {"status": 200, "content_type": "text/html"}])
def test_what_others_answer_in_the_servers_place_ends_no_run(page, run, site, answer):
    put(run, "Step 1", 40)
    expect_shown(page, "Step 1", 40)
    page.route("**/preview/**", lambda route: route.fulfill(body="<h1>Sorry</h1>", **answer))
    expect(page.locator("#status .connection")).to_have_text(LOST)
    put(run, "Step 2", 48)
    page.unroute("**/preview/**")
    expect_shown(page, "Step 2", 48)
    assert site.over == []


# Which animation frames are put off, as their ids say: of a page that was touched so many milliseconds ago.
PUT_OFF = """times => {
  const clock = performance.now.bind(performance), frames = [];
  dispatchEvent(new Event('pointermove'));
  const touched = clock();
  for (const time of times) {
    performance.now = () => touched + time;
    frames.push(requestAnimationFrame(() => {}) >= 1e9);
  }
  delete performance.now;
  return frames;
}"""


def test_a_page_that_nobody_touches_is_animated_calmly_and_soon_so_while_it_paints(page):
    times = [900, 1100, 2900, 3100]
    page.evaluate("window.paintings = 0")
    assert page.evaluate(PUT_OFF, times) == [False, False, False, True]
    page.evaluate("window.paintings = 1")
    assert page.evaluate(PUT_OFF, times) == [False, True, True, True]
    page.evaluate("window.paintings = 0")
    page.evaluate("new Promise(shown => { performance.now = () => 1e9; requestAnimationFrame(shown); })")  # late
    page.evaluate("delete performance.now")


# JavaScript that takes the page out of sight (true) and back (false), as the browser tells it
OUT_OF_SIGHT = {
    "in the background": """hidden => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
      document.dispatchEvent(new Event('visibilitychange'));
    }""",
    "frozen": "frozen => document.dispatchEvent(new Event(frozen ? 'freeze' : 'resume'))",
}


@pytest.mark.parametrize("how", OUT_OF_SIGHT)
def test_a_page_out_of_sight_asks_for_nothing_and_gets_the_newest_when_it_is_seen(page, run, how):
    put(run, "Step 1", 40)
    expect_shown(page, "Step 1", 40)
    page.evaluate(OUT_OF_SIGHT[how], True)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for step in (2, 3):
        put(run, f"Step {step}", 40 + step)
        page.wait_for_timeout(400)  # longer than an answer takes
    assert asked == []
    page.evaluate(OUT_OF_SIGHT[how], False)
    expect_shown(page, "Step 3", 43)
    assert "seen=1&most=1" in asked[0]
