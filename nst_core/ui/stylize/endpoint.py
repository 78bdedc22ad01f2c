"""The endpoint /stylize, for programs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nst_core import images
from nst_core.errors import NSTError
from nst_core.transfer.controls import Controls
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import QUEUED
from nst_core.ui.page.toasts import refusal
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving.device_thread import DEVICE_THREAD
from nst_core.ui.serving.lane import DEVICE_LANE
from nst_core.ui.serving.turns import endpoint
from nst_core.ui.studio.control_values import default_config, in_depth_order
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.stylize.run import frames_of, start_run
from nst_core.ui.widgets.pictures import PictureInput

CLIENT_SECONDS = 0.5  # between two pictures


def add_endpoint() -> None:
    """The endpoint /stylize for programs: inputs and output without a place on the page."""
    number = {"value": None, "visible": False}
    text = {"value": None, "visible": False}
    inputs = [
        PictureInput(label="content", visible=False),
        PictureInput(label="style", visible=False),
        gr.Textbox(DEFAULT_PRESET, label="preset", visible=False),
        gr.Textbox(label="backbone", **text),
        gr.Number(label="alpha", **number),
        gr.Number(label="beta", **number),
        gr.Textbox(label="style_layers", **text),
        gr.Textbox(label="content_layers", **text),
        gr.Textbox(label="init", **text),
        gr.Textbox(label="optimizer", **text),
        gr.Number(label="steps", **number),
        gr.Number(label="size", **number),
        gr.Number(label="tv", **number),
        gr.Number(label="seed", **number),
    ]
    picture = gr.Image(format="jpeg", visible=False, label="picture")
    event: dict[str, Any] = {**QUEUED, "api_visibility": "public"}
    handler = endpoint(DEVICE_LANE, stylize_endpoint)
    gr.Button(visible=False).click(handler, inputs, picture, api_name="stylize", **event)


def stylize_endpoint(
    content: Path,
    style: Path,
    preset: str = "lab",
    backbone: str | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    style_layers: str | None = None,
    content_layers: str | None = None,
    init: str | None = None,
    optimizer: str | None = None,
    steps: float | None = None,
    size: float | None = None,
    tv: float | None = None,
    seed: float | None = None,
    *,
    controls: Controls | None = None,
) -> Iterator[Any]:
    """Paint the content picture in the style of the style picture.

    Yields intermediate pictures as JPEG, at most two a second, and in the end the result as PNG, whose text chunk
    "neural-style-lab" holds the record of the run.

    Args:
        content: the picture that is painted.
        style: the picture in whose style it is painted.
        preset: a recipe such as lab, gatys or neural_style; the other settings change it where they are given.
        backbone: vgg19, vgg16 or lite; else the preset's where it is here and there is a GPU, else lite.
        alpha: content weight.
        beta: style weight.
        style_layers: names with commas between, such as "conv1_1,conv2_1".
        content_layers: names with commas between.
        init: content, noise or style.
        optimizer: lbfgs or adam.
        steps: updates.
        size: pixels.
        tv: total variation weight.
        seed: of the noise.
    """
    controls = controls or Controls()
    try:
        config = default_config(preset, backbone).changed(
            content_weight=alpha,
            style_weight=beta,
            style_layers=_layer_list(style_layers),
            content_layers=_layer_list(content_layers),
            start=init or None,
            optimizer=optimizer or None,
            steps=steps,
            size=size,
            tv_weight=tv,
            seed=seed,
        )
        for _ in fetch_weights(config.backbone, controls):
            pass
        run = DEVICE_THREAD.submit(start_run, Uploads(content, style), config, controls).result()
        yield from _yield_pictures(run)
    except NSTError as error:
        raise refusal(error) from None


def _layer_list(text: str | None) -> tuple[str, ...] | None:
    return in_depth_order(name.strip() for name in text.split(",") if name.strip()) if text else None


def _yield_pictures(run: Run) -> Iterator[Any]:
    """Every yield reaches the client, so there are none but pictures."""
    shown = time.monotonic()
    try:
        for frame in frames_of(run):
            if time.monotonic() - shown >= CLIENT_SECONDS:
                shown = time.monotonic()
                yield images.to_pil(frame.image)
        path = new_file("neural-style-lab.png")
        save_result(run.last_frame.image, run.record(), path)
        yield str(path)
    finally:
        DEVICE_THREAD.submit(run.close).result()
