"""A CUDA graph on a GPU that is none: it notes a step's operations, and does them again, on the same tensors.

As on a real one, nothing is done while it is noted: what was written meanwhile is as it was before, and what the graph
has to itself holds nothing until it is replayed. What a real one refuses is refused: whatever has the program wait for
the device, a copy from or to the CPU, a draw from a generator, what two streams do at once to the same memory.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from tests.pretend_streams import Order

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
        self.done: list[tuple[Callable, Any, Any, Any]] = []  # function, arguments and what it gave
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
        for tensor in tree_leaves([given for *_, given in self.done]):
            if isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and _storage(tensor) in self.own:
                tensor.fill_(torch.nan)
        PretendGraph.newest = self
        return made

    def replay(self) -> None:
        self.replays += 1
        PretendGraph.launched()
        for function, args, kwargs, made in self.done:
            again = tree_leaves(function(*args, **kwargs))
            for old, new in zip(tree_leaves(made), again, strict=True):
                if isinstance(old, torch.Tensor) and _storage(old) != _storage(new):
                    old.copy_(new)

    def ask(self, name: str, function: Any, args: Any, kwargs: Any, *, waits: bool) -> None:
        """Refuse what cannot be captured, and keep what an operation is about to write to; all on the inside."""
        if waits or kwargs.get("generator") is not None:
            raise RuntimeError(f"{REFUSED}: {name}")
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        self.strange |= {_storage(one) for one in given} - self.own
        named = {one.name: one for one in function._schema.arguments}
        places = dict(zip(named, args, strict=False)) | kwargs
        for key, one in places.items():
            if named[key].alias_info is not None and named[key].alias_info.is_write:
                for tensor in tree_leaves(one):
                    self.before.setdefault(_storage(tensor), (_whole(tensor), _whole(tensor).clone()))

    def note(self, name: str, function: Any, args: Any, kwargs: Any, made: Any, *, kernel: bool) -> None:
        self.order.bore(made, (args, kwargs))
        if kernel:
            self.order.ran(name, function, args, kwargs, made)
        self.own |= {_storage(one) for one in tree_leaves(made) if isinstance(one, torch.Tensor)} - self.strange
        self.done.append((function, args, kwargs, made))


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor's storage, as a vector."""
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
