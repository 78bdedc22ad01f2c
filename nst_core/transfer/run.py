"""Runs one painting, which can be watched, stopped, steered and gone on with."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from inspect import GEN_CLOSED, getgeneratorstate

from torch import Tensor

from nst_core.devices import computing_on
from nst_core.errors import NSTError
from nst_core.transfer.config import STEERABLE, StyleTransferConfig
from nst_core.transfer.ladder import work_until
from nst_core.transfer.objective import StyleTransferObjective, normalized
from nst_core.transfer.optimize import PLATEAU_STEPS, Frame
from nst_core.transfer.painting import Painting
from nst_core.transfer.record import RunRecord, record_of
from nst_core.transfer.resting import RestingRun
from nst_core.transfer.steering import Steering


class Run(RestingRun):
    """One painting: iterate it for its Frames, then ask it for its record.

    Made by `stylize`, which says what is what. May be iterated by one thread after another, never by two at once. It
    ends when its steps are made, when nothing improves, or when it is stopped; `more` lets it go on from there.

    A GPU is two steps ahead of the frame that is shown (`devices.steps_ahead`): what is steered is heard of two steps
    later there, and what was made behind an end is shown by `more`, or let go.
    """

    def __init__(self, painting: Painting, steering: Steering | None = None):
        super().__init__(painting, steering)
        self.tell: Callable[[float], object] = float  # is given the share that is done of what a frame waits for
        self._passed = self._computed = 0.0  # seconds at work here, and of these on a processor
        self._steered_from: StyleTransferConfig | None = None  # settings of the last frame, if others came since
        self._frames = self.painting.frames()
        next(self._frames)

    @property
    def content_image(self) -> Tensor:
        """The content, (1, 3, H, W), as large as the result."""
        return self.painting.content_image

    @property
    def result(self) -> Tensor:
        """The last frame's image as it is kept: (1, 3, H, W), or (1, 4, H, W) where the content is transparent.

        Raises:
            ValueError: there is none yet.
        """
        return self.painting.finished(self.newest.image)

    @property
    def share(self) -> float:
        """The share of its time in which its thread had a processor of this computer; 1 where nothing was made here.

        Where others want the processors too, it is less. A thread that waits for a GPU has none, either.
        """
        return min(1.0, self._computed / self._passed) if self._passed else 1.0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._is_over():
            raise StopIteration
        wanted = self._wanted()
        with self._computing():
            for share in self.painting.prepare(wanted, haste=self._stops_first()):
                self.tell(share)
                if self._is_over():
                    raise StopIteration
            frame = self._next(wanted)
        if self._steered_from:
            before, self._steered_from = self._steered_from, None
            changed = [name for name in STEERABLE if getattr(wanted, name) != getattr(before, name)]
            step = self.last_frame.step if self.last_frame else 0
            self.notes += (f"steered at step {step}: {', '.join(changed)}",) if changed else ()
        self._show(frame)
        return frame

    def prepare(self) -> float | None:
        """Do a part of what the next frame waits for, as of a scale whose goals are to be found.

        Whoever does not ask for it finds that the next frame takes longer.

        Returns:
            the share that is done; None where the next frame waits for nothing.
        """
        if self._is_over():
            return None
        wanted = self._wanted()
        with self._computing():
            share = next(self.painting.prepare(wanted, haste=self._stops_first()), None)
        if share is not None:
            self.tell(share)
        return share

    def _is_over(self) -> bool:
        closed = self.broken or getgeneratorstate(self._frames) == GEN_CLOSED
        stopped = self.steering.stop.is_set() and not self.painting.is_between
        last = self.last_frame
        return closed or last is not None and (stopped or last.step >= self.steps)

    def _stops_first(self) -> bool:
        """Whether it is stopped before there is any picture, so that one is wanted soon."""
        return self.last_frame is None and self.steering.stop.is_set()

    def _wanted(self) -> StyleTransferConfig:
        """Look how the next frame is to be made; raises ConfigError where it cannot be so, and the run can go on."""
        wanted = self.steering.steered(self.config)
        normalized(wanted.blend, self.painting.styles)
        if wanted is not self.config:
            self._steered_from = self._steered_from or self.config
        return wanted

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute on the run's device, count the seconds, and note what ends the run."""
        began, computed = time.perf_counter(), time.thread_time()
        with computing_on(self.compute):
            self._wake()
        try:
            with computing_on(self.compute):
                yield
        except (NSTError, RuntimeError):
            self.broken = True
            self.painting.free()  # as it cannot go on, and its memory may be what is missing
            raise
        finally:
            passed = time.perf_counter() - began
            self.seconds, self._passed = self.seconds + passed, self._passed + passed
            self._computed += time.thread_time() - computed

    def _next(self, wanted: StyleTransferConfig) -> Frame:
        frame = self._frames.send(wanted)
        if frame is None:  # as the first settings were sent for already
            raise StopIteration
        return frame

    def _show(self, frame: Frame) -> None:
        self.last_frame = frame
        self.first_losses = self.first_losses or frame.losses
        if frame.note:
            self.notes += (frame.note,)
        last = frame.scale[0] == frame.scale[1]
        if frame.settled and last and self._ends_by_itself:
            self.steps, self._ends_by_itself = frame.step, False
            self._whole = min(self._whole, frame.step)
            self.notes += (
                f"ended by itself at step {frame.step}: {PLATEAU_STEPS} steps gained nothing worth the time",
            )

    def laid_out(self) -> tuple[StyleTransferObjective, Tensor]:
        """Give the objective and the start (1, 3, H, W) at the full size, for those who move the pixels; see `take`."""
        return self.painting.laid_out()

    def take(self, frame: Frame, seconds: float) -> None:
        """Take a frame of this painting that was made elsewhere, in so many seconds; colours stay as they are."""
        self.last_frame = frame
        self.first_losses = self.first_losses or frame.losses
        self.seconds += seconds

    def can_recolor(self, color: str) -> bool:
        """Whether the last picture can have these colours without painting anew."""
        return self.painting.can_recolor(color)

    def recolored(self, color: str) -> Tensor:
        """Show the last picture in other colours, (1, 3, H, W), without painting anew.

        Raises:
            ConfigError: colours that the pictures would have to be painted in.
        """
        frame = self.newest
        self.painting.recolor(color)
        self.last_frame = replace(frame, finish=self.painting.finish)
        return self.last_frame.image

    def more(self, steps: int) -> None:
        """Go on for some steps after the last frame: after the end, or when stopped.

        Raises:
            NSTError: an error ended the run.
        """
        if self.broken:
            raise NSTError("this painting ended in an error and cannot go on; press Paint for a new one")
        self.steering.stop.clear()
        self.steps = (self.last_frame.step if self.last_frame else 0) + steps

    @property
    def remaining(self) -> int:
        """Steps from the last frame to where the settings alone lead."""
        return 0 if self.broken else max(0, self._whole - (self.last_frame.step if self.last_frame else 0))

    def work_until(self, step: int) -> float:
        """Count the work up to a step, in steps at the full size: pixels, and what every step costs."""
        return work_until(self.painting.scales, step)

    def close(self) -> None:
        """End the run and free what it holds; the last frame and the record stay, and so does what was kept."""
        self._frames.close()
        self.painting.rest()
        self._resting = False

    def record(self) -> RunRecord:
        """Tell what was run, up to the last frame.

        Raises:
            ValueError: before the first frame.
        """
        return record_of(
            self.painting,
            self.newest,
            first_losses=self.first_losses,
            seconds=self.seconds,
            notes=self.notes,
            steps=self.steps,
            whole=self._whole,
        )
