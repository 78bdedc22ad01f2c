"""Lays out a figure's options as the page's controls."""

from typing import Any, TypeAlias

import gradio as gr

from nst_core.analysis.figure import Figure
from nst_core.analysis.options import Option
from nst_core.devices import choose_compute
from nst_core.errors import DeviceError
from nst_core.features.loading import fitting_backbone
from nst_core.features.vgg import BACKBONES, BUNDLED_BACKBONE
from nst_core.transfer.presets import PRESETS

# What an option can be on the page.
OptionControl: TypeAlias = gr.Checkbox | gr.Dropdown | gr.Textbox | gr.Number

WIDE, MOST_LETTERS = 300, 20  # pixels of a menu with titles of more letters, which has a row of its own
MENU = 150  # pixels of another

BEST_BACKBONE = "vgg19"  # the papers'

# What few lessons change stands in the second half of a figure's controls.
MACHINERY = ("backbone", "size", "steps", "seed")

TITLES = {
    "backbone": BACKBONES,
    "preset": {name: preset.title for name, preset in PRESETS.items()},
    "optimizers": {"lbfgs": "L-BFGS", "adam": "Adam"},
}


def key_of(figure: Figure, option: Option) -> str:
    """Name an option's control among those of all figures."""
    return f"{figure.name}.{option.name}"


def option_controls(figure: Figure) -> dict[str, OptionControl]:
    """Lay out a control for each option, by the option's name in the figure's order; call inside the page's layout."""
    made: dict[str, OptionControl] = {}
    own = [option for option in figure.options if option.name not in MACHINERY]
    for option in own:
        if option.several:
            made[option.name] = _control(figure, option)
    single = [option for option in own if not option.several]
    for first in range(0, len(single), 2):
        with gr.Row():
            for option in single[first : first + 2]:
                made[option.name] = _control(figure, option)
    for pair in (MACHINERY[:2], MACHINERY[2:]):
        with gr.Row():
            for option in figure.options:
                if option.name in pair:
                    made[option.name] = _control(figure, option)
    return {option.name: made[option.name] for option in figure.options}


def shown_value(option: Option, value: Any) -> Any:
    """Convert an option's value into what its control shows."""
    if not option.several:
        return value
    return list(value) if option.choices else option.text(value)


def first_value(option: Option) -> Any:
    """Choose what the control shows at first: the default, or the network that suits this machine."""
    if option.name != "backbone":
        return shown_value(option, option.default)
    try:
        return fitting_backbone(BEST_BACKBONE, choose_compute())
    except DeviceError:  # the page opens all the same, and making says what is wrong
        return BUNDLED_BACKBONE


def _control(figure: Figure, option: Option) -> OptionControl:
    common: dict[str, Any] = {
        "value": first_value(option),
        "label": option.label,
        "elem_id": f"explain-{figure.name}-{option.name}",
        "info": option.about or None,
        "min_width": 110,
    }
    if option.kind is bool and not option.several:
        return gr.Checkbox(**common)
    if option.choices:
        titles = TITLES.get(option.name, {})
        choices = [(titles.get(name, name), name) for name in option.choices]
        common["min_width"] = WIDE if max(len(title) for title, _ in choices) > MOST_LETTERS else MENU
        return gr.Dropdown(choices, multiselect=option.several, allow_custom_value=not option.fixed, **common)
    if option.several or option.kind is str:
        return gr.Textbox(lines=1, max_lines=1, **common)
    return gr.Number(**common)
