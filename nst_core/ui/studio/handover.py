"""The components of a tab that other tabs may fill in, or that say how it is painted there."""

from typing import NamedTuple

import gradio as gr

from nst_core.ui.page.form import Form
from nst_core.ui.studio.control_values import CONTROLS
from nst_core.ui.studio.uploads import UPLOADS
from nst_core.ui.widgets.thumbnail_strip import Strip

# What a painting is made of: pictures, and settings as Session.take gives them.
PAINTED_WITH = (*UPLOADS, "preset", *CONTROLS)


class Studio(NamedTuple):
    """The components of the Stylize tab that other tabs may read and fill in."""

    session: gr.State
    preset: gr.Dropdown
    form: Form  # PAINTED_WITH, "about", the stage's and "strip"


class Choices(NamedTuple):
    """The components that say how it is painted."""

    session: gr.State
    strip: Strip
    second: gr.Dropdown
    mix: tuple[gr.Slider, gr.Dropdown, gr.Slider, gr.Radio]  # in the order of Mix
    size: gr.Number
