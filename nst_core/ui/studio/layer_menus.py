"""Offers the layers that a network has, and says which are chosen where they are out of sight."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from nst_core.features.vgg import layer_names
from nst_core.transfer.settings import GATYS_STYLE_LAYERS


class LayerChecks(gr.CheckboxGroup):
    """A box for each layer; layers that are not offered are handed on, for the config to refuse by name."""

    is_template = True  # shown by gr.CheckboxGroup's own front end

    def preprocess(self, payload: Any) -> list[str]:  # type: ignore[override]  # numbers and indices, too, says gradio
        """Give the layers that are ticked."""
        return _names(payload)


class LayerMenu(gr.Dropdown):
    """A menu of layers, several of which can be chosen; others are handed on as by LayerChecks."""

    is_template = True  # shown by gr.Dropdown's own front end

    def preprocess(self, payload: Any) -> list[str]:  # type: ignore[override]  # numbers and indices, too, says gradio
        """Give the layers that are chosen."""
        return _names(payload)


def _names(payload: Any) -> list[str]:
    return [name for name in payload if isinstance(name, str)] if isinstance(payload, list) else []


def layers_offered(backbone: str) -> dict[str, list[str]]:
    """List what each control of layers offers on a network, beside Gatys' five."""
    layers, pre = layer_names(backbone), layer_names(backbone, pre=True)
    more = [layer for layer in layers if layer not in GATYS_STYLE_LAYERS]
    return {"more_layers": more, "pre_layers": pre, "content_layers": [*layers, *pre]}


def layer_updates(backbone: str, chosen: Mapping[str, list[str]]) -> dict[str, Any]:
    """Make the updates by which controls offer a network's layers, and choose some.

    Args:
        backbone: the network.
        chosen: control -> the layers that it shows from now on; one that is not named stays as it is.
    """
    updates: dict[str, Any] = dict(chosen)
    for name, layers in layers_offered(backbone).items():
        shown: dict[str, Any] = {"choices": layers} | ({"value": chosen[name]} if name in chosen else {})
        is_menu = name == "content_layers"
        updates[name] = LayerMenu(**shown, multiselect=True) if is_menu else LayerChecks(**shown)
    return updates


def further_layers(more: Sequence[str], pre: Sequence[str]) -> gr.HTML:
    """Make the line that says which style layers are chosen beside Gatys' five; it is hidden where none is."""
    named = [*more, *(f"{layer.removesuffix('_pre')} before ReLU" for layer in pre)]
    return gr.HTML(value=f"Also chosen, under More layers: <b>{', '.join(named)}</b>", visible=bool(named))
