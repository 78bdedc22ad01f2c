"""Two people at one computer, each in a real browser."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.visitors import KeptPage, fill, load, prepare, upload, wait_for_status

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def studios(lasting_visitor, app_url, picture_files) -> list[KeptPage]:
    return [
        KeptPage(lasting_visitor(), lambda page: prepare(load(page, app_url), picture_files), ("steps",))
        for _ in range(2)
    ]


@pytest.fixture
def first(studios) -> Page:
    """A page on which somebody paints."""
    page = studios[0].ready()
    paint(page)
    return page


def paint(page: Page) -> None:
    """Until a painting of many steps has begun."""
    fill(page, "steps", 100_000)
    page.click("#run")
    wait_for_status(page, "Step")


@pytest.fixture
def second(studios) -> Page:
    """A page on which somebody else wants to."""
    page = studios[1].ready()
    fill(page, "steps", 2)
    return page


def test_two_paint_side_by_side_and_each_its_own(second, first):
    second.click("#run")
    wait_for_status(second, "Done: 2 steps")
    expect(second.locator("#run")).to_be_enabled()
    wait_for_status(first, "Step")
    expect(first.locator("#stop")).to_be_enabled()
    first.click("#stop")
    wait_for_status(first, "Stopped")


def test_a_server_without_room_says_so_and_the_page_is_as_before(second, first, picture_files, monkeypatch):
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


def test_a_page_that_is_opened_again_finds_its_painting_as_it_is_now(first):
    another = first.context.new_page()
    another.goto(first.url)
    wait_for_status(another, "Step [1-9]")
    expect(another.locator("#run")).to_be_disabled()
    expect(another.locator("#preview canvas")).to_be_visible()
    expect(another.locator("#steps input")).to_have_value("100000")
    expect(another.locator("#content img").first).to_be_visible()
    another.click("#stop")
    wait_for_status(first, "Stopped")
    wait_for_status(another, "Stopped")
    another.close()
    fill(first, "size", 77)
    asked, done = [], []
    first.on("request", lambda request: "99999" in (request.post_data or "") and asked.append(request))
    first.on("requestfinished", lambda request: request in asked and done.append(request))
    fill(first, "steps", 99_999)
    deadline = time.monotonic() + 10
    while not asked or len(done) < len(asked):  # the server has noted it
        assert time.monotonic() < deadline
        first.wait_for_timeout(100)
    first.reload()
    wait_for_status(first, "Stopped")
    expect(first.locator("#size input")).to_have_value("77")  # controls that were moved and not run with
    expect(first.locator("#steps input")).to_have_value("99999")
    expect(first.locator("#go-on")).to_be_visible()
    expect(first.locator("#results img")).not_to_have_count(0)


def test_a_page_that_was_closed_leaves_its_painting_at_work(studios):  # the last, as it closes one of them
    page = studios[1].as_it_is()
    paint(page)
    browser, url = page.context, page.url
    page.close()
    again = browser.new_page()
    again.goto(url)
    wait_for_status(again, "Step [1-9]")
    again.click("#stop")
    wait_for_status(again, "Stopped")
