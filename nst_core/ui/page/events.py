"""Names the ways in which the page's events reach the server, and what comes back."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from nst_core.engine.zero import HERE

# What a handler gives for an output: its value, a component as an update, or gr.skip(). gradio forces it: what suits
# an output is for its component alone to say, and gr.skip() is a dict.
Update: TypeAlias = Any

# No event shows gradio's own progress. Each says so of all components: what might show it is looked up by the page in
# the whole tree of them, at every event, which cost it a second as it opened.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
# What computes nothing.
INSTANT: dict[str, Any] = {"queue": False, **PRIVATE}
# Through gradio's queue, where toasts and changed states arrive; nothing waits there.
QUEUED: dict[str, Any] = {"concurrency_limit": None, **PRIVATE}
# What begins a painting. On ZeroGPU through the queue, as the page tells whose GPU time it is with such events alone.
BEGINNING = QUEUED if HERE else INSTANT


def refuse_aloud(event: Dependency, fields: Sequence[Block]) -> None:
    """Tell what the fields of an event that begins something are refused for.

    gradio 6.31 shows it of events through its queue alone: what it refused, it refuses there once more.
    """
    if BEGINNING is not QUEUED:
        event.failure(_read_again, fields, None, **QUEUED)


def _read_again(*fields: object) -> None:
    """Do nothing with what fields hold."""


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
