"""Offers looks beside the papers: each is a preset of ours, one thing of it changed, and a handle leads on from it."""

import base64
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import gradio as gr

from nst_core.assets import ASSETS
from nst_core.errors import NSTError
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.studio.controls_and_config import CONTROLS, base_config, controls_of, preset_of, preset_text
from nst_core.ui.studio.looks import LOOKS, Look, look_at, moved
from nst_core.ui.studio.preset_menu import show_preset
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH
from nst_core.ui.stylize.control_events import steer
from nst_core.ui.widgets.slider import Slider
from nst_core.ui.widgets.thumbnail_strip import Strip, StripValue, Thumbnail

PICTURES = ASSETS / "looks"
DECADES = 2.0  # that the handle moves β to either side of the preset's own


class LookParts(NamedTuple):
    """The components by which a look is chosen, and moved."""

    strip: Strip
    balance: gr.Slider


def look_area() -> LookParts:
    """Lay out the looks, and the handle between photo and painting."""
    strip = Strip(looks_value(1), elem_id="looks")
    balance = Slider(
        -DECADES,
        DECADES,
        0,
        step=0.1,
        label="Photo ↔ Painting",
        elem_id="balance",
        info="moves β by powers of ten; 0 is the preset's own",
    )
    return LookParts(strip, balance)


def looks_value(chosen: int) -> StripValue:
    """Write what the strip of looks shows; chosen: the number of one, 0: none."""
    items: list[Thumbnail] = []
    for number, look in enumerate(LOOKS, 1):
        small = base64.b64encode((PICTURES / f"{look.name}.jpg").read_bytes()).decode()
        uri = f"data:image/jpeg;base64,{small}"
        items.append({"number": number, "thumbnail": uri, "name": f"{look.title}, a look", "caption": look.title})
    return {"items": items, "chosen": chosen, "label": "Looks", "empty": ""}


def connect_looks(session: gr.State, parts: LookParts, form: Form) -> None:
    """Let looks and handle set the controls.

    Args:
        session: holds the page's Session.
        parts: of `look_area`.
        form: PAINTED_WITH and "about".
    """
    filled = form.only("preset", "about", *CONTROLS)
    picked = filled | {"balance": parts.balance}
    parts.strip.pick(
        picked.filled_by(pick_look), [session, form["backbone"]], list(picked), trigger_mode="multiple", **INSTANT
    )
    given = form.only(*PAINTED_WITH) | {"balance": parts.balance}
    lead = given.given_to(lean)
    parts.balance.input(lead, [session, *given], form["style_weight"], trigger_mode="always_last", **QUEUED)


def pick_look(session: Session, backbone: str, event: gr.EventData) -> Updates:
    """Set the look that was clicked, and at once the handle: keys that follow move it on from there."""
    look = LOOKS[min(max(int(event.number), 1), len(LOOKS)) - 1]
    updates = take_look(session, look, backbone)
    own = _own_weight(session, {"preset": look.preset, "backbone": backbone})
    session.reflected = (updates["style_weight"], own)
    return {**updates, "balance": look.decades}


def take_look(session: Session, look: Look, backbone: str, **changes: Any) -> Updates:
    """Set a look with further settings changed: "preset", "about" and the controls."""
    config = look.config(backbone).changed(**changes)
    session.base, session.noted = None, config
    about = preset_text(look.preset, backbone)
    return {"preset": show_preset(look.preset), "about": about, **controls_of(config)}


def lean(session: Session, shown: Mapping[str, Any]) -> Update:
    """Move β from where the preset has it, as the handle says; a painting that goes on follows.

    Args:
        session: the page's.
        shown: "balance", and what PAINTED_WITH names.
    """
    weight = moved(_own_weight(session, shown), float(shown["balance"]))
    session.leant.append(weight)
    steer(session, {**shown, "style_weight": weight})
    return weight


def reflect(session: Session, shown: Mapping[str, Any]) -> Updates:
    """Show by "looks" and "balance" what the controls are set to.

    Args:
        session: the page's.
        shown: "preset", "backbone", "style_weight", "color" and "start".
    """
    weight, chosen, balance = shown["style_weight"], 0, gr.skip()
    noted = session.noted
    if noted and (noted.style_weight, noted.color, noted.start) == (weight, shown["color"], shown["start"]):
        shown = {**shown, "preset": preset_of(noted) or shown["preset"]}  # the menu may still show the one before
    with suppress(NSTError):
        look = look_at(shown["preset"], shown["backbone"], (weight, shown["color"], shown["start"]))
        chosen = LOOKS.index(look) + 1 if look else 0
        own = _own_weight(session, shown)
        if weight is None or weight in session.leant:  # a hand is ahead of what it has moved
            session.reflected = None
        elif session.reflected != (weight, own):  # or it may have moved on since that was shown
            session.reflected = (weight, own)
            decades = math.log10(weight / own) if weight > 0 and own > 0 else -DECADES
            balance = round(min(max(decades, -DECADES), DECADES), 1)
    return {"looks": looks_value(chosen), "balance": balance}


def _own_weight(session: Session, shown: Mapping[str, Any]) -> float:
    """Find β as the preset has it, or the settings that were restored."""
    preset = shown["preset"]
    base = preset if preset in PRESETS else session.base or DEFAULT_PRESET
    return base_config(base).on(shown["backbone"]).style_weight
