"""Between the page's controls and a config: presets fill the controls, controls make the config."""

from collections.abc import Iterable
from typing import Any

from nst_core.devices import choose_compute
from nst_core.errors import ConfigError, DeviceError
from nst_core.features.vgg import BACKBONES, BUNDLED_BACKBONE, PRE, fitting_backbone, layer_names, nearest_layer
from nst_core.transfer.config import GATYS_STYLE_LAYERS, StyleTransferConfig
from nst_core.transfer.presets import PRESETS

# The page's controls in the order in which handlers get them; each is a field of the config or part of one.
CONTROLS = (
    "backbone",
    "alpha",
    "beta",
    "gatys_layers",
    "more_layers",
    "pre_layers",
    "content_layers",
    "start",
    "optimizer",
    "step_size",
    "steps",
    "size",
    "size_rule",
    "pooling",
    "tv_weight",
    "seed",
)

LAYER_CONTROLS = ("gatys_layers", "more_layers", "pre_layers", "content_layers")

ALL_LAYERS = tuple(layer_names("vgg19"))  # VGG-16's are among them
PRE_LAYERS = tuple(layer_names("vgg19", pre=True))
MORE_LAYERS = tuple(layer for layer in ALL_LAYERS if layer not in GATYS_STYLE_LAYERS)


def preset_config(preset: str) -> StyleTransferConfig:
    """The config of a preset by name.

    Raises:
        ConfigError: no such preset.
    """
    if preset not in PRESETS:
        raise ConfigError(f"preset is {preset!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[preset].config


def default_config(preset: str, backbone: str | None = None) -> StyleTransferConfig:
    """A preset's config on a network, by default the one that fits this machine.

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


def controls_of(config: StyleTransferConfig) -> dict[str, Any]:
    """What each control shows for a config."""
    layers = config.style_layers
    return {
        "backbone": config.backbone,
        "alpha": config.content_weight,
        "beta": config.style_weight,
        "gatys_layers": [layer for layer in layers if layer in GATYS_STYLE_LAYERS],
        "more_layers": [layer for layer in layers if layer in MORE_LAYERS],
        "pre_layers": [layer for layer in layers if layer.endswith(PRE)],
        "content_layers": list(config.content_layers),
        "start": config.start,
        "optimizer": config.optimizer,
        "step_size": config.step_size,
        "steps": config.steps,
        "size": config.size,
        "size_rule": config.size_rule,
        "pooling": config.pooling,
        "tv_weight": config.tv_weight,
        "seed": config.seed,
    }


def config_of(preset: str, values: Iterable[Any]) -> StyleTransferConfig:
    """The config that the controls say, what they do not show being the preset's.

    Args:
        preset: one of PRESETS.
        values: one for each of CONTROLS, in that order.

    Raises:
        ConfigError: a value that is missing, unknown or out of range.
    """
    shown = dict(zip(CONTROLS, values, strict=True))
    for name, value in shown.items():
        if value is None:
            raise ConfigError(f"{name.replace('_', ' ')} is empty; fill it in, or choose the preset again")
    return (
        preset_config(preset)
        .on(shown["backbone"])
        .changed(
            content_weight=shown["alpha"],
            style_weight=shown["beta"],
            style_layers=in_depth_order([*shown["gatys_layers"], *shown["more_layers"], *shown["pre_layers"]]),
            content_layers=in_depth_order(shown["content_layers"]),
            start=shown["start"],
            optimizer=shown["optimizer"],
            step_size=shown["step_size"],
            steps=shown["steps"],
            size=shown["size"],
            size_rule=shown["size_rule"],
            pooling=shown["pooling"],
            tv_weight=shown["tv_weight"],
            seed=shown["seed"],
        )
    )


def layers_on(preset: str, backbone: str, *shown: list[str]) -> list[list[str]]:
    """What the layer controls show after another network was chosen.

    The preset's layers become the preset's layers there; of others, those that the network lacks become the nearest.

    Args:
        preset: one of PRESETS.
        backbone: the network chosen now.
        shown: what each of LAYER_CONTROLS shows, in that order.
    """
    wanted = controls_of(preset_config(preset).on(backbone))
    before = [controls_of(preset_config(preset).on(other)) for other in BACKBONES]
    if any([sorted(layers) for layers in shown] == [sorted(of[name]) for name in LAYER_CONTROLS] for of in before):
        return [wanted[name] for name in LAYER_CONTROLS]
    *style, content = [[nearest_layer(backbone, layer) for layer in layers] for layers in shown]
    moved = preset_config(preset).on(backbone).changed(
        style_layers=in_depth_order(set(sum(style, []))), content_layers=in_depth_order(set(content))
    )  # fmt: skip
    return [controls_of(moved)[name] for name in LAYER_CONTROLS]


def in_depth_order(layers: Iterable[str]) -> tuple[str, ...]:
    """Layers shallow to deep, as the network computes them; unknown ones last, for the config to refuse by name."""
    known = [layer for pair in zip(PRE_LAYERS, ALL_LAYERS, strict=True) for layer in pair]
    return tuple(sorted(layers, key=lambda layer: known.index(layer) if layer in known else len(known)))
