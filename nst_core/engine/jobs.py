"""Runs jobs that belong to the server: they wait for their turn and go on to their end, whoever watches."""

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any
from weakref import WeakSet

from nst_core.devices import release_freed_memory
from nst_core.engine.device_thread import Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.lane import DEVICE_LANE, MOST_AT_WORK, Client, Lane
from nst_core.engine.limits import limits
from nst_core.errors import DeviceError, NSTError, OutputError
from nst_core.transfer.steering import Steering

# A job at work holds one of these threads, and one that closes another for a moment.
HANDS = ThreadPoolExecutor(max_workers=MOST_AT_WORK + 16, thread_name_prefix="job")
WAITING_SECONDS = 1.0  # from one time that a job which waits is told to the next
LEFT_QUEUE = "Left the queue."
JOBS: WeakSet["Job"] = WeakSet()  # that are not over, and some that are

log = logging.getLogger(__name__)


class TurnMissed(NSTError):
    """A job was stopped while it waited."""


class Job:
    """Work that goes on without anybody who waits for it.

    Args:
        work: begins the job, given the job itself; what it yields are its moments, of which the newest is kept.
        client: who asked for it.
        steering: stops it.
        lane: where it waits.
        when_waiting: called every second while it waits for its turn.
        when_ended: called at its end, whatever that was.

    Attributes:
        moment: the newest.
        error: what ended it, in words; None: nothing did.
        why: it was stopped by nobody who watches, in words; "": it was not.
        account: of what devices computed for it, once it is at work.

    Raises:
        BusyError: no place for it.
    """

    def __init__(
        self,
        work: Callable[["Job"], Iterator[Any]],
        client: Client,
        steering: Steering,
        *,
        lane: Lane = DEVICE_LANE,
        when_waiting: Callable[["Job"], None] = lambda job: None,
        when_ended: Callable[["Job"], None] = lambda job: None,
    ):
        self.steering, self.lane, self.why = steering, lane, ""
        self.moment: Any = None
        self.error: NSTError | None = None
        self.account = Account(unseen=True)
        self._work, self.when_waiting, self._when_ended = work, when_waiting, when_ended
        self._context = copy_context()  # of who asked: another's job may end, and its thread begin this one
        self._ended = threading.Event()
        self._begun = threading.Lock()  # taken by who begins it, or takes it out of the queue
        self._entered = threading.Event()
        self.place = lane.enter(client, limits(), self._come_to_work)
        self._entered.set()
        JOBS.add(self)
        if not self.place.at_work:
            _TELLER.wake()

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended.is_set()

    @property
    def at_work(self) -> bool:
        """Whether its turn has come, and it is not over."""
        return self.place.at_work and not self.ended

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end, so many seconds at most; whether it is over."""
        return self._ended.wait(seconds)

    def hurry(self) -> None:
        """Let the next step come before those of other jobs, as somebody's hand is on it."""
        self.account.hurried = True

    def is_seen(self) -> None:
        """Let it have its turns as others do from here on, as there is something of it to see."""
        self.account.unseen = False

    def stop(self, why: str = "") -> None:
        """End it after the step at hand, or take it out of the queue.

        Args:
            why: in words, for who did not do it.
        """
        self.why = self.why or why
        self.steering.stop.set()
        self.hurry()
        if not self.place.at_work and self._begun.acquire(blocking=False):
            self.error = TurnMissed(self.why or LEFT_QUEUE)
            self._end()

    def _come_to_work(self) -> None:
        HANDS.submit(self._context.run, self._go)

    def _go(self) -> None:
        self._entered.wait()
        if not self._begun.acquire(blocking=False):
            return
        try:
            with failing_in_words(), DEVICES.own_job(self.account):
                for moment in self._work(self):
                    self.moment = moment
        except NSTError as error:
            self.error = error
        finally:
            release_freed_memory()
            self._end()

    def _end(self) -> None:
        self.lane.leave(self.place, None if self.error else self.account.seconds)
        try:
            self._when_ended(self)
        except Exception:
            log.exception("the end of a job could not be told")
        self._ended.set()


class _Teller:
    """Tells jobs that wait, every second, on a thread of its own that is there while any does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._tell, name="who waits", daemon=True)
                self._thread.start()

    def _tell(self) -> None:
        while True:
            waiting = [job for job in list(JOBS) if not job.place.at_work and not job.ended]
            with self._lock:
                if not waiting:
                    self._thread = None
                    return
            for job in waiting:
                try:
                    job.when_waiting(job)
                except Exception:
                    log.exception("a job that waits could not be told")
            time.sleep(WAITING_SECONDS)


_TELLER = _Teller()


def stop_all(lane: Lane, why: str) -> None:
    """Stop every job of a lane, a page's own too, and say why."""
    lane.end_all(why)
    for job in list(JOBS):
        if job.lane is lane and not job.ended:
            job.stop(why)


def stop_long_ones(seconds: float) -> None:
    """Stop jobs that have been at work for so many seconds while others wait; what they made is kept."""
    for job in list(JOBS):
        began = job.place.began
        if not job.ended and began is not None and time.monotonic() - began > seconds and job.lane.waiting:
            job.stop(too_long(seconds))


def too_long(seconds: float) -> str:
    """Say why a job ended that went on while others waited."""
    return f"Others wait for this computer: a job ends after {seconds:.0f} s then. What is made is kept."


@contextmanager
def failing_in_words() -> Iterator[None]:
    """Surround what may fail; whatever it raises becomes an NSTError."""
    try:
        yield
    except NSTError:
        raise
    except Exception as error:
        raise excuse(error) from None


def excuse(error: Exception) -> NSTError:
    """Turn a fault of this program into words for who uses it; the log has the whole of it."""
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return DeviceError("this takes more memory than there is; choose a smaller size, or smaller pictures")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", -1), errno.EROFS):
        return OutputError("the disk of this computer is full, or takes no files; make room there, and try again")
    log.error("a job failed", exc_info=error)
    return NSTError("something went wrong in this program; what was made before is kept. Try it again")
