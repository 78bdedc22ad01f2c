"""Names the components of a tab that other tabs may read and fill in."""

from typing import NamedTuple

import gradio as gr

from nst_core.ui.page.form import Form
from nst_core.ui.studio.controls_and_config import CONTROLS
from nst_core.ui.studio.uploads import UPLOADS
from nst_core.ui.widgets.pictures import PictureInput
from nst_core.ui.widgets.thumbnail_strip import Strip

# What a painting is made of: pictures, and settings as Session.take gives them.
PAINTED_WITH = (*UPLOADS, "preset", *CONTROLS)


class Studio(NamedTuple):
    """The components of the Stylize tab that other tabs may read and fill in."""

    session: gr.State
    key: gr.BrowserState  # by which the browser finds what it left
    preset: gr.Dropdown
    form: Form  # PAINTED_WITH, "about", the stage's and "strip"


class MixControls(NamedTuple):
    """The controls of Mix, by its names."""

    strength: gr.Slider
    second: gr.Dropdown
    share: gr.Slider
    color: gr.Radio


class Choices(NamedTuple):
    """The components of the Instant tab that say how it is painted there."""

    session: gr.State
    strip: Strip
    own: PictureInput  # whose style is wanted
    mix: MixControls
    size: gr.Number
    keep_transparency: gr.Checkbox
