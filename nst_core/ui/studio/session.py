"""Holds one open page's painting, and frees paintings that rest when memory is short."""

import shutil
from pathlib import Path

from nst_core.devices import release_freed_memory
from nst_core.host_memory import available_memory, total_memory
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.run import Run
from nst_core.transfer.steering import Steering
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.page.form import Updates
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.controls_and_config import controls_of, preset_of, preset_text
from nst_core.ui.studio.results import Results
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.widgets.loss_chart import LossHistory

SHORT_SHARE = 1 / 8  # of the memory; with less available, it is short


class Session(PageState):
    """Holds one open page's last run, and what may change while that goes on."""

    def __init__(self) -> None:
        self.steering = Steering()
        self.running = False
        self.left = False  # the page was closed
        self.given_up = False  # the last run, for want of memory
        self.run: Run | None = None  # the last, which may go on
        self.kept: Path | None = None  # the folder in which it is kept while it rests
        self.base: StyleTransferConfig | None = None  # for what the controls do not show; None: the preset's
        self.uploads = Uploads()  # of the last run, as files
        self.timelapse = Timelapse()
        self.losses = LossHistory()
        self.results = Results()
        self.rests_since = 0.0  # monotonic seconds

    def take(self, config: StyleTransferConfig) -> Updates:
        """Make a config the page's: what preset menu, its words and every control show; what none shows is kept."""
        self.base, preset = config, preset_of(config)
        return {"preset": preset, "about": preset_text(preset, config.backbone), **controls_of(config)}

    def leave(self) -> None:
        """End the run of a page that was closed after its present step, and free it."""
        self.left = True
        self.steering.stop.set()
        if not self.running:
            self.drop_run()

    def drop_run(self) -> None:
        """Free what the last run holds, in memory and on disk."""
        if self.run:
            self.run.close()
        if self.kept:
            shutil.rmtree(self.kept, ignore_errors=True)
        self.run = self.kept = None
        release_freed_memory()


def give_up_oldest() -> bool:
    """Free what the painting that rests for longest needs to go on; whether there was one. On the device's thread."""
    resting = [session for session in Session.open.values() if session.run and not session.running]
    oldest = min(resting, key=lambda session: session.rests_since, default=None)
    if oldest is None:
        return False
    oldest.drop_run()
    oldest.given_up = True
    return True


def make_room() -> None:
    """Give up paintings that rest, while memory is short. On the device's thread."""
    while available_memory() < SHORT_SHARE * total_memory() and give_up_oldest():
        pass
