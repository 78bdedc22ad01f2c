"""Paints side by side, a step of each painting in turn, so that a whole figure is seen to grow."""

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from nst_core import images
from nst_core.analysis.figure import Moment, Moments, Part
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.painters import Batch, Painter, Single
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, NSTError, WeightsError
from nst_core.transfer.memory import check_memory
from nst_core.transfer.together import look_of

MOMENT_SECONDS = 0.25  # between two looks
MOST_TOGETHER = 4  # cells in one pass: measured on a CPU, more gain nothing

Growing = Generator[tuple[FigureGrowth, ...], None, None]  # closing it frees all that is painted with


def paint_cells(cells: Sequence[FigureCell], compute: Compute, *, together: bool = True) -> Growing:
    """Paint all cells, a step of each in turn, so that the whole figure grows.

    A cell whose loss is not finite ends there and says why; the others go on. Closing the iterator frees all.

    Args:
        cells: of any settings.
        compute: device and precision.
        together: whether cells that look alike pass the network together, which is faster; not where seconds compare.

    Returns:
        moments of all cells, in their order, MOMENT_SECONDS apart or a step: the same objects each time.

    Raises:
        ConfigError, DeviceError, WeightsError: of any cell, before the first is painted.
    """
    groups = _groups(cells, together)
    return _grown([painter for group in groups for painter in _painters(group, compute, len(cells))], cells)


def _groups(cells: Sequence[FigureCell], together: bool) -> list[list[FigureCell]]:
    """Group cells that pass the network together, MOST_TOGETHER at most; the others each alone."""
    groups: dict[object, list[list[FigureCell]]] = {}
    for number, cell in enumerate(cells):
        config, look = cell.config, look_of(cell.config) if together else None
        size = images.fitted_size(images.size_of(cell.content_image), config.size, config.size_rule)
        key = number if look is None else (look, size)
        alike = groups.setdefault(key, [[]])
        if len(alike[-1]) == MOST_TOGETHER:
            alike.append([])
        alike[-1].append(cell)
    return [group for alike in groups.values() for group in alike]


def _painters(cells: list[FigureCell], compute: Compute, count: int) -> Sequence[Painter]:
    """Give a batch for cells that pass together, or a painter for each where the memory is too small for that.

    Args:
        count: of all cells of the figure.
    """
    painters = [Single(cell, compute) for cell in cells]
    run = painters[0].run
    sizes = images.size_of(run.content_image), images.size_of(run.painting.style_image)
    if len(painters) > 1:
        try:
            check_memory(*sizes, run.config, compute, together=len(painters), beside=count - len(painters))
            return [Batch(painters, compute)]
        except DeviceError:  # one at a time is slower
            pass
    check_memory(*sizes, run.config, compute, beside=count - 1)
    return painters


def _grown(painters: Sequence[Painter], cells: Sequence[FigureCell]) -> Growing:
    growths = {id(growth.cell): growth for painter in painters for growth in painter.growths}
    ordered, working, told = tuple(growths[id(cell)] for cell in cells), list(painters), -math.inf
    try:
        while working:
            for painter in list(working):
                try:
                    if not painter.advance():
                        working.remove(painter)
                except (ConfigError, DeviceError, WeightsError):
                    raise  # the others would fare no better
                except NSTError as error:
                    for growth in painter.growths:
                        growth.problem = growth.problem or ("" if growth.record else str(error))
                    working.remove(painter)
                    painter.close()
                if time.monotonic() - told >= MOMENT_SECONDS:
                    told = time.monotonic()
                    yield ordered
        yield ordered
    finally:
        for painter in painters:
            painter.close()


def part_of(growth: FigureGrowth, caption: str = "") -> Part:
    """Show a cell as a part of its figure."""
    cell = growth.cell
    said = growth.problem or caption
    return Part(cell.row, cell.column, cell.label, growth.image, said, growth.done, growth.record)


def moments(
    cells: Sequence[FigureCell],
    compute: Compute,
    told: Callable[[tuple[FigureGrowth, ...]], Moment],
    *,
    together: bool = True,
) -> Moments:
    """Show a figure that consists of paintings, while they grow.

    Args:
        cells, compute, together: as for `paint_cells`.
        told: the figure with what is painted by now; how far it is, is filled in here.

    Raises:
        ConfigError, DeviceError, WeightsError: of any cell, before the first is painted.
    """
    return _told(paint_cells(cells, compute, together=together), told)


def _told(growing: Growing, told: Callable[[tuple[FigureGrowth, ...]], Moment]) -> Moments:
    try:
        for growths in growing:
            moment = told(growths)
            steps = sum(growth.cell.config.steps for growth in growths)
            made = sum(growth.cell.config.steps if growth.done else growth.step for growth in growths)
            open_ones = [growth for growth in growths if not growth.done]
            least = min(open_ones, key=lambda growth: growth.step, default=None)
            text = f"step {least.step} of {least.cell.config.steps}" if least else "all steps made"
            problems = tuple(f"{growth.cell.label}: {growth.problem}" for growth in growths if growth.problem)
            yield replace(moment, text=text, share=made / steps, notes=(*moment.notes, *problems))
    finally:
        growing.close()
