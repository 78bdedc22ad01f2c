"""Tests of a batch: whatever ends it, it goes on to the same folder; what fails is told and stops nothing."""

import csv
import threading
from pathlib import Path

import pytest

from nst_core.batch import batch as module
from nst_core.batch.batch import paint_batch, paint_in_job
from nst_core.batch.report import REPORT
from nst_core.batch.tasks import pairs
from nst_core.batch.ways import Stroke
from nst_core.engine import devices
from nst_core.engine.devices import Devices
from nst_core.errors import ImageError, NoDeviceError, OutputError, WeightsError
from nst_core.transfer.steering import Steering
from tests.batch.test_tasks import Plain

CONTENTS = [Path(f"{name}.jpg") for name in ("ant", "bee", "cat", "dog")]


@pytest.fixture
def tasks(tmp_path):
    return pairs(CONTENTS, ["waves", "stars"], Plain(), tmp_path)


class Brush:
    """Paints a task's names, in two steps, and knows what it painted."""

    def __init__(self, bad=(), error: type[Exception] = ImageError):
        self.bad, self.error, self.painted = bad, error, []

    def __call__(self, task, path):
        if task.content.stem in self.bad:
            raise self.error(f"{task.content} is no picture")
        yield Stroke(0.5)
        self.painted.append(task)
        path.write_text(f"{task.content} {task.style}")
        yield Stroke(1.0)


class Apart(devices.Elsewhere):
    """Strokes that are made on another machine."""

    def __init__(self, strokes):
        self.strokes, self.close = strokes, strokes.close

    def __next__(self):
        return next(self.strokes)


def done(tasks, folder, brush) -> list:
    return list(paint_batch(tasks, folder, brush))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_are_painted_once_and_kept_the_next_time(tasks, tmp_path):
    brush, folder = Brush(), tmp_path / "out"
    *_, last = done(tasks, folder, brush)
    assert (last.done, last.total, last.kept, last.failed) == (8, 8, 0, 0)
    assert brush.painted == tasks and {path.name for path in folder.iterdir()} == {*(t.file for t in tasks), REPORT}
    before = contents(folder)
    *_, last = done(tasks, folder, brush)
    assert (last.done, last.kept) == (8, 8) and len(brush.painted) == 8 and contents(folder) == before


def test_what_fails_is_told_and_stops_nothing(tasks, tmp_path):
    *_, last = done(tasks, tmp_path, Brush(bad={"bee"}))
    assert (last.done, last.failed) == (8, 2)
    with (tmp_path / REPORT).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["content"] for row in rows] == [str(task.content) for task in tasks]
    told = {row["content"]: (row["outcome"], row["reason"], bool(row["file"])) for row in rows}
    assert told["bee.jpg"] == ("failed", "bee.jpg is no picture", False) and told["cat.jpg"] == ("painted", "", True)
    done(tasks, tmp_path, Brush())
    assert b"failed" not in (tmp_path / REPORT).read_bytes()


@pytest.mark.parametrize("after", range(1, 12, 3))
def test_cut_off_anywhere_and_begun_again_it_gives_the_same_folder(tasks, tmp_path, after):
    done(tasks, tmp_path / "whole", Brush(bad={"cat"}))
    painting, brush = paint_batch(tasks, tmp_path / "cut", Brush(bad={"cat"})), Brush(bad={"cat"})
    for _ in range(after):
        next(painting)
    painting.close()
    there = {path.name for path in (tmp_path / "cut").iterdir()}
    done(tasks, tmp_path / "cut", brush)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert not there.intersection(task.file for task in brush.painted)


@pytest.mark.parametrize("error", [WeightsError, OutputError])
def test_what_would_fail_for_all_ends_it_and_keeps_what_there_is(tasks, tmp_path, error):
    with pytest.raises(error, match="cat.jpg"):
        done(tasks, tmp_path, Brush(bad={"cat"}, error=error))
    assert sum(path.suffix == ".png" for path in tmp_path.iterdir()) == 4
    assert (tmp_path / REPORT).read_bytes().count(b"painted") == 4


