"""Offers looks beside the papers: each is a preset of ours, one thing of it changed, and a handle leads on from it."""

import base64
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import gradio as gr

from nst_core.assets import ASSETS
from nst_core.errors import NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.studio.controls_and_config import (
    CONTROLS,
    base_config,
    controls_of,
    default_config,
    preset_of,
    preset_text,
)
from nst_core.ui.studio.preset_menu import show_preset
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH
from nst_core.ui.stylize.control_events import steer
from nst_core.ui.widgets.thumbnail_strip import Strip, StripValue, Thumbnail

PICTURES = ASSETS / "looks"
QUICK_STEPS = 24  # from a quick painting on; as near to both pictures as the studio's own (tests/benchmarks/any_style)
DECADES = 2.0  # that the handle moves β to either side of the preset's own


class Look(NamedTuple):
    """A way to paint.

    Attributes:
        name: of its picture.
        title: on the page.
        decades: by which β is moved, by powers of ten.
        color: one of COLORS.
        quick: begin with what one pass paints, and go on for a few steps.
        preset: one of PRESETS, from which it comes.
    """

    name: str
    title: str
    decades: float = 0.0
    color: str = "style"
    quick: bool = False
    preset: str = DEFAULT_PRESET

    def config(self, backbone: str | None = None) -> StyleTransferConfig:
        """Give its settings on a network, by default the one that fits this machine."""
        config = default_config(self.preset, backbone)
        config = config.changed(style_weight=moved(config.style_weight, self.decades), color=self.color)
        return config.changed(start="quick", smallest_scale=0, steps=QUICK_STEPS) if self.quick else config


LOOKS = (
    Look("balanced", "Balanced"),
    Look("whole_strokes", "Whole strokes", preset="neighbours"),
    Look("bold", "Bold", decades=0.7),
    Look("quick", "Quick", quick=True),
    Look("photo_colours", "Photo colours", color="content"),
)


class LookParts(NamedTuple):
    """The components by which a look is chosen, and moved."""

    strip: Strip
    balance: gr.Slider


def look_area() -> LookParts:
    """Lay out the looks, and the handle between photo and painting."""
    strip = Strip(looks_value(1), elem_id="looks")
    balance = gr.Slider(
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


def moved(weight: float, decades: float) -> float:
    """Move a weight by powers of ten; of two digits, as it is read by people."""
    return float(f"{weight * 10**decades:.2g}") if decades else weight


def connect_looks(session: gr.State, parts: LookParts, form: Form) -> None:
    """Let looks and handle set the controls, and show what the controls are set to.

    Args:
        session: holds the page's Session.
        parts: of `look_area`.
        form: PAINTED_WITH and "about".
    """
    filled = form.only("preset", "about", *CONTROLS)
    parts.strip.pick(filled.filled_by(pick_look), [session, form["backbone"]], list(filled), **INSTANT)
    given = form.only(*PAINTED_WITH) | {"balance": parts.balance}
    once: dict[str, Any] = {"trigger_mode": "always_last"}
    parts.balance.input(given.given_to(lean), [session, *given], form["style_weight"], **once, **QUEUED)
    asked = form.only("preset", "backbone", "style_weight", "color", "start")
    shown = Form({"looks": parts.strip, "balance": parts.balance})
    gr.on(asked.changes(), shown.filled_by(asked.given_to(reflect)), [session, *asked], list(shown), **once, **INSTANT)


def pick_look(session: Session, backbone: str, event: gr.EventData) -> Updates:
    """Set the look that was clicked."""
    return take_look(session, LOOKS[min(max(int(event.number), 1), len(LOOKS)) - 1], backbone)


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
        at = (shown["preset"], weight, shown["color"], shown["start"])
        pairs = [(one, one.config(shown["backbone"])) for one in LOOKS]
        known = [(one.preset, config.style_weight, config.color, config.start) for one, config in pairs]
        chosen = known.index(at) + 1 if at in known else 0
        if weight is not None and weight not in session.leant:  # a hand is ahead of what it has moved
            own = _own_weight(session, shown)
            decades = math.log10(weight / own) if weight > 0 and own > 0 else -DECADES
            balance = round(min(max(decades, -DECADES), DECADES), 1)
    return {"looks": looks_value(chosen), "balance": balance}


def _own_weight(session: Session, shown: Mapping[str, Any]) -> float:
    """Find β as the preset has it, or the settings that were restored."""
    preset = shown["preset"]
    base = preset if preset in PRESETS else session.base or DEFAULT_PRESET
    return base_config(base).on(shown["backbone"]).style_weight
