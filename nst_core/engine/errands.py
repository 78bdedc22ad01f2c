"""Does for programs on other machines what is made in steps and is no painting: a figure, a training; knows no Ray."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from nst_core.devices import Compute, choose_compute
from nst_core.engine.device_thread import Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import failing_in_words
from nst_core.engine.parcels import Parcel, packed, unpacked
from nst_core.errors import NSTError, WeightsError
from nst_core.features import weights
from nst_core.features.checkpoint import title_of
from nst_core.transfer.state import State

NEWS_SECONDS = 0.25  # from one piece of news that is sent to the next, at least
KEEP_SECONDS = 4.0  # of computing, from one state that is sent to the next; with the steps at hand, 5 at most
MOST_BYTES = 5e7  # a second, of news and of states: large ones come later

# Kind -> its class, in a room that may import this one: what another machine sends is a name, and never code.
KINDS = {
    "figure": "nst_core.analysis.figures.errand.FigureErrand",
    "training": "nst_core.instant.training_errand.TrainingErrand",
}


class Errand(Protocol):
    """Something that is made in steps; all of it on the device's thread."""

    def __iter__(self) -> Iterator[object]:
        """Give itself."""

    def __next__(self) -> object:
        """Make a step; anything but None."""

    def news(self) -> State | None:
        """Give what there is to show since this was last asked; None: nothing."""

    def kept(self) -> State | None:
        """Give all from which another machine goes on; None: it would begin anew."""

    def stop(self) -> None:
        """End it after the step at hand."""

    def close(self) -> None:
        """Free what it holds."""


class Beginner(Protocol):
    """Begins an errand: a class of KINDS."""

    def __call__(self, order: State, pieces: list[State], kept: State | None, compute: Compute) -> Errand:
        """Begin; all that is wrong with what is ordered is found here.

        Args:
            order: what is to be made.
            pieces: what came after it, such as photographs.
            kept: what to go on from; None: from the start.
            compute: device and precision.
        """


class News(NamedTuple):
    """What came of an errand's steps since the last news."""

    parcel: Parcel | None = None  # to show
    kept: Parcel | None = None  # from which another machine goes on
    over: bool = False  # no more steps are made
    error: NSTError | None = None  # that ended it


class Turns:
    """Answers calls that come on many threads one at a time, by their numbers."""

    def __init__(self) -> None:
        self._made = 0
        self._has_made = threading.Condition()

    @contextmanager
    def turn(self, number: int) -> Iterator[None]:
        """Surround what is done for a call, which waits for those of the numbers from 0 before it."""
        with self._has_made:
            self._has_made.wait_for(lambda: self._made == number)
        try:
            yield
        finally:
            with self._has_made:
                self._made += 1
                self._has_made.notify_all()


class HostedErrand:
    """An errand on the machine that does it, which a Worker hosts; all but `stop` and `close` is asked in order.

    Args:
        kind: of KINDS.
        order: what is to be made.
        networks: of each that it takes the SHA-256 of its file, where it is asked for.

    Raises:
        WeightsError: another file is here, or none.
    """

    def __init__(self, kind: str, order: Parcel, networks: Mapping[str, str]):
        for network, sha256 in networks.items():
            check_weights(network, sha256)
        module, _, name = KINDS[kind].rpartition(".")
        self._beginner = cast(Beginner, getattr(import_module(module), name))
        self._order, self._pieces = unpacked(order), list[State]()
        self._errand: Errand | None = None
        self._account, self._turns = Account(unseen=True), Turns()
        self._keep_at = KEEP_SECONDS  # seconds of its computing
        self._pause = NEWS_SECONDS

    @property
    def _begun(self) -> Errand:
        if self._errand is None:
            raise NSTError("this was not begun here; try it again")
        return self._errand

    def add(self, piece: Parcel) -> None:
        """Take a piece of what it is made with."""
        self._pieces.append(unpacked(piece))

    def begin(self, kept: Parcel | None) -> None:
        """Begin, when all is there.

        Args:
            kept: what to go on from; None: from the start.

        Raises:
            NSTError: as the errand raises it.
        """

        def begin() -> None:
            before = unpacked(kept) if kept else None
            self._errand = self._beginner(self._order, self._pieces, before, choose_compute())
            self._order, self._pieces = State(), []  # the errand has what it needs of them

        with DEVICES.own_job(self._account):
            DEVICES.submit(begin).result()
        self._keep_at = self._account.seconds + KEEP_SECONDS

    def advance(self, moment: int) -> News:
        """Make the steps of a moment, in turns with other work, when those before are made.

        Args:
            moment: how many were asked for before.
        """
        with self._turns.turn(moment):
            return self._advanced()

    def _advanced(self) -> News:
        began, over, error = time.monotonic(), False, None
        try:
            with failing_in_words(), DEVICES.own_job(self._account):
                while not (over := DEVICES.next_of(self._begun) is None):
                    if time.monotonic() - began >= self._pause or self._account.unseen:
                        break
        except NSTError as problem:
            error, over = problem.with_traceback(None), True
        self._account.unseen = False
        return DEVICES.submit(self._news, over, error).result()

    def _news(self, over: bool, error: NSTError | None) -> News:
        news, kept = self._begun.news(), None
        if not error and (over or self._account.seconds >= self._keep_at):
            kept = _parcel(self._begun.kept())
            self._keep_at = self._account.seconds + max(KEEP_SECONDS, (kept.size if kept else 0) / MOST_BYTES)
        parcel = _parcel(news)
        self._pause = max(NEWS_SECONDS, (parcel.size if parcel else 0) / MOST_BYTES)
        return News(parcel, kept, over, error)

    def stop(self) -> None:
        """End it after the step at hand; what it made is there to be asked for."""
        self._account.hurried = True
        self._begun.stop()

    def close(self) -> None:
        """Free what it holds, after the step at hand."""
        if self._errand:
            self._errand.stop()
            DEVICES.submit(self._errand.close).result()


def _parcel(state: State | None) -> Parcel | None:
    return packed(state) if state else None


def check_weights(network: str, expected: str) -> None:
    """Refuse to compute with another file of a network than the machine has on which it was asked for.

    Raises:
        WeightsError: it is another, or there is none.
    """
    if weights.require(network).sha256() != expected:
        raise WeightsError(
            f"its file of {title_of(network)} is another than where this was asked for; "
            "put the same file on all machines (NST_WEIGHTS)"
        )


def networks_here(*networks: str) -> dict[str, str]:
    """Give the SHA-256 of each network's file on this computer.

    Raises:
        WeightsError: there is none.
    """
    return {network: weights.require(network).sha256() for network in networks}
