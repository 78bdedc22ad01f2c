"""Every setting of a run, its unit and what makes it valid."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from nst_core.errors import ConfigError, listed, said
from nst_core.features.scale import AS_TRAINED, FEATURE_SCALES
from nst_core.features.vgg import BACKBONES, NORMALIZATIONS, PADDINGS, POOLINGS, check_layers, nearest_layer
from nst_core.images import MAX_SIDE, MIN_SIDE, SIZE_RULES
from nst_core.losses.content import CONTENT_NORMALIZATIONS
from nst_core.losses.style import STYLE_LOSSES, STYLE_NORMALIZATIONS
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer.color import COLORS
from nst_core.transfer.masks import MAX_RADIUS
from nst_core.transfer.optimizers import OPTIMIZERS, STEP_SIZES
from nst_core.transfer.starts import STARTS

GATYS_STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
MAX_WEIGHT = 1e15
MAX_STEPS = 100_000
MAX_STYLES = 4  # pictures, of which the result has something

# Field -> what it may be. Menus, validation, error texts and tests derive from this.
CHOICES: dict[str, Sequence[str]] = {
    "backbone": tuple(BACKBONES),
    "pooling": tuple(POOLINGS),
    "padding": tuple(PADDINGS),
    "normalization": tuple(NORMALIZATIONS),
    "feature_scale": tuple(FEATURE_SCALES),
    "content_normalization": tuple(CONTENT_NORMALIZATIONS),
    "style_loss": tuple(STYLE_LOSSES),
    "style_normalization": tuple(STYLE_NORMALIZATIONS),
    "total_variation": tuple(TOTAL_VARIATIONS),
    "start": tuple(STARTS),
    "optimizer": tuple(OPTIMIZERS),
    "size_rule": tuple(SIZE_RULES),
    "color": tuple(COLORS),
}

# Field -> (smallest, largest, what it is counted in).
RANGES: dict[str, tuple[float, float, str]] = {
    "content_weight": (0, MAX_WEIGHT, ""),
    "style_weight": (0, MAX_WEIGHT, ""),
    "tv_weight": (0, MAX_WEIGHT, ""),
    "noise_deviation": (0, 1, " of the pixel range"),
    "steps": (1, MAX_STEPS, " steps"),
    "step_size": (1e-6, 10, ""),
    "history": (1, 100, " steps"),
    "size": (MIN_SIDE, MAX_SIDE, " pixels"),
    "smallest_scale": (0, MAX_SIDE, " pixels"),
    "scale_falloff": (0, 3, ""),
    "content_boost": (0, 3, ""),
    "averaging": (0, 0.999, ""),
    "tolerance": (0, 0.5, ""),
    "style_scale": (0.1, 4, ""),
    "mask_softness": (0, MAX_RADIUS, " of the longer side"),
    "last_step": (0, MAX_STEPS, " steps"),
    "seed": (0, 2**32 - 1, ""),
}


@dataclass(frozen=True, kw_only=True)
class StyleTransferConfig:
    """All that a run depends on besides its pictures and the device.

    Raises:
        ConfigError: a value that is unknown or out of range; the text says which are valid.
    """

    # what looks
    backbone: str = "vgg19"
    pooling: str = "max"
    padding: str = "zeros"  # around the picture, for the first convolution
    normalization: str = "imagenet"
    feature_scale: str = AS_TRAINED  # which α, β and the layers' weights are meant for
    # what is compared
    content_layers: tuple[str, ...] = ("conv4_2",)
    style_layers: tuple[str, ...] = GATYS_STYLE_LAYERS
    layer_weights: tuple[float, ...] = ()  # w_l, one for each style layer; empty: 1/n each, as Gatys et al.
    content_weight: float = 1.0  # α
    style_weight: float = 1e7  # β
    tv_weight: float = 0.0
    content_normalization: str = "half sum"
    style_loss: str = "gram"
    blend: tuple[float, ...] = ()  # share of each of several style pictures; empty: equal
    style_normalization: str = "paper"
    total_variation: str = "nine point"
    # how it is painted
    start: str = "content"
    noise_deviation: float = 0.25  # of the pixel range, about the networks' mean colour, for start "noise"
    optimizer: str = "lbfgs"
    steps: int = 300
    step_size: float = 1.0  # L-BFGS: of its own step; Adam: of the pixel range
    history: int = 10  # steps that L-BFGS remembers; 100 cost 0.6 GB at 512×512 and gain nothing
    adam_betas: tuple[float, float] = (0.9, 0.999)
    clamp: bool = False  # keep pixels in [0, 1] after every step, for Adam
    averaging: float = 0.0  # decay of a running average over the steps, which is what is shown; 0: none
    tolerance: float = 0.0  # relative gain over Plateau's steps below which a scale ends by itself; 0: never
    size: int = 512  # pixels
    size_rule: str = "longest side"  # what size measures
    smallest_scale: int = 0  # pixels: painted coarse to fine from about this size; 0: at the full size alone
    last_step: int = 0  # at which the run ends, of its own steps or beyond them; 0: with its own
    content_boost: float = 0.0  # α below 512 pixels ∝ size ^ -boost: a small picture is harder to recognise
    scale_falloff: float = 0.0  # steps of a scale ∝ its size ^ -falloff; 0: the same for each
    # what of the style, and where
    style_scale: float = 1.0  # size of the style picture as it is looked at, of the result's: size of the strokes
    color: str = "style"  # whose colours the result has
    mask_softness: float = 0.0  # of the longer side: width of a mask's edge
    keep_unpainted: bool = False  # outside of the masks: the content's own pixels
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        for name, (low, high, unit) in RANGES.items():
            _check_range(name, getattr(self, name), low, high, unit, whole=type(getattr(type(self), name)) is int)
        self._check_layers()
        self._check_weights()
        _check_numbers("adam_betas", self.adam_betas, below=1)
        if len(self.adam_betas) != 2:
            raise ConfigError(f"adam_betas is {said(self.adam_betas)}; give two numbers")
        for name in ("clamp", "keep_unpainted"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {said(getattr(self, name))}; give True or False")
        if self.clamp and self.optimizer == "lbfgs":
            raise ConfigError("clamp is on with optimizer 'lbfgs', whose memory it would corrupt; use 'adam', or False")

    def _check_layers(self) -> None:
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if not isinstance(layers, tuple) or not _are_texts(layers):
                raise ConfigError(f"{name} is {said(layers)}; give a tuple of layer names such as ('conv4_2',)")
            check_layers(self.backbone, layers)
            if len(set(layers)) < len(layers):
                raise ConfigError(f"{name} is {listed(layers)}; name each layer once")
        if self.style_weight > 0 and not self.style_layers:
            raise ConfigError("no style layer is chosen; tick at least one, or set the style weight β to 0")
        if self.content_weight > 0 and not self.content_layers:
            raise ConfigError("no content layer is chosen; choose one, or set the content weight α to 0")

    def _check_weights(self) -> None:
        _check_numbers("layer_weights", self.layer_weights, below=MAX_WEIGHT)
        _check_numbers("blend", self.blend, below=MAX_WEIGHT)
        if len(self.blend) > MAX_STYLES:
            raise ConfigError(f"blend has {len(self.blend)} shares; give one for each of at most {MAX_STYLES} styles")
        if self.blend and not any(self.blend):
            raise ConfigError("all shares of blend are 0, so there is no style; raise one of them")
        if self.layer_weights and len(self.layer_weights) != len(self.style_layers):
            raise ConfigError(
                f"layer_weights has {len(self.layer_weights)} numbers for {len(self.style_layers)} style layers; "
                "give one for each, or none for equal weights"
            )
        if self.content_weight == 0 and self.style_weight == 0:
            raise ConfigError("α and β are both 0, so there is nothing to paint; raise one of them")
        if self.content_weight == 0 and not any(map(self.weight_of_layer, self.style_layers)):
            raise ConfigError("α and all of layer_weights are 0, so there is nothing to paint; raise one of them")

    def weight_of_layer(self, layer: str) -> float:
        """w_l of a style layer."""
        if not self.layer_weights:
            return 1 / len(self.style_layers)
        return self.layer_weights[self.style_layers.index(layer)]

    def changed(self, **values: Any) -> "StyleTransferConfig":
        """These settings with other values, None meaning as it is; what hangs together changes together.

        Another optimiser brings a step size that suits it. A style layer that was there keeps its weight, a new one
        gets the mean of the others. Whole numbers may come as floats, as pages and JSON send them.

        Raises:
            ConfigError: an unknown value or one out of range.
        """
        given = {name: value for name, value in values.items() if value is not None}
        for name in ("steps", "size", "seed", "history", "smallest_scale", "last_step"):
            if isinstance(given.get(name), float) and given[name].is_integer():
                given[name] = int(given[name])
        if given.get("optimizer", self.optimizer) != self.optimizer:
            _check_choice("optimizer", given["optimizer"], CHOICES["optimizer"])
            suiting = {"step_size": STEP_SIZES[given["optimizer"]], "clamp": given["optimizer"] == "adam"}
            given = {**suiting, **given}
        if "style_layers" in given:
            given.setdefault("layer_weights", self._weights_of(given["style_layers"]))
        return replace(self, **given)

    def on(self, backbone: str) -> "StyleTransferConfig":
        """These settings on another network; for a layer that it lacks stands the deepest that it has of that block.

        Raises:
            ConfigError: unknown backbone.
        """
        _check_choice("backbone", backbone, CHOICES["backbone"])
        layers: dict[str, float] = {}  # of two that become one, the weights add up
        for layer in self.style_layers:
            near = nearest_layer(backbone, layer)
            layers[near] = layers.get(near, 0.0) + self.weight_of_layer(layer)
        return replace(
            self,
            backbone=backbone,
            content_layers=tuple(dict.fromkeys(nearest_layer(backbone, layer) for layer in self.content_layers)),
            style_layers=tuple(layers),
            layer_weights=tuple(layers.values()) if self.layer_weights or len(layers) < len(self.style_layers) else (),
        )

    def _weights_of(self, layers: Any) -> tuple[float, ...]:
        if not self.layer_weights or not _are_texts(layers):
            return ()
        own = dict(zip(self.style_layers, self.layer_weights, strict=True))
        mean = sum(self.layer_weights) / len(self.layer_weights)
        return tuple(own.get(layer, mean) for layer in layers)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "StyleTransferConfig":
        """The settings that to_dict() gave.

        Raises:
            ConfigError: an unknown setting or an invalid value.
        """
        if not isinstance(values, dict):
            raise ConfigError(f"the settings are {said(values)}; give a value of each by its name")
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise ConfigError(f"{said(name)} is not a setting; the settings are {', '.join(sorted(known))}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _are_texts(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} is {said(value)}; choose one of {', '.join(choices)}")


def _check_range(name: str, value: Any, low: float, high: float, unit: str, *, whole: bool) -> None:
    if not _is_number(value) or (whole and not isinstance(value, int)) or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} is {said(value)}; give {what} from {low:g} to {high:g}{unit}")


def _check_numbers(name: str, values: Any, *, below: float) -> None:
    if not isinstance(values, tuple) or not all(_is_number(value) and 0 <= value < below for value in values):
        raise ConfigError(f"{name} is {said(values)}; give a tuple of numbers from 0 to below {below:g}")
