"""Presets fill the controls; controls that belong together move together, and a run that goes on follows some."""

from typing import Any

import gradio as gr

from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.presets import counterpart
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.weights import describe_network, use_network
from nst_core.ui.studio.control_values import (
    CONTROLS,
    LAYER_CONTROLS,
    STEERING_CONTROLS,
    controls_of,
    counterpart_button,
    default_config,
    layers_on,
    preset_text,
)
from nst_core.ui.studio.results import strip_value
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.controls import Inputs, Knob, Network
from nst_core.ui.stylize.run import View, recolor, steer
from nst_core.ui.widgets.thumbnail_strip import Strip


def connect_settings(
    session: gr.State,
    preset: gr.Dropdown,
    about: gr.Markdown,
    inputs: Inputs,
    network: Network,
    outputs: View,
    strip: Strip,
) -> None:
    """Connect the preset's menu and the controls."""
    controls, backbone = inputs.controls, inputs.menu("backbone")
    values = [controls[name] for name in CONTROLS]
    # menus say `input` also when they are left unchanged
    preset.select(_fill, [session, preset, backbone], [about, *values], **INSTANT)
    optimizer, start, color = map(inputs.menu, ("optimizer", "start", "color"))
    optimizer.select(STEP_SIZES.get, optimizer, controls["step_size"], **INSTANT)
    start.change(lambda start: gr.Image(visible=start == "image"), start, inputs.start_image, **INSTANT)
    backbone.change(describe_network, backbone, list(network), **INSTANT)
    layers = [controls[name] for name in LAYER_CONTROLS]
    backbone.change(preset_text, [preset, backbone], about, **INSTANT)
    backbone.change(_layers_on, [session, preset, backbone, *layers], layers, **INSTANT)
    network.fetch.click(
        use_network, backbone, [outputs.status, backbone], show_progress="hidden", api_visibility="private"
    ).then(describe_network, backbone, list(network), **INSTANT)
    for name in STEERING_CONTROLS:
        controls[name].input(_steer, [session, preset, *values], None, trigger_mode="always_last", **QUEUED)
    shown = color.select(recolor, [session, color], list(outputs), **QUEUED)
    shown.then(strip_value, session, strip, **INSTANT)


def connect_counterpart(
    session: gr.State, preset: gr.Dropdown, about: gr.Markdown, button: gr.Button, controls: dict[str, Knob]
) -> None:
    """A preset and its formula as it is printed lead to each other."""
    values = [controls[name] for name in CONTROLS]
    preset.change(lambda name: gr.Button(**counterpart_button(name)), preset, button, **INSTANT)
    button.click(_to_counterpart, [session, preset, controls["backbone"]], [preset, about, *values], **INSTANT)


def _to_counterpart(session: Session, name: str, backbone: str) -> list[Update]:
    other = counterpart(name)
    return [other, *_fill(session, other, backbone)]


def _layers_on(session: Session, preset: str, backbone: str, *shown: list[str]) -> list[Update]:
    """`layers_on`, but for settings that were restored with their network."""
    if session.base and session.base.backbone == backbone:
        return [gr.skip() for _ in shown]
    return layers_on(session.base or preset, backbone, *shown)


def _steer(session: Session, preset: str, *values: Any) -> None:
    steer(session, preset, values)


def _fill(session: Session, name: str, backbone: str) -> list[Update]:
    """The network stays as it is: which one is a matter of the machine."""
    session.base = None
    values = controls_of(default_config(name, backbone))
    return [preset_text(name, backbone), *(values[control] for control in CONTROLS)]
