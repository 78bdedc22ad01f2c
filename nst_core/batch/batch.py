"""Paints a batch on all devices of this computer; begun again, it goes on where it was."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from nst_core.batch.report import Result, add_to_report, begin_report, write_report
from nst_core.batch.tasks import AWay, Task
from nst_core.batch.ways import Paint, Stroke
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import Job, failing_in_words
from nst_core.engine.lane import Client, Lane
from nst_core.errors import ConfigError, DeviceError, ImageError, NoDeviceError
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
        task: whose step or result was last; None before the first.
        result: of that task, if it was done; else None.
        kept: paintings that were there before.
        failed: tasks that could not be painted.
        share: done of those at work, in tasks.
        at_work: what is painted now, in the order in which it was begun.
        note: what a person should know of the last step, with the picture's name; "": nothing.
    """

    done: int
    total: int
    task: Task | None = None
    result: Result | None = None
    kept: int = 0
    failed: int = 0
    share: float = 0.0
    at_work: tuple[Task, ...] = ()
    note: str = ""


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
        yield from work.progress(lambda: all(job.ended for job in jobs))
    finally:
        with held():
            for job in jobs:
                job.stop()
            for job in jobs:
                job.wait()
            for _ in work.told():  # what was painted and not told yet
                pass
    if errors := [job.error for job in jobs if job.error]:
        raise errors[0]
    return work.tally.written()


def paint_in_job(
    tasks: Sequence[Task[AWay]], output: Path, paint: Paint[AWay], steering: Steering, *, at_once: int = 1
) -> Generator[BatchProgress, None, list[Result]]:
    """Paint as `paint_batch`, but within the job at hand: on its device one task after the other, elsewhere several.

    Args:
        tasks, output, paint: as of `paint_batch`.
        steering: its stop ends the batch after the step at hand.
        at_once: how many tasks are painted at a time; more than one if they wait for other machines.

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
    if at_once > 1:
        yield from work.side_by_side(steering, at_once)
    else:
        for _ in work.share(steering):
            yield from work.told()
    yield from work.told()
    return work.tally.written()


class Tally(Generic[AWay]):
    """Counts what became of a batch's tasks, and writes the report's lines."""

    def __init__(self, tasks: Sequence[Task[AWay]], output: Path):
        self.tasks, self.output = tasks, output
        self._results: dict[str, Result] = {}  # by the tasks' files
        self._at_work: dict[str, tuple[Task[AWay], float]] = {}  # and the share of each that is done
        self._kept = self._failed = 0

    def noted(self, task: Task[AWay], told: Stroke | Result, was_there: bool = False) -> BatchProgress:
        """Note a stroke of a task, or its result; how far all are then."""
        result, note = None, ""
        if isinstance(told, Stroke):
            self._at_work[task.file] = task, told.share
            note = f"{task.content.name}: {told.note}" if told.note else ""
        else:
            result = self._results[task.file] = told
            self._at_work.pop(task.file, None)
            self._kept, self._failed = self._kept + was_there, self._failed + bool(result.reason)
            add_to_report(self.output, result)
        return BatchProgress(
            done=len(self._results),
            total=len(self.tasks),
            task=task,
            result=result,
            kept=self._kept,
            failed=self._failed,
            share=sum(share for _, share in self._at_work.values()),
            at_work=tuple(task for task, _ in self._at_work.values()),
            note=note,
        )

    def written(self) -> list[Result]:
        """Write the report whole, in the tasks' order; what became of each that came to an end."""
        results = [self._results[task.file] for task in self.tasks if task.file in self._results]
        write_report(self.output, results)
        return results


class _Work(Generic[AWay]):
    """The tasks, which several devices take one after the other."""

    def __init__(self, tasks: Sequence[Task[AWay]], output: Path, paint: Paint[AWay]):
        self.output, self.paint, self.tally = output, paint, Tally(tasks, output)
        self._left = iter(tasks)
        self._taking = threading.Lock()
        self._over = threading.Event()  # no task is to be begun or gone on with
        self._told: queue.SimpleQueue[tuple[Task[AWay], Stroke | Result, bool]] = queue.SimpleQueue()

    def _tasks(self, steering: Steering) -> Iterator[Task[AWay]]:
        while not self._is_stopped(steering):
            with self._taking:
                task = next(self._left, None)
            if task is None:
                return
            yield task

    def _is_stopped(self, steering: Steering) -> bool:
        return steering.stop.is_set() or self._over.is_set()

    def share(self, steering: Steering) -> Iterator[None]:
        """Paint in the name of the job at hand until no task is left, or it is stopped."""
        for task in self._tasks(steering):
            path = self.output / task.file
            if path.is_file():
                self._told.put((task, Result(task), True))
                yield
                continue
            self._told.put((task, Stroke(0.0), False))
            yield
            try:
                with failing_in_words(), DEVICES.stepped(self.paint(task, path)) as strokes:
                    for stroke in strokes:
                        if self._is_stopped(steering) and not path.is_file():
                            return
                        self._told.put((task, stroke, False))
                        yield
            except NoDeviceError:
                raise
            except UNFIT as error:
                self._told.put((task, Result(task, str(error)), False))
            else:
                self._told.put((task, Result(task), False))
            yield

    def side_by_side(self, steering: Steering, hands: int) -> Iterator[BatchProgress]:
        """Paint so many tasks at a time until none is left, it is stopped, or one of them ends all by its error."""
        with ThreadPoolExecutor(hands, thread_name_prefix="batch") as threads:
            shares = [threads.submit(copy_context().run, self._whole_share, steering) for _ in range(hands)]
            try:
                yield from self.progress(lambda: all(share.done() for share in shares))
            finally:
                self._over.set()
        for share in shares:
            share.result()

    def _whole_share(self, steering: Steering) -> None:
        try:
            for _ in self.share(steering):
                pass
        except BaseException:
            self._over.set()
            raise

    def progress(self, have_ended: Callable[[], bool]) -> Iterator[BatchProgress]:
        """Tell how far all are, and report each result, until those who paint have ended."""
        while True:
            ended = have_ended()  # before it is looked whether they told something
            try:
                yield self.tally.noted(*self._told.get(timeout=0 if ended else LOOK_SECONDS))
            except queue.Empty:
                if ended:
                    return

    def told(self) -> Iterator[BatchProgress]:
        """Tell what was told since, and report it."""
        while not self._told.empty():
            yield self.tally.noted(*self._told.get())
