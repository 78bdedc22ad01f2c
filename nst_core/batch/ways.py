"""Paints one picture of a batch, by the optimiser or in one pass, and saves it."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from nst_core import images
from nst_core.batch.tasks import AWay, Task
from nst_core.devices import Compute, choose_compute
from nst_core.engine.begin import begin, is_elsewhere, waited_for
from nst_core.engine.devices import Closable
from nst_core.engine.worker import Material
from nst_core.instant.any_style import Paints, painter_of
from nst_core.instant.catalogue import Catalogue, open_styles
from nst_core.instant.painted_picture import save_painted
from nst_core.instant.painter import MAX_SIDE, Painter
from nst_core.instant.refine import refined
from nst_core.steps import finish
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run

STYLES_KEPT = 8  # pictures of styles, decoded
PAINTERS_KEPT = 64  # in the style of a picture each, some 5 MB


class Stroke(NamedTuple):
    """Tells how much of a painting is done, 0 to 1, and what a person should know of the step, if anything."""

    share: float
    note: str = ""


Strokes = Generator[Stroke, None, None]  # a step each; closed before its end, it leaves nothing
# Paints a task into a file, given its path. Raises NSTError for what cannot be painted.
Paint = Callable[[Task[AWay], Path], Closable[Stroke]]


@dataclass(frozen=True)
class Optimized:
    """By optimising pixels.

    Attributes:
        title: the preset's name.
        config: all settings.
        keep_transparency: make paintings as transparent as their pictures.
    """

    title: str
    config: StyleTransferConfig
    keep_transparency: bool = True

    def settings(self) -> dict[str, Any]:
        """Give the settings as plain values."""
        return {**self.config.to_dict(), "keep_transparency": self.keep_transparency}


@dataclass(frozen=True)
class Instant:
    """In one pass.

    Attributes:
        strength: 0, the picture as it is, to 1.
        color: whose colours the result has, "style" or "content".
        size: pixels of the longer side; None: the picture's own.
        keep_transparency: make paintings as transparent as their pictures.
    """

    strength: float = 1.0
    color: str = "style"
    size: int | None = None
    keep_transparency: bool = True
    title = "instant"

    def settings(self) -> dict[str, Any]:
        """Give the settings as plain values."""
        return asdict(self)


def optimizer_paint(begun: Callable[[Material, StyleTransferConfig], Run] = Material.begun) -> Paint[Optimized]:
    """Make what paints by `Optimized`; style pictures that come again are read once.

    Args:
        begun: begins a painting; by default on the thread and the device at hand.
    """

    @lru_cache(STYLES_KEPT)
    def style_image(path: str, side: int) -> Tensor:
        return images.load(path, max_side=side)

    def paint(task: Task[Optimized], path: Path) -> Strokes:
        way, side = task.way, images.read_side(task.way.config.size)
        content_image = images.load(task.content, max_side=side, keep_transparency=way.keep_transparency)
        style = style_image(task.style, side)
        with closing(begun(Material(content_image, [style]), way.config)) as run:
            for frame in run:
                yield Stroke(run.work_until(frame.step) / max(run.work_until(run.steps), 1e-9), frame.note)
            save_result(run.result, run.record(), path)

    return paint


def engine_paint() -> Paint[Optimized]:
    """Make what paints by `Optimized` where the engine has paintings computed: here, on a lent GPU, or on a cluster."""
    if not is_elsewhere():
        return optimizer_paint()
    paint = optimizer_paint(begin)
    return lambda task, path: waited_for(paint(task, path))


def instant_paint(catalogue: Catalogue) -> Paint[Instant]:
    """Make what paints by `Instant`, in the styles of a catalogue and of pictures; PAINTERS_KEPT are kept."""

    @lru_cache(PAINTERS_KEPT)
    def of_picture(style: str, compute: Compute) -> tuple[Paints, dict[str, float]]:
        return painter_of({style: 1.0}, catalogue, compute)

    @lru_cache
    def trained(compute: Compute) -> Painter:
        return catalogue.painter(compute)

    def paint(task: Task[Instant], path: Path) -> Strokes:
        way, compute = task.way, choose_compute()
        paints: Paints
        if task.style in catalogue.styles:
            paints, weights = trained(compute), {task.style: 1.0}
        else:
            paints, weights = of_picture(task.style, compute)
        image = images.load(task.content, max_side=MAX_SIDE, keep_transparency=way.keep_transparency)
        ground = images.over_white(image)
        fitted = ground if way.size is None else images.fit(ground, way.size)
        painted = paints.paint(fitted, weights, strength=way.strength)
        painted = finish(refined(paints, fitted, painted, weights, way.strength, compute))
        painted = images.as_transparent_as(COLORS[way.color].after(painted, ground), image)
        save_painted(painted, path, weights, strength=way.strength, color=way.color)
        yield Stroke(1.0)

    return paint


def open_instant_paint(trained: Path | None) -> Paint[Instant]:
    """Make what paints by `Instant` in the styles of a file, or of this program, and of pictures.

    Raises:
        WeightsError: as of `open_styles`.
    """
    return instant_paint(open_styles(trained))
