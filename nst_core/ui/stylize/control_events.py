"""Connects the controls: presets fill them, some move together, and a run that goes on follows some."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr

from nst_core.errors import NSTError
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.presets import DEFAULT_PRESET, counterpart
from nst_core.ui.page.events import INSTANT, PRIVATE, QUEUED, page_at_hand
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import describe_network, use_network
from nst_core.ui.studio.controls_and_config import (
    CONTROLS,
    LAYER_CONTROLS,
    STEERING_CONTROLS,
    config_of,
    controls_of,
    counterpart_button,
    default_config,
    layers_on,
    preset_text,
)
from nst_core.ui.studio.layer_menus import further_layers, layer_updates
from nst_core.ui.studio.preset_menu import show_preset
from nst_core.ui.studio.results import strip_value
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH
from nst_core.ui.stylize.ahead import say_ahead
from nst_core.ui.stylize.controls import Network, SettingInputs
from nst_core.ui.stylize.run import STAGE, recolor, warm_up


def connect_settings(
    session: gr.State, preset: gr.Dropdown, form: Form, inputs: SettingInputs, network: Network, run: gr.Button
) -> None:
    """Connect the preset's menu and the controls; on the button that runs stands how long it takes."""
    controls, backbone = inputs.controls, inputs.menu("backbone")
    filled = form.only("preset", "about", *CONTROLS)
    # menus say `input` also when they are left unchanged
    preset.select(
        filled.filled_by(_fill), [session, preset, backbone], list(filled), trigger_mode="always_last", **INSTANT
    )
    optimizer, start, color = map(inputs.menu, ("optimizer", "start", "color"))
    optimizer.select(STEP_SIZES.get, optimizer, controls["step_size"], trigger_mode="always_last", **INSTANT)
    start.change(lambda start: gr.Image(visible=start == "image"), start, inputs.start_image, **INSTANT)
    described = Form(network._asdict())
    describe = described.filled_by(describe_network)
    backbone.change(describe, backbone, list(described), **INSTANT)
    layers, fitted = form.only(*LAYER_CONTROLS), form.only("about", *LAYER_CONTROLS)
    fit = fitted.filled_by(layers.given_to(_fit_to_network))
    fitting = backbone.change(fit, [session, preset, backbone, *layers], list(fitted), **INSTANT)
    beside = form.only("more_layers", "pre_layers")
    gr.on(beside.changes(), further_layers, list(beside), inputs.further, **INSTANT)
    network.fetch.click(use_network, backbone, [form["status"], backbone], **PRIVATE).then(
        describe, backbone, list(described), **INSTANT
    )
    noted = form.only("preset", *CONTROLS)
    touched: list[Any] = [controls[name].input for name in CONTROLS if name not in STEERING_CONTROLS]
    for event in (partial(gr.on, touched, trigger_mode="always_last"), fitting.then):
        event(noted.given_to(note), [session, *noted], None, **INSTANT)
    _connect_ahead(session, form, run)
    given = form.only(*PAINTED_WITH)
    for name in STEERING_CONTROLS:
        controls[name].input(given.given_to(steer), [session, *given], None, trigger_mode="always_last", **QUEUED)
    stage = form.only(*STAGE)
    shown = color.select(stage.filled_by(recolor), [session, color], list(stage), trigger_mode="always_last", **QUEUED)
    shown.then(strip_value, session, form["strip"], **INSTANT)


def _connect_ahead(session: gr.State, form: Form, run: gr.Button) -> None:
    """Say what a run would take: when the page is opened, and with whatever changes it."""
    asked, said = form.only("content", "preset", *CONTROLS), form.only("size") | {"run": run}
    say = said.filled_by(asked.given_to(say_ahead))
    page_at_hand().load(warm_up, **INSTANT).then(say, [session, *asked], list(said), **INSTANT)
    deciding = form.only("content", "size", "steps", "backbone", "optimizer")
    learned = form.only("strip").changes()  # a run has ended, by whose pace times are told
    gr.on([*deciding.changes(), *learned], say, [session, *asked], list(said), trigger_mode="always_last", **INSTANT)


def connect_counterpart(session: gr.State, preset: gr.Dropdown, form: Form, button: gr.Button) -> None:
    """Let a button lead from a preset to its formula as it is printed, and back."""
    filled = form.only("preset", "about", *CONTROLS)
    preset.change(lambda name: gr.Button(**counterpart_button(name)), preset, button, **INSTANT)
    button.click(filled.filled_by(_to_counterpart), [session, preset, form["backbone"]], list(filled), **INSTANT)


def _to_counterpart(session: Session, name: str, backbone: str) -> Updates:
    other = counterpart(name)
    return _fill(session, other, backbone)


def note(session: Session, shown: Mapping[str, Any]) -> None:
    """Note what the controls show, for when the page is opened again; settings that cannot be are not.

    Args:
        session: the page's.
        shown: what its menu of presets and its controls show, by name.
    """
    with suppress(NSTError):
        session.noted = config_of(session.base or shown["preset"], shown)


def steer(session: Session, shown: Mapping[str, Any]) -> None:
    """Let a run that goes on follow a control that was moved, with its next step; arguments as of `paint`."""
    run = session.run
    note(session, shown)
    if not session.running or run is None:
        return
    if session.job:
        session.job.hurry()
    try:
        wanted = config_of(session.base or shown["preset"], shown)
        session.steering.wanted = wanted.changed(blend=wanted.blend[: run.painting.styles])
    except NSTError as error:
        warn(f"The painting goes on as it was: {error}", "Cannot paint so", 8)


def _fit_to_network(session: Session, preset: str | None, backbone: str, shown: Mapping[str, Any]) -> Updates:
    """Offer a network's layers, and move those chosen as `layers_on`, but for settings that were restored with it."""
    restored = session.base is not None and session.base.backbone == backbone
    moved = {} if restored else layers_on(session.base or preset or DEFAULT_PRESET, backbone, shown)
    return {"about": preset_text(preset, backbone), **layer_updates(backbone, moved)}


def _fill(session: Session, name: str | None, backbone: str) -> Updates:
    """Fill in a preset, but leave the network, which is a matter of the machine; None: what is shown is none's."""
    if name is None:
        return {}
    session.base, session.noted = None, default_config(name, backbone)
    return {"preset": show_preset(name), "about": preset_text(name, backbone), **controls_of(session.noted)}
