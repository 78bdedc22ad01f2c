"""Adds the endpoint /stylize, for programs."""

import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.engine.lane import DEVICE_LANE
from nst_core.errors import NSTError
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run
from nst_core.transfer.schema import Setting
from nst_core.transfer.steering import Steering
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import QUEUED
from nst_core.ui.page.toasts import refusal
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving import agents
from nst_core.ui.serving.turns import endpoint, have_signature
from nst_core.ui.studio.controls_and_config import default_config, in_depth_order
from nst_core.ui.studio.results import painting_name
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.stylize.run import start_run
from nst_core.ui.widgets.pictures import PictureInput

CLIENT_SECONDS = 0.5  # between two pictures
# Settings that an agent is shown, as each takes of what it can hold; in the order of the table.
FOR_AGENTS = ("size", "steps", "content_weight", "style_weight", "color", "seed")
ABOUT = """Paint the content picture in the style of the style picture.

Yields intermediate pictures as JPEG, at most two a second, and in the end the result as PNG, whose text chunk
"neural-style-lab" holds the record of the run.

Args:
    content: the picture that is painted.
    style: the picture in whose style it is painted.
    preset: a recipe such as lab, gatys or neural_style; the other settings change it where they are given.
"""
KEEP = (
    "    keep_transparency: on or off; whether the result is as transparent as the content, else that is painted over "
    "white.\n"
)


def add_endpoint(table: Mapping[str, Setting] = SETTINGS) -> None:
    """Add the endpoint, with inputs and output that have no place on the page."""
    inputs = [
        PictureInput(label="content", visible=False),
        PictureInput(label="style", visible=False),
        gr.Textbox(DEFAULT_PRESET, label="preset", visible=False),
        *(_input_of(one) for one in table.values()),
        gr.Checkbox(True, label="keep_transparency", visible=False),
    ]
    picture = gr.Image(format="jpeg", visible=False, label="picture")
    event: dict[str, Any] = {**QUEUED, "api_visibility": "public"}
    handler = agents.no_tool(endpoint(DEVICE_LANE, endpoint_of(table)))
    gr.Button(visible=False).click(handler, inputs, picture, api_name="stylize", **event)
    if agents.are_here():
        few = {name: table[name] for name in FOR_AGENTS if name in table}
        chosen = [*inputs[:3], *(one for one, name in zip(inputs[3:-1], table, strict=True) if name in few), inputs[-1]]
        agents.add_picture_tool("stylize", DEVICE_LANE, endpoint_of(few), chosen)
        agents.add_words_tool("presets", presets_in_words)


def presets_in_words() -> str:
    """List the presets of `stylize`, with what each paints and from where it is."""
    return "\n".join(f"* {name}: {preset.title}. {preset.source}" for name, preset in PRESETS.items())


def _input_of(one: Setting) -> gr.components.Component:
    """Make the input for a setting: a number, or text; left out, it is the preset's."""
    return (gr.Number if one.numeric else gr.Textbox)(value=None, label=one.asked, visible=False)


def endpoint_of(table: Mapping[str, Setting]) -> Callable[..., Iterator[Image.Image | str]]:
    """Make the function behind /stylize, whose parameters and words are made of the settings."""

    def stylize_endpoint(
        content: Path, style: Path, preset: str, *given: Any, steering: Steering
    ) -> Iterator[Image.Image | str]:
        *settings, keep_transparency = given
        values = {name: _value(table[name], value) for name, value in zip(table, settings, strict=True)}
        try:
            config = default_config(preset, values.pop("backbone", None)).changed(**values)
            for _ in fetch_weights(config.backbone, steering):
                pass
            uploads = Uploads(content, style, keep_transparency=keep_transparency)
            run = start_run(uploads, config, steering)
            yield from _yield_pictures(run, painting_name(uploads, config))
        except NSTError as error:
            raise refusal(error) from None

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, annotation=Path) for name in ("content", "style")]
    parameters.append(inspect.Parameter("preset", kind, default=DEFAULT_PRESET, annotation=str))
    for one in table.values():
        annotation = float | None if one.numeric else str | None
        parameters.append(inspect.Parameter(one.asked, kind, default=None, annotation=annotation))
    parameters.append(inspect.Parameter("keep_transparency", kind, default=True, annotation=bool))
    have_signature(stylize_endpoint, inspect.Signature(parameters))
    stylize_endpoint.__doc__ = ABOUT + "".join(f"    {one.asked}: {_told(one)}\n" for one in table.values()) + KEEP
    return stylize_endpoint


def _told(one: Setting) -> str:
    """Describe a setting in a line: what it does, and what it may be."""
    kinds = {bool: "on or off", tuple: "several with commas between"}
    may_be = ", ".join(one.choices) if one.choices else kinds.get(type(one.default), "")
    return f"{one.about} ({may_be})" if may_be else one.about


def _value(one: Setting, given: Any) -> Any:
    """Read a setting's value for the config; None for the preset's."""
    if given is None or not isinstance(given, str):
        return given
    text = " ".join(given.replace(",", " ").split()) if isinstance(one.default, tuple) else given.strip()
    if not text:
        return None
    value = one.read(text)
    return in_depth_order(value) if one.name in ("style_layers", "content_layers") else value


def _yield_pictures(run: Run, name: str) -> Iterator[Image.Image | str]:
    """Yield the run's pictures and nothing else, as every yield reaches the client."""
    shown = time.monotonic()
    with DEVICES.stepped(run) as frames:
        for frame in frames:
            if time.monotonic() - shown >= CLIENT_SECONDS:
                shown = time.monotonic()
                yield images.to_pil(frame.image)
        path = new_file(name)
        save_result(run.result, run.record(), path)
        yield str(path)
