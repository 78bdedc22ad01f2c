"""A painting whose steps are made elsewhere is the one that is made here, whatever happens to the machines."""

import errno
import os
import threading
from unittest.mock import Mock

import pytest
import torch

from nst_core.engine import begin as beginning
from nst_core.engine import worker
from nst_core.engine.begin import begin, moved, resume, waited_for
from nst_core.engine.device_thread import ACCOUNT, Account
from nst_core.engine.devices import DEVICES, Elsewhere
from nst_core.engine.remote_run import MOST_LOST, NONE, RemoteRun
from nst_core.engine.worker import Material
from nst_core.errors import ConfigError, DeviceError, ImageError, NSTError, OutputError, WeightsError
from nst_core.features import weights
from nst_core.transfer.kept import restored
from nst_core.transfer.steering import Steering
from nst_core.transfer.variations import Axis, cells, paint_sheet
from tests.machines import Room, StandIn
from tests.runs import CPU, LADDER, left_half, small

ADAM = {**LADDER, "optimizer": "adam", "step_size": 0.02, "averaging": 0.5}


@pytest.fixture(autouse=True)
def every_step(random_weights, monkeypatch):
    """Each step is a moment, each moment has the state."""
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.setattr(worker, "FRAME_SECONDS", 0)
    monkeypatch.setattr(worker, "MOST_BYTES", float("inf"))
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0)


@pytest.fixture
def room(monkeypatch) -> Room:
    made = Room()
    monkeypatch.setattr(beginning, "machines", lambda: made)
    return made


def local(pictures, config, **more):
    run = Material(pictures[0], [pictures[1]], **more).begun(config)
    return run, [told(frame) for frame in run]


def told(frame) -> tuple:
    return frame.step, frame.losses, frame.note, frame.scale, frame.image.numpy().tobytes()


def story(run) -> dict:
    return run.record().to_dict() | {"seconds": 0, "device": "", "notes": ()}


@pytest.mark.parametrize("settings", [LADDER, ADAM, {"steps": 3, "color": "luminance"}], ids=["ladder", "adam", "grey"])
def test_its_frames_are_those_of_a_run_here(settings, pictures, room):
    masks = [left_half()] if settings is ADAM else []
    content = torch.cat([pictures[0], pictures[0][:, :1]], 1) if settings is LADDER else pictures[0]
    config = small(**settings)
    here, expected = local((content, pictures[1]), config, masks=masks)
    run = begin(Material(content, [pictures[1]], masks=masks), config)
    assert isinstance(run, RemoteRun) and [told(frame) for frame in run] == expected
    assert torch.equal(run.result, here.result) and story(run) == story(here)
    assert "machine" in run.record().device and room.chosen == room.left == 2


def test_it_goes_on_after_its_end_and_from_a_folder_here_and_elsewhere(pictures, room, tmp_path):
    config = small(**LADDER)
    here, _ = local(pictures, config)
    run = begin(Material(pictures[0], [pictures[1]]), config)
    list(run)
    run.rest(tmp_path)
    for going in (here, run):
        going.more(2)
    assert [told(frame) for frame in run] == [told(frame) for frame in here]
    run.keep(tmp_path)
    again, at_home = resume(tmp_path), restored(tmp_path)
    assert isinstance(again, RemoteRun) and torch.equal(again.result, run.result)
    for going in (here, again, at_home):
        going.more(2)
    expected = [told(frame) for frame in here]
    assert [told(frame) for frame in again] == [told(frame) for frame in at_home] == expected
    again.close()
    assert torch.equal(again.result, here.result)


def test_it_is_steered_and_stopped_and_goes_on(pictures, room):
    config, steering = small(steps=9), Steering()
    run = begin(Material(pictures[0], [pictures[1]]), config, steering)
    seen = [next(run), next(run)]
    steering.wanted = config.changed(style_weight=1.0)
    seen.append(next(run))
    assert run.config.style_weight == 1.0 and "steered at step 1" in run.notes[0]
    steering.stop.set()
    assert not list(run) and run.last_frame is seen[-1] and run.record().stopped
    assert room.calls[-1] == "put_down"
    run.more(2)
    assert [frame.step for frame in run] == [3, 4]


def test_other_colours_need_no_machine_and_stay(pictures, room):
    run = begin(Material(pictures[0], [pictures[1]]), small(steps=2))
    list(run)
    calls = len(room.calls)
    run.recolored("content")
    assert len(room.calls) == calls
    run.more(1)
    frame = next(run)
    assert run.config.color == "content" and torch.equal(frame.image, run.painting.finish(frame.pixels))


@pytest.mark.parametrize("number", (1, 2, 3, 4, 7, 10, 12, 13))
def test_whenever_a_machine_is_lost_the_picture_is_the_same_and_steps_go_up(number, pictures, room, monkeypatch):
    config = small(**LADDER)
    here, _ = local(pictures, config)
    monkeypatch.setattr(worker, "KEEP_SECONDS", 0 if number % 2 else 1e9)  # near, or from the start
    room.fails = lambda call, method: call == number
    run = begin(Material(pictures[0], [pictures[1]]), config)
    steps = [frame.step for frame in run]
    assert steps == sorted(set(steps)) and steps[-1] == LADDER["steps"]
    assert torch.equal(run.result, here.result) and run.record().losses == here.record().losses
    if number != 12:  # prepare, take_up, paint …, put_down at 12
        assert any("was lost" in note for note in run.notes) is (3 < number < 12)
    run.more(2), here.more(2)
    assert [frame.image.tolist() for frame in run] == [frame.image.tolist() for frame in here]
    assert room.chosen == room.left


