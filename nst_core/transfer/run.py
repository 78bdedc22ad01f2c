"""Runs one painting, which can be watched, stopped, steered and gone on with."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from nst_core.devices import computing_on
from nst_core.errors import ImageError, NSTError
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.config import STEERABLE, StyleTransferConfig
from nst_core.transfer.json_values import are_losses, are_texts, is_count, is_duration, is_switch
from nst_core.transfer.ladder import work_until
from nst_core.transfer.objective import StyleTransferObjective, normalized
from nst_core.transfer.optimize import PLATEAU_STEPS, Frame
from nst_core.transfer.painting import Painting
from nst_core.transfer.record import RunRecord, record_of
from nst_core.transfer.state import Kept, State, flaws_told, read, write
from nst_core.transfer.steering import Steering


class Run:
    """One painting: iterate it for its Frames, then ask it for its record.

    Made by `stylize`, which says what is what. May be iterated by one thread after another, never by two at once. It
    ends when its steps are made, when nothing improves, or when it is stopped; `more` lets it go on from there.

    A GPU is two steps ahead of the frame that is shown (`devices.steps_ahead`): what is steered is heard of two steps
    later there, and what was made behind an end is shown by `more`, or let go.
    """

    def __init__(self, painting: Painting, steering: Steering | None = None):
        config = painting.config
        self.painting, self.compute = painting, painting.compute
        self.steering = steering or Steering()
        self.steps = self._whole = config.last_step or config.steps  # to be made; that the settings alone lead to
        self.last_frame: Frame | None = None
        self.first_losses: dict[str, float] = {}  # of the start
        self.seconds = 0.0
        self.notes: tuple[str, ...] = ()
        self.broken = False  # an error ended it, and it cannot go on
        self._ends_by_itself = not config.last_step  # a run that is told where to end goes there
        self.kept: Kept | None = None  # what of it was last kept on disk
        self._resting = False  # what it needs to go on is there alone
        self._frames = self.painting.frames()
        next(self._frames)

    @property
    def config(self) -> StyleTransferConfig:
        """The settings by which it is painted now."""
        return self.painting.config

    @property
    def content_image(self) -> Tensor:
        """The content, (1, 3, H, W), as large as the result."""
        return self.painting.content_image

    @property
    def newest(self) -> Frame:
        """The last frame.

        Raises:
            ValueError: there is none yet.
        """
        if self.last_frame is None:
            raise ValueError("a run has no picture and no record before its first frame")
        return self.last_frame

    @property
    def result(self) -> Tensor:
        """The last frame's image as it is kept: (1, 3, H, W), or (1, 4, H, W) where the content is transparent.

        Raises:
            ValueError: there is none yet.
        """
        return self.painting.finished(self.newest.image)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self.last_frame and (self.steering.stop.is_set() or self.last_frame.step >= self.steps):
            raise StopIteration
        before, wanted = self.config, self.steering.steered(self.config)
        normalized(wanted.blend, self.painting.styles)  # raises here, where the run can still go on
        began = time.perf_counter()
        with computing_on(self.compute):
            self._wake()
        try:
            with computing_on(self.compute):
                frame = self._next(wanted)
        except (NSTError, RuntimeError):
            self.broken = True
            self.painting.free()  # as it cannot go on, and its memory may be what is missing
            raise
        finally:
            self.seconds += time.perf_counter() - began
        if wanted is not before:
            changed = [name for name in STEERABLE if getattr(wanted, name) != getattr(before, name)]
            step = self.last_frame.step if self.last_frame else 0
            self.notes += (f"steered at step {step}: {', '.join(changed)}",)
        self._show(frame)
        return frame

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

    def keep(self, folder: Path) -> None:
        """Keep on disk what it needs to go on, for `restored`; what it kept there before gives way once this is whole.

        Between two frames, on the thread that paints, which waits meanwhile; `kept.seconds` says then for how long, and
        `kept.size` how many bytes were written. They are 60 a pixel painted, on a GPU 36 more for the steps that it is
        ahead, and 24 more for each curvature pair that L-BFGS made since it was kept last in this folder: 0.1 s at
        512×512 pixels on a busy laptop's disk. Pictures are written once. So a painting with a long history is best
        kept from its beginning: 100 pairs at once take seconds.

        Args:
            folder: for this painting alone; made if it is missing.

        Raises:
            OutputError: it cannot be written; the run, and what was kept before, are as they were.
            ValueError: it was closed, or its pixels are moved elsewhere.
        """
        self.kept = write(self.state(), folder, self.kept)

    def rest(self, folder: Path) -> None:
        """Keep it, and free what is wanted only when it goes on, as it then does from there by itself.

        Args:
            folder: as of `keep`; what is in it must be there when the run goes on.

        Raises:
            OutputError: it cannot be written; the run is as it was.
        """
        if self.last_frame is None or self.broken or self._resting:
            return
        self.keep(folder)
        self.painting.rest()
        self._resting = True

    @property
    def rests(self) -> bool:
        """Whether what it needs to go on is on disk, where `restored` finds it, too."""
        return self._resting

    def _wake(self) -> None:
        if not self._resting:
            return
        try:
            with flaws_told(self._folder):
                self.painting.take_state(self._read())
        except NSTError as error:
            self.painting.rest()
            self.broken = isinstance(error, ImageError)  # nothing that a person does brings it back
            raise
        self._resting = False

    @property
    def _folder(self) -> Path:
        if self.kept is None:
            raise ValueError("this run was never kept")
        return self.kept.folder

    def _read(self) -> State:
        """Read what it rests with; raises Flaw if it is gone, damaged or another's."""
        state, found = read(self._folder)
        if self.kept is None or found.checksum != self.kept.checksum:
            raise Flaw("another painting was kept there meanwhile")
        return state

    def state(self) -> State:
        """Give what `take_state` goes on from, as `keep` writes it."""
        if self.last_frame and not (self.painting.stage or self.broken or self._resting):
            raise ValueError("a run that was closed, or whose pixels are moved elsewhere, cannot be kept")
        if not self._resting:
            return self.painting.state() | self.news()
        with flaws_told(self._folder):
            return self._read() | self.news()

    def news(self) -> State:
        """Give what `take_news` shows: how far it is and its last frame, not what it needs to go on."""
        wanted = self.steering.steered(self.config)
        facts = {
            "steps": self.steps,
            "whole": self._whole,
            "ends by itself": self._ends_by_itself,
            "broken": self.broken,
            "stopped": self.steering.stop.is_set(),
            "wanted": None if wanted is self.config else wanted.to_dict(),
            "first losses": self.first_losses,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }
        return self.painting.shown() | State(facts)

    def take_news(self, state: State) -> None:
        """Show what another run had to show when it gave this as its news, or its state; raises Flaw if it is none."""
        self.steps, self._whole = state.fact("steps", is_count), state.fact("whole", is_count)
        self._ends_by_itself, self.broken = state.fact("ends by itself", is_switch), state.fact("broken", is_switch)
        self.first_losses = state.fact("first losses", are_losses)
        self.seconds, self.notes = state.fact("seconds", is_duration), tuple(state.fact("notes", are_texts))
        self.painting.take_frame(state)
        self.last_frame = self.painting.newest

    def take_state(self, state: State, kept: Kept) -> None:
        """Be where another run was when it was kept; what it needs to go on is read when it does.

        Raises:
            Flaw: it does not fit.
        """
        self.take_news(state)
        self.kept = kept
        if self.last_frame and not self.broken:
            self.painting.rest()
            self._resting = True

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
