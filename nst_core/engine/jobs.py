"""Runs jobs that belong to the server: they wait for their turn and go on to their end, whoever watches."""

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from nst_core.devices import release_freed_memory
from nst_core.engine.device_thread import ACCOUNT, Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.lane import DEVICE_LANE, MOST_AT_WORK, Client, Lane
from nst_core.engine.limits import limits
from nst_core.errors import DeviceError, NSTError, OutputError
from nst_core.transfer.steering import Steering

# A job at work holds one of these threads, and one that closes another for a moment.
HANDS = ThreadPoolExecutor(max_workers=MOST_AT_WORK + 16, thread_name_prefix="job")
LEFT_QUEUE = "Left the queue."

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
        when_ended: called at its end, whatever that was.

    Attributes:
        moment: the newest.
        error: what ended it, in words; None: nothing did.
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
        when_ended: Callable[["Job"], None] = lambda job: None,
    ):
        self.steering, self.lane = steering, lane
        self.moment: Any = None
        self.error: NSTError | None = None
        self.account = Account()
        self._work, self._when_ended = work, when_ended
        self._ended = threading.Event()
        self._begun = threading.Lock()  # taken by who begins it, or takes it out of the queue
        self._entered = threading.Event()
        self.place = lane.enter(client, limits(), lambda: HANDS.submit(self._go))
        self._entered.set()

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

    def stop(self) -> None:
        """End it after the step at hand, or take it out of the queue."""
        self.steering.stop.set()
        self.hurry()
        if not self.place.at_work and self._begun.acquire(blocking=False):
            self.error = TurnMissed(LEFT_QUEUE)
            self._end()

    def _go(self) -> None:
        self._entered.wait()
        if not self._begun.acquire(blocking=False):
            return
        ACCOUNT.set(self.account)
        try:
            with failing_in_words(), DEVICES.open(self.account):
                for moment in self._work(self):
                    self.moment = moment
        except NSTError as error:
            self.error = error
        finally:
            ACCOUNT.set(None)
            release_freed_memory()
            self._end()

    def _end(self) -> None:
        self.lane.leave(self.place, None if self.error else self.account.seconds)
        self._ended.set()
        try:
            self._when_ended(self)
        except Exception:
            log.exception("the end of a job could not be told")


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
