"""Videos painted by machines of a cluster: the same frames, whatever machine is lost; nothing is left anywhere."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nst_core import files
from nst_core.errors import ConfigError, DeviceError, ImageError, OutputError
from nst_core.instant import far_pieces, pieces, video_by_many
from nst_core.instant.far_pieces import MOST_WORKERS, FarPainter, HostedFilm
from nst_core.instant.pieces import Piece, paint_piece
from nst_core.instant.video_by_many import paint_video_by_many
from nst_core.transfer.steering import Steering
from tests.instant.paints import shimmer
from tests.instant.test_cuts import pan
from tests.instant.test_pieces import job_of
from tests.instant.test_video import film, sound_packets, times_of
from tests.instant.test_video_by_many import Failing, files_beside, pixels_of, pixels_of_one
from tests.machines import Room


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    """Short pieces and moments, and a folder of the machines' own for what they keep."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setattr(pieces, "LONGEST", 12)
    monkeypatch.setattr(pieces, "LONGEST_APART", 12)
    monkeypatch.setattr(far_pieces, "MOMENT_BYTES", 3 * 96 * 128 * 3)
    monkeypatch.setattr(far_pieces, "PART_BYTES", 20_000)
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there"))


@pytest.fixture
def source(tmp_path) -> Path:
    return film(tmp_path / "source.mkv", [*pan(0, 31), *pan(1, 10)])


