"""A CUDA graph on a GPU that is none: it notes a step's operations, and does them again, on the same tensors.

As on a real one, nothing is done while it is noted: what was written meanwhile is as it was before, and what the graph
has to itself holds nothing until it is replayed. What a real one refuses is refused: whatever has the program wait for
the device, a copy from or to the CPU, a draw from a generator, what two streams do at once to the same memory.
"""

from collections.abc import Callable
from typing import Any

import torch

from tests.pretend_streams import Order, storage_of, tensors_in, written_by

REFUSED = "operation not permitted when stream is capturing"


class PretendGraph:
    """Stands in for `nst_core.graphs.CudaGraph`.

    Attributes:
        newest: the last one that was captured.
        replays: how often this one was.
        order: of what it does, by streams.
    """

    launched: Callable[[], None] = staticmethod(lambda: None)  # is told of each replay
    noting: "PretendGraph | None" = None  # which is being captured
    newest: "PretendGraph | None" = None

    def __init__(self, device: torch.device, use: str = "steps"):
        self.order = Order()
        self.done: list[tuple[Callable, Any, Any, list[torch.Tensor]]] = []  # function, arguments and what it gave
        self.before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # storage -> what was written, and how it was
        self.own: set[int] = set()  # storages of the graph
        self.strange: set[int] = set()  # of others
        self.replays = 0

    def warm(self, work: Callable[[], Any]) -> Any:
        return work()

    def capture(self, work: Callable[[], Any]) -> Any:
        PretendGraph.noting, Order.now = self, self.order
        try:
            made = work()
            self.order.end()
        finally:
            PretendGraph.noting = None
            for written, was in self.before.values():
                written.copy_(was)
        for tensor in tensors_in([given for *_, given in self.done]):
            if tensor.is_floating_point() and storage_of(tensor) in self.own:
                tensor.fill_(torch.nan)
        PretendGraph.newest = self
        return made

    def replay(self) -> None:
        self.replays += 1
        PretendGraph.launched()
        for function, args, kwargs, made in self.done:
            again = tensors_in(function(*args, **kwargs))
            for old, new in zip(made, again, strict=True):
                if storage_of(old) != storage_of(new):
                    old.copy_(new)

    def ask(self, name: str, function: Any, args: Any, kwargs: Any, *, waits: bool) -> None:
        """Refuse what cannot be captured, and keep what an operation is about to write to; all on the inside."""
        if waits or kwargs.get("generator") is not None:
            raise RuntimeError(f"{REFUSED}: {name}")
        self.strange |= {storage_of(one) for one in tensors_in((args, kwargs))} - self.own
        for tensor in written_by(function, args, kwargs):
            if storage_of(tensor) not in self.before:
                self.before[storage_of(tensor)] = _whole(tensor), _whole(tensor).clone()

    def note(self, name: str, function: Any, args: Any, kwargs: Any, made: Any, *, kernel: bool) -> None:
        self.order.bore(made, (args, kwargs))
        if kernel:
            self.order.ran(name, function, args, kwargs, made)
        tensors = tensors_in(made)
        self.own |= {storage_of(one) for one in tensors} - self.strange
        self.done.append((function, args, kwargs, tensors))


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor's storage, as a vector."""
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
