"""Keeps a run on disk, where it rests between two frames, and from where it goes on, here or elsewhere."""

from pathlib import Path

from nst_core.errors import ImageError, NSTError
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import are_losses, are_texts, is_count, is_duration, is_switch
from nst_core.transfer.optimize import Frame
from nst_core.transfer.painting import Painting
from nst_core.transfer.state import Kept, State, flaws_told, read, write
from nst_core.transfer.steering import Steering


class RestingRun:
    """What a Run knows, and how that is kept and taken up again; `Run` paints."""

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

    @property
    def config(self) -> StyleTransferConfig:
        """The settings by which it is painted now."""
        return self.painting.config

    @property
    def newest(self) -> Frame:
        """The last frame.

        Raises:
            ValueError: there is none yet.
        """
        if self.last_frame is None:
            raise ValueError("a run has no picture and no record before its first frame")
        return self.last_frame

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
