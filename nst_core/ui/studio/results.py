"""Remembers a session's runs: files on disk, thumbnails and records in memory, no tensors."""

from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

from torch import Tensor

from nst_core.analysis.poster.chart import written
from nst_core.errors import ImageError, NSTError
from nst_core.file_names import named_after
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.record import RunRecord
from nst_core.transfer.run import Run
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.words import label_of, title_of
from nst_core.ui.studio.looks import called
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.widgets.pictures import data_uri
from nst_core.ui.widgets.thumbnail_strip import StripValue, Thumbnail

MOST_RESULTS = 24  # in a strip; older ones drop off
THUMBNAIL_SIDE = 160  # pixels
NO_RESULT = "there is no result yet; press Paint, or Mark this moment while it paints"

# Run -> its last result.
_LAST: "WeakKeyDictionary[Run, Result]" = WeakKeyDictionary()

# Settings that say little beside the picture: where a run was stopped is told by its steps.
UNTOLD = ("steps", "last_step")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A picture painted in this session, with its record and what it was painted from."""

    number: int  # 1, 2, 3 … in a session
    path: Path  # of the PNG, which gradio deletes after an hour
    uploads: Uploads  # what was painted
    thumbnail: str  # as a data URI
    record: RunRecord
    told: str  # what was set otherwise than for the result before
    losses: str = ""  # the loss chart

    def require(self) -> Path:
        """Give the PNG's path, and refuse where it is gone.

        Raises:
            ImageError: it was deleted.
        """
        if not self.path.exists():
            raise ImageError(f"the file of result {self.number} is gone, files are kept for an hour; run it again")
        return self.path


class Results:
    """A session's strip: its newest results and which of them is chosen."""

    def __init__(self) -> None:
        self.kept: tuple[Result, ...] = ()  # newest first
        self.chosen: Result | None = None  # the one that the buttons act on

    def take_back(self, result: Result) -> None:
        """Take a result out of the strip, for what comes of it to stand there in its place."""
        self.kept = tuple(kept for kept in self.kept if kept is not result)

    def add(self, image: Tensor, record: RunRecord, png: Path, uploads: Uploads, losses: str = "") -> None:
        """Put a picture first into the strip and choose it; the same record only once.

        Args:
            image: the picture, (1, 3, H, W); not kept.
            record: of it.
            png: its file.
            uploads: what was painted.
            losses: the loss chart, to be shown with it.
        """
        self.chosen = self.find(record)
        if self.chosen:
            return
        before = self.kept[0] if self.kept else None
        self.chosen = Result(
            number=before.number + 1 if before else 1,
            path=png,
            uploads=uploads,
            thumbnail=data_uri(image, max_side=THUMBNAIL_SIDE),
            record=record,
            told=differences(record.config, before.record.config) if before else "",
            losses=losses,
        )
        self.kept = (self.chosen, *self.kept)[:MOST_RESULTS]

    def find(self, wanted: RunRecord | int) -> Result | None:
        """Find the result of that record or number, if it is still in the strip."""
        return next((result for result in self.kept if wanted in (result.number, result.record)), None)

    def require_chosen(self) -> Result:
        """Give the result that the buttons act on, and refuse where none is chosen.

        Raises:
            NSTError: there is none yet.
        """
        if self.chosen is None:
            raise NSTError(NO_RESULT)
        return self.chosen

    def value(self) -> StripValue:
        """List what the strip shows: its results, newest first, and which is chosen."""
        items = []
        for result in self.kept:
            height, width = result.record.content_size
            steps = counted(result.record.steps)
            name = f"Result {result.number}: {steps}, {width}×{height} pixels"
            item: Thumbnail = {
                "number": result.number,
                "thumbnail": result.thumbnail,
                "name": escape(f"{name}; {result.told}" if result.told else name),
                "caption": escape(result.told or steps),
            }
            items.append(item)
        return {
            "items": items,
            "chosen": self.chosen.number if self.chosen else 0,
            "label": "Results of this session, newest first",
            "empty": "The pictures of this session will line up here.",
        }


class Session(Protocol):
    """The part of a page's session that is needed here."""

    results: Results
    uploads: Uploads  # of the last run


def remember(session: Session, run: Run, png: Path, losses: str = "") -> None:
    """Put a run's last frame, which png holds, into the session's strip; after one step, in its last one's place."""
    if not run.last_frame:
        return
    results, record = session.results, run.record()
    if (
        (before := _LAST.get(run))
        and before is next(iter(results.kept), None)
        and before.record.steps + 1 == record.steps
    ):
        results.take_back(before)
    results.add(run.last_frame.image, record, png, session.uploads, losses)
    if results.chosen:
        _LAST[run] = results.chosen


def strip_value(session: Session) -> StripValue:
    """Give the strip's new value."""
    return session.results.value()


def differences(config: StyleTransferConfig, before: StyleTransferConfig) -> str:
    """Write the settings that differ, as the page calls them: "β 100, Seed 3"."""
    names = [field.name for field in fields(config) if field.name not in UNTOLD]
    changed = {name: getattr(config, name) for name in names if getattr(config, name) != getattr(before, name)}
    return ", ".join(
        f"{SETTINGS[name].symbol or label_of(name)} {_written(name, now)}" for name, now in changed.items()
    )


def _written(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return " + ".join(_written(name, one) for one in value) or "as usual"
    return written(value, 6) if isinstance(value, float) else title_of(name, str(value))


def counted(steps: int) -> str:
    """ "1 step", "300 steps"."""
    return f"{steps} step{'s' * (steps != 1)}"


def painting_name(uploads: Uploads, config: StyleTransferConfig, thing: str = "", ending: str = ".png") -> str:
    """A file's name that says what was painted, in which style, look and size; thing: unless it is the picture."""
    pictures = [Path(path).stem for path in (uploads.content, uploads.style) if path]
    return named_after(*pictures, called(config.changed(last_step=0)), str(config.size), thing, ending=ending)


def timelapse_file(timelapse: Timelapse, name: str) -> Path:
    """Write the animation of a run so far into a file of that name.

    Raises:
        NSTError: nothing was painted yet.
    """
    path = new_file(name)
    timelapse.save(path)
    return path
