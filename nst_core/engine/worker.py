"""Works on one machine of a cluster for programs on others, which ask for a few steps at a time; knows no Ray."""

import platform
import shutil
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from nst_core.cores import compute_on_one_core
from nst_core.devices import Compute, choose_compute, keep_freed_memory
from nst_core.engine.device_thread import Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.errands import KEEP_SECONDS, MOST_BYTES, Turns, check_weights
from nst_core.engine.errands import NEWS_SECONDS as FRAME_SECONDS
from nst_core.engine.jobs import failing_in_words
from nst_core.engine.parcels import Parcel, packed, unpacked
from nst_core.errors import NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.optimize import Frame
from nst_core.transfer.run import Run
from nst_core.transfer.state import write
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from nst_core.version import __version__


class About(NamedTuple):
    """What a machine is."""

    host: str
    versions: dict[str, str]  # on which pictures depend


class Material(NamedTuple):
    """What `stylize` paints from."""

    content_image: Tensor
    style_images: list[Tensor]
    start_image: Tensor | None = None
    masks: Sequence[Tensor] = ()

    def begun(
        self, config: StyleTransferConfig, steering: Steering | None = None, compute: Compute | None = None
    ) -> Run:
        """Begin its painting, by default on this thread's device; errors are those of `stylize`."""
        return stylize(
            self.content_image,
            self.style_images,
            config,
            start_image=self.start_image,
            masks=self.masks,
            compute=compute or choose_compute(),
            steering=steering,
        )


class Moment(NamedTuple):
    """A painting after some steps: its news or, where `whole`, its state; and what ended it, if an error did."""

    parcel: Parcel
    note: str = ""  # of the steps since the moment before
    whole: bool = False
    over: bool = False  # it makes no more steps
    error: NSTError | None = None


class Guest(Protocol):
    """What a Worker hosts; may be called from many threads."""

    def close(self) -> None:
        """Free what it holds."""


