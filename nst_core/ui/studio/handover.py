"""The components of a tab that other tabs may fill in, or that say how it is painted there."""

from typing import Any, NamedTuple

import gradio as gr

from nst_core.ui.widgets.thumbnail_strip import Strip


class Studio(NamedTuple):
    """What other tabs may fill in."""

    session: gr.State
    status: gr.HTML
    uploads: list[Any]  # as Uploads.of takes them
    settings: list[Any]  # as Session.take gives them


class Choices(NamedTuple):
    """The components that say how it is painted."""

    session: gr.State
    strip: Strip
    second: gr.Dropdown
    mix: list[Any]  # in the order of Mix
    size: gr.Number
