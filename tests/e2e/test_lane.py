"""Two people at one computer, each in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from nst_core.ui.studio.session import Session
from nst_core.ui.widgets.channel import Channel
from tests.e2e.conftest import KeptPage, fill, load, prepare, upload, wait_for_status

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


def test_one_lane_serves_people_in_turn_and_apart_and_who_waits_may_leave(second, first):
    second.click("#run")
    wait_for_status(second, "Waiting for the device: 1 before you")
    second.click("#stop")
    wait_for_status(second, "Left the queue")
    expect(second.locator("#run")).to_be_enabled()
    second.click("#run")
    wait_for_status(second, "Waiting for the device: 1 before you")
    assert len(Channel.live) >= 1
    expect(second.locator("#preview canvas")).to_be_hidden()
    first.click("#stop")
    wait_for_status(first, "Stopped")
    wait_for_status(second, "Done: 2 steps")


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


def test_closing_the_page_frees_the_device(second, open_page, picture_files):
    other = open_page()
    prepare(other, picture_files)
    paint(other)
    (session,) = [session for session in Session.open.values() if session.running]
    other.close()
    second.click("#run")
    wait_for_status(second, "Done: 2 steps")
    assert session.left and session.run is None
