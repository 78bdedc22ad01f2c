"""Runs all that computes on one thread a device, which shares its time among jobs in steps."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar, runtime_checkable

from nst_core.cores import Team
from nst_core.devices import choose_on_this_thread

Given = ParamSpec("Given")
Result = TypeVar("Result")
Steps = Generator[Any, None, Result]  # what they yield is of no matter

HEAD_START = 0.5  # seconds of computing by which a newcomer is before those who have had least
MOST_HURRIED = 2.0  # seconds by which a job may be ahead of others because it was hurried
MOST_UNSEEN = 5.0  # seconds of computing that a job may have before others because nothing of it was seen yet
QUICK_SECONDS = 0.5  # that quick work may go on while a job waits for its next step
AWAY_SECONDS = 2.0  # without a step, after which a job is owed nothing for it


@runtime_checkable
class Preparing(Protocol):
    """An iterator that has something to do before its next, in parts, such as a painting's Run."""

    def prepare(self) -> float | None:
        """Do a part of it: the share that is done; None where there is nothing to do."""


@dataclass(eq=False)
class Account:
    """Counts what a device computed for one job, by which it has its turns. May be used from any thread.

    Attributes:
        seconds: of computing, or of waiting for what is computed elsewhere.
        had: the same, but as much at least as others had who are as far; turns go by it.
        hurried: what it computes next, to its end, comes before all that other jobs compute.
        unseen: somebody waits for the first of it, which comes before all of those who have something to see.
    """

    seconds: float = 0.0
    had: float = 0.0
    hurried: bool = False
    unseen: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _waits: int = field(default=0, init=False, repr=False)  # that go on
    _counted: float = field(default=0.0, init=False, repr=False)  # until when they are counted; perf_counter's seconds

    def computed(self, seconds: float) -> None:
        """Count what a device computed."""
        with self._lock:
            self.seconds += seconds
            self.had += seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time until this ends; once, where several threads wait at a time."""
        self._count_waits(1)
        try:
            yield
        finally:
            self._count_waits(-1)

    def _count_waits(self, more: int) -> None:
        with self._lock:
            now = time.perf_counter()
            if self._waits:
                self.seconds += now - self._counted
            self._counted = now
            self._waits += more


# Of the job in whose name something is computed; None: it is quick, such as a camera's frame.
ACCOUNT: ContextVar[Account | None] = ContextVar("account", default=None)


@dataclass(eq=False)
class _Work:
    """Something to compute, of which a step comes next."""

    future: Future[Any]
    steps: Steps[Any]
    context: Context = field(default_factory=copy_context)
    hurried: bool = False  # its job was, when its turn came

    @property
    def account(self) -> Account | None:
        return self.context.get(ACCOUNT)


class DeviceThread(Executor):
    """Calls one thing after another, all on the same thread, and shares its time fairly.

    What is called finds the context of who handed it over, by which a toast finds its page, and the job's account.

    Long work comes as a generator: after each of its steps another may have its turn. Work without an account is quick
    and has the next turn, in the order in which it came, unless it has kept a job waiting for QUICK_SECONDS. Among jobs
    one is first of which nothing was seen yet, and of those the one that is nearest to it, so that a class sees its
    first pictures one after the other rather than all at the end. Then it is the one that had least: those that begin
    together grow together, and who comes later catches up with nobody, but has a head start.

    Args:
        name: of the thread.
        device: as of Compute, that is chosen on it; None: as everywhere.
    """

    def __init__(self, name: str, device: str | None = None):
        self.device = device
        self._changed = threading.Condition()
        self._waiting: list[_Work] = []
        self._seen: dict[Account, float] = {}  # when each job last had something to compute; monotonic seconds
        self._job_stepped = 0.0  # when a job last had a step, or none waited; monotonic seconds
        # a daemon, so that a step that takes long does not hold up a program that ends
        threading.Thread(target=self._compute, name=name, daemon=True).start()

    def submit(self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        """Call a function in its turn, as one step."""
        return self.run_steps(_single(function, *args, **kwargs))

    def next_of(self, steps: Iterator[Result]) -> Result | None:
        """Wait for what an iterator yields next, computed in its turn, as one step; None at its end.

        What one that is Preparing does before is computed in turns of its own.
        """
        return self.run_steps(_next_of(steps)).result()

    def run_steps(self, steps: Steps[Result]) -> Future[Result]:
        """Go through a generator in turns with others; its return value is the result, what it yields is dropped."""
        future: Future[Result] = Future()
        self._put(_Work(future, steps))
        return future

    def _put(self, work: _Work) -> None:
        with self._changed:
            if work.account:
                self._take_up(work.account)
            self._waiting.append(work)
            self._changed.notify()

    def _take_up(self, account: Account) -> None:
        """Give a job that is new here, or was away, no more than a head start before those that are at work."""
        now = time.monotonic()
        self._seen = {one: seen for one, seen in self._seen.items() if now - seen < AWAY_SECONDS}
        if account not in self._seen and self._seen:
            account.had = max(account.had, min(one.had for one in self._seen) - HEAD_START)
        self._seen[account] = now

    def _compute(self) -> None:
        if self.device:
            choose_on_this_thread(self.device)
        team = Team()
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                work = self._next()
                self._waiting.remove(work)
            self._step(work)
            team.look()

    def _next(self) -> _Work:
        """Choose whose turn it is."""
        quick = next((work for work in self._waiting if work.account is None), None)
        jobs = [(work.account, number, work) for number, work in enumerate(self._waiting) if work.account]
        now = time.monotonic()
        if not jobs:
            self._job_stepped = now
        if quick and now - self._job_stepped < QUICK_SECONDS or not jobs:
            return quick or self._waiting[0]
        self._job_stepped = now
        least = min(account.had for account, *_ in jobs)
        account, _, work = min(jobs, key=lambda job: (*_rank(job[0], least), job[1]))
        work.hurried, account.hurried = account.hurried, False
        return work

    def _step(self, work: _Work) -> None:
        future, account = work.future, work.account
        if not future.running() and not future.set_running_or_notify_cancel():
            return
        began = time.perf_counter()
        try:
            work.context.run(next, work.steps)
        except StopIteration as end:
            _count(account, began)
            future.set_result(end.value)
        except BaseException as error:  # whatever it is, it is the caller's
            _count(account, began)
            future.set_exception(error)
        else:  # but a part, after which all of it is as urgent
            _count(account, began)
            if account and work.hurried:
                account.hurried = True
            self._put(work)


def _rank(account: Account, least: float) -> tuple[int, float]:
    """Tell how soon a job has its turn, the lowest first, where others had that much at least."""
    if account.hurried and account.had - least < MOST_HURRIED:
        return 0, account.had
    if account.unseen and account.seconds < MOST_UNSEEN:
        return 1, -account.seconds
    return 2, account.had


def _count(account: Account | None, began: float) -> None:
    if account:
        account.computed(time.perf_counter() - began)


def _single(function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Steps[Result]:
    return function(*args, **kwargs)
    yield


def _next_of(steps: Iterator[Result]) -> Steps[Result | None]:
    while isinstance(steps, Preparing) and steps.prepare() is not None:
        yield
    return next(steps, None)
