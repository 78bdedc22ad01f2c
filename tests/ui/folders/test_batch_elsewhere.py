"""A batch of the page on a cluster: the same paintings, several at once, whatever happens to a machine."""

import asyncio
import threading
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from nst_core import images
from nst_core.engine import begin as beginning
from nst_core.engine import worker
from nst_core.engine.remote_run import Lost
from nst_core.errors import NoDeviceError
from nst_core.transfer.record import read_record
from nst_core.ui.folders.batch import press_stop
from nst_core.ui.folders.batch_state import Batch
from tests.machines import Room, StandIn
from tests.ui.folders.test_batch import painted, seen, start, states

pytestmark = pytest.mark.usefixtures("toasts", "narrow_weights")


class Seat:
    """A place on a machine as it is now: once that was lost, every answer is."""

    def __init__(self, machine: StandIn):
        self.machine, self.worker = machine, machine.worker
        self.name, self.leave = machine.name, machine.leave

    def start(self, method: str, *given: Any) -> Callable[[], Any]:
        return partial(self._answer, method, *given)

    def _answer(self, method: str, *given: Any) -> Any:
        if self.machine.worker is not self.worker:
            raise Lost(self.name)
        return self.machine.start(method, *given)()


class Hall(Room):
    """Two machines; what `fails` them may also wait, or raise what ends it."""

    def choose(self) -> Seat:
        return Seat(super().choose())


@pytest.fixture
def hall(monkeypatch) -> Hall:
    """The machines of NST_CLUSTER; each step is a moment."""
    made = Hall()
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.setattr(worker, "FRAME_SECONDS", 0)
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0)
    monkeypatch.setattr(beginning, "machines", lambda: made)
    monkeypatch.setattr("nst_core.ui.folders.batch.LOOK_SECONDS", 0.01)
    return made


def there(monkeypatch) -> None:
    monkeypatch.setenv("NST_CLUSTER", "there")


def pictures_of(batch: Batch) -> dict[str, torch.Tensor]:
    """The paintings in its ZIP."""
    with zipfile.ZipFile(batch.outcome) as archive:
        return {name: images.load(archive.open(name)) for name in archive.namelist() if name.endswith(".png")}


def statuses(batch: Batch) -> list[str]:
    return [view["status"] for view in asyncio.run(seen(batch)) if "status" in view]


def test_the_paintings_are_those_made_here_and_as_many_are_made_at_once_as_there_are_machines(files, hall, monkeypatch):
    monkeypatch.setattr(beginning, "machines", lambda: None)
    here = pictures_of(painted(files))
    monkeypatch.setattr(beginning, "machines", lambda: hall)
    there(monkeypatch)
    meeting = threading.Barrier(2, timeout=30)

    def fails(number: int, method: str) -> bool:
        if method == "take_up" and hall.calls.count("take_up") <= 2:
            meeting.wait()  # neither goes on without the other
        return False

    hall.fails = fails
    batch = start(files, Batch())
    told = statuses(batch)
    assert batch.job.wait(30) and any("Painting 2 at once, 0 of 3 are done" in status for status in told)
    made = pictures_of(batch)
    assert made.keys() == here.keys() and all(torch.equal(made[name], here[name]) for name in here)
    assert "machine" in read_record(batch.output / next(iter(made))).device
    assert hall.chosen == hall.left == 6 and "Done: 3 of 3" in batch.status


def test_a_lost_machine_is_told_and_another_goes_on_with_what_it_painted(files, hall, monkeypatch):
    there(monkeypatch)
    hall.fails = lambda number, method: method == "paint" and hall.calls.count("paint") == 4
    batch = start(files, steps=4)
    told = statuses(batch)
    assert batch.job.wait(30) and set(states(batch).values()) == {"painted"}
    assert any("was lost at step" in status for status in told)
    notes = [note for card in batch.cards for note in read_record(batch.output / card).notes]
    assert any("was lost at step" in note for note in notes)


def test_stopped_it_keeps_what_is_done_drops_the_rest_there_and_start_goes_on(files, hall, monkeypatch):
    there(monkeypatch)
    batch = start(files, steps=3000)
    while hall.calls.count("paint") < 8:
        assert not batch.job.wait(0.01)
    press_stop(batch, "")
    assert batch.job.wait(30) and "Stopped: 0 of 3 paintings" in batch.status
    assert set(states(batch).values()) == {"waiting"} and hall.chosen == hall.left
    assert "Done: 3 of 3" in painted(files, batch).status


def test_a_cluster_that_is_gone_ends_it_in_words_and_what_is_painted_is_handed_out(files, hall, monkeypatch):
    there(monkeypatch)
    gone = NoDeviceError("the first machine of the cluster is gone; start it again")

    def fails(number: int, method: str) -> bool:
        if hall.calls.count("put_down") > 1:
            raise gone
        return False

    hall.fails = fails
    batch = painted(files)
    assert sorted(states(batch).values()) == ["painted", "waiting", "waiting"] and str(gone) in batch.status
    assert len(pictures_of(batch)) == 1 and hall.chosen == hall.left
    hall.fails = lambda number, method: False
    assert "Done: 3 of 3" in painted(files, batch).status


def test_where_there_is_no_cluster_nothing_is_painted_here(files, monkeypatch):
    def nowhere() -> None:
        raise NoDeviceError("this computer finds no such cluster")

    there(monkeypatch)
    monkeypatch.setattr(beginning, "machines", nowhere)
    batch = painted(files)
    assert "finds no such cluster" in batch.status and batch.outcome is None
