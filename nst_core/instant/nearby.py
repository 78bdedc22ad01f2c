"""Has Instant's pictures and the camera's frames painted by a worker of a cluster, as long as one answers at once.

A page's own computer paints them where it has an accelerator, where no worker is there yet, and where it does not
answer: who asks here gets None then, and paints.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.cluster import machines as named_machines
from nst_core.engine.devices import DEVICES
from nst_core.engine.remote_run import Lost, Machine, Machines
from nst_core.errors import DeviceError, NSTError
from nst_core.instant.any_style import Paints
from nst_core.instant.palette import Palette, PlainRecipe, Strokes
from nst_core.instant.pieces import as_image
from nst_core.steps import Steps

PATIENCE = 1.0  # seconds that a camera's frame, or a worker asked whether it is there, may take
AGAIN_SECONDS = 15.0  # after none was found, until one is looked for again
MOST_PAINTERS = 16  # that a worker keeps, the newest; of a network 7 MB
MOST_CAMERAS = 256  # whose newest frame is known
MOST_ASKED = 16  # at a time
MOST_AREA = 2**22  # pixels of a picture, sent as 50 MB; larger ones are painted here

log = logging.getLogger(__name__)


class Turn(NamedTuple):
    """Which of a camera's frames one is."""

    camera: str
    number: int


class Answer(NamedTuple):
    """What became of an image.

    Attributes:
        image: the painted one, as it was sent; None: it was not painted.
        unknown: as its styles are not here.
        overtaken: as a newer frame of its camera is painted, or was.
    """

    image: np.ndarray | None = None
    unknown: bool = False
    overtaken: bool = False


class Easel:
    """Paints images on the machine that hosts it, which asks for styles once."""

    def __init__(self) -> None:
        self._painters: OrderedDict[str, Paints] = OrderedDict()  # on the device's thread alone, as all here
        self._newest: OrderedDict[str, int] = OrderedDict()  # camera -> number

    def about(self) -> None:
        """Tell that it is there."""

    def frame(self, key: str, palette: Palette | None, strokes: Strokes, pixels: np.ndarray, turn: Turn) -> Answer:
        """Paint a camera's frame (H, W, 3) uint8, if there was no newer one.

        Args:
            key: of the palette.
            palette: None where it was sent before.
            strokes: how it is painted.
            pixels: of the frame.
            turn: which frame it is.
        """

        def steps() -> Steps[Answer]:
            if self._newest.get(turn.camera, 0) > turn.number:
                return Answer(overtaken=True)
            if not (painter := self._painter(key, palette)):
                return Answer(unknown=True)
            self._newest[turn.camera] = turn.number
            self._newest.move_to_end(turn.camera)
            while len(self._newest) > MOST_CAMERAS:
                self._newest.popitem(last=False)
            return Answer(images.to_bytes((yield from strokes.paint(painter, as_image(pixels)))))

        return DEVICES.run_steps(steps()).result()

    def picture(
        self, key: str, palette: Palette | None, strokes: Strokes, image: np.ndarray, painted: np.ndarray | None
    ) -> Answer:
        """Paint a picture (1, 3, H, W) float32 or, given what was painted of it, refine that, if there is a way."""

        def steps() -> Steps[Answer]:
            if not (painter := self._painter(key, palette)):
                return Answer(unknown=True)
            content = torch.tensor(image)
            if painted is None:
                return Answer((yield from strokes.paint(painter, content)).cpu().numpy())
            quick = torch.tensor(painted)
            made = yield from strokes.refine(painter, content, quick, choose_compute())
            return Answer(None if made is quick else made.cpu().numpy())

        return DEVICES.run_steps(steps()).result()

    def _painter(self, key: str, palette: Palette | None) -> Paints | None:
        if key not in self._painters:
            if palette is None:
                return None
            self._painters[key] = palette.painter(choose_compute())
        self._painters.move_to_end(key)
        while len(self._painters) > MOST_PAINTERS:
            self._painters.popitem(last=False)
        return self._painters[key]

    def close(self) -> None:
        """Forget all styles."""
        DEVICES.submit(self._painters.clear).result()


class _Place(NamedTuple):
    """An easel on a machine."""

    machine: Machine
    number: int

    def ask(self, method: str, recipe: PlainRecipe, *given: object) -> Answer:
        """Have an image painted; styles go along where they are not known there."""
        for sent in (None, recipe.palette):
            how = recipe.palette.key, sent, recipe.strokes
            answer: Answer = self.machine.start("ask", self.number, method, *how, *given)()
            if not answer.unknown:
                break
        return answer


