"""Paints a batch on all devices of this computer; begun again, it goes on where it was."""

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from nst_core.batch.report import Result, add_to_report, begin_report, write_report
from nst_core.batch.tasks import AWay, Task
from nst_core.batch.ways import Paint
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import Job, failing_in_words
from nst_core.engine.lane import Client, Lane
from nst_core.errors import ConfigError, DeviceError, ImageError
from nst_core.interrupts import held
from nst_core.transfer.steering import Steering

# For which a task fails; after others, such as a full disk or weights that are not there, the next would fail, too.
UNFIT = (ImageError, ConfigError, DeviceError)
LOOK_SECONDS = 0.5  # at most, until the end of all work is noticed


@dataclass(frozen=True)
class BatchProgress:
    """Tells how far a batch is.

    Attributes:
        done: tasks that are made, kept or failed.
        total: of all.
        result: of the task that was done last; None while there is none, or where only `share` is new.
        kept: paintings that were there before.
        failed: tasks that could not be painted.
        share: done of those at work, in tasks.
    """

    done: int
    total: int
    result: Result | None = None
    kept: int = 0
    failed: int = 0
    share: float = 0.0


def paint_batch(
    tasks: Sequence[Task[AWay]], output: Path, paint: Paint[AWay]
) -> Generator[BatchProgress, None, list[Result]]:
    """Paint every task whose file is not there, as many at a time as there are devices, and report on all.

    Whatever ends it, each file in the output is a whole painting, and the same batch goes on from there. What cannot be
    painted is told in the report, `report.REPORT`, and the others go on. Closing the generator stops it.

    Args:
        tasks: what is painted.
        output: the folder for it; need not exist.
        paint: how a task is painted.

    Yields:
        the progress, at least once a task.

    Returns:
        what became of each, in the order of the tasks.

    Raises:
        OutputError: the output cannot be written.
        WeightsError: a network's are missing.
    """
    begin_report(output)
    work = _Work(tasks, output, paint)
    lane = Lane(len(DEVICES.threads))
    jobs = [Job(lambda job: work.share(job.steering), Client(), Steering(), lane=lane) for _ in range(lane.workers)]
    try:
        yield BatchProgress(0, len(tasks))
        yield from work.progress(jobs)
    finally:
        with held():
            for job in jobs:
                job.stop()
            for job in jobs:
                job.wait()
            for _ in work.progress(jobs):  # what was painted and not told yet
                pass
    if errors := [job.error for job in jobs if job.error]:
        raise errors[0]
    return work.tally.written()


def paint_in_job(
    tasks: Sequence[Task[AWay]], output: Path, paint: Paint[AWay], steering: Steering
) -> Generator[BatchProgress, None, list[Result]]:
    """Paint as `paint_batch`, but within the job at hand, on its device alone: one task after the other.

    Args:
        tasks, output, paint: as of `paint_batch`.
        steering: its stop ends the batch after the step at hand.

    Yields:
        the progress, as `paint_batch`.

    Returns:
        what became of each task that was come to, in their order.

    Raises:
        OutputError, WeightsError: as `paint_batch`.
    """
    begin_report(output)
    work = _Work(tasks, output, paint)
    yield BatchProgress(0, len(tasks))
    for _ in work.share(steering):
        yield from work.told()
    yield from work.told()
    return work.tally.written(work.tally.done)


class Tally(Generic[AWay]):
    """Counts what became of a batch's tasks, and writes the report's lines.

    Attributes:
        failures: file -> reason.
        done: how many came to an end, one way or the other.
    """

    def __init__(self, tasks: Sequence[Task[AWay]], output: Path):
        self.tasks, self.output = tasks, output
        self.failures: dict[str, str] = {}
        self.done = self._kept = 0
        self._at_work: dict[str, float] = {}  # file -> share of it that is done

    def noted(self, task: Task[AWay], told: float | Result, was_there: bool = False) -> BatchProgress:
        """Note the share of a task that is done, or its result; how far all are then."""
        if isinstance(told, float):
            self._at_work[task.file] = told
            result = None
        else:
            result = told
            self._at_work.pop(task.file, None)
            self.done, self._kept = self.done + 1, self._kept + was_there
            if result.reason:
                self.failures[task.file] = result.reason
            add_to_report(self.output, result)
        share = sum(self._at_work.values())
        return BatchProgress(self.done, len(self.tasks), result, self._kept, len(self.failures), share)

    def written(self, count: int | None = None) -> list[Result]:
        """Write the report of the first so many tasks whole, by default of all; what became of each."""
        results = [Result(task, self.failures.get(task.file, "")) for task in self.tasks[:count]]
        write_report(self.output, results)
        return results


class _Work(Generic[AWay]):
    """The tasks, which several devices take one after the other."""

    def __init__(self, tasks: Sequence[Task[AWay]], output: Path, paint: Paint[AWay]):
        self.output, self.paint, self.tally = output, paint, Tally(tasks, output)
        self._left = iter(tasks)
        self._taking = threading.Lock()
        self._told: queue.SimpleQueue[tuple[Task[AWay], float | Result, bool]] = queue.SimpleQueue()

    def _tasks(self, steering: Steering) -> Iterator[Task[AWay]]:
        while not steering.stop.is_set():
            with self._taking:
                task = next(self._left, None)
            if task is None:
                return
            yield task

    def share(self, steering: Steering) -> Iterator[None]:
        """Paint on the device of the job at hand until no task is left, or it is stopped."""
        for task in self._tasks(steering):
            path = self.output / task.file
            if path.is_file():
                self._told.put((task, Result(task), True))
                yield
                continue
            try:
                with failing_in_words(), DEVICES.stepped(self.paint(task, path)) as strokes:
                    for share in strokes:
                        if steering.stop.is_set() and not path.is_file():
                            return
                        self._told.put((task, share, False))
                        yield
            except UNFIT as error:
                self._told.put((task, Result(task, str(error)), False))
            else:
                self._told.put((task, Result(task), False))
            yield

    def progress(self, jobs: Sequence[Job]) -> Iterator[BatchProgress]:
        """Tell how far all are, and report each result, until the jobs have ended; once more, it goes on."""
        while True:
            ended = all(job.ended for job in jobs)  # before it is looked whether they told something
            try:
                task, told, was_there = self._told.get(timeout=0 if ended else LOOK_SECONDS)
            except queue.Empty:
                if ended:
                    return
                continue
            yield self.tally.noted(task, told, was_there)

    def told(self) -> Iterator[BatchProgress]:
        """Tell what was told since, and report it."""
        while not self._told.empty():
            yield self.tally.noted(*self._told.get())
