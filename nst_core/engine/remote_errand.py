"""Has a figure or a training made on another machine: what comes of it, its stop, and the loss of the machine."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from nst_core.engine.devices import Elsewhere
from nst_core.engine.errands import HostedErrand, News
from nst_core.engine.hosted import Hosted
from nst_core.engine.parcels import packed, unpacked
from nst_core.engine.remote_run import AHEAD, MOST_LOST, Lost, Machines
from nst_core.errors import DeviceError, NSTError
from nst_core.transfer.state import State
from nst_core.transfer.steering import Steering

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Order:
    """What is to be made elsewhere.

    Attributes:
        kind: of errands.KINDS.
        state: what it is made from, once.
        networks: name -> SHA-256 of the file here, which must be the same there.
        pieces: gives what is sent after it, one by one, to each machine that makes it.
    """

    kind: str
    state: State
    networks: Mapping[str, str]
    pieces: Callable[[], Iterable[State]] = field(default=tuple)


class RemoteErrand(Elsewhere):
    """What is made elsewhere, as the states that its news come as; None for one that only tells that it goes on.

    It asks a machine for a moment's steps at a time, and is one ahead of what is shown. If the machine is lost, another
    goes on from the last state that came or, where none comes, begins anew.

    Args:
        machines: that it may be made on.
        order: what it is.
        steering: ends it when its stop is set, even while the pieces of the order are sent; None: it goes to its end.
        kept: where to go on from.

    Attributes:
        kept: the last state that came from which it goes on.
        lost: names of machines that were lost since this was last emptied.
        machine: the name of the one that it is made on.
        sent: bytes of the order's pieces that this machine has.

    Raises:
        NSTError: as what is made raises it; no machine, or one has other weights.
    """

    def __init__(self, machines: Machines, order: Order, steering: Steering | None = None, kept: State | None = None):
        self.machines, self.order, self.steering, self.kept = machines, order, steering, kept
        self.lost: list[str] = []
        self.machine, self.sent = "", 0
        self._hosted: Hosted | None = None
        self._pieces: Iterator[State] = iter(())  # that are still to be sent
        self._begun = self._told_to_stop = self._over = False
        self._asked, self._lost = 0, 0  # moments of this machine; machines in a row
        self._coming: deque[Callable[[], News]] = deque()
        self._error: NSTError | None = None  # that ended it, once all before it is given

    def __iter__(self) -> "RemoteErrand":
        return self

    def begin(self) -> None:
        """Begin at once, so that what is wrong is found; all of the order is sent first."""
        while not (self._begun or self._over):
            self._tried(self._come_nearer)

    def __next__(self) -> State | None:
        while not self._over:
            if not self._begun:
                self._tried(self._come_nearer)
                return None
            if news := self._tried(self._next_news):
                return unpacked(news.parcel) if news.parcel else None
        if self._error:
            error, self._error = self._error, None
            raise error
        raise StopIteration

    def _tried(self, what: Callable[[], Answer]) -> Answer | None:
        try:
            return what()
        except Lost as lost:
            self._lose(str(lost))
        except BaseException:
            self.close()
            raise
        return None

    def _come_nearer(self) -> None:
        """Find a machine, or send it the next piece, or have it begin once it has them all."""
        if self.steering and self.steering.stop.is_set():
            self.close()
        elif self._hosted is None:
            self._asked, self.sent, order = 0, 0, self.order
            self._pieces = iter(order.pieces())
            made = partial(HostedErrand, order.kind, packed(order.state), order.networks)
            self._hosted = Hosted(self.machines, made)
        elif (piece := next(self._pieces, None)) is not None:
            parcel = packed(piece)
            self._hosted.ask("add", parcel)
            self.sent += parcel.size
        else:
            self._hosted.ask("begin", packed(self.kept) if self.kept else None)
            self.machine, self._begun = self._hosted.name, True

    def _next_news(self) -> News:
        """Wait for the moment that was asked for first; the machine has the next ones to make meanwhile."""
        if self._hosted is None:
            raise Lost("no machine")
        if self.steering and self.steering.stop.is_set() and not self._told_to_stop:
            self._told_to_stop = True
            self._hosted.ask("stop")
        while len(self._coming) < AHEAD:
            self._coming.append(self._hosted.start("advance", self._asked))
            self._asked += 1
        news = self._coming.popleft()()
        self._lost = 0
        if news.kept:
            self.kept = unpacked(news.kept)
        if news.over:
            self._error = news.error
            self.close()
        return news

    def _lose(self, name: str) -> None:
        if self._hosted:
            self._hosted.leave()
        self._forget()
        self._lost += 1
        self.lost.append(name)
        if self._lost >= MOST_LOST:
            self._over = True
            raise DeviceError(f"{MOST_LOST} machines were lost in a row; choose a smaller size, or look at them")

    def _forget(self) -> None:
        self._hosted, self._begun = None, False
        self._coming.clear()

    def close(self) -> None:
        """End it and free what it holds elsewhere; once more does no harm."""
        self._over = True
        if self._hosted:
            self._hosted.dismiss()
        self._forget()
