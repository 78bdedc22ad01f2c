"""Has Instant's pictures and the camera's frames painted by a worker of a cluster, as long as one answers at once.

A page's own computer paints them where it has an accelerator, where no worker is there yet, and where it does not
answer: who asks here gets None then, and paints.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple, cast

from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.cluster import machines as named_machines
from nst_core.engine.hosted import Hosted
from nst_core.engine.remote_run import Lost, Machines
from nst_core.errors import DeviceError, NSTError
from nst_core.instant.easel import Answer, Easel, Turn
from nst_core.instant.palette import PlainRecipe

PATIENCE = 1.0  # seconds that a camera's frame, or a worker asked whether it is there, may take
AGAIN_SECONDS = 15.0  # after none was found, until one is looked for again
MOST_ASKED = 16  # at a time
MOST_AREA = 2**22  # pixels of a picture, sent as 50 MB; larger ones are painted here

log = logging.getLogger(__name__)


def _ask(easel: Hosted, method: str, recipe: PlainRecipe, *given: object) -> Answer:
    """Have an image painted; styles go along where they are not known there."""
    for sent in (None, recipe.palette):
        answer: Answer = easel.ask(method, recipe.palette.key, sent, recipe.strokes, *given)
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
        self._easel: Hosted | None = None
        self._looking: Future[None] | None = None
        self._looked = -AGAIN_SECONDS  # monotonic seconds
        self._late: Future[Answer | None] | None = None  # what it did not answer in time

    def found(self, seconds: float) -> bool:
        """Look for a worker, so many seconds at most; whether one is there.

        Raises:
            DeviceError: it is still looked for.
        """
        self._easel_now()
        if looking := self._looking:
            try:
                looking.result(seconds)
            except TimeoutError:
                raise DeviceError(f"no worker was there within {seconds:g} s; wait longer, or look at them") from None
        return self._easel is not None

    def frame(self, recipe: PlainRecipe, image: Tensor, turn: Turn) -> "Asked | None":
        """Have a camera's frame (1, 3, H, W) painted; None: paint it here, as no worker is there, or it is late.

        Args:
            recipe: how.
            image: 8 bits a channel.
            turn: which of its camera's it is.

        Returns:
            what is told of the answer, an image (H, W, 3) uint8.
        """
        if not (easel := self._easel_now()):
            return None
        asked = partial(_ask, easel, "frame", recipe, images.to_bytes(image), turn)
        return Asked(self._threads.submit(self._told, easel, asked), self)

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
        easel = self._easel_now() if math.prod(images.size_of(image)) <= MOST_AREA else None
        if not easel or not self._answers(easel):
            return None
        asked = partial(_ask, easel, "picture", recipe, image.numpy(), None if painted is None else painted.numpy())
        return self._threads.submit(self._told, easel, asked)

    def _answers(self, easel: Hosted) -> bool:
        """Ask a worker whether it is there."""
        asked = self._threads.submit(self._told, easel, partial(easel.ask, "about"))
        try:
            asked.result(PATIENCE)
        except TimeoutError:
            self.is_late(asked)
            return False
        return self._easel is easel

    def _told(self, easel: Hosted, ask: Callable[[], Answer | None]) -> Answer | None:
        """Wait for an answer; None if the worker was lost or cannot paint, which is forgotten then."""
        try:
            return ask()
        except Lost as machine:
            log.warning("%s was lost; this computer paints until another is there", machine)
            if self._forget(easel):
                easel.leave()
        except DeviceError as error:  # its memory is full, or the whole cluster is gone
            log.warning("%s; this computer paints until another worker is there", error)
            if self._forget(easel):
                easel.dismiss()
        return None

    def _forget(self, easel: Hosted) -> bool:
        """Ask a worker no more; whether it was asked until now."""
        with self._lock:
            was_asked = self._easel is easel
            if was_asked:
                self._easel = None
            return was_asked

    def _easel_now(self) -> Hosted | None:
        """Give the worker, if there is one that is not late; else look for one."""
        with self._lock:
            if _goes_on(self._late):
                return None
            idle = not self._easel and not _goes_on(self._looking)
            if idle and time.monotonic() - self._looked >= AGAIN_SECONDS:
                self._looking = self._threads.submit(self._look)
            return self._easel

    def _look(self) -> None:
        try:
            self._easel = Hosted(self._machines, Easel)
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