def test_a_fault_of_the_program_ends_it_in_words(tasks, tmp_path, caplog):
    with pytest.raises(Exception, match="something went wrong in this program"):
        done(tasks, tmp_path, Brush(bad={"ant"}, error=ZeroDivisionError))


def test_a_file_in_the_reports_place_is_not_overwritten(tasks, tmp_path):
    (tmp_path / REPORT).write_text("my own notes")
    with pytest.raises(OutputError, match="no report"):
        done(tasks, tmp_path, Brush())
    assert (tmp_path / REPORT).read_text() == "my own notes"


def test_all_devices_paint_side_by_side(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "all_devices", lambda: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(devices, "free_memory", lambda device: 1)
    monkeypatch.setattr(module, "DEVICES", Devices())
    monkeypatch.setattr("nst_core.engine.jobs.DEVICES", module.DEVICES)
    meeting, threads = threading.Barrier(2, timeout=20), set()

    def paint(task, path):
        if task.content.stem == "ant":
            meeting.wait()  # neither goes on without the other
        threads.add(threading.current_thread().name)
        path.write_text("")
        yield Stroke(1.0)

    *_, last = done(tasks, tmp_path, paint)
    assert last.done == 8 and threads == {"device cuda:0", "device cuda:1"}


def test_within_a_job_it_gives_the_same_folder_on_that_jobs_thread(tasks, tmp_path, monkeypatch):
    done(tasks, tmp_path / "whole", Brush(bad={"cat"}))
    monkeypatch.setattr(module, "Job", None)  # it begins none of its own
    brush = Brush(bad={"cat"})
    *_, last = paint_in_job(tasks, tmp_path / "own", brush, Steering())
    assert (last.done, last.failed, last.kept) == (8, 2, 0) and brush.painted == [
        t for t in tasks if "cat" not in t.file
    ]
    assert contents(tmp_path / "own") == contents(tmp_path / "whole")


def test_several_at_once_within_a_job_give_the_same_folder_too(tasks, tmp_path):
    done(tasks, tmp_path / "whole", Brush(bad={"cat"}))
    meeting, brush = threading.Barrier(2, timeout=20), Brush(bad={"cat"})

    def paint(task, path):
        if task.content.stem == "ant":
            meeting.wait()  # neither goes on without the other
        yield Stroke(0.2, "the step was halved" if task.content.stem == "bee" else "")
        yield from brush(task, path)

    told = list(paint_in_job(tasks, tmp_path / "own", lambda *task: Apart(paint(*task)), Steering(), at_once=2))
    assert {len(progress.at_work) for progress in told} == {0, 1, 2} and (told[-1].done, told[-1].failed) == (8, 2)
    assert [progress.note for progress in told if progress.note] == ["bee.jpg: the step was halved"] * 2
    assert {progress.task.content.name for progress in told if progress.note} == {"bee.jpg"}
    assert contents(tmp_path / "own") == contents(tmp_path / "whole")


def test_where_no_device_is_left_all_at_work_end(tasks, tmp_path):
    """Though they would go on for ever."""

    def paint(task, path):
        if task is tasks[0]:
            raise NoDeviceError("the cluster is gone")
        while True:
            yield Stroke(0.5)

    with pytest.raises(NoDeviceError, match="is gone"):
        list(paint_in_job(tasks, tmp_path, lambda *task: Apart(paint(*task)), Steering(), at_once=3))
    assert {path.name for path in tmp_path.iterdir()} == {REPORT}


def test_stopped_within_a_job_it_reports_what_it_came_to_and_goes_on(tasks, tmp_path):
    steering, brush = Steering(), Brush()
    for progress in paint_in_job(tasks, tmp_path, brush, steering):
        assert len(brush.painted) == progress.done or progress.share  # each is told before the next is begun
        if progress.done == 3:
            steering.stop.set()
    assert len(brush.painted) == 3 and (tmp_path / REPORT).read_bytes().count(b"painted") == 3
    *_, last = paint_in_job(tasks, tmp_path, brush, Steering())
    assert (last.done, last.kept) == (8, 3) and brush.painted == tasks
