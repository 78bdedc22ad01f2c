"""Keeps the queue of jobs: who is at work and who waits, in the order in which they came; nobody takes all places."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nst_core.engine.limits import Limits
from nst_core.errors import BusyError

MOST_AT_WORK = 48  # jobs that share the devices
USUAL_SECONDS = 20.0  # of computing, before any job has ended
NEW_SHARE = 0.2  # of the last job in what is usual


class Client(NamedTuple):
    """Names who asks for a job; empty where it is not asked for through the network."""

    session: str = ""  # gradio's name of a page, or of a program
    event: str = ""  # gradio's name of the job
    address: str = ""


class Place:
    """A job's place: in the queue, then at work.

    Attributes:
        client: who asked for the job.
        began: at work since; monotonic seconds. None: it waits.
        left: seconds of computing that remain to it, were it alone; None: not known yet.
        held: bytes that it holds between two steps.
        end_why: it is to end, and why, in words; "": it is not.
    """

    def __init__(self, client: Client, when_at_work: Callable[[], None] | None = None):
        self.client, self.when_at_work = client, when_at_work
        self.began: float | None = None
        self.left: float | None = None
        self.held = 0.0
        self.end_why = ""

    @property
    def at_work(self) -> bool:
        """Whether its turn has come."""
        return self.began is not None


class Lane:
    """A queue before something that only some jobs may use at a time. May be used from any thread.

    Args:
        workers: how many jobs may be at work.
        quick: whether jobs take a moment each, and go before others.
    """

    def __init__(self, workers: int = 1, *, quick: bool = False):
        self.workers, self.quick = workers, quick
        self.closing = ""  # why nobody may enter any more, in words; "": all may
        self.usual_seconds = USUAL_SECONDS  # of computing, that the jobs took which ended last
        self._lock = threading.RLock()
        self._places: list[Place] = []  # at work and waiting, in the order in which they came
        self._at_work_of_session = 1.0

    def enter(self, client: Client, limits: Limits, when_at_work: Callable[[], None] | None = None) -> Place:
        """Take the last place.

        Args:
            client: who asks.
            limits: in force.
            when_at_work: called once when the turn has come, which may be at once; it must not wait.

        Raises:
            BusyError: there is no place, or this client has its share of them.
        """
        with self._lock:
            self._check_room(client, limits)
            self._at_work_of_session = limits.at_work_of_session
            place = Place(client, when_at_work)
            self._places.append(place)
            self._move_up()
            return place

    def _check_room(self, client: Client, limits: Limits) -> None:
        if self.closing:
            raise BusyError(self.closing)
        of_session = sum(place.client.session == client.session != "" for place in self._places)
        of_address = sum(place.client.address == client.address != "" for place in self._places)
        if of_session >= limits.at_work_of_session + limits.waiting_of_session:
            raise BusyError(f"of this page {_wait(of_session)} already; let one end, or stop it")
        if of_address >= limits.jobs_of_address:
            raise BusyError(f"from your address {_wait(of_address)} already; try again when some of them are done")
        if len(self._places) >= limits.jobs:
            raise BusyError(f"{_wait(len(self._places))} for this computer, more it does not take; try again later")

    def leave(self, place: Place, seconds: float | None = None) -> None:
        """Give the place up; once more does no harm.

        Args:
            place: of the job.
            seconds: of computing that it took, if it came to its end.
        """
        with self._lock:
            if place in self._places:
                self._places.remove(place)
                if seconds is not None:
                    self.usual_seconds += NEW_SHARE * (seconds - self.usual_seconds)
                self._move_up()

    def end_all(self, why: str) -> None:
        """Ask whoever goes through the jobs that are here to end them, and to say why."""
        with self._lock:
            for place in self._places:
                place.end_why = place.end_why or why

    def hold(self, place: Place, needed: float, budget: float) -> bool:
        """Hold memory, if there is room for it beside what the others hold that are at work.

        Who came before and waits for room has it first. A job alone is not refused, as it is asked elsewhere whether it
        fits.

        Args:
            place: of the job.
            needed: bytes, between two steps.
            budget: bytes that there are for all.

        Returns:
            whether there was room; else ask again.
        """
        with self._lock:
            others = [one for one in self._places if one.at_work and one is not place]
            earlier = self._places[: self._places.index(place)] if place in self._places else []
            fits = not others or sum(one.held for one in others) + needed <= budget
            if fits and not any(one.at_work and not one.held for one in earlier):
                place.held = needed
            return place.held > 0

    def seconds_before(self, place: Place) -> float:
        """Estimate the seconds until a job that waits comes to work, if nobody comes or leaves.

        Jobs at work share the time equally; of one whose rest is not known, it is what jobs take usually.
        """
        with self._lock:
            at_work = [self._rest(one) for one in self._places if one.at_work and one is not place]
            before = [one for one in self._places[: self._places.index(place)] if not one.at_work]
        return seconds_until_free(at_work, [self._rest(one) for one in before], self.workers)

    def _rest(self, place: Place) -> float:
        return self.usual_seconds if place.left is None else place.left

    def _move_up(self) -> None:
        for place in self._places:
            is_free = sum(one.at_work for one in self._places) < self.workers
            may_begin = not place.at_work and not self._has_its_share(place) and not (self.closing or place.end_why)
            if is_free and may_begin:
                place.began = time.monotonic()
                if place.when_at_work:
                    place.when_at_work()

    def _has_its_share(self, place: Place) -> bool:
        """Whether as many jobs of the same page are at work as may be."""
        session = place.client.session
        of_session = sum(one.at_work and one.client.session == session for one in self._places) if session else 0
        return of_session >= self._at_work_of_session

    def before(self, place: Place) -> int:
        """Count the jobs that wait or are at work and came before."""
        with self._lock:
            return self._places.index(place) if place in self._places else 0

    @property
    def waiting(self) -> int:
        """Count the jobs that wait for others to end, rather than for one of the same page."""
        with self._lock:
            return sum(not place.at_work and not self._has_its_share(place) for place in self._places)

    @property
    def taken(self) -> int:
        """Count the jobs that wait or are at work."""
        return len(self._places)


def _wait(jobs: int) -> str:
    return "1 job waits" if jobs == 1 else f"{jobs} jobs wait"


def seconds_until_free(at_work: Sequence[float], before: Sequence[float], places: int) -> float:
    """Compute when a place becomes free for who waits behind others, as all at work share the time equally.

    Args:
        at_work: seconds of computing that remain to each job at work, were it alone.
        before: the same of those who wait and come first, in their order.
        places: how many may be at work.
    """
    left, waiting, seconds = sorted(at_work), list(before), 0.0
    while len(left) >= places or waiting:
        if len(left) < places:
            left = sorted([*left, waiting.pop(0)])
            continue
        first, *rest = left
        seconds += first * len(left)
        left = [one - first for one in rest]
    return seconds


DEVICE_LANE = Lane(MOST_AT_WORK)  # of jobs that compute for long: paintings, sheets, figures, videos, trainings
PASS_LANE = Lane(2, quick=True)  # of single pictures painted in one pass, which take turns with a job on the device
