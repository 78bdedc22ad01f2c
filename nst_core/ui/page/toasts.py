"""Tells what is wrong in a corner of the page; as plain text, since gradio 6.31 takes it for HTML.

Above each text stands its own title, within it: gradio 6.31 heads toasts by their kind, as "Warning", alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import NamedTuple

import gradio as gr

from nst_core.ui.page.words import as_on_page


class Toast(NamedTuple):
    """What is to be told, once there is an event by which a page can hear it."""

    text: str
    title: str
    seconds: float


# Where a job notes what it has to tell, as no event of its page is at hand; None: one is.
_NOTED: ContextVar[list[Toast] | None] = ContextVar("noted toasts", default=None)


@contextmanager
def noting(toasts: list[Toast]) -> Iterator[None]:
    """Note what `warn` is told in a list, rather than to tell it at once."""
    token = _NOTED.set(toasts)
    try:
        yield
    finally:
        _NOTED.reset(token)


def warn(text: object, title: str, seconds: float = 12) -> None:
    """Tell what is wrong and what to do; names of files and what links say may be part of it.

    Settings are called as the page does.
    """
    noted, said = _NOTED.get(), as_on_page(str(text))
    if noted is not None:
        noted.append(Toast(said, title, seconds))
    else:
        told = f"<b>{escape(title, quote=False)}</b><br>{escape(said, quote=False)}"
        gr.Warning(told, title=title, duration=seconds)


def remark(text: str) -> None:
    """Tell what a person should know of a picture that is used all the same; outside of events, warn the program."""
    warn(text, "Not all of the picture", 15)


def refusal(text: object) -> gr.Error:
    """Make an error of what is wrong, to be raised where a handler has nothing to return."""
    return gr.Error(escape(str(text), quote=False), print_exception=False)
