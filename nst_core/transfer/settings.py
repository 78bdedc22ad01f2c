"""Lists all settings of a run, with all that is to be said of each; everything else is made of this table."""

from dataclasses import dataclass

from nst_core.devices import PRECISIONS
from nst_core.features.scale import AS_TRAINED, FEATURE_SCALES
from nst_core.features.vgg import BACKBONES, NORMALIZATIONS, PADDINGS, POOLINGS
from nst_core.images import MAX_SIDE, MIN_SIDE, SIZE_RULES
from nst_core.losses.content import CONTENT_NORMALIZATIONS
from nst_core.losses.style import STYLE_LOSSES, STYLE_NORMALIZATIONS
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer.color import COLORS
from nst_core.transfer.masks import MAX_RADIUS
from nst_core.transfer.optimizers import OPTIMIZERS
from nst_core.transfer.schema import Control, setting, titled
from nst_core.transfer.starts import STARTS

GATYS_STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
MAX_WEIGHT = 1e15
MAX_STEPS = 100_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of a run; `config.StyleTransferConfig` says what goes together."""

    # what the papers vary; the first eleven keep their order, in which programs send them to /stylize
    backbone: str = setting(
        "vgg19",
        "Network",
        "the network that looks; else the preset's where it is here and there is a GPU, else lite",
        choices=dict(BACKBONES),
        page=Control("menu", "machinery"),
    )
    content_weight: float = setting(
        1.0,
        "α content",
        "content weight",
        symbol="α",
        option="alpha",
        extent=(0, MAX_WEIGHT),
        page=Control("logarithmic", "main", "more: closer to the photo"),
        steered=True,
    )
    style_weight: float = setting(
        1e7,
        "β style",
        "style weight",
        symbol="β",
        option="beta",
        extent=(0, MAX_WEIGHT),
        page=Control("logarithmic", "main", "more: closer to the style"),
        steered=True,
    )
    style_layers: tuple[str, ...] = setting(
        GATYS_STYLE_LAYERS,
        "Style layers",
        "where styles are compared, such as conv1_1 conv2_1",
        steered=True,
        typed="LAYER",
    )
    content_layers: tuple[str, ...] = setting(
        ("conv4_2",), "Content layers", "where contents are compared", steered=True, typed="LAYER"
    )
    start: str = setting(
        "content",
        "Start from",
        "content, noise, style, quick: what one pass paints, or a picture's path",
        option="init",
        choices=titled(STARTS) | {"quick": "a quick painting", "image": "another picture"},
        page=Control("radio", "main", wide=True),
        compared="content, noise, style",
        typed="START",
    )
    optimizer: str = setting(
        "lbfgs",
        "Optimiser",
        "how pixels move along their gradient",
        choices=titled(OPTIMIZERS, ("L-BFGS", "Adam")),
        page=Control("menu", "machinery"),
    )
    steps: int = setting(
        300,
        "Steps",
        "updates, shared out among the scales if there are several",
        extent=(1, MAX_STEPS),
        unit="steps",
        page=Control("number", "main"),
    )
    size: int = setting(
        512,
        "Size, pixels",
        "of the result, as size_rule measures it",
        extent=(MIN_SIDE, MAX_SIDE),
        unit="pixels",
        page=Control("number", "main"),
    )
    tv_weight: float = setting(
        0.0,
        "Total variation",
        "total variation weight",
        symbol="TV",
        option="tv",
        extent=(0, MAX_WEIGHT),
        page=Control("logarithmic", "machinery", "smooths grain; far left: off", ends=(-4, 6), wide=True),
        steered=True,
    )
    seed: int = setting(
        0,
        "Seed",
        "of the noise, and of style losses that sample",
        extent=(0, 2**32 - 1),
        page=Control("number", "machinery"),
        compared="0, 1, 2",
    )
    step_size: float = setting(
        1.0,
        "Step size",
        "L-BFGS: of its own step; Adam: of the pixel range",
        extent=(1e-6, 10),
        page=Control("number", "machinery"),
    )

    # what looks
    pooling: str = setting(
        "max",
        "Pooling",
        "how the network makes its maps smaller",
        choices=titled(POOLINGS),
        page=Control("menu", "machinery"),
    )
    padding: str = setting(
        "zeros", "Padding", "around the picture, for the first convolution", choices=titled(PADDINGS)
    )
    normalization: str = setting(
        "imagenet", "Normalisation", "what becomes of pixels before the network", choices=titled(NORMALIZATIONS)
    )
    feature_scale: str = setting(
        AS_TRAINED,
        "Feature scale",
        "how large features are, which α, β and the layers' weights are meant for",
        choices=titled(tuple(FEATURE_SCALES)),
        page=Control("menu", "machinery", "how large what α and β weigh is; another wants other weights", wide=True),
    )
    wrap: bool = setting(
        False,
        "Tile without a seam",
        "opposite edges meet: laid side by side, results show no seam",
        page=Control("switch", "machinery", "opposite edges meet, as of wallpapers and textures", wide=True),
    )

    # what is compared
    layer_weights: tuple[float, ...] = setting(
        (),
        "Layer weights",
        "w_l, one for each style layer; none: 1/n each, as in Gatys et al. (2016)",
        extent=(0, MAX_WEIGHT),
        steered=True,
        typed="WEIGHT",
    )
    content_normalization: str = setting(
        "half sum",
        "Content normalisation",
        "what a content layer's distance is divided by",
        choices=titled(CONTENT_NORMALIZATIONS),
    )
    style_loss: str = setting(
        "gram",
        "Style loss",
        "what is compared with the style",
        choices={name: loss.title for name, loss in STYLE_LOSSES.items()},
        page=Control("menu", "strokes"),
        compared="gram, moments, sliced wasserstein",
    )
    column_share: float = setting(
        0.0,
        "By columns",
        "share of the steps, the first, in which all layers together become the style's nearest (Kolkin et al.)",
        extent=(0, 1),
        page=Control("slider", "strokes"),
        compared="0.3, 0.9",
    )
    style_normalization: str = setting(
        "paper",
        "Style normalisation",
        "what a style layer's distance is divided by",
        choices=titled(STYLE_NORMALIZATIONS),
    )
    total_variation: str = setting(
        "nine point", "Total variation's form", "how grain is measured", choices=titled(TOTAL_VARIATIONS)
    )

    # how it is painted; a history of 100 steps costs 0.6 GB at 512×512 and gains nothing
    noise_deviation: float = setting(
        0.25,
        "Noise deviation",
        "about the networks' mean colour, for start noise",
        extent=(0, 1),
        unit="of the pixel range",
    )
    history: int = setting(10, "History", "steps that L-BFGS remembers", extent=(1, 100), unit="steps")
    history_precision: str = setting(
        "fp32", "History's numbers", "in which L-BFGS remembers; bf16 takes half the memory", choices=titled(PRECISIONS)
    )
    adam_betas: tuple[float, float] = setting(
        (0.9, 0.999),
        "Adam's betas",
        "decay of Adam's two moments",
        extent=(0, 1),
        compared="0.9 0.999, 0.99 0.99",
        typed="BETA",
    )
    clamp: bool = setting(False, "Clamp", "keep pixels in 0 … 1 after every step, for Adam")
    averaging: float = setting(
        0.0,
        "Averaging",
        "decay of a running average over the steps, which is what is shown; 0: none",
        extent=(0, 0.999),
    )
    tolerance: float = setting(
        0.0,
        "Ends below a gain of",
        "relative gain over 20 steps below which a scale ends by itself; 0: never",
        extent=(0, 0.5),
        page=Control("number", "machinery", "0: never early"),
    )
    size_rule: str = setting(
        "longest side", "Size measures", "what size is", choices=titled(SIZE_RULES), page=Control("menu", "machinery")
    )
    smallest_scale: int = setting(
        0,
        "Coarse to fine from, pixels",
        "paint coarse to fine from about here; 0: at the full size alone",
        extent=(0, MAX_SIDE),
        unit="pixels",
        page=Control("number", "machinery", "0: full size at once"),
        typed="PIXELS",
    )
    last_step: int = setting(
        0,
        "Last step",
        "where the run ends, before its own steps or beyond them; 0: with its own",
        extent=(0, MAX_STEPS),
        unit="steps",
        compared=None,
    )
    content_boost: float = setting(
        0.0,
        "Content boost",
        "α below 512 pixels ∝ size ^ -boost: a small picture is harder to recognise",
        extent=(0, 3),
    )
    scale_falloff: float = setting(
        0.0, "Scale falloff", "steps of a scale ∝ its size ^ -falloff; 0: the same for each", extent=(0, 3)
    )

    # what of the style, and where
    blend: tuple[float, ...] = setting(
        (),
        "Blend",
        "share of each of several style pictures, the first one's first; none: equal",
        extent=(0, MAX_WEIGHT),
        steered=True,
        compared=None,
        typed="SHARE",
    )
    style_scale: float = setting(
        1.0,
        "Size of the strokes",
        "size of the style picture as it is looked at, of the result's",
        symbol="stroke size",
        extent=(0.1, 4),
        page=Control("slider", "strokes", ends=(0.25, 2)),
        compared="0.5, 1, 2",
        typed="FACTOR",
    )
    color: str = setting(
        "style",
        "Colours",
        "whose colours the result has",
        choices={name: color.title for name, color in COLORS.items()},
        page=Control("menu", "main", wide=True),
    )
    mask_softness: float = setting(
        0.0,
        "Soft edge",
        "width of a mask's edge, of the longer side",
        extent=(0, MAX_RADIUS),
        unit="of the longer side",
        page=Control("slider", "place"),
        compared=None,
        typed="SHARE",
    )
    keep_unpainted: bool = setting(
        False,
        "Keep the photo elsewhere",
        "outside of the masks: the photo's own pixels",
        page=Control("switch", "place"),
        compared=None,
    )