def test_what_cannot_be_taken_up_elsewhere_drops_no_painting_of_others_there(pictures, room, monkeypatch):
    run = begin(Material(pictures[0], [pictures[1]]), small(steps=5))
    assert next(run).step == 0
    start, dropped = StandIn.start, []

    def watched(machine, method, *given):
        if method == "drop":
            dropped.append(given[0])
        return start(machine, method, *given)

    monkeypatch.setattr(StandIn, "start", watched)
    monkeypatch.setattr(worker.Worker, "take_up", Mock(side_effect=OutputError("the disk is full; make room")))
    room.fails = lambda call, method: method == "paint"
    with pytest.raises(OutputError, match="full"):
        list(run)
    assert dropped == [NONE]


def test_a_stop_right_after_a_loss_ends_where_it_was(pictures, room, monkeypatch):
    monkeypatch.setattr(worker, "KEEP_SECONDS", 1e9)
    run = begin(Material(pictures[0], [pictures[1]]), small(steps=9))
    shown = [next(run) for _ in range(4)]
    room.fails = lambda call, method: method == "put_down" and room.calls.count("put_down") == 1
    run.steering.stop.set()
    assert not list(run) and run.newest.step == shown[-1].step == 3
    run.more(1)
    assert [frame.step for frame in run] == [4]


def test_where_every_machine_is_lost_it_ends_in_words(pictures, room):
    run = begin(Material(pictures[0], [pictures[1]]), small())
    next(run)
    room.fails = lambda call, method: True
    with pytest.raises(DeviceError, match=f"{MOST_LOST} machines were lost"):
        next(run)
    room.fails = lambda call, method: False
    assert not run.broken and [frame.step for frame in run] == [1, 2, 3]
    room.fails = lambda call, method: True
    with pytest.raises(DeviceError, match="as this painting began"):
        begin(Material(pictures[0], [pictures[1]]), small())
    assert room.chosen == room.left


def test_other_weights_there_are_refused(pictures, room, random_weights_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "require", lambda backbone: Other())
    with pytest.raises(WeightsError, match="put the same file on all machines"):
        begin(Material(pictures[0], [pictures[1]]), small())


class Other:
    """Weights that are others each time."""

    made = 0

    def sha256(self) -> str:
        Other.made += 1
        return str(Other.made)


def test_what_is_wrong_with_the_input_is_said_before_the_first_frame(pictures, room):
    with pytest.raises(ConfigError, match="start is 'image'"):
        begin(Material(pictures[0], [pictures[1]]), small(start="image"))
    with pytest.raises(ImageError, match="no painting|gone"):
        resume(beginning.Path("/nowhere"))


def test_what_goes_wrong_there_is_told_here(pictures, room, monkeypatch):
    run = begin(Material(pictures[0], [pictures[1]]), small(steps=5))
    next(run), next(run)
    steering = run.steering
    steering.wanted = small(steps=5).changed(blend=(1.0, 2.0))
    with pytest.raises(ConfigError, match="blend|styles|shares"):
        next(run)
    steering.wanted = None
    assert not run.broken and next(run).step == 2
    monkeypatch.setattr("nst_core.transfer.run.Run._next", lambda self, wanted: fail())
    with pytest.raises(NSTError, match="more memory"):
        next(run)
    assert run.newest.step == 2 and room.chosen == room.left


def fail():
    raise MemoryError


def refuse(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_there_is_told(pictures, room, monkeypatch):
    run = begin(Material(pictures[0], [pictures[1]]), small())
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(OutputError, match="full"):
            next(run)
    assert room.chosen == room.left and [frame.step for frame in run] == [0, 1, 2, 3]


def test_a_full_disk_here_is_told_and_it_goes_on(pictures, room, monkeypatch):
    run = begin(Material(pictures[0], [pictures[1]]), small())
    next(run)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        assert "not kept for the loss of a machine" in [next(run), next(run)][-1].note
        with pytest.raises(OutputError, match="full"):
            list(run)
    assert run.newest.step == 3 and not run.broken and room.chosen == room.left
    run.more(1)
    assert [frame.step for frame in run] == [4]


def test_no_device_waits_for_other_machines(pictures, room):
    run, account, names = begin(Material(pictures[0], [pictures[1]]), small()), Account(), []
    room.fails = lambda call, method: names.append(threading.current_thread())
    before = ACCOUNT.set(account)
    try:
        assert DEVICES.next_of(run).step == 0
    finally:
        ACCOUNT.reset(before)
    assert set(names) == {threading.current_thread()} and account.seconds > 0
    with DEVICES.own_job(), DEVICES.stepped(run) as frames:
        assert [frame.step for frame in frames] == [1, 2, 3]


def test_a_sheet_s_cells_are_painted_on_machines_while_no_device_waits(pictures, room, monkeypatch):
    plan = cells(small(), Axis("style_weight", (1.0, 100.0)))
    here = list(paint_sheet(*pictures, plan, CPU))[-1].results
    assert moved(Material(pictures[0], [pictures[1]])) and not room.calls
    monkeypatch.setenv("NST_CLUSTER", "auto")
    sheet = waited_for(paint_sheet(*pictures, plan, CPU, begun=moved(Material(pictures[0], [pictures[1]]))))
    with DEVICES.own_job(), DEVICES.stepped(sheet) as stepped:
        there = list(stepped)[-1].results
    assert isinstance(sheet, Elsewhere) and room.calls.count("prepare") == 2
    assert [one.image.numpy().tobytes() for one in there] == [one.image.numpy().tobytes() for one in here]
