"""Paints on Hugging Face's ZeroGPU, which lends a GPU for seconds to a forked process: a painting goes there in pieces.

Read of `spaces` 0.51: what it decorates runs in a process forked from this one; arguments and results are pickled. This
process sees a GPU that it must not touch, so all but paintings is computed on its CPU: a pass of Instant takes less
there than a GPU needs to start, and a training would take a visitor's time of days. Whose time a piece takes is told by
the request in the context of whoever asks for it; a piece longer than the time that it asked for may be cut off.
"""

import logging
import math
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from nst_core.devices import Compute, choose_compute, fastest_precision, withhold_gpus
from nst_core.engine.devices import Elsewhere
from nst_core.errors import NoDeviceError, NSTError, seen
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.objective import normalized
from nst_core.transfer.optimize import Frame
from nst_core.transfer.painting import Painting
from nst_core.transfer.run import Run
from nst_core.transfer.state import flaws_told, read
from nst_core.transfer.steering import Steering

Piece = Callable[[str, dict[str, Any], int], tuple[float, NSTError | None]]

PIECE_SECONDS = 1.5  # of a piece, after which no further step is begun: so late Stop and a moved control are heard
# Asked for beside the work: a new process begins with CUDA, cuDNN and the network. A guess, as no such Space was
# measured; what is not used is not counted, but who has less left is refused.
START_SECONDS = 8
MARGIN = 2.0  # of the time asked for, to that of the last piece: steps of a larger scale take longer

QUOTA = "your GPU time at Hugging Face is used up{}; {} then, or sign in for more"
NOBODY = "Hugging Face did not tell whose GPU time this would be; {} on huggingface.co, signed in"
NO_GPU = "no GPU could be had, or it was taken back ({}); {}, or try again later"
KEPT, NOTHING = "what is painted is kept: press Continue", "nothing is painted yet: begin it again"

log = logging.getLogger(__name__)


def _spaces() -> ModuleType | None:
    """Import `spaces` on ZeroGPU, where it has to be before CUDA is touched; None elsewhere."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    try:
        return import_module("spaces")
    except ImportError:
        return None


SPACES = _spaces()
HERE = SPACES is not None  # whether this is ZeroGPU


def _paint(folder: str, told: dict[str, Any], asked: int) -> tuple[float, NSTError | None]:
    """Paint on from where a folder keeps a painting, for PIECE_SECONDS, and keep it there; in the forked process.

    Args:
        folder: of the painting.
        told: "config", "wanted" and "steps" of the run as they are by now.
        asked: seconds; for `_asked` alone.

    Returns:
        the seconds that it took, and what ended it.
    """
    began, problem = time.perf_counter(), None
    withhold_gpus(False)
    try:
        run = restored(folder, steering=Steering(wanted=StyleTransferConfig.from_dict(told["wanted"])))
        run.painting.config, run.steps = StyleTransferConfig.from_dict(told["config"]), told["steps"]
        problem = _go_on(run, began + PIECE_SECONDS)
        run.keep(Path(folder))
        run.close()
    except NSTError as error:  # a file that is damaged, a full disk
        problem = error
    return time.perf_counter() - began, problem


def _go_on(run: Run, until: float) -> NSTError | None:
    """Paint until the clock stands there, or the run ends; what ended it."""
    try:
        for _ in run:
            if time.perf_counter() > until:
                break
    except NSTError as error:
        return error
    return None


def _asked(folder: str, told: dict[str, Any], asked: int) -> int:
    return asked


if SPACES:
    withhold_gpus()
_PIECE: Piece = SPACES.GPU(duration=_asked)(_paint) if SPACES else _paint


@dataclass(frozen=True, kw_only=True)
class Lent(Compute):
    """A GPU as this process knows it: by name and precision, while the pictures that it has are on the CPU."""

    @property
    def name(self) -> str:
        """The GPU's."""
        return f"{torch.cuda.get_device_name()} (ZeroGPU)"


