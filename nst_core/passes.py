"""Makes a network's passes over pictures: on a GPU that repeats work, those of a size that comes again as one graph.

What a pass depends on besides the network are tensors, which are copied to where the graph reads them. So another
picture, style, blend or strength of the same size wants no other graph.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from nst_core import graphs
from nst_core.devices import free_memory, release_freed_memory
from nst_core.steps import Steps, finish

MOST_SIZES = 4  # that are remembered at a time, the last that came
WARM_PASSES = 2  # of a size, launched kernel by kernel, before it is captured: what comes once or twice never is
MOST_HELD = 0.25  # of the memory that is free, which a graph may take, as it stays while others work

NOT_CAPTURED = "this GPU could not repeat passes as graphs, so they are launched kernel by kernel, slower: %s"
NO_ROOM = "there was no memory to repeat passes of one size as a graph, so they are launched kernel by kernel, slower"

Made = tuple[Tensor, ...]
Work = Callable[..., Steps[Made]]

log = logging.getLogger(__name__)


class Passes:
    """Makes passes of one kind; several threads may ask for them.

    Args:
        work: makes a pass in steps: tensors on the device -> tensors on it. It waits for nothing, draws nothing, and
            depends on nothing else that changes.
        device: where.
        most: sizes that are remembered.
    """

    def __init__(self, work: Work, device: torch.device, most: int = MOST_SIZES):
        self._work, self._device, self._most = work, device, most
        self._sizes: OrderedDict[tuple[torch.Size, ...], _Size] = OrderedDict()
        self._may_repeat = True
        self._turn = graphs.turn(device, graphs.PASSES)

    def __call__(self, *given: Tensor) -> Steps[Made]:
        """Make a pass; in one step where it is repeated.

        Args:
            given: on any device.

        Returns:
            what it makes, nobody else's.
        """
        if self._may_repeat and graphs.repeats(self._device):
            with self._turn:
                made = self._in_one_step(given)
            if made is not None:
                return made
        return (yield from self._work(*(one.to(self._device) for one in given)))

    def _in_one_step(self, given: Made) -> Made | None:
        """Make a pass as a graph, or where it will be captured; None: it is to be made as any other."""
        size = self._size(tuple(one.shape for one in given))
        size.passes += 1
        if size.passes < WARM_PASSES or size.no_room:
            return None
        if size.passes == WARM_PASSES:
            return size.warm(given)
        return size.again(given) if size.made is not None or self._capture(size, given) else None

    def _size(self, shapes: tuple[torch.Size, ...]) -> "_Size":
        size = self._sizes.pop(shapes, None) or _Size(self._work, self._device)
        while len(self._sizes) >= self._most:
            self._sizes.popitem(last=False)
        self._sizes[shapes] = size
        return size

    def _capture(self, size: "_Size", given: Made) -> bool:
        """Capture passes of a size; where that fails, this is not tried again, but for another size if it lacked room.

        Returns:
            whether they can be repeated.
        """
        free = free_memory(str(self._device))
        try:
            size.capture(given)
        except torch.OutOfMemoryError:
            size.no_room = True
        except RuntimeError as error:  # of torch's
            self._may_repeat = False
            self._sizes.clear()
            log.warning(NOT_CAPTURED, str(error).partition("\n")[0])
            return False
        if size.no_room or free - free_memory(str(self._device)) > MOST_HELD * free:
            size.let_go()
            release_freed_memory()
            log.warning(NO_ROOM)
        return not size.no_room


class _Size:
    """Passes over tensors of some shapes.

    Attributes:
        passes: that were asked for.
        made: what a replay leaves; None: none is captured.
        no_room: none is to be.
    """

    def __init__(self, work: Work, device: torch.device):
        self.work, self.device = work, device
        self.graph = graphs.CudaGraph(device, graphs.PASSES)
        self.passes, self.no_room = 0, False
        self.given: list[Tensor] = []  # where the graph reads
        self.made: Made | None = None

    def warm(self, given: Made) -> Made:
        """Make a pass where it will be captured, kernel by kernel."""
        there = [one.to(self.device) for one in given]
        return _copied(self.graph.warm(lambda: finish(self.work(*there))))

    def capture(self, given: Made) -> None:
        """Capture a pass."""
        self.given = [torch.empty_like(one, device=self.device) for one in given]
        self.made = self.graph.capture(lambda: finish(self.work(*self.given)))

    def again(self, given: Made) -> Made:
        """Make a pass as one graph."""
        for place, one in zip(self.given, given, strict=True):
            place.copy_(one, non_blocking=True)  # from a CPU's memory, which is read before this returns
        self.graph.replay()
        return _copied(self.made or ())

    def let_go(self) -> None:
        """Free the graph, for which there is no room."""
        self.made, self.no_room = None, True
        self.given.clear()
        del self.graph


def _copied(made: Made) -> Made:
    return tuple(one.clone() for one in made)
