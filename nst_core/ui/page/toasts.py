"""Tells what is wrong in a corner of the page; as plain text, since gradio 6.31 takes it for HTML."""

from html import escape

import gradio as gr


def warn(text: object, title: str, seconds: float = 12) -> None:
    """Tell what is wrong and what to do; names of files and what links say may be part of it."""
    gr.Warning(escape(str(text), quote=False), title=title, duration=seconds)


def remark(text: str) -> None:
    """Tell what a person should know of a picture that is used all the same; outside of events, warn the program."""
    warn(text, "Not all of the picture", 15)


def refusal(text: object) -> gr.Error:
    """Make an error of what is wrong, to be raised where a handler has nothing to return."""
    return gr.Error(escape(str(text), quote=False), print_exception=False)