class LentRun(Run, Elsewhere):
    """A run that paints in pieces on a GPU that is lent for each; a frame is what a piece ends with.

    Between two pieces it rests in a folder: its own, or that in which it was kept last. What ends a piece, such as the
    end of a visitor's time, leaves it as it was before.
    """

    def __init__(self, painting: Painting, steering: Steering | None = None):
        painting.compute = Lent(device="cpu", precision=painting.compute.precision)
        super().__init__(painting, steering)
        self._own = tempfile.TemporaryDirectory(prefix="nst-piece-", ignore_cleanup_errors=True)
        self._took = PIECE_SECONDS  # the last piece, in seconds

    def __next__(self) -> Frame:
        is_there = self.last_frame and (self.steering.stop.is_set() or self.last_frame.step >= self.steps)
        if is_there or self.broken:
            raise StopIteration
        wanted = self.steering.steered(self.config)
        normalized(wanted.blend, self.painting.styles)  # raises here, where the run can still go on
        if self.kept is None:
            self.keep(Path(self._own.name))
        told = {"config": self.config.to_dict(), "wanted": wanted.to_dict(), "steps": self.steps}
        asked = math.ceil(START_SECONDS + MARGIN * max(PIECE_SECONDS, self._took))
        try:
            self._took, problem = _PIECE(str(self._folder), told, asked)
        except Exception as error:  # gradio's, httpx's and Python's own
            self._took *= MARGIN  # should it have been cut off
            raise in_words(error, KEPT if self.last_frame else NOTHING) from None
        self.find(self._folder)
        if problem:
            raise problem
        return self.newest

    def find(self, folder: Path) -> None:
        """Be where the folder says that the painting is.

        Raises:
            ImageError: what it keeps is gone or damaged.
        """
        with flaws_told(folder):
            state, kept = read(folder)
            config = StyleTransferConfig.from_dict(state.facts["config"])
            if config != self.config:
                self.painting.config = config
            self.take_state(state, kept)

    @property
    def rests(self) -> bool:
        """Whether what it needs to go on is in a folder that outlives it."""
        return self.kept is not None and self.kept.folder != Path(self._own.name)

    def rest(self, folder: Path) -> None:
        """Keep it in this folder, if it is not there by now; it rests already."""
        if self.last_frame and not self.broken and self._folder != folder:
            self.keep(folder)

    def close(self) -> None:
        """End the run and free what it holds, its own folder, too."""
        super().close()
        self._own.cleanup()


def in_words(error: Exception, advice: str = KEPT) -> NoDeviceError:
    """Say what kept a piece from being painted, of an error by which `spaces` tells it, and what to do."""
    title, message = str(getattr(error, "title", "")), str(getattr(error, "message", error))
    log.warning("no piece on ZeroGPU: %s: %s", title or type(error).__name__, message)
    if "quota exceeded" in title and "GPU limit" in message:
        return NoDeviceError(NOBODY.format(advice))
    if "quota exceeded" in title and "exceeded" in message:
        wait = re.search(r"[Tt]ry again in (\d[\w:, ]*)", message)
        return NoDeviceError(QUOTA.format(f" (there is more in {wait[1]} hours)" if wait else "", advice))
    return NoDeviceError(NO_GPU.format(seen(message or type(error).__name__), advice))


def painting_compute() -> Compute:
    """Choose what paintings are computed on: on ZeroGPU the GPU that is lent, else as `choose_compute`."""
    if not HERE:
        return choose_compute()
    return Lent(device="cpu", precision=os.environ.get("NST_PRECISION") or fastest_precision("cuda"))


def in_pieces(run: Run) -> Run:
    """Give a run that was begun or restored as it is to be painted: on ZeroGPU in pieces, else the run itself.

    Raises:
        ImageError: what is kept of it is gone or damaged.
    """
    if not HERE:
        return run
    made = LentRun(run.painting, run.steering)
    if run.kept:
        made.find(run.kept.folder)
    return made
