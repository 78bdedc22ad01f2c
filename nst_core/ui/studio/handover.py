"""The components of a tab that other tabs may fill in, or that say how it is painted there."""

from typing import NamedTuple

import gradio as gr
from gradio.components import Component

from nst_core.ui.widgets.thumbnail_strip import Strip


class Studio(NamedTuple):
    """The components of the Stylize tab that other tabs may fill in."""

    session: gr.State
    status: gr.HTML
    uploads: list[Component]  # as Uploads.of takes them
    settings: list[Component]  # as Session.take gives them
    preset: gr.Dropdown  # the first of these


class Choices(NamedTuple):
    """The components that say how it is painted."""

    session: gr.State
    strip: Strip
    second: gr.Dropdown
    mix: tuple[gr.Slider, gr.Dropdown, gr.Slider, gr.Radio]  # in the order of Mix
    size: gr.Number
