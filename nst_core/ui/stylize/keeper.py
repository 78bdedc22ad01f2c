"""Keeps a painting on disk while it goes on, and when it ends, so that it can be gone on with whatever happens."""

import time

from nst_core.devices import release_freed_memory
from nst_core.engine.begin import resume
from nst_core.engine.devices import DEVICES
from nst_core.errors import NSTError
from nst_core.transfer.run import Run
from nst_core.ui.page.downloads import new_file
from nst_core.ui.studio.keeping import RUN, folder_of, keep_session
from nst_core.ui.studio.session import Session, make_room

KEEP_SECONDS = 4.0  # from one time that it is kept to the next, at least
MOST_SHARE = 0.05  # of the time, that keeping may take


class Keeper:
    """Keeps a browser's painting every few seconds; without a key, never.

    Attributes:
        note: what a person should know of it, mostly "".
    """

    def __init__(self, session: Session, run: Run):
        self.session, self.run, self.note = session, run, ""
        self._next = time.monotonic() + KEEP_SECONDS

    def look(self) -> None:
        """Keep the painting as it is now, if it is time; where that fails it goes on all the same."""
        session, now = self.session, time.monotonic()
        if not session.key or now < self._next:
            return
        try:
            session.folder = folder_of(session.key) / RUN
            DEVICES.submit(self.run.keep, session.folder).result()
            keep_session(session, running=True)
            self.note = ""
        except NSTError as error:
            self.note = f"not kept for a restart: {error}"
        took = time.monotonic() - now
        self._next = time.monotonic() + max(KEEP_SECONDS, took / MOST_SHARE)


def fetch_run(session: Session) -> Run | None:
    """Give the last run, read again from disk where that alone has it; None where there is none.

    Raises:
        NSTError: what is on disk is gone or damaged.
    """
    if session.laid_away is not None and session.folder is not None:
        session.run = resume(session.folder, session.steering)
        session.laid_away = None
    return session.run


def rest(session: Session) -> None:
    """Keep on disk what a painting that ended needs to go on with, where there is room; older ones give way to newer.

    On the device's thread.
    """
    session.rests_since = time.monotonic()
    if session.run and not session.running:
        try:
            own = folder_of(session.key) / RUN if session.key else None
            session.folder = session.folder or own or new_file("to-go-on-with")
            session.run.rest(session.folder)
            keep_session(session, running=False)
        except NSTError:  # it stays in memory
            pass
        release_freed_memory()
    make_room()
