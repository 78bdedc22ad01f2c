"""Offers the presets, and says of settings that are no preset's which preset they are from."""

from typing import Any

import gradio as gr

from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.ui.studio.controls_and_config import preset_config, preset_of

CUSTOM = "custom"  # the menu's entry for settings of no preset, which is there only while it is chosen
CHOICES = tuple((preset.title, name) for name, preset in PRESETS.items())


class PresetMenu(gr.Dropdown):
    """A menu of CHOICES; it hands on a preset's name, and None where it says that settings are custom."""

    is_template = True  # shown by gr.Dropdown's own front end

    def preprocess(self, payload: Any) -> str | None:
        """Give the preset's name."""
        return payload if isinstance(payload, str) and payload in PRESETS else None


def show_preset(name: str) -> gr.Dropdown:
    """Make the update by which the menu shows a preset."""
    return gr.Dropdown(choices=CHOICES, value=name)


def show_preset_of(config: StyleTransferConfig) -> gr.Dropdown:
    """Make the update by which the menu shows a config's preset, or "Custom, from" that from which least differs."""
    name = preset_of(config)
    if name:
        return show_preset(name)
    return gr.Dropdown(choices=(*CHOICES, (f"Custom, from {PRESETS[_nearest(config)].title}", CUSTOM)), value=CUSTOM)


def _nearest(config: StyleTransferConfig) -> str:
    wanted = config.to_dict()
    changed = {
        name: sum(wanted[field] != value for field, value in preset_config(name).on(config.backbone).to_dict().items())
        for name in PRESETS
    }
    return min(changed, key=changed.__getitem__)
