"""Puts configs into words: what a config does, and where it differs from another."""

from collections.abc import Callable, Mapping

from nst_core.analysis.written.terms import (
    CONTENT_FORMULAS,
    CONTENT_ZERO,
    GRAM_ZERO,
    OTHER_ZERO,
    VARIATIONS,
    in_letters,
    rounded,
    style_formula,
)
from nst_core.features.scale import FEATURE_SCALES
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.optimize import PLATEAU_STEPS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.schema import Setting, table_of
from nst_core.transfer.variations import shown

PAPER = PRESETS["gatys_printed"].config
PIXELS = {
    "imagenet": "pixels less ImageNet's mean, by its deviation",
    "caffe": "pixels of 0 … 255 less their mean, as Caffe's networks want them",
    "none": "pixels of 0 … 1 as they are",
}
SIZES = {
    "longest side": "{} pixels long",
    "shortest side": "{} pixels on the shorter side",
    "area": "{} pixels squared in area",
    "height": "{} pixels high",
    "exact": "{} pixels square, out of the middle",
}
BORDERS = {
    "zeros": "zeros beyond the border",
    "replicate": "the edge repeated beyond the border",
    "reflect": "the picture mirrored beyond the border",
}


def _layer_weights(config: StyleTransferConfig) -> str:
    weights = [rounded(config.weight_of_layer(layer)) for layer in config.style_layers]
    return f"w = {' '.join(weights)}" if len(set(weights)) > 1 else f"each layer w = {weights[0] if weights else 0}"


def _ratio(config: StyleTransferConfig) -> str:
    weights = f"α = {rounded(config.content_weight)}, β = {rounded(config.style_weight)}"
    if config.style_weight == 0:
        return weights
    return f"{weights}, α/β = {rounded(config.content_weight / config.style_weight)}"


def _content(config: StyleTransferConfig) -> str:
    return f"content loss {in_letters(CONTENT_FORMULAS[config.content_normalization], CONTENT_ZERO)}"


def _style(config: StyleTransferConfig) -> str:
    zero = GRAM_ZERO if config.style_loss == "gram" else OTHER_ZERO
    return f"style loss {in_letters(style_formula(config), zero)}"


def _variation(config: StyleTransferConfig) -> str:
    if config.tv_weight == 0:
        return "no total variation"
    return f"total variation {rounded(config.tv_weight)} · {VARIATIONS[config.total_variation]}"


def _start(config: StyleTransferConfig) -> str:
    if config.start == "noise":
        return f"from noise of {rounded(config.noise_deviation)}"
    titles = {"image": "another picture", "quick": "a quick painting"}
    return f"from {titles.get(config.start, config.start)}"


def _optimizer(config: StyleTransferConfig) -> str:
    if config.optimizer == "lbfgs":
        return f"L-BFGS at {rounded(config.step_size)}, remembering {config.history} steps"
    size, betas = rounded(config.step_size), " ".join(map(rounded, config.adam_betas))
    return f"Adam at {size}, β {betas}, clamped" if config.clamp else f"Adam at {size}, β {betas}"


def _steps(config: StyleTransferConfig) -> str:
    last = f", ended at step {config.last_step}" if config.last_step else ""
    if config.tolerance == 0 or config.last_step:
        return f"{config.steps} steps{last}"
    return f"{config.steps} steps, fewer where {PLATEAU_STEPS} gain less than {rounded(100 * config.tolerance)} %"


def _scales(config: StyleTransferConfig) -> str:
    if config.smallest_scale == 0:
        return "at one size"
    steps = f"steps ∝ size^-{rounded(config.scale_falloff)}" if config.scale_falloff else "equal steps"
    return f"coarse to fine from {config.smallest_scale} pixels, {steps}"


def _boost(config: StyleTransferConfig) -> str:
    boost = config.content_boost
    return f"α × κ, κ = (512/size)^{rounded(boost)} below 512 pixels" if boost else "α at every size"


def _averaging(config: StyleTransferConfig) -> str:
    return f"pictures averaged with {rounded(config.averaging)}" if config.averaging else "the last picture"


def _blend(config: StyleTransferConfig) -> str:
    return f"styles blended {' '.join(map(rounded, config.blend))}" if config.blend else "styles alike"


def _masks(config: StyleTransferConfig) -> str:
    rest = "the content's own pixels" if config.keep_unpainted else "painted, too"
    return f"outside of masks {rest}, edges soft over {rounded(config.mask_softness)} of the picture"


Aspect = Callable[[StyleTransferConfig], str]

# What a config says, in the order of the paper's text -> the settings that it tells of; what has no effect goes unsaid.
ASPECTS: dict[Aspect, tuple[str, ...]] = {
    lambda config: BACKBONES[config.backbone]: ("backbone",),
    lambda config: f"{config.pooling} pooling": ("pooling",),
    lambda config: BORDERS[config.padding]: ("padding",),
    lambda config: PIXELS[config.normalization]: ("normalization",),
    lambda config: FEATURE_SCALES[config.feature_scale]: ("feature_scale",),
    lambda config: f"content {', '.join(config.content_layers) or 'nowhere'}": ("content_layers",),
    lambda config: f"style {', '.join(config.style_layers) or 'nowhere'}": ("style_layers",),
    _content: ("content_normalization",),
    _style: ("style_loss", "style_normalization"),
    _layer_weights: ("layer_weights",),
    _ratio: ("content_weight", "style_weight"),
    _variation: ("tv_weight", "total_variation"),
    _boost: ("content_boost",),
    _start: ("start", "noise_deviation"),
    _optimizer: ("optimizer", "step_size", "history", "adam_betas", "clamp"),
    _steps: ("steps", "last_step", "tolerance"),
    _averaging: ("averaging",),
    _scales: ("smallest_scale", "scale_falloff"),
    lambda config: SIZES[config.size_rule].format(config.size): ("size", "size_rule"),
    lambda config: f"style picture at {rounded(config.style_scale)} times its size": ("style_scale",),
    _blend: ("blend",),
    lambda config: f"colours: {config.color}": ("color",),
    _masks: ("mask_softness", "keep_unpainted"),
    lambda config: f"seed {config.seed}": ("seed",),
}
TOLD = {name for names in ASPECTS.values() for name in names}


def aspects_of(table: Mapping[str, Setting]) -> list[Aspect]:
    """Put a config's settings into words: together as the papers say them, what is told nowhere by its label."""
    return [*ASPECTS, *(_plain(one) for name, one in table.items() if name not in TOLD)]


def _plain(one: Setting) -> Aspect:
    return lambda config: f"{one.label} {shown(getattr(config, one.name))}"


def description_of(config: StyleTransferConfig) -> tuple[str, ...]:
    """Everything that a config says, a few words each."""
    return tuple(aspect(config) for aspect in aspects_of(table_of(type(config))))


def difference_of(config: StyleTransferConfig, paper: StyleTransferConfig = PAPER) -> tuple[str, ...]:
    """Tell what a config says that the paper says otherwise; empty where they paint the same.

    Args:
        config: all settings.
        paper: what it is compared with.
    """
    said = zip(description_of(config), description_of(paper), strict=True)
    return tuple(own for own, papers in said if own != papers)
