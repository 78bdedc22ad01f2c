"""Streams of a GPU that is none: what one of them does is in order, what two do is not, unless one waits for the other.

While a graph is noted, each operation is held against that: none may touch what another stream may be writing, nor
write what another may be reading, nor read memory that may be given away before it has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

RACE = "two streams at once"


class PretendStream:
    """Stands in for torch.cuda.Stream.

    Attributes:
        current: the stream on which operations are done; None: the main one.
    """

    current: "PretendStream | None" = None

    def __init__(self, device: Any = None):
        self.device = device

    def wait_stream(self, other: "PretendStream") -> None:
        Order.now.wait(self, other)

    @staticmethod
    @contextmanager
    def using(stream: "PretendStream | None") -> Iterator[None]:
        before, PretendStream.current = PretendStream.current, stream
        try:
            yield
        finally:
            PretendStream.current = before


MAIN = PretendStream()


class Order:
    """What of a graph is done before what.

    Attributes:
        streams: on which there were operations -> their names, in order.
        seen: by a stream, how many operations of each it comes after.
    """

    now: "Order"

    def __init__(self) -> None:
        self.streams: defaultdict[PretendStream, list[str]] = defaultdict(list)
        self.seen: defaultdict[PretendStream, dict[PretendStream, int]] = defaultdict(dict)
        self.born: dict[int, PretendStream] = {}  # storage -> on whose stream its memory is
        self.lent: set[tuple[int, PretendStream]] = set()  # storages that are kept for another stream
        self.wrote: dict[int, tuple[PretendStream, int]] = {}
        self.read: defaultdict[int, dict[PretendStream, int]] = defaultdict(dict)

    def wait(self, stream: PretendStream, other: PretendStream) -> None:
        own = self.seen[stream]
        for one, count in (*self.seen[other].items(), (other, len(self.streams[other]))):
            own[one] = max(own.get(one, 0), count)

    def ran(self, name: str, function: Callable, args: Any, kwargs: Any, made: Any) -> None:
        """Take note of an operation, all on the inside; raises RuntimeError where it is out of order."""
        stream = PretendStream.current or MAIN
        self.streams[stream].append(name)
        number = len(self.streams[stream])
        written = set(_storages(made)) - set(_storages((args, kwargs)))
        written |= {storage_of(one) for one in written_by(function, args, kwargs)}
        for storage in {*_storages((args, kwargs)), *written}:
            self._check(storage, stream, name, others=self.read[storage] if storage in written else {})
            if storage in written:
                self.wrote[storage] = stream, number
            else:
                self.read[storage][stream] = number

    def _check(self, storage: int, stream: PretendStream, name: str, others: dict[PretendStream, int]) -> None:
        earlier = dict(others)
        if storage in self.wrote:
            earlier[self.wrote[storage][0]] = max(self.wrote[storage][1], earlier.get(self.wrote[storage][0], 0))
        if any(one is not stream and self.seen[stream].get(one, 0) < count for one, count in earlier.items()):
            raise RuntimeError(f"{RACE}: {name}")
        born = self.born.get(storage, stream)
        if born is MAIN is not stream and (storage, stream) not in self.lent:
            raise RuntimeError(f"{name} of memory that is not recorded for its stream")

    def bore(self, made: Any, given: Any) -> None:
        """Take note of memory that is new."""
        for storage in set(_storages(made)) - set(_storages(given)):
            self.born.setdefault(storage, PretendStream.current or MAIN)

    def lend(self, tensor: torch.Tensor, stream: PretendStream) -> None:
        """Keep memory for a stream, too."""
        self.lent.add((storage_of(tensor), stream))

    def end(self) -> None:
        """Refuse to end while there is a stream for which nobody waited."""
        if any(self.seen[MAIN].get(one, 0) < len(done) for one, done in self.streams.items() if one is not MAIN):
            raise RuntimeError("a capture ends with work that did not join it")


Order.now = Order()


def tensors_in(values: Any) -> list[torch.Tensor]:
    """The tensors among what an operation is given or gives: quicker than torch's trees, as each operation asks."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        values = values.values()
    elif not isinstance(values, list | tuple):
        return []
    return [tensor for value in values for tensor in tensors_in(value)]


def storage_of(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def written_by(function: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """What an operation writes to of what it is given."""
    places, names = _written(function)
    written = [args[place] for place in places if place < len(args)]
    return tensors_in([*written, *(kwargs[name] for name in names if name in kwargs)])


@cache
def _written(function: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Places and names of the arguments that an operation writes to."""
    arguments = list(enumerate(function._schema.arguments))
    found = [(place, one.name) for place, one in arguments if one.alias_info is not None and one.alias_info.is_write]
    return tuple(place for place, _ in found), tuple(name for _, name in found)


def _storages(values: Any) -> list[int]:
    return [storage_of(one) for one in tensors_in(values)]
