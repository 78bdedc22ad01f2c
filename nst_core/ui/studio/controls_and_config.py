"""Converts between the page's controls and a config: presets fill the controls, controls make the config."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from nst_core.devices import choose_compute
from nst_core.errors import ConfigError, DeviceError, said
from nst_core.features.checkpoint import TEACHERS
from nst_core.features.loading import fitting_backbone
from nst_core.features.vgg import BACKBONES, BUNDLED_BACKBONE, PRE, layer_names, nearest_layer
from nst_core.transfer.config import MAX_STYLES, SETTINGS, STEERABLE, StyleTransferConfig
from nst_core.transfer.presets import PRESETS, counterpart
from nst_core.transfer.schema import plainly_shown
from nst_core.transfer.settings import GATYS_STYLE_LAYERS

WEIGHT_CONTROLS = tuple(f"weight_{number}" for number in range(1, 6))  # of Gatys' five layers
SHARE_CONTROLS = tuple(f"share_{number}" for number in range(1, MAX_STYLES + 1))  # of each style picture
LAYER_CONTROLS = ("gatys_layers", "more_layers", "pre_layers", "content_layers")

# Controls that are part of a setting, or show one in another form -> the setting.
PARTS = {
    **dict.fromkeys(("gatys_layers", "more_layers", "pre_layers"), "style_layers"),
    "content_layers": "content_layers",
    **dict.fromkeys(WEIGHT_CONTROLS, "layer_weights"),
    **dict.fromkeys(SHARE_CONTROLS, "blend"),
}

# Controls that are a setting of the same name, as it is.
PLAIN = plainly_shown(SETTINGS)

# All of the page's controls.
CONTROLS = (*PLAIN, *PARTS)

# Controls that act on a painting in progress.
STEERING_CONTROLS = tuple(name for name in CONTROLS if PARTS.get(name, name) in STEERABLE)

ALL_LAYERS = tuple(layer_names("vgg19"))  # VGG-16's are among them
PRE_LAYERS = tuple(layer_names("vgg19", pre=True))
MORE_LAYERS = tuple(layer for layer in ALL_LAYERS if layer not in GATYS_STYLE_LAYERS)


def preset_config(preset: str) -> StyleTransferConfig:
    """Look up the config of a preset by name.

    Raises:
        ConfigError: no such preset.
    """
    if preset not in PRESETS:
        raise ConfigError(f"preset is {said(preset)}; choose one of {', '.join(PRESETS)}")
    return PRESETS[preset].config


def base_config(base: str | StyleTransferConfig | None) -> StyleTransferConfig:
    """Give a preset's config by its name; settings that were restored as they are.

    Raises:
        ConfigError: no such preset, or none.
    """
    if base is None:
        raise ConfigError("no preset is chosen; choose one")
    return preset_config(base) if isinstance(base, str) else base


def default_config(preset: str, backbone: str | None = None) -> StyleTransferConfig:
    """Give a preset's config on a network, by default the one that fits this machine.

    Raises:
        ConfigError: no such preset or backbone.
    """
    config = preset_config(preset)
    if backbone:
        return config.on(backbone)
    try:
        return config.on(fitting_backbone(config.backbone, choose_compute()))
    except DeviceError:  # the page opens all the same, and Run says what is wrong
        return config.on(BUNDLED_BACKBONE)


def preset_text(name: str | None, backbone: str) -> str:
    """Write where a preset comes from and where it differs, on the network chosen on the page; None: no preset."""
    if name is None:
        return "Settings of no preset. Choose one to leave them."
    preset, title = PRESETS[name], BACKBONES[backbone]
    layers = dict.fromkeys((*preset.config.content_layers, *preset.config.style_layers))
    standing_in = [(layer, nearest_layer(backbone, layer)) for layer in layers]
    lacking = [f"{title} has no {layer}: {near} stands in for it." for layer, near in standing_in if near != layer]
    own = preset.config.backbone
    network = "" if own in (backbone, TEACHERS.get(backbone)) else f"Its own network is {BACKBONES[own]}."
    return " ".join(filter(None, (f"{preset.source}.", preset.deviations, network, *lacking)))


def counterpart_button(name: str | None) -> dict[str, Any]:
    """Label the button that leads from a preset to its counterpart and back; it is hidden where there is none."""
    if name is None or not counterpart(name):
        return {"visible": False}
    return {"visible": True, "value": "As printed" if PRESETS[name].printed else "As painted"}


def controls_of(config: StyleTransferConfig) -> dict[str, Any]:
    """Find what each control shows for a config."""
    layers = config.style_layers
    # of 1/n, what equal weights are: of six digits, so that showing and reading make no difference
    weights = {layer: config.weight_of_layer(layer) * len(layers) for layer in layers}
    others = sum(weights.values()) / max(1, len(weights))  # what a layer gets that is ticked later
    shown = {layer: float(f"{weights.get(layer, others):.6g}") for layer in GATYS_STYLE_LAYERS}
    shares = [*config.blend, *[1.0] * MAX_STYLES][:MAX_STYLES]
    return {
        **{name: getattr(config, name) for name in PLAIN},
        "gatys_layers": [layer for layer in layers if layer in GATYS_STYLE_LAYERS],
        "more_layers": [layer for layer in layers if layer in MORE_LAYERS],
        "pre_layers": [layer for layer in layers if layer.endswith(PRE)],
        "content_layers": list(config.content_layers),
        **dict(zip(WEIGHT_CONTROLS, shown.values(), strict=True)),
        **dict(zip(SHARE_CONTROLS, shares, strict=True)),
    }


def config_of(base: str | StyleTransferConfig, shown: Mapping[str, Any]) -> StyleTransferConfig:
    """Make the config that the controls show; what they do not show is the base's.

    Args:
        base: one of PRESETS, or settings that were restored.
        shown: what each of CONTROLS shows, by name; others are left alone.

    Raises:
        ConfigError: a value that is missing, unknown or out of range.
    """
    for name in CONTROLS:
        if shown.get(name) is None:
            raise ConfigError(f"{name.replace('_', ' ')} is empty; fill it in, or choose the preset again")
    config = base_config(base).on(shown["backbone"])
    layers = in_depth_order([*shown["gatys_layers"], *shown["more_layers"], *shown["pre_layers"]])
    shares = tuple(shown[name] for name in SHARE_CONTROLS)
    changed = config.changed(
        **{name: shown[name] for name in PLAIN if name != "backbone"},
        style_layers=layers,
        content_layers=in_depth_order(shown["content_layers"]),
        blend=() if len(set(shares)) == 1 else shares,
        last_step=config.last_step if shown["steps"] == config.steps else 0,
    )
    return _weighed(changed, config, shown)


def preset_of(config: StyleTransferConfig) -> str | None:
    """Find the preset that becomes a config by setting the controls, the nearest of several; None if there is none."""
    shown, wanted = controls_of(config), config.to_dict()
    leading: dict[str, int] = {}  # preset -> settings that only the controls make the config's
    for name in PRESETS:
        with suppress(ConfigError):  # weights of layers near the most may be too much for one of them
            if config_of(name, shown) == config:
                at = preset_config(name).on(config.backbone).to_dict()
                leading[name] = sum(at[field] != value for field, value in wanted.items())
    return min(leading, key=leading.__getitem__, default=None)


def _weighed(config: StyleTransferConfig, base: StyleTransferConfig, shown: Mapping[str, Any]) -> StyleTransferConfig:
    """Give a config the layer weights that the sliders show, where they were moved."""
    at = controls_of(base)
    if all(shown[name] == at[name] for name in WEIGHT_CONTROLS):
        return config
    sliders = dict(zip(GATYS_STYLE_LAYERS, (shown[name] for name in WEIGHT_CONTROLS), strict=True))
    if set(sliders.values()) == {1}:
        return config.changed(layer_weights=())
    mean = sum(sliders.values()) / len(sliders)  # for layers without a slider
    counted = base if base.layer_weights else config  # equal weights are shares of the layers that are chosen
    weights = [sliders.get(layer, mean) / len(counted.style_layers) for layer in config.style_layers]
    return config.changed(layer_weights=tuple(weights))


def layers_on(base: str | StyleTransferConfig, backbone: str, shown: Mapping[str, Any]) -> dict[str, list[str]]:
    """Move the layers that are shown to another network that was chosen.

    The base's layers become the base's layers there; of others, those that the network lacks become the nearest.

    Args:
        base: one of PRESETS, or settings that were restored.
        backbone: the network chosen now.
        shown: what each of LAYER_CONTROLS shows, by name; others are left alone.
    """
    config = base_config(base)
    wanted = controls_of(config.on(backbone))
    before = [controls_of(config.on(other)) for other in BACKBONES]
    if any(all(sorted(shown[name]) == sorted(of[name]) for name in LAYER_CONTROLS) for of in before):
        return {name: wanted[name] for name in LAYER_CONTROLS}
    near = {name: {nearest_layer(backbone, layer) for layer in shown[name]} for name in LAYER_CONTROLS}
    content = near.pop("content_layers")
    style_layers = in_depth_order(set().union(*near.values()))
    moved = config.on(backbone).changed(style_layers=style_layers, content_layers=in_depth_order(content))
    return {name: controls_of(moved)[name] for name in LAYER_CONTROLS}


def in_depth_order(layers: Iterable[str]) -> tuple[str, ...]:
    """Sort layers shallow to deep, as networks compute them; unknown ones last, for the config to refuse by name."""
    known = [layer for pair in zip(PRE_LAYERS, ALL_LAYERS, strict=True) for layer in pair]
    return tuple(sorted(layers, key=lambda layer: known.index(layer) if layer in known else len(known)))
