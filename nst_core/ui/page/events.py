"""Names the ways in which the page's events reach the server, and what comes back."""

from typing import Any, TypeAlias

import gradio as gr

# What a handler gives for an output: its value, a component as an update, or gr.skip(). gradio forces it: what suits
# an output is for its component alone to say, and gr.skip() is a dict.
Update: TypeAlias = Any

# What computes nothing.
INSTANT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Through gradio's queue, where toasts and changed states arrive; nothing waits there.
QUEUED: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}


def page_at_hand() -> gr.Blocks:
    """Tell which page is being laid out.

    Raises:
        RuntimeError: none is; call inside a Blocks.
    """
    page = gr.context.Context.root_block
    if page is None:
        raise RuntimeError("there is no page to lay out; call inside a Blocks")
    return page


def name_of(request: gr.Request) -> str:
    """Tell gradio's name of the page that asks; "" without a server."""
    return request.session_hash or ""
