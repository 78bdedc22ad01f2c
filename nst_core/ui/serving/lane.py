"""Keeps the queue of jobs: who computes now and who waits, in the order in which they came; nobody takes all places."""

import threading
import time
from typing import NamedTuple

from nst_core.errors import BusyError
from nst_core.ui.serving.limits import Limits


class Client(NamedTuple):
    """Names who asks for a job; empty where it is not asked for through the network."""

    session: str = ""  # gradio's name of a page, or of a program
    event: str = ""  # gradio's name of the job
    address: str = ""


class Place:
    """A job's place: in the queue, then at work."""

    def __init__(self, client: Client):
        self.client = client
        self.began: float | None = None  # at work since; monotonic seconds

    @property
    def at_work(self) -> bool:
        """Whether its turn has come."""
        return self.began is not None


class Lane:
    """A queue before something that only some jobs may use at a time. May be used from any thread.

    Args:
        workers: how many jobs may be at work.
        timed: whether a job that has been at work for long ends when others wait.
    """

    def __init__(self, workers: int = 1, *, timed: bool = True):
        self.workers, self.timed = workers, timed
        self.closing = ""  # why nobody may enter any more, in words; "": all may
        self._lock = threading.Lock()
        self._places: list[Place] = []  # at work and waiting, in the order in which they came

    def enter(self, client: Client, limits: Limits) -> Place:
        """Take the last place.

        Raises:
            BusyError: there is no place, or this client has its share of them.
        """
        with self._lock:
            self._check_room(client, limits)
            place = Place(client)
            self._places.append(place)
            self._move_up()
            return place

    def _check_room(self, client: Client, limits: Limits) -> None:
        if self.closing:
            raise BusyError(self.closing)
        of_session = sum(place.client.session == client.session != "" for place in self._places)
        of_address = sum(place.client.address == client.address != "" for place in self._places)
        if of_session >= limits.jobs_of_session:
            raise BusyError(f"of this page {_wait(of_session)} already; let one end, or stop it")
        if of_address >= limits.jobs_of_address:
            raise BusyError(f"from your address {_wait(of_address)} already; try again when some of them are done")
        if len(self._places) >= limits.jobs:
            raise BusyError(f"{_wait(len(self._places))} for this computer, more it does not take; try again later")

    def leave(self, place: Place) -> None:
        """Give the place up; once more does no harm."""
        with self._lock:
            if place in self._places:
                self._places.remove(place)
                self._move_up()

    def _move_up(self) -> None:
        at_work = sum(place.at_work for place in self._places)
        for place in self._places:
            if at_work < self.workers and not place.at_work and not self.closing:
                place.began = time.monotonic()
                at_work += 1

    def before(self, place: Place) -> int:
        """Count the jobs that wait or are at work and came before."""
        with self._lock:
            return self._places.index(place) if place in self._places else 0

    @property
    def waiting(self) -> int:
        """Count the jobs that wait."""
        with self._lock:
            return sum(not place.at_work for place in self._places)

    @property
    def taken(self) -> int:
        """Count the jobs that wait or are at work."""
        return len(self._places)


def _wait(jobs: int) -> str:
    return "1 job waits" if jobs == 1 else f"{jobs} jobs wait"


DEVICE_LANE = Lane()  # of jobs that compute for long: paintings, sheets, figures, videos, trainings
PASS_LANE = Lane(2, timed=False)  # of single pictures painted in one pass, which take turns with a job on the device
