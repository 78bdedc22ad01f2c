"""Lets a click into a figure's photo choose the place that it is about."""

from collections.abc import Mapping

import gradio as gr

from nst_core.ui.explain.controls import OptionControl
from nst_core.ui.explain.figure_table import FigureView
from nst_core.ui.page.events import INSTANT, PRIVATE
from nst_core.ui.page.form import Form, Updates

MAKE = "() => document.querySelector('#make').click()"
DIGITS = 3  # of a share of a side


def connect_position(view: FigureView, options: Mapping[str, OptionControl]) -> None:
    """Set where the figure looks by a click, and make it anew.

    Args:
        view: triggers "point" with the click's place.
        options: the figure's controls, "x" and "y" among them.
    """
    sides = Form({name: options[name] for name in ("x", "y")})
    chosen = view.point(sides.filled_by(pointed), None, list(sides), trigger_mode="multiple", **INSTANT)
    chosen.success(None, js=MAKE, **PRIVATE)


def pointed(event: gr.EventData) -> Updates:
    """Give the place of a click, in shares of the picture's sides."""
    return {name: round(min(max(float(getattr(event, name)), 0.0), 1.0), DIGITS) for name in ("x", "y")}
