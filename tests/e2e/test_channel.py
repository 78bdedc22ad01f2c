"""The preview in a real browser: what it shows of a run, and how it gets over a connection that is not good."""

import re
from collections.abc import Iterator

import gradio as gr
import pytest
import torch
from playwright.sync_api import Page, expect

from nst_core.ui.page.status import status_html
from nst_core.ui.serving.server import launch_options
from nst_core.ui.widgets import channel as module
from nst_core.ui.widgets.channel import ROUTE, Channel, preview_area

pytestmark = pytest.mark.e2e


class Site:
    """A page that shows the run of a token, and the tokens of which it told that they are over."""

    def __init__(self) -> None:
        self.over: list[str] = []
        with gr.Blocks() as self.blocks:
            token = gr.Textbox(elem_id="token")
            status, preview = gr.HTML(elem_id="status"), preview_area("No run yet.", elem_id="preview")
            answers = gr.Textbox(elem_id="answers")
            token.change(self._show, token, [status, preview], queue=False)
            preview.over(self._is_over, None, answers, queue=False)
        _, self.url, _ = self.blocks.launch(
            **launch_options(routes=[ROUTE]), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1"
        )

    def _show(self, token: str) -> tuple[str, str]:
        return status_html("Begun", run=token), token

    def _is_over(self, event: gr.EventData) -> str:
        self.over.append(event.token)
        return " ".join(self.over)


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


def follow(page: Page, token: str) -> None:
    page.locator("#token textarea").fill(token)
    expect(page.locator(f"#status [data-run='{token}']")).to_have_text("Begun")


def put(channel: Channel, text: str, side: int | None = None) -> None:
    """Put words, and a square picture of so many pixels."""
    image = None if side is None else torch.full((1, 3, side, side), 0.5)
    channel.put(image, {"status": status_html(text, run=channel.token)}, at_once=True)


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
