"""Makes the figure of what a layer keeps of the content: a picture rebuilt from one layer's features alone."""

from typing import Any

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.options import (
    NOISE,
    Option,
    backbone_option,
    layer_named,
    seed_option,
    size_option,
    steps_option,
)
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments, part_of
from nst_core.devices import Compute
from nst_core.features.vgg import BACKBONES, check_layers, layer_names, nearest_layer
from nst_core.transfer.config import StyleTransferConfig

LAYERS = ("conv1_2", "conv3_2", "conv5_2")
STARTS = {"noise": "from noise", "content": "from the picture itself"}


def layers_on(backbone: str, layers: tuple[str, ...], usual: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Translate layers to a network; where it lacks one of the usual ones, the nearest stands in, and a note says so.

    Raises:
        ConfigError: the network lacks a layer that was chosen.
    """
    if layers != usual:
        check_layers(backbone, layers)
        return layers, []
    near = {layer: nearest_layer(backbone, layer) for layer in layers}
    notes = [f"{BACKBONES[backbone]} has no {a}: {b} stands in for it." for a, b in near.items() if a != b]
    return tuple(dict.fromkeys(near.values())), notes


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each start, a column for each layer; the picture itself comes first."""
    content_image, backbone = material.content(), settings["backbone"]
    layers, notes = layers_on(backbone, settings["layers"], LAYERS)
    cells = [
        FigureCell(
            row, column, f"{layer}, {STARTS[start]}", _config(settings, layer, start), content_image, content_image
        )
        for row, start in enumerate(settings["start"])
        for column, layer in enumerate(layers, 1)
    ]
    original = images.fit(content_image, settings["size"])
    pictures = tuple(
        Part(row, 0, "the picture", original, done=True, facts={"picture": "content"})
        for row in range(len(settings["start"]))
    )
    rows = tuple(STARTS[start] for start in settings["start"])

    def told(growths: tuple[FigureGrowth, ...]) -> Moment:
        parts = (part_of(growth, f"loss {growth.history[-1][2]:.2g}" if growth.history else "") for growth in growths)
        lines = {growth.cell.label: _line(growth) for growth in growths}
        return Moment(
            rows,
            columns=("the picture", *layers),
            parts=(*pictures, *parts),
            charts=(Chart("content loss, of a blank picture's", "step", lines),),
            findings=_findings(growths),
            notes=tuple(notes),
        )

    return moments(cells, compute, told, together=False)  # together, the loss from the picture itself would round off 0


def _config(settings: dict[str, Any], layer: str, start: str) -> StyleTransferConfig:
    return StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps", "seed")},
        content_layers=(layer,),
        content_weight=1.0,
        style_weight=0.0,
        content_normalization="relative",
        padding="reflect",
        noise_deviation=NOISE,
        start=start,
    )


def _line(growth: FigureGrowth) -> list[tuple[float, float]]:
    return [(step, loss) for step, _, loss in growth.history if loss > 0]


def _findings(growths: tuple[FigureGrowth, ...]) -> tuple[str, ...]:
    at_home = [growth for growth in growths if growth.cell.config.start == "content" and growth.done]
    if not at_home:
        return ()
    worst, steps = max(loss for growth in at_home for _, _, loss in growth.history), at_home[0].step
    if worst == 0:
        return (f"From the picture itself the loss is 0, and stays exactly 0 for all {steps} steps.",)
    return (f"From the picture itself the loss never exceeds {worst:.1g}.",)


FIGURE = Figure(
    name="content",
    title="What a layer keeps of the content",
    see="Noise is changed until one layer of the network sees in it what it sees in the photo. A shallow layer keeps "
    "nearly every pixel; a deep one keeps what is where, and lets colours and texture go. Begun from the photo itself, "
    "there is nothing to change: the loss is 0.",
    equation="L_content = ½ Σᵢⱼ (Fᵢⱼ − Pᵢⱼ)²",
    source="Gatys, Ecker & Bethge (2016), eq. 1 and figure 1, lower half: content reconstructions, there of "
    "conv1_2, conv2_2 … conv5_2; Tran & Nguyen: of these three; Cheng",
    question=Question(
        "Noise is changed until a deep layer of the network sees in it what it sees in the photo. What comes back of "
        "the photo?",
        (
            "Nearly every pixel, as sharp as in the photo",
            "What is where, in other colours and textures",
            "Its colours, but nothing in its place",
            "Another photo of something similar",
        ),
        right=1,
        why="A deep layer answers to shapes and where they are, and hardly to the colours and the grain that they are "
        "made of; the shallow one keeps nearly every pixel.",
    ),
    options=(
        Option(
            "layers",
            "Layers",
            LAYERS,
            "by name, or by number among the convolutions: conv4 is conv2_2",
            layer_names("vgg19"),
            check=layer_named,
            fixed=False,
        ),
        Option("start", "Start", ("noise", "content"), choices=tuple(STARTS)),
        backbone_option(),
        size_option(160),
        steps_option(150),
        seed_option(),
    ),
    pictures=("content",),
    make=make,
)