class Passing:
    """A folder that is there as long as this is."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="nst-painting-"))
        self.delete = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass
class _Painting:
    run: Run
    folder: Passing | None  # that it is read from at its next step
    account: Account = field(default_factory=lambda: Account(unseen=True))
    keep_at: float = KEEP_SECONDS  # seconds of its computing
    pause: float = FRAME_SECONDS
    turns: Turns = field(default_factory=Turns)


def own_versions() -> dict[str, str]:
    """List the versions that must be the same on all machines."""
    return {"Neural Style Lab": __version__, "torch": torch.__version__}


class Worker:
    """Paints what it is handed; its methods may be called from many threads, for one painting from one at a time.

    Args:
        own_process: whether it has a process of its own, in which nothing was computed yet.
    """

    def __init__(self, *, own_process: bool = False) -> None:
        keep_freed_memory()
        if own_process:
            compute_on_one_core()
        self._paintings: dict[int, _Painting] = {}
        self._guests: dict[int, Guest] = {}
        self._numbers = count(1)

    def about(self) -> About:
        """Tell what this machine is."""
        return About(platform.node(), own_versions())

    def prepare(self, material: Material, config: dict[str, Any], expected_weights: str) -> Parcel:
        """Read and check all that a painting begins with, by this machine's memory and device.

        Args:
            material: the pictures.
            config: all settings, as plain values.
            expected_weights: SHA-256 of the network's file where the painting is asked for.

        Raises:
            NSTError: as of `stylize`; other weights.
        """
        settings = StyleTransferConfig.from_dict(config)
        check_weights(settings.backbone, expected_weights)

        with failing_in_words():
            return DEVICES.submit(lambda: packed(material.begun(settings).state())).result()

    def take_up(self, parcel: Parcel) -> tuple[int, str]:
        """Take a painting up where it was when its state was given.

        Returns:
            a number for it, and the device that paints it.

        Raises:
            NSTError: it cannot be written to this machine's disk, or has other weights.
        """
        with failing_in_words():
            folder = Passing()
            write(unpacked(parcel), folder.path)
            run = DEVICES.submit(restored, folder.path, steering=Steering()).result()
        number = next(self._numbers)
        painting = _Painting(run, folder, keep_at=run.seconds + KEEP_SECONDS)
        self._paintings[number] = painting
        return number, run.compute.name

    def steer(self, number: int, wanted: dict[str, Any] | None, stop: bool) -> None:
        """Steer a painting from its next step on.

        Args:
            number: of the painting.
            wanted: settings to steer to, as plain values; None: as they are.
            stop: whether it is to make no more steps.
        """
        painting = self._paintings[number]
        painting.run.steering.wanted = StyleTransferConfig.from_dict(wanted) if wanted else None
        painting.account.hurried = True
        if stop:
            painting.run.steering.stop.set()

    def paint(self, number: int, moment: int, known: Collection[str]) -> Moment:
        """Make the steps of a moment, in turns with other paintings, when those before are made.

        Args:
            number: of the painting.
            moment: how many were asked for before, since it was taken up.
            known: names of what is lasting in its state, and need not be sent.
        """
        painting = self._paintings[number]
        with painting.turns.turn(moment):
            return self._painted(painting, known)

    def _painted(self, painting: _Painting, known: Collection[str]) -> Moment:
        run, began, notes, error = painting.run, time.monotonic(), list[str](), None
        try:
            with failing_in_words(), DEVICES.own_job(painting.account):
                while frame := DEVICES.next_of(run):
                    notes += [frame.note] * bool(frame.note)
                    if time.monotonic() - began >= painting.pause or painting.account.unseen:
                        break
        except NSTError as problem:
            error = problem.with_traceback(None)
        painting.account.unseen = False
        painting.folder = None
        return DEVICES.submit(self._moment, painting, known, "; ".join(notes), error).result()

    def _moment(self, painting: _Painting, known: Collection[str], note: str, error: NSTError | None) -> Moment:
        run, whole = painting.run, not error and painting.run.seconds >= painting.keep_at
        parcel = self._whole(painting, known) if whole else packed(run.news())
        painting.pause = max(FRAME_SECONDS, packed(run.painting.shown()).size / MOST_BYTES)
        over = run.broken or run.last_frame is not None and run.last_frame.step >= run.steps
        return Moment(parcel, note, whole, over, error)

    def _whole(self, painting: _Painting, known: Collection[str]) -> Parcel:
        parcel = packed(painting.run.state(), known)
        painting.keep_at = painting.run.seconds + max(KEEP_SECONDS, parcel.size / MOST_BYTES)
        return parcel

    def put_down(self, number: int, known: Collection[str]) -> Parcel:
        """Give a painting's state, from which it goes on anywhere, and forget it; known: as of `paint`."""
        parcel = DEVICES.submit(self._whole, self._paintings[number], known).result()
        self.drop(number)
        return parcel

    def drop(self, number: int) -> None:
        """Forget a painting, after the step at hand."""
        if painting := self._paintings.pop(number, None):
            painting.run.steering.stop.set()
            DEVICES.submit(painting.run.close).result()

    def host(self, make: Callable[[], Guest]) -> int:
        """Make something else that works here for a program elsewhere, until it is dismissed.

        Args:
            make: makes it, not on a device's thread; found here by its name, as it is no part of what is sent.

        Returns:
            a number for it.

        Raises:
            NSTError: as of `make`.
        """
        with failing_in_words():
            guest = make()
        number = next(self._numbers)
        self._guests[number] = guest
        return number

    def ask(self, number: int, method: str, *given: Any) -> Any:
        """Call a method of what is hosted; it raises what that does, an NSTError of whatever is none."""
        with failing_in_words():
            return getattr(self._guests[number], method)(*given)

    def dismiss(self, number: int) -> None:
        """Forget what is hosted, and free what it holds."""
        if guest := self._guests.pop(number, None):
            guest.close()


def noted(frame: Frame, *notes: str) -> Frame:
    """Give a frame with further notes."""
    told = "; ".join(filter(None, (frame.note, *notes)))
    return frame if told == frame.note else replace(frame, note=told)
