"""Paintings that grow side by side, a step each in turn, so that a whole figure is seen to grow."""

import math
import time
from collections.abc import Iterator, Sequence

from nst_core import images
from nst_core.analysis.cells import Cell, Growth
from nst_core.analysis.hands import Alone, Crew, Hand
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, NSTError, WeightsError
from nst_core.transfer.together import look_of

MOMENT_SECONDS = 0.25  # between two looks
MOST_TOGETHER = 4  # cells in one pass: measured on a CPU, more gain nothing


def paint_cells(cells: Sequence[Cell], compute: Compute, *, together: bool = True) -> Iterator[tuple[Growth, ...]]:
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
    return _grown([_hand(group, compute) for group in _groups(cells, together)], cells)


def _groups(cells: Sequence[Cell], together: bool) -> list[list[Cell]]:
    """Cells that pass the network together, MOST_TOGETHER at most; the others each alone."""
    groups: dict[object, list[list[Cell]]] = {}
    for number, cell in enumerate(cells):
        config, look = cell.config, look_of(cell.config) if together else None
        size = images.fitted_size(images.size_of(cell.content_image), config.size, config.size_rule)
        key = number if look is None else (look, size)
        alike = groups.setdefault(key, [[]])
        if len(alike[-1]) == MOST_TOGETHER:
            alike.append([])
        alike[-1].append(cell)
    return [group for alike in groups.values() for group in alike]


def _hand(cells: list[Cell], compute: Compute) -> Hand:
    hands = [Alone(cell, compute) for cell in cells]
    return hands[0] if len(hands) == 1 else Crew(hands, compute)


def _grown(hands: list[Hand], cells: Sequence[Cell]) -> Iterator[tuple[Growth, ...]]:
    growths = {id(growth.cell): growth for hand in hands for growth in hand.growths}
    ordered, working, told = tuple(growths[id(cell)] for cell in cells), list(hands), -math.inf
    try:
        while working:
            for hand in list(working):
                try:
                    if not hand.advance():
                        working.remove(hand)
                except (ConfigError, DeviceError, WeightsError):
                    raise  # the others would fare no better
                except NSTError as error:
                    hand.growths[0].problem = str(error)
                    working.remove(hand)
                    hand.close()
                if time.monotonic() - told >= MOMENT_SECONDS:
                    told = time.monotonic()
                    yield ordered
        yield ordered
    finally:
        for hand in hands:
            hand.close()
