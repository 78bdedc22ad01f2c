"""Holds one browser's painting, and frees paintings that rest when memory is short."""

import secrets
import shutil
import threading
import time
from collections import deque
from pathlib import Path
from typing import ClassVar

import gradio as gr

from nst_core.devices import release_freed_memory
from nst_core.engine.jobs import Job
from nst_core.engine.limits import limits
from nst_core.host_memory import available_memory, total_memory
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.run import Run
from nst_core.transfer.steering import Steering
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.page.events import Update, name_of
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import duration
from nst_core.ui.page.toasts import Toast
from nst_core.ui.serving.audience import Leaving
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.controls_and_config import controls_of, preset_of, preset_text
from nst_core.ui.studio.preset_menu import show_preset_of
from nst_core.ui.studio.results import Results
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.widgets.channel import Channel
from nst_core.ui.widgets.loss_chart import LossHistory

SHORT_SHARE = 1 / 8  # of the memory; with less available, it is short


class Session(PageState):
    """Holds one browser's painting: its last run, what may change while that goes on, and what its pages show of it.

    The painting belongs to the server, and the page is a window on it: a browser that comes again, by another page or
    after a while, finds it as it is then.
    """

    known: ClassVar[dict[str, "Session"]] = {}  # key -> those of browsers that have one, whether a page is open or not

    def __init__(self) -> None:
        self.key = ""  # by which a browser finds it again, and which nobody can guess; "": none does
        self.view = secrets.token_urlsafe(16)  # by which a teacher looks at its picture, and which opens nothing else
        self.name = ""  # of a pupil, for the class; as `written_name` writes it
        self.link = ""  # that says where to start, by which the page was opened last
        self.started_by = ""  # the same, when the last run was begun
        self.pages: set[str] = set()  # gradio's names of those that show it
        self.left_since = time.monotonic()  # when the last page was closed
        self.steering = Steering()
        self.job: Job | None = None  # that paints, or did
        self.channel: Channel | None = None  # of the job
        self.settled: dict[str, Update] = {}  # what the stage shows when nothing goes on, by name
        self.passing: dict[str, Update] = {}  # what it shows instead while a job goes on or waits
        self.settling = threading.Lock()  # held by who ends a job, or says how long it waits
        self.toasts: list[Toast] = []  # to be told
        self.placed: dict[str, Path | None] = {}  # pictures that were put into fields since the last run, by name
        self.running = False
        self.given_up = False  # the last run, for want of memory
        self.laid_away: int | None = None  # steps that remain to the last run, which is on disk alone; None: it is not
        self.run: Run | None = None  # the last, which may go on
        self.config: StyleTransferConfig | None = None  # of the last run, as it was begun
        self.noted: StyleTransferConfig | None = None  # what the controls showed last; None: a preset's
        self.leant: deque[float] = deque(maxlen=64)  # β that a hand's handle asked for lately
        self.reflected: tuple[float, float] | None = None  # β and its preset's own, for which the handle was set last
        self.folder: Path | None = None  # in which that is kept
        self.cut_off = False  # it was at work when the server was killed
        self.base: StyleTransferConfig | None = None  # for what the controls do not show; None: the preset's
        self.uploads = Uploads()  # of the last run, as files
        self.timelapse = Timelapse()
        self.losses = LossHistory()
        self.results = Results()
        self.rests_since = 0.0  # monotonic seconds

    @property
    def busy(self) -> bool:
        """Whether a job paints for it, or waits for its turn."""
        return self.channel is not None and not self.channel.done

    @property
    def holds_anything(self) -> bool:
        """Whether there is something that a browser which comes again would miss."""
        return bool(self.results.kept or self.run or self.noted or any(self.placed.values()))

    @classmethod
    def of_browser(cls, key: str, fresh: "Session", request: gr.Request) -> "Session":
        """Find a browser's session by its key, or give it a fresh one, with a key; the page that asks shows it then."""
        found = cls.known.get(key)
        if found is None:
            found = fresh
            found.key = found.key or secrets.token_urlsafe(24)
            cls.known[found.key] = found
        found.enter(request)
        return found

    def enter(self, request: gr.Request) -> None:
        """Become the state of the page that asks."""
        super().enter(request)
        self.pages.add(name_of(request))

    @classmethod
    def leave_page(cls, page: Leaving) -> None:
        """Note that a page was closed."""
        session = cls.open.pop(page.session_hash, None)
        if session is not None:
            session.pages.discard(page.session_hash)
            if not session.pages:
                session.leave()

    def leave(self) -> None:
        """Begin to count how long no page has shown it."""
        self.left_since = time.monotonic()

    @classmethod
    def tidy(cls) -> None:
        """Pause what nobody has looked at for the time of grace; free the memory of what was not for long.

        The disk has what goes on. Sessions in which there is nothing are forgotten at once.
        """
        now, allowed = time.monotonic(), limits()
        left = sorted((item for item in cls.known.items() if not item[1].pages), key=lambda item: -item[1].left_since)
        for number, (key, session) in enumerate(left):
            away = now - max(session.left_since, session.channel.asked if session.channel else 0)
            if session.busy and session.job and away > allowed.grace:
                session.job.stop(f"Nobody looked at it for {duration(allowed.grace)}: it was paused. Continue goes on.")
                continue
            is_old = away > allowed.kept or number >= allowed.sessions
            if not session.busy and (is_old or not session.holds_anything):
                if session.run:
                    session.run.close()
                del cls.known[key]

    def take(self, config: StyleTransferConfig) -> Updates:
        """Make a config the page's: what preset menu, its words and every control show; what none shows is kept."""
        self.base = self.noted = config
        about = preset_text(preset_of(config), config.backbone)
        return {"preset": show_preset_of(config), "about": about, **controls_of(config)}

    def drop_run(self) -> None:
        """Free what the last run holds, in memory and on disk."""
        if self.run:
            self.run.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.run = self.folder = self.laid_away = None
        release_freed_memory()

    def lay_away(self) -> bool:
        """Free what the last run holds in memory, if it is on disk, from where it can go on; whether it is."""
        if self.run is None or self.folder is None or not self.run.rests:
            return False
        self.laid_away = self.run.remaining
        self.run.close()
        self.run = None
        release_freed_memory()
        return True


def give_up_oldest() -> bool:
    """Free what the painting that rests for longest holds; whether there was one. On the device's thread.

    One that is on disk goes on from there; another cannot any more.
    """
    sessions = {*Session.open.values(), *Session.known.values()}
    resting = [session for session in sessions if session.run and not session.running]
    oldest = min(resting, key=lambda session: session.rests_since, default=None)
    if oldest is None:
        return False
    if not oldest.lay_away():
        oldest.drop_run()
        oldest.given_up = True
    return True


def make_room() -> None:
    """Give up paintings that rest, while memory is short. On the device's thread."""
    while available_memory() < SHORT_SHARE * total_memory() and give_up_oldest():
        pass
