"""Makes the figure of the Gram matrix: what it keeps of a style, and how a painting's comes to equal it."""

import time
from typing import Any

from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.layer_view.comparison import COLUMNS, CONTENT, PICTURE, RESULT, ROWS, STYLE, Comparison, look
from nst_core.analysis.options import (
    Option,
    backbone_option,
    layer_named,
    seed_option,
    size_option,
    steps_option,
)
from nst_core.analysis.series import Series
from nst_core.devices import Compute, computing_on
from nst_core.features.loading import load_network
from nst_core.features.vgg import BACKBONES, VGG, channels_of, layer_names
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.optimize import Frame
from nst_core.transfer.run import Run
from nst_core.transfer.settings import GATYS_STYLE_LAYERS
from nst_core.transfer.stylize import stylize
from nst_core.transfer.terms import style_term

REDRAW_SECONDS = 0.5  # between two drawings of what the layer sees in the painting
TELL_SECONDS = 0.1  # between two moments, and what a step takes
STYLE_WEIGHT = 1e4  # of the whole loss: far above what Adam takes for no slope at all
STEP_SIZE = 0.03  # of the pixel range
CHART = "‖G − A‖² / ‖A‖²"


class GramWatch:
    """A painting by style alone and what one layer sees in it, as moments."""

    def __init__(self, run: Run, settings: dict[str, Any]):
        self.run, self.settings, self.layer = run, settings, settings["layer"]
        self.config = run.config
        self.fixed: tuple[Part, ...] = tuple(
            Part(PICTURE, COLUMNS.index(name), name, image, done=True)
            for name, image in ((CONTENT, run.content_image), (STYLE, run.painting.style_image))
        )
        self.rows: tuple[str, ...] = ROWS
        self.series = Series()
        self.findings: tuple[str, ...] = ()
        self.reading: tuple[str, ...] = ()  # how this network's channels are to be read
        self.drawn: list[Part] = []  # of the result, below its picture

    def moments(self) -> Moments:
        """Show the pictures, what the layer sees in them, and then the painting."""
        try:
            yield self._moment("looking at the pictures")
            network, _ = load_network(self.config.backbone, self.run.compute, self.config.feature_scale)
            with computing_on(self.run.compute):
                comparison = self._compare(network)
            yield self._moment("beginning to paint")
            drawn = told = -REDRAW_SECONDS
            for frame in self.run:
                self.series.note(frame.step, self._distances(frame))
                now = time.monotonic()
                if now - drawn >= REDRAW_SECONDS:
                    self._draw(network, comparison, frame)
                    drawn = time.monotonic()
                if now - told >= TELL_SECONDS:
                    yield self._moment(f"step {frame.step} of {self.run.steps}", frame)
                    told = time.monotonic()
            frame = self.run.newest
            self._draw(network, comparison, frame, done=True)
            yield self._moment(f"{frame.step} steps in {self.run.seconds:.1f} seconds", frame, done=True)
        finally:
            self.run.close()

    def _compare(self, network: VGG) -> Comparison:
        """Look at both pictures, and draw what will not change."""
        device = self.run.compute.device
        content, style = (
            look(network, image.to(device), self.layer, self.config)
            for image in (self.run.content_image, self.run.painting.style_image)
        )
        maps, pairs = self.settings["maps"], self.settings["pairs"]
        comparison = Comparison(self.layer, content, style, maps=maps, pairs=pairs)
        self.rows = comparison.rows
        self.fixed += (*comparison.parts(CONTENT, content), *comparison.parts(STYLE, style))
        if network.tap(self.layer) is not None:
            self.findings = self.reading = (_rotated(self.config.backbone, self.layer, len(comparison.order)),)
        return comparison

    def _draw(self, network: VGG, comparison: Comparison, frame: Frame, *, done: bool = False) -> None:
        """Look at the painting and draw what the layer sees in it."""
        seen = look(network, frame.image, self.layer, self.config)
        self.drawn = comparison.parts(RESULT, seen, done=done)
        self.findings = (*comparison.findings(seen), *self.reading)

    def _distances(self, frame: Frame) -> dict[str, float]:
        """‖G − A‖² / ‖A‖² of each layer that it is painted by, the chosen one last."""
        config = self.config
        return {
            layer: frame.losses[style_term(layer)] / (config.style_weight * config.weight_of_layer(layer))
            for layer in config.style_layers
        }

    def _moment(self, text: str, frame: Frame | None = None, *, done: bool = False) -> Moment:
        parts = self.fixed
        if frame:
            record = self.run.record() if done else None
            painted = Part(
                PICTURE,
                COLUMNS.index(RESULT),
                label=RESULT,
                image=frame.image,
                caption=f"step {frame.step}",
                done=done,
                record=record,
                facts={"layer": self.layer, "distance": self._distances(frame)[self.layer]},
            )
            parts = (*parts, painted, *self.drawn)
        share = 1.0 if done else (frame.step if frame else 0) / (self.run.steps + 1)
        charts = (Chart(CHART, "step", self.series.lines),) if frame else ()
        return Moment(self.rows, COLUMNS, parts, charts, (), text, share, self.findings, self.run.notes)