@pytest.fixture
def output(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "painted.mp4"


def left_by(room: Room) -> list:
    """What machines hold after all."""
    guests = [guest for machine in room.machines for guest in machine.worker._guests]
    return [*guests, *os.listdir(tempfile.gettempdir()), *([] if room.chosen == room.left else ["a place"])]


def test_frames_are_those_of_this_computer(source, output):
    one, room = pixels_of_one(source, output), Room()
    many = pixels_of(paint_video_by_many(source, output, shimmer, machines=room))
    assert len(many) == 41 and all(map(np.array_equal, one, many))
    assert times_of(output) == times_of(source) and sound_packets(output) == sound_packets(output.with_name("one.mp4"))
    assert room.chosen == 2 == room.calls.count("host") and not left_by(room)
    assert files_beside(output) == ["one.mp4", "painted.mp4"]


@pytest.mark.parametrize("lost", [1, 2, 4, 5, 6])
def test_what_a_lost_machine_was_at_is_painted_by_another(source, lost):
    """A steadied piece, at the film's file, before any frame or after some; the others have the same lead."""
    job, piece = job_of(source), Piece(8, 20, 31)
    room, told = Room(fails=lambda number, method: number == lost), list[tuple[str, int]]()
    painter, found = FarPainter(job, room, lambda line: told.append((line, len(found)))), list[np.ndarray]()
    found.extend(painter.frames(piece))
    painter.close()
    assert all(map(np.array_equal, found, paint_piece(job, piece))) and len(found) == 11
    assert told == [(f"machine 2 was lost: another machine goes on from frame {21 + told[0][1]}", told[0][1])]
    assert room.chosen == 2 and room.calls.count("host") == 2 and room.left == 2


def test_a_machine_that_is_lost_is_told_of_once_while_the_film_goes_on(source, output):
    room = Room(fails=lambda number, method: number == 12)
    progress = list(paint_video_by_many(source, output, shimmer, machines=room, workers=1))
    [(line, frame)] = [(one.note, one.frame) for one in progress if one.note]
    assert "was lost: another machine goes on from frame " in line and frame < int(line.rpartition(" ")[2]) <= 41
    assert progress[-1].frame == 41 and times_of(output) == times_of(source)


def test_machines_that_are_lost_one_after_the_other_are_given_up(source, output):
    room = Room(fails=lambda number, method: number > 20)
    with pytest.raises(DeviceError, match="4 machines were lost at the same frame"):
        list(paint_video_by_many(source, output, shimmer, machines=room, workers=1))
    assert not files_beside(output) and room.left == room.chosen


def test_few_frames_are_sent_at_a_time_and_each_once(source, monkeypatch):
    sizes, paint = [], HostedFilm.paint
    monkeypatch.setattr(HostedFilm, "paint", lambda self, moment: (sizes.append(paint(self, moment)), sizes[-1])[1])
    painter = FarPainter(job_of(source, steady=False), Room())
    assert len(list(painter.frames(Piece(0, 0, 11)))) == 11
    assert [len(one.frames) for one in sizes if len(one.frames)] == [3, 3, 3, 2]
    assert len(list(painter.frames(Piece(11, 11, 13)))) == 2
    painter.close()


@pytest.mark.parametrize("how", ["stop", "close"])
def test_stopped_it_is_kept_up_to_there_and_machines_forget_it(source, output, how):
    steering, room = Steering(), Room()
    run = paint_video_by_many(source, output, shimmer, machines=room, steering=steering)
    for progress in run:
        if progress.frame == 5:
            if how == "close":
                run.close()
                break
            steering.stop.set()
    assert times_of(output) == times_of(source)[:5] and files_beside(output) == ["painted.mp4"]
    assert not left_by(room)


@pytest.mark.parametrize("error", [ImageError, DeviceError])
def test_if_painting_fails_there_all_ends_with_its_own_error(source, output, error):
    room = Room()
    with pytest.raises(error, match="^no$"):
        list(paint_video_by_many(source, output, Failing(error), machines=room))
    assert not files_beside(output) and not left_by(room)


def test_a_machine_without_room_for_the_film_says_so(source, output, monkeypatch):
    def full(folder, room, *, called):
        raise OutputError(f"{called} has room for nothing")

    monkeypatch.setattr(far_pieces, "check_room", full)
    with pytest.raises(OutputError, match="room for nothing"):
        list(paint_video_by_many(source, output, shimmer, machines=Room()))


def test_a_machine_that_never_had_the_film_forgets_none_by_the_number_of_another(source, monkeypatch):
    room = Room(fails=lambda number, method: number == 4)
    painter, other = FarPainter(job_of(source), room), room.machines[0].worker
    kept = other.host(lambda: HostedFilm(job_of(source), 10))
    take = HostedFilm.take

    def full(hosted: HostedFilm, part: bytes) -> None:
        monkeypatch.setattr(far_pieces, "check_room", refuse)
        take(hosted, part)

    def refuse(folder, room, *, called):
        raise OutputError("no room")

    monkeypatch.setattr(HostedFilm, "take", full)
    with pytest.raises(OutputError, match="no room"):
        list(painter.frames(Piece(8, 20, 31)))
    painter.close()
    assert room.chosen == room.left == 2 and [*other._guests] == [kept]
    other.dismiss(kept)


def test_a_film_that_a_killed_program_left_on_a_machine_goes_with_the_next(source):
    left = Path(tempfile.gettempdir(), f"{files.MARK}.{files.COMPUTER}-99999999-00000000-0")
    left.touch()
    hosted = HostedFilm(job_of(source), 10)
    assert not left.exists() and hosted._file.path.parent == left.parent
    hosted.close()


@pytest.mark.parametrize("workers", [0, 3, True, 1.5])
def test_a_number_of_workers_that_the_cluster_has_not_is_refused(source, output, workers):
    with pytest.raises(ConfigError, match="workers is .*; give a whole number from 1 to 2, those of the cluster"):
        paint_video_by_many(source, output, shimmer, machines=Room(), workers=workers)


def test_one_film_has_a_few_machines_unless_more_are_asked_for(source, output, monkeypatch):
    room = Room()
    monkeypatch.setattr(room, "count", lambda: 50)
    begun = []
    monkeypatch.setattr(video_by_many, "painting", lambda *given: None)
    monkeypatch.setattr(video_by_many, "_begin", lambda job, workers, machines: begun.append(workers))
    for asked in (None, 20):
        paint_video_by_many(source, output, shimmer, machines=room, workers=asked)
    assert begun == [MOST_WORKERS, 20]
