"""Makes the figure of what layers keep of the style: noise becomes a texture with the style's Gram matrices."""

from typing import Any

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.layer_sets import CUMULATIVE, layer_set
from nst_core.analysis.options import NOISE, Option, backbone_option, size_option, steps_option
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments, part_of
from nst_core.devices import Compute
from nst_core.features.vgg import check_layers
from nst_core.transfer.config import StyleTransferConfig


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each seed, a column for each set of layers; the style picture comes first."""
    style_image, seeds = material.style(), settings["seeds"]
    sets = {text: layer_set(text) for text in settings["sets"]}
    for layers in sets.values():
        check_layers(settings["backbone"], layers)
    cells = [
        FigureCell(row, column, f"{text}, seed {seed}", _config(settings, layers, seed), style_image, style_image)
        for row, seed in enumerate(seeds)
        for column, (text, layers) in enumerate(sets.items(), 1)
    ]
    original = images.fit(style_image, settings["size"])
    pictures = tuple(
        Part(row, 0, "the style", original, done=True, facts={"picture": "style"}) for row in range(len(seeds))
    )
    heads = [
        f"{text}: {', '.join(layers)}" if len(layers) < 3 else f"{text}: {layers[0]} … {layers[-1]}"
        for text, layers in sets.items()
    ]

    def told(growths: tuple[FigureGrowth, ...]) -> Moment:
        parts = (part_of(growth, f"loss {growth.history[-1][2]:.2g}" if growth.history else "") for growth in growths)
        lines = {growth.cell.label: [(step, loss) for step, _, loss in growth.history] for growth in growths}
        return Moment(
            rows=tuple(f"seed {seed}" for seed in seeds),
            columns=("the style", *heads),
            parts=(*pictures, *parts),
            charts=(Chart("style loss, of a blank picture's", "step", lines),),
            findings=_findings(growths),
        )

    return moments(cells, compute, told)


def _config(settings: dict[str, Any], layers: tuple[str, ...], seed: int) -> StyleTransferConfig:
    return StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps")},
        style_layers=layers,
        content_weight=0.0,
        style_weight=1.0,
        style_normalization="relative",
        pooling="average",
        padding="reflect",
        noise_deviation=NOISE,
        start="noise",
        seed=seed,
    )


def _findings(growths: tuple[FigureGrowth, ...]) -> tuple[str, ...]:
    """Tell how two seeds differ as pictures and agree as textures."""
    last = max(growth.cell.column for growth in growths)
    pair = [growth for growth in growths if growth.cell.column == last and growth.record][:2]
    pictures = [growth.image for growth in pair if growth.image is not None]
    if len(pictures) < 2:
        return ()
    one, other = pictures
    apart = float((one - other).abs().mean())
    losses = " and ".join(f"{growth.history[-1][2]:.1g}" for growth in pair)
    return (
        f"Two seeds, two pictures: {apart:.0%} of the pixel range apart on average. "
        f"One texture: their style losses are {losses} of a blank picture's.",
    )


FIGURE = Figure(
    name="style",
    title="What layers keep of the style",
    see="Noise is changed until it has the style's Gram matrices, which say which features occur together, but not "
    "where. With conv1_1 alone it is coloured grain; every deeper layer brings larger pieces of the painting. Another "
    "seed gives another picture of the same texture. Borders leave a trace all the same: only there a layer sees the "
    "picture mirrored, so what stands at an edge of the style, such as grass, tends to come back at that edge.",
    equation="Gᵢⱼ = Σₖ Fᵢₖ Fⱼₖ\nE_l = 1/(4 N² M²) Σᵢⱼ (Gᵢⱼ − Aᵢⱼ)²\nL_style = Σ_l w_l E_l",
    source="Gatys, Ecker & Bethge (2016), eq. 3–5 and figure 1, upper half: style reconstructions of the "
    "same sets, conv1_1 … conv1_1 to conv5_1; Cheng: two seeds, ranges of layers",
    question=Question(
        "From two different fields of noise grow pictures with the same Gram matrices, those of the style picture. How "
        "do the two compare?",
        (
            "They are the same picture, pixel by pixel",
            "Both are the style picture itself",
            "They have nothing in common",
            "They are two pictures of one texture",
        ),
        right=3,
        why="A Gram matrix says which features occur together and forgets where, so many pictures share one, and the "
        "noise decides which of them it becomes.",
    ),
    options=(
        Option(
            "sets",
            "Sets of layers",
            tuple(CUMULATIVE),
            "A to E are conv1_1 to conv5_1; ranges count convolutions, such as 4-8; or name layers: conv1_1 conv3_1",
            (*CUMULATIVE, "1-5", "4-8", "7-11"),
            check=lambda text: text if layer_set(text) else text,
            fixed=False,
        ),
        Option("seeds", "Seeds", (0, 1), "of the noise, a row each", extent=(0, 2**32 - 1)),
        backbone_option(),
        size_option(160),
        steps_option(150),
    ),
    pictures=("style",),
    make=make,
)
