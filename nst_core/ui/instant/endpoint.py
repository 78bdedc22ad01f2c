"""Adds the endpoint /instant, for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from nst_core.engine.lane import PASS_LANE
from nst_core.errors import ConfigError, NSTError, listed, said
from nst_core.file_names import named_after
from nst_core.instant.catalogue import open_styles
from nst_core.instant.painted_picture import save_painted
from nst_core.transfer.steering import Steering
from nst_core.ui.instant.picture import on_device, read, refine_on_device
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import QUEUED
from nst_core.ui.page.toasts import refusal
from nst_core.ui.serving import agents
from nst_core.ui.serving.turns import endpoint
from nst_core.ui.studio.instant_session import InstantSession, Mix
from nst_core.ui.widgets.pictures import PictureInput


def add_instant_endpoint() -> None:
    """Add the endpoint, with inputs and output that have no place on the page."""
    inputs = [
        PictureInput(label="content", visible=False),
        gr.Textbox("", label="style", visible=False),
        gr.Number(1.0, label="strength", visible=False),
        gr.Number(None, label="size", visible=False),
        gr.Textbox("style", label="color", visible=False),
        gr.Checkbox(True, label="keep_transparency", visible=False),
        PictureInput(label="style_picture", visible=False),
    ]
    picture = gr.Image(visible=False, label="picture")
    event: dict[str, Any] = {**QUEUED, "api_visibility": "public"}
    handler = agents.no_tool(endpoint(PASS_LANE, instant_endpoint))
    gr.Button(visible=False).click(handler, inputs, picture, api_name="instant", **event)
    if agents.are_here():
        agents.add_picture_tool("instant", PASS_LANE, instant_endpoint, inputs)
        agents.add_words_tool("styles", styles_in_words)


def styles_in_words() -> str:
    """List the styles of `instant`, and from where each is."""
    return "\n".join(f"* {name}: {style.origin}" for name, style in open_styles(None).styles.items())


def instant_endpoint(
    content: Path,
    style: str = "",
    strength: float = 1.0,
    size: float | None = None,
    color: str = "style",
    keep_transparency: bool = True,
    style_picture: Path | None = None,
    *,
    steering: Steering | None = None,
) -> str:
    """Paint the content picture in one pass, in a trained style or in that of any picture.

    Args:
        content: the picture that is painted.
        style: one of the styles of the Instant tab, such as starry_night; or nothing, where style_picture is given.
        strength: 0 for the picture as it is, to 1.
        size: pixels of the longer side; else the picture's own.
        color: style or content, whose colours the result has.
        keep_transparency: whether the result is as transparent as the content; else that is painted over white.
        style_picture: a picture in whose style the content is painted, in place of a trained style.
    """
    steering = steering or Steering()
    session = InstantSession()
    try:
        if style_picture is None:
            _check("style", style, session.names)
        elif style:
            raise ConfigError(f"there are a style, {said(style)}, and a style picture; give one of the two")
        else:
            style = session.add_picture(style_picture)
        _check("color", color, ("style", "content"))
        session.chosen = style
        session.mix = Mix(strength=strength, color=color)
        given = read(content, size, keep_transparency)
        brush = session.brush()
        quick = on_device(brush, steering)(given.image)
        painted = given.finished(refine_on_device(brush, given.image, quick, steering))
    except NSTError as error:
        raise refusal(error) from None
    path = new_file(named_after(content.stem, style, ending=".png"))
    save_painted(painted, path, {style: 1.0}, strength=strength, color=color)
    return str(path)


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ConfigError(f"{name} is {said(value)}; choose one of {listed(known)}")
