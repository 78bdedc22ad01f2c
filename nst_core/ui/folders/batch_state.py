"""Holds a batch of the page, which belongs to the server: a browser that comes again finds it as it is then."""

import secrets
import shutil
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

import gradio as gr

from nst_core.batch.batch import BatchProgress
from nst_core.batch.report import Result
from nst_core.batch.tasks import Task
from nst_core.batch.ways import Instant, Optimized
from nst_core.engine.jobs import Job, TurnMissed
from nst_core.engine.limits import limits
from nst_core.engine.zero import KEPT, NOTHING
from nst_core.errors import NSTError
from nst_core.ui.folders.batch_plan import BatchPlan
from nst_core.ui.folders.cards import AT_WORK, PAINTED, WAITING, Card, card, changed
from nst_core.ui.folders.photos import Photo, lay_out
from nst_core.ui.page.downloads import IN_USE, new_file
from nst_core.ui.page.events import name_of
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import Toast, noting, warn
from nst_core.ui.serving.audience import Leaving
from nst_core.ui.serving.page_state import PageState

PageWay: TypeAlias = Optimized | Instant
Tasks: TypeAlias = Sequence[Task[PageWay]]

GOES_ON = "Start goes on from here"
KEPT_HERE = "what is painted is kept: press Start"


class Batch(PageState):
    """Holds one browser's batch: its photos, what is painted of them, and what its pages show of it.

    Attributes:
        version, dealt: of what is shown, and of its cards; another one: it is something else.
        status, cards, outcome: what is shown; the last is the ZIP, if there is one.
        toasts: to be told.
    """

    known: ClassVar[dict[str, "Batch"]] = {}  # key -> those of browsers that have one, whether a page is open or not

    def __init__(self) -> None:
        self.key = ""  # by which a browser finds it again, and which nobody can guess
        self.pages: set[str] = set()  # gradio's names of those that show it
        self.left_since = time.monotonic()
        self.job: Job | None = None
        self.plan: BatchPlan | None = None  # the last
        self.progress: BatchProgress | None = None  # of that
        self.photos: list[Photo] = []  # that are laid out, of `sources`
        self.sources: tuple[Path, ...] = ()
        self.left_out: list[str] = []  # files of ZIPs
        self.styles: dict[str, str] = {}  # the picture of each painting, by the stem of its file
        self.room: Path | None = None
        self.held: tuple[Path, ...] = ()  # files and folders that stay, however old they are
        self.results: dict[str, Result] = {}  # what became of paintings, by their files
        self.version, self.dealt, self.status = 0, 0, ""
        self.cards: dict[str, Card] = {}  # of each painting, by its file
        self.outcome: Path | None = None
        self.run = ""  # the name of that which goes on, for its status line
        self.toasts: list[Toast] = []

    @property
    def busy(self) -> bool:
        """Whether it is painted, or waits for its turn."""
        return self.job is not None and not self.job.ended

    def enter(self, request: gr.Request) -> None:
        """Become the state of the page that asks; also of its browser, which finds it by the key."""
        super().enter(request)
        self.pages.add(name_of(request))
        self.key = self.key or secrets.token_urlsafe(24)
        self.known[self.key] = self

    @classmethod
    def leave_page(cls, page: Leaving) -> None:
        """Note that a page was closed."""
        batch = cls.open.pop(page.session_hash, None)
        if batch is not None:
            batch.pages.discard(page.session_hash)
            if not batch.pages:
                batch.leave()

    def leave(self) -> None:
        """Begin to count how long no page has shown it."""
        self.left_since = time.monotonic()

    @classmethod
    def tidy(cls) -> None:
        """Stop what nobody has looked at for the time of grace; forget what was left for long, with its files."""
        allowed = limits()
        left = sorted((one for one in cls.known.values() if not one.pages), key=lambda one: -one.left_since)
        for number, batch in enumerate(left):
            away = time.monotonic() - batch.left_since
            if batch.busy and batch.job and away > allowed.grace:
                batch.job.stop(f"Nobody looked at it for {duration(allowed.grace)}: it was stopped. {GOES_ON}.")
            elif not batch.busy and (away > allowed.kept or number >= allowed.sessions):
                del cls.known[batch.key]
                batch.empty()
                batch.hold()

    def end(self, job: Job) -> None:
        """Say how it ended, where it could not do so itself."""
        with noting(self.toasts):
            if isinstance(job.error, TurnMissed):
                self.show(status_html(str(job.error)))
            elif job.error:
                self.fail(job.error)
            if job.why:
                warn(job.why, "Ended early")
        self.version += 1

    def say(self, text: str, detail: str = "", share: float | None = None) -> None:
        """Say what is going on."""
        self.show(status_html(text, detail, share=share, run=self.run))

    def fail(self, error: NSTError) -> None:
        """Say what is wrong."""
        words = self.told(error)
        warn(words, "Cannot paint")
        self.show(status_html(words, kind="problem"))

    def show(self, status: str) -> None:
        """Show a line of status."""
        self.status = status
        self.version += 1

    def told(self, text: object) -> str:
        """Take this computer's folders out of a text, and let it name the button that goes on with a batch."""
        words = str(text).replace(KEPT, KEPT_HERE).replace(NOTHING, KEPT_HERE)
        for folder in (self.room / "photos", self.room) if self.room else ():
            words = words.replace(f"{folder}/", "").replace(str(folder), "the batch")
        return words

    @property
    def output(self) -> Path:
        """Give the folder of the paintings; raises RuntimeError before `lay_out`."""
        if self.room is None:
            raise RuntimeError("nothing is laid out yet")
        return self.room / "paintings"

    def lay_out(self, sources: tuple[Path, ...]) -> Path:
        """Give the folder of the batch, its photos laid out there; for the same files the same one."""
        room = self.room
        if room is None or sources != self.sources or any(photo.is_lost for photo in self.photos):
            self.empty()
            room = self.room = new_file("batch")
            weakref.finalize(self, shutil.rmtree, room, ignore_errors=True)
            self.photos, self.left_out = lay_out(sources, room / "photos")
            self.sources = sources
        return room

    def hold(self, *paths: Path) -> None:
        """Let these stay on the disk for as long as the batch is known, in place of what was held before."""
        IN_USE.update(paths)
        IN_USE.subtract(self.held)
        for path in self.held:
            if IN_USE[path] <= 0:
                del IN_USE[path]
        self.held = paths

    def empty(self) -> None:
        """Delete photos and paintings."""
        if self.room:
            shutil.rmtree(self.room, ignore_errors=True)
        self.room, self.photos, self.sources = None, [], ()
        self.cards, self.results, self.styles = {}, {}, {}

    def deal(self, tasks: Tasks) -> None:
        """Lay out the cards; those of paintings that are there stay as they were."""
        names, before = {photo.path: photo.name for photo in self.photos}, self.cards
        kept = {file for file, one in before.items() if one["state"] == PAINTED and (self.output / file).is_file()}
        self.cards = {
            task.file: before[task.file] if task.file in kept else card(names[task.content], Path(task.style).stem)
            for task in tasks
        }
        self.results = {}
        self.dealt += 1
        self.version += 1

    def mark(self, task: Task[PageWay], state: str, reason: str = "", small: Path | None = None) -> None:
        """Let a painting's card say what there is of it."""
        large = self.output / task.file if small else None
        self.cards[task.file] = changed(self.cards[task.file], state, self.told(reason), small, large)
        self.dealt += 1
        self.version += 1

    def rest(self) -> None:
        """Let no card say that it is at work."""
        for file, one in self.cards.items():
            if one["state"] == AT_WORK:
                self.cards[file] = changed(one, WAITING)
                self.dealt += 1