def _rotated(backbone: str, layer: str, channels: int) -> str:
    """Note how a narrow network's channels are to be read."""
    return (
        f"{BACKBONES[backbone]} has {channels} channels at {layer} for VGG-19's {channels_of(backbone, layer)}: each "
        "mixes several of those, so one alone says less; distances between their Gram matrices are nearly VGG-19's."
    )


def config_of(settings: dict[str, Any]) -> StyleTransferConfig:
    """Make the config of the painting that the figure watches: by style alone, differences as shares of the style.

    By Adam, which nears the style from any picture; L-BFGS, faster where it works, hardly leaves a grey one.

    Raises:
        ConfigError: a layer that the network lacks.
    """
    layer, backbone = settings["layer"], settings["backbone"]
    names = layer_names(backbone)
    place = names.index(layer.removesuffix("_pre")) if layer.removesuffix("_pre") in names else 0
    above = tuple(name for name in names[:place] if name in GATYS_STYLE_LAYERS) if settings["above"] else ()
    return StyleTransferConfig(
        backbone=backbone,
        padding="reflect",
        content_layers=(),
        content_weight=0.0,
        style_layers=(*above, layer),
        style_weight=STYLE_WEIGHT,
        style_normalization="relative",
        optimizer="adam",
        step_size=STEP_SIZE,
        clamp=True,
        **{name: settings[name] for name in ("start", "steps", "size", "seed")},
    )


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure, as `Figure.make` says."""
    run = stylize(material.content(), material.style(), config_of(settings), compute=compute)
    return GramWatch(run, settings).moments()


FIGURE = Figure(
    name="gram",
    title="The Gram matrix",
    see="What a style is to the network: on the diagonal which feature maps are active, beside it which of them are "
    "active at the same places. Where they are is forgotten. While a picture is painted by this alone, its matrix "
    "becomes the style's.",
    equation="Gᵢⱼ = Σₖ Fᵢₖ Fⱼₖ,  A the same of the style picture\n"
    "E_l = 1/(4N²M²) Σᵢⱼ (Gᵢⱼ − Aᵢⱼ)²,  N feature maps, M positions\n"
    "L_style = Σ_l w_l E_l",
    remarks=("A the same of the style picture", "N feature maps, M positions"),
    source="Gatys, Ecker & Bethge (2016), eq. 3 to 5; Chao, Perez & Chen on the diagonal and the pairs",
    question=Question(
        "The photo is changed until its Gram matrices are as the style picture's; nothing else counts. What has become "
        "of its matrix and its shapes?",
        (
            "Its matrix lies half way between the two",
            "Its matrix is the style's, and so are its shapes, each in its place",
            "Its matrix stays the photo's, as the photo can still be seen",
            "Its matrix is nearly the style's, though the photo's shapes can still be seen",
        ),
        right=3,
        why="The matrix keeps which features occur together and forgets where they are, so shapes may stay where the "
        "photo had them while the matrix becomes the style's.",
    ),
    options=(
        Option(
            "layer",
            "Layer",
            "conv3_1",
            "by name or number",
            tuple(layer_names("vgg19")),
            check=layer_named,
            fixed=False,
        ),
        Option("maps", "Feature maps", 12, "that are drawn", extent=(1, 32)),
        Option("pairs", "Pairs", 3, "of feature maps", extent=(0, 6)),
        Option("above", "Shallower layers, too", True, "the first of each block, which give the small strokes"),
        Option("start", "Start", "content", "of the painting", ("content", "noise")),
        size_option(192),
        steps_option(80),
        seed_option(),
        backbone_option(),
    ),
    pictures=("content", "style"),
    make=make,
)
