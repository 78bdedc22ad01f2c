"""Makes the ratio × layer grid: how α/β and the depth of the style's layers change a painting."""

from typing import Any

from nst_core import images
from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.layer_sets import CUMULATIVE, layer_set
from nst_core.analysis.options import NOISE, Option, backbone_option, seed_option, size_option, steps_option
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments, part_of
from nst_core.devices import Compute
from nst_core.features.scale import UNIT
from nst_core.features.vgg import check_layers
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.variations import shown

CONTENT_LAYER = "conv4_2"
CONTENT_FACTOR = 20  # on the authors' α, by looking
PICTURES = ("the photo", "the style")


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each set of layers, a column for each ratio; the pictures themselves come first."""
    content_image, style_image = material.content(), material.style()
    sets = {text: layer_set(text) for text in settings["sets"]}
    for layers in sets.values():
        check_layers(settings["backbone"], layers)
    cells = [
        FigureCell(
            row, column, f"{text}, α/β {_power(ratio)}", _config(settings, layers, ratio), content_image, style_image
        )
        for row, (text, layers) in enumerate(sets.items())
        for column, ratio in enumerate(settings["ratios"], 1)
    ]
    pictures = tuple(
        Part(row, 0, name, images.fit(image, settings["size"]), name, done=True, facts={"picture": name})
        for row, (name, image) in enumerate(zip(PICTURES, (content_image, style_image), strict=True))
    )
    rows = tuple(f"{text}: up to {layers[-1]}" for text, layers in sets.items())
    rows += ("",) * (len(pictures) - len(rows))  # of a single set, too, both pictures are shown
    columns = ("the pictures", *(f"α/β {_power(ratio)}" for ratio in settings["ratios"]))

    def told(growths: tuple[FigureGrowth, ...]) -> Moment:
        return Moment(rows, columns, (*pictures, *map(part_of, growths)))

    return moments(cells, compute, told)


def _power(ratio: float) -> str:
    """ "1e-2" rather than "0.01", as the paper's axis has powers of ten."""
    mantissa, _, exponent = f"{ratio:.9e}".partition("e")
    return f"1e{int(exponent)}" if float(mantissa) == 1 else shown(ratio)


def _config(settings: dict[str, Any], layers: tuple[str, ...], ratio: float) -> StyleTransferConfig:
    """Make the loss of the authors' own code: a rescaled network, and means rather than sums over positions."""
    return StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps", "seed", "start")},
        feature_scale=UNIT,
        content_layers=(CONTENT_LAYER,),
        style_layers=layers,
        content_weight=CONTENT_FACTOR,
        style_weight=1 / ratio,
        content_normalization="half mean",
        pooling="average",
        padding="reflect",
        noise_deviation=NOISE,
    )


FIGURE = Figure(
    name="grid",
    title="The ratio × layer grid",
    see="From left to right the content counts more, from top to bottom the style includes deeper layers. At the left "
    "is texture alone: grain at the top, larger pieces of the painting below it. Towards the right the photo comes "
    "through, and at the end its shapes win. Between them lies what people call style.",
    equation="L_total = α L_content + β L_style",
    source="Gatys, Ecker & Bethge (2016), eq. 7; the grid is figure 3 of their 2015 preprint, to which the column of "
    "1e-1 is added. α and β as in their code, means over positions on a network rescaled to a mean activation of 1; α "
    "twenty times theirs, by looking",
    question=Question(
        "At α/β = 1e-1 the photo is plain to see in the painting. What does the painting look like if α/β is divided "
        "by 10,000?",
        (
            "Nearly the same, only brighter",
            "Like the photo, with even less of the style",
            "Like a texture of the style, the photo gone",
            "Like the style picture itself, all things in their places",
        ),
        right=2,
        why="The style now counts ten thousand times as much beside the content, and its Gram matrices say nothing of "
        "where things are: neither the photo's nor the style picture's.",
    ),
    options=(
        Option(
            "sets",
            "Sets of layers",
            tuple(CUMULATIVE),
            "rows: A to E are conv1_1 to conv5_1",
            tuple(CUMULATIVE),
            check=lambda text: text if layer_set(text) else text,
            fixed=False,
        ),
        Option("ratios", "Ratios α/β", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), "columns", extent=(1e-12, 1e6)),
        Option("start", "Start", "noise", choices=("noise", "content", "style")),
        backbone_option(),
        size_option(160),
        steps_option(100),
        seed_option(),
    ),
    pictures=("content", "style"),
    make=make,
)