class Asked(NamedTuple):
    """A frame that is asked for.

    Attributes:
        answer: the Answer, or None: it was lost.
        of: who is told that it `is_late` if it is not there after PATIENCE.
    """

    answer: Future[Answer | None]
    of: "Nearby"


class Nearby:
    """The worker that paints for a page; where there is none, one is looked for meanwhile.

    Args:
        machines: of the cluster.
    """

    def __init__(self, machines: Machines):
        self._machines = machines
        self._threads = ThreadPoolExecutor(MOST_ASKED, thread_name_prefix="nearby")
        self._lock = threading.Lock()
        self._place: _Place | None = None
        self._looking: Future[None] | None = None
        self._looked = -AGAIN_SECONDS  # monotonic seconds
        self._late: Future[Answer | None] | None = None  # what it did not answer in time

    def found(self, seconds: float) -> bool:
        """Look for a worker, so many seconds at most; whether one is there."""
        self._place_now()
        if looking := self._looking:
            looking.result(seconds)
        return self._place is not None

    def frame(self, recipe: PlainRecipe, image: Tensor, turn: Turn) -> "Asked | None":
        """Have a camera's frame (1, 3, H, W) painted; None: paint it here, as no worker is there, or it is late.

        Args:
            recipe: how.
            image: 8 bits a channel.
            turn: which of its camera's it is.

        Returns:
            what is told of the answer, an image (H, W, 3) uint8.
        """
        if not (place := self._place_now()):
            return None
        ask = lambda: place.ask("frame", recipe, images.to_bytes(image), turn)  # noqa: E731
        return Asked(self._threads.submit(self._told, place, ask), self)

    def is_late(self, answer: Future[Answer | None]) -> None:
        """Ask for nothing more before that is there."""
        self._late = answer

    def picture(
        self, recipe: PlainRecipe, image: Tensor, painted: Tensor | None = None
    ) -> Future[Answer | None] | None:
        """Have a picture painted, or what was painted of it refined; None: do it here.

        Args:
            recipe: how.
            image: (1, 3, H, W).
            painted: of the same size; None: it is to be painted.

        Returns:
            the Answer, with an image (1, 3, H, W) float32, none where there is nothing to refine; or None: it was lost.
        """
        place = self._place_now() if math.prod(images.size_of(image)) <= MOST_AREA else None
        if not place or not self._answers(place):
            return None
        given = image.numpy(), None if painted is None else painted.numpy()
        return self._threads.submit(self._told, place, lambda: place.ask("picture", recipe, *given))

    def _answers(self, place: _Place) -> bool:
        """Ask a worker whether it is there."""
        asked = self._threads.submit(self._told, place, lambda: place.machine.start("ask", place.number, "about")())
        try:
            asked.result(PATIENCE)
        except TimeoutError:
            self.is_late(asked)
            return False
        return self._place is place

    def _told(self, place: _Place, ask: Callable[[], Answer | None]) -> Answer | None:
        """Wait for an answer; None if the worker was lost or cannot paint, which is forgotten then."""
        try:
            return ask()
        except Lost as machine:
            log.warning("%s was lost; this computer paints until another is there", machine)
            self._forget(place)
        except DeviceError as error:  # its memory is full, or the whole cluster is gone
            log.warning("%s; this computer paints until another worker is there", error)
            if self._forget(place):
                place.machine.start("dismiss", place.number)
        return None

    def _forget(self, place: _Place) -> bool:
        """Ask a worker no more; whether it was asked until now."""
        with self._lock:
            if self._place is not place:
                return False
            self._place = None
            place.machine.leave()
            return True

    def _place_now(self) -> _Place | None:
        """Give the worker, if there is one that is not late; else look for one."""
        with self._lock:
            if _goes_on(self._late):
                return None
            idle = not self._place and not _goes_on(self._looking)
            if idle and time.monotonic() - self._looked >= AGAIN_SECONDS:
                self._looking = self._threads.submit(self._look)
            return self._place

    def _look(self) -> None:
        try:
            machine = self._machines.choose()
            try:
                self._place = _Place(machine, machine.start("host", Easel)())
            except BaseException:
                machine.leave()
                raise
        except (Lost, NSTError) as error:
            log.warning("no worker for Instant (%s); this computer paints", error)
        finally:
            self._looked = time.monotonic()


def _goes_on(future: Future[Any] | None) -> bool:
    return future is not None and not future.done()


def nearby() -> Nearby | None:
    """Give the worker of the cluster that NST_CLUSTER names; None: there is none, or a GPU is here, which is nearer."""
    cluster = named_machines()
    return _of(cast(Hashable, cluster)) if cluster and choose_compute().device == "cpu" else None


@cache
def _of(machines: Hashable) -> Nearby:
    return Nearby(cast(Machines, machines))
