"""A page that has nothing but a preview, which tests give their own runs to show."""

import gradio as gr
import torch
from playwright.sync_api import Page, expect

from nst_core.ui.page.status import status_html
from nst_core.ui.serving.server import launch_options
from nst_core.ui.widgets.channel import ROUTE, Channel, preview_area


class Site:
    """A page that shows the run of a token, and the tokens of which it told that they are over."""

    def __init__(self) -> None:
        self.over: list[str] = []
        with gr.Blocks() as self.blocks:
            gr.State()  # for which gradio keeps a heartbeat
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


def follow(page: Page, token: str) -> None:
    """Have the page show the run of a token."""
    page.locator("#token textarea").fill(token)
    expect(page.locator(f"#status [data-run='{token}']")).to_have_text("Begun")


def put(channel: Channel, text: str, side: int | None = None) -> None:
    """Put words, and a square picture of so many pixels."""
    image = None if side is None else torch.full((1, 3, side, side), 0.5)
    channel.put(image, {"status": status_html(text, run=channel.token)}, at_once=True)
