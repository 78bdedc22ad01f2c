"""Paints a batch on the machines of NST_CLUSTER by Ray Data: paths go out, what became of each comes back.

A painting is read and written by the machine that paints it, so pictures and output lie in folders that all machines
share, under the same paths.
"""

import os
import platform
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from nst_core.batch.batch import UNFIT, BatchProgress, Tally
from nst_core.batch.report import Result, begin_report
from nst_core.batch.tasks import AWay, Task
from nst_core.batch.ways import Paint
from nst_core.engine.cluster import Cluster, connect, named
from nst_core.engine.jobs import failing_in_words
from nst_core.engine.ray_link import Link
from nst_core.engine.worker import own_versions
from nst_core.errors import DeviceError, NSTError, OutputError

MOST_BLOCKS = 4000  # that Ray counts; what is in one goes to one machine
LOOK_SECONDS = 1.0  # from one look whether the cluster is there to the next
TRIES = 3  # of a painting whose machine died, before it has failed
NO_ANSWER = f"whatever machine painted it died, {TRIES} times; choose a smaller size, or look at the machines"
UNSEEN = "is not in {output} here; name a folder that all machines share under this path"

Row = Mapping[str, Any]


class Outcome(NamedTuple):
    """What became of a task; no reason: it is there."""

    number: int  # of the task
    reason: str = ""
    ends_all: bool = False  # for which the next would fail, too


def paint_on_cluster(
    tasks: Sequence[Task[AWay]], output: Path, make_paint: Callable[[], Paint[AWay]]
) -> Generator[BatchProgress, None, list[Result]]:
    """Paint every task whose file is not there, on all machines at a time; otherwise as `batch.paint_batch`.

    Args:
        tasks: what is painted.
        output: the folder for it, which all machines share.
        make_paint: makes, on each machine, how a task is painted; it is sent there.

    Raises:
        NSTError: as of `paint_batch`; no cluster, other versions, or an output that is not shared.
    """
    begin_report(output)
    tally, left = Tally(tasks, output), []
    yield BatchProgress(0, len(tasks))
    for number, task in enumerate(tasks):
        if (output / task.file).is_file():
            yield tally.noted(task, Result(task), was_there=True)
        else:
            left.append(number)
    for outcome in _outcomes(tasks, left, output, make_paint) if left else ():
        task = tasks[outcome.number]
        if outcome.ends_all:
            raise OutputError(outcome.reason)
        if not outcome.reason and not (output / task.file).is_file():
            raise OutputError(f"{task.file}, which was painted elsewhere, {UNSEEN.format(output=output)}")
        yield tally.noted(task, Result(task, outcome.reason))
    return tally.written()


def _outcomes(
    tasks: Sequence[Task[AWay]], left: Sequence[int], output: Path, make_paint: Callable[[], Paint[AWay]]
) -> Iterator[Outcome]:
    """Have those tasks painted; what no machine survived comes last."""
    ways = list(dict.fromkeys(tasks[number].way for number in left))
    numbers = {way: number for number, way in enumerate(ways)}
    rows = [_row(number, tasks[number], numbers[tasks[number].way]) for number in left]
    answered = set()
    for row in _painted_by_ray(rows, (ways, str(output.absolute()), make_paint, own_versions())):
        outcome = Outcome(int(row["number"]), str(row["reason"]), bool(row["ends_all"]))
        answered.add(outcome.number)
        yield outcome
    yield from (Outcome(number, NO_ANSWER) for number in left if number not in answered)


def _painted_by_ray(rows: list[dict[str, Any]], given: tuple) -> Iterator[Row]:
    """Have BatchPainters, which are given that, paint rows on all machines; what they answer."""
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
    link = connect(named())
    import ray.data
    from ray.exceptions import RayError

    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = -1  # a painting may take long
    context.max_errored_blocks = -1
    places = Cluster(named()).places()
    with ray.data.DataContext.current(context), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there is no other way yet to bound how often it is tried
        painted = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_BLOCKS)).map_batches(
            BatchPainter,
            fn_constructor_args=given,
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=len(places)),
            max_restarts=-1,
            max_task_retries=TRIES - 1,
            **places[0].needs,
        )
    try:
        yield from heard(painted.iter_rows(), link)
    except RayError as error:
        raise DeviceError(f"the cluster gave the batch up: {(str(error).splitlines() or [''])[0]}") from None


def heard(rows: Iterable[Row], link: Link) -> Iterator[Row]:
    """Give rows as they come; who makes them, on a thread of its own, is waited for as long as the cluster is there.

    Closed before its end, it has no more of them made than the one at hand.

    Raises:
        DeviceError: its first machine is gone, for which Ray itself would wait until it ends this program.
    """
    coming = SimpleQueue[Row | None]()
    made = Future[None]()
    is_over = threading.Event()  # nobody waits for rows any more

    def make() -> None:
        steps = iter(rows)
        try:
            for row in steps:
                coming.put(row)
                if is_over.is_set():
                    break
            if isinstance(steps, Generator):
                steps.close()  # which stops the machines
            made.set_result(None)
        except BaseException as error:  # whatever it is, it is raised where it is waited for
            made.set_exception(error)
        coming.put(None)

    threading.Thread(target=make, name="rows", daemon=True).start()
    try:
        while True:
            try:
                row = coming.get(timeout=LOOK_SECONDS)
            except Empty:
                if link.gone.is_set():
                    link.complain()
                continue
            if row is None:
                if made.exception():
                    link.check()  # which says more than what Ray raises then
                return made.result()
            yield row
    finally:
        is_over.set()


def _row(number: int, task: Task, way: int) -> dict[str, Any]:
    """Write a task as Ray Data takes it; paths as bytes, as not every name is text."""
    style = os.path.abspath(task.style) if os.path.exists(task.style) else task.style
    content = os.fsencode(task.content.absolute())
    return {"number": number, "content": content, "style": os.fsencode(style), "way": way, "file": task.file}


class BatchPainter:
    """Paints rows on one machine.

    Args:
        ways: how; a row names one by its number.
        output: the folder.
        make_paint: makes what paints.
        versions: that must be those of this machine.
    """

    def __init__(self, ways: Sequence, output: str, make_paint: Callable[[], Paint], versions: Mapping[str, str]):
        self.ways, self.output, self.make_paint = ways, Path(output), make_paint
        self.others = [f"{name} {own}" for name, own in own_versions().items() if versions[name] != own]
        self.paint: Paint | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list]:
        """Paint a row."""
        content, style = (os.fsdecode(batch[name][0]) for name in ("content", "style"))
        task = Task(Path(content), style, self.ways[int(batch["way"][0])], str(batch["file"][0]))
        outcome = self._painted(int(batch["number"][0]), task)
        return {name: [value] for name, value in outcome._asdict().items()}

    def _painted(self, number: int, task: Task) -> Outcome:
        where = f"on {platform.node()}: "
        if self.others:
            return Outcome(number, f"{where}there is {', '.join(self.others)}; install what this computer has", True)
        path = self.output / task.file
        try:
            with failing_in_words():
                self.paint = self.paint or self.make_paint()
                for _ in self.paint(task, path) if not path.is_file() else ():  # it may have died right after that
                    pass
        except UNFIT as error:
            return Outcome(number, str(error))
        except NSTError as error:
            return Outcome(number, f"{where}{error}", True)
        return Outcome(number)
