"""A batch on a cluster gives the folder and the report that one here gives; Ray is not asked, but for its rows."""

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from nst_core.batch import on_cluster
from nst_core.batch.batch import paint_batch
from nst_core.batch.on_cluster import NO_ANSWER, BatchPainter, paint_on_cluster
from nst_core.batch.report import REPORT
from nst_core.batch.tasks import pairs
from nst_core.batch.ways import Stroke
from nst_core.engine.ray_link import Link
from nst_core.errors import DeviceError, NSTError, OutputError, WeightsError
from tests.batch.test_batch import CONTENTS, Brush, contents, done
from tests.batch.test_tasks import Plain
from tests.machines import painted_by_one


@pytest.fixture
def tasks(tmp_path):
    return pairs([tmp_path / name for name in CONTENTS], ["waves", "stars"], Plain(), tmp_path)


@pytest.fixture(autouse=True)
def one_machine(monkeypatch):
    monkeypatch.setattr(on_cluster, "_painted_by_ray", painted_by_one)


def elsewhere(tasks, folder, **brush) -> list:
    return list(paint_on_cluster(tasks, folder, partial(Brush, **brush)))


def test_the_folder_is_the_same_and_what_is_there_is_kept(tasks, tmp_path):
    done(tasks, tmp_path / "here", Brush(bad={"bee"}))
    *_, last = elsewhere(tasks, tmp_path / "there", bad={"bee"})
    assert (last.done, last.total, last.kept, last.failed) == (8, 8, 0, 2)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    (tmp_path / "there" / tasks[0].file).unlink()
    *_, last = elsewhere(tasks, tmp_path / "there")
    assert (last.done, last.kept, last.failed) == (8, 5, 0)
    done(tasks, tmp_path / "here", Brush())
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    *_, last = list(paint_batch(tasks, tmp_path / "there", Brush(bad=("ant",))))
    assert last.kept == 8


def test_any_path_arrives(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("style.jpg").touch()
    tasks = pairs([Path(os.fsdecode(b"\xff.jpg"))], ["style.jpg", "trained"], Plain(), tmp_path)
    seen: list[tuple] = []

    def paint(task, path):
        seen.append((task.content, task.style))
        path.touch()
        yield Stroke(1.0)

    list(paint_on_cluster(tasks, Path("out"), lambda: paint))
    content = tmp_path / tasks[0].content
    assert seen == [(content, str(tmp_path / "style.jpg")), (content, "trained")]


@pytest.mark.parametrize("error", [OutputError, WeightsError])
def test_what_would_stop_every_painting_ends_it_and_says_where(tasks, tmp_path, error):
    with pytest.raises(OutputError, match=rf"^on {on_cluster.platform.node()}: .*no picture"):
        elsewhere(tasks, tmp_path, bad={"bee"}, error=error)
    assert (tmp_path / tasks[0].file).exists() and not (tmp_path / tasks[-1].file).exists()


def test_other_versions_end_it(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(on_cluster, "own_versions", lambda: {"torch": next(numbers)})
    numbers = iter("12")
    with pytest.raises(NSTError, match="there is torch 2; install what this computer has"):
        elsewhere(tasks, tmp_path)


def test_an_output_that_is_not_shared_is_told(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(
        on_cluster, "_painted_by_ray", lambda rows, given: painted_by_one(rows, (given[0], str(other), *given[2:]))
    )
    other = tmp_path / "another disk"
    other.mkdir()
    with pytest.raises(OutputError, match="name a folder that all machines share"):
        elsewhere(tasks, tmp_path / "out")


def test_what_no_machine_survives_has_failed_and_the_rest_is_painted(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(on_cluster, "_painted_by_ray", lambda rows, given: painted_by_one(rows[1:], given))
    *_, last = elsewhere(tasks, tmp_path)
    assert last.failed == 1 and last.result.reason == NO_ANSWER and last.result.task == tasks[0]
    assert NO_ANSWER in (tmp_path / REPORT).read_text()


def test_a_painting_that_was_made_by_a_machine_that_died_is_not_made_again(tasks, tmp_path):
    painter = BatchPainter([Plain()], str(tmp_path), partial(Brush, bad={"ant"}), on_cluster.own_versions())
    row = on_cluster._row(0, tasks[0], 0)
    assert painter({name: [value] for name, value in row.items()})["reason"] != [""]
    (tmp_path / tasks[0].file).touch()
    assert painter({name: [value] for name, value in row.items()})["reason"] == [""]


def test_a_batch_whose_first_machine_is_gone_ends_in_words_and_without_waiting_for_ray(monkeypatch):
    monkeypatch.setattr(on_cluster, "LOOK_SECONDS", 0.001)
    link, gate = Link("there"), threading.Event()

    def rows():
        yield {"number": 1}
        link.gone.set()
        gate.wait(60)

    coming = on_cluster.heard(rows(), link)
    assert next(coming) == {"number": 1}
    with pytest.raises(DeviceError, match="first machine of the cluster 'there' is gone; what is made is kept"):
        next(coming)
    gate.set()


def test_a_batch_that_is_closed_has_its_rows_closed_after_the_one_at_hand():
    given, closed, gate = [], threading.Event(), threading.Event()

    def rows():
        try:
            for number in range(100):
                given.append(number)
                yield {"number": number}
                gate.wait(20)
        finally:
            closed.set()

    coming = on_cluster.heard(rows(), Link("there"))
    next(coming)
    coming.close()
    gate.set()
    assert closed.wait(20) and len(given) <= 2


@pytest.mark.parametrize("gone", [False, True])
def test_what_ray_raises_ends_a_batch_or_says_that_the_first_machine_is_gone(gone):
    link = Link("there")

    def rows():
        yield {"number": 1}
        if gone:
            link.gone.set()
        raise ZeroDivisionError

    with pytest.raises(DeviceError if gone else ZeroDivisionError):
        list(on_cluster.heard(rows(), link))
    assert list(on_cluster.heard([{"number": 1}, {"number": 2}], Link("there"))) == [{"number": 1}, {"number": 2}]
