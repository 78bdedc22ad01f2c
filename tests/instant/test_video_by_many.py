"""Videos painted by several workers: processes in a few tests, threads where how they are waited for is the law."""

import errno
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, DeviceError, ImageError, OutputError
from nst_core.instant import piece_workers, pieces, video_by_many
from nst_core.instant.video import VideoProgress, paint_video
from nst_core.instant.video_by_many import paint_video_by_many
from nst_core.transfer.steering import Steering
from tests.instant.paints import killing, shimmer, shimmering
from tests.instant.test_cuts import pan
from tests.instant.test_pieces import job_of
from tests.instant.test_video import film, shown, sound_packets, times_of


@pytest.fixture(autouse=True)
def many_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(8), raising=False)
    monkeypatch.setenv("NST_DEVICE", "cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "source.mkv", [*pan(0, 31), *pan(1, 30)])


@pytest.fixture(scope="module")
def by_one(source) -> tuple[list[np.ndarray], Path]:
    """What each frame is painted by one worker, and where the film lies."""
    output = source.with_name("one.mp4")
    return pixels_of(paint_video(source, output, shimmering)), output


@pytest.fixture
def output(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "painted.mp4"


@pytest.fixture
def threads(monkeypatch):
    """Workers that are threads of this process, whose pieces are short."""

    class Threaded:
        def __init__(self, job, share):
            self.connection, theirs = Pipe()
            make = partial(pieces.PiecePainter, job)
            self.thread = threading.Thread(target=piece_workers.paint_pieces, args=(theirs, make))
            self.thread.start()
            self.at = None

        def end(self):
            self.connection.close()
            self.thread.join()

        why_gone = piece_workers.ProcessWorker.why_gone

    monkeypatch.setattr(video_by_many, "ProcessWorker", Threaded)
    monkeypatch.setattr(pieces, "LONGEST", 12)
    monkeypatch.setattr(pieces, "LONGEST_APART", 12)


def files_beside(output: Path) -> list[str]:
    return sorted(os.listdir(output.parent))


def pixels_of(run: Iterable[VideoProgress]) -> list[np.ndarray]:
    """What each frame was painted, as bytes; x264 makes the same file of them or, of uneven times, almost."""
    frames = {each.frame: images.to_bytes(each.image) for each in run if each.image is not None}
    assert list(frames) == list(range(1, len(frames) + 1))  # in order, none left out
    return list(frames.values())


def pixels_of_one(source: Path, output: Path, **settings) -> list[np.ndarray]:
    return pixels_of(paint_video(source, output.with_name("one" + output.suffix), shimmering, **settings))


# The same film


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_without_steady_all_is_as_one_worker_paints_it(threads, source, by_one, output, workers):
    one, beside = by_one
    many = pixels_of(paint_video_by_many(source, output, shimmer, workers=workers))
    assert len(many) == 61 and all(map(np.array_equal, one, many))
    assert times_of(output) == times_of(source)
    assert sound_packets(output) == sound_packets(beside) and files_beside(output) == ["painted.mp4"]


def test_steadied_it_differs_hardly_and_not_at_all_after_a_cut(threads, source, output):
    one = pixels_of_one(source, output, steady=True)
    many = pixels_of(paint_video_by_many(source, output, shimmer, workers=2, steady=True))
    for number, apart in enumerate(np.abs(found.astype(int) - wanted) for found, wanted in zip(many, one, strict=True)):
        assert apart.mean() < 1 and apart.max() < (1 if 31 <= number < 55 else 12)
    assert len(many) == 61 and times_of(output) == times_of(source)


def test_rates_sizes_and_kinds_are_those_of_one_worker(threads, tmp_path, output):
    times = [0, 33, 50, 51, 120, 400, 433, 700, 701, 900, 1300, 1333, 1400, 1500, 1700, 1701, 1702, 1900, 1950, 2000]
    pictures = [frame[:95, :125] for frame in pan(0, 20)]
    source = film(tmp_path / "odd.mkv", pictures, times=times, format="yuv444p", sound=None)
    for made in (output, output.with_suffix(".gif")):
        one = pixels_of_one(source, made, size=64)
        many = pixels_of(paint_video_by_many(source, made, shimmer, workers=3, size=64))
        assert len(many) == 20 and all(map(np.array_equal, one, many))
        beside = made.with_name("one" + made.suffix)
        assert times_of(made) == times_of(beside) and shown(made).shape == shown(beside).shape == (48, 64, 3)
    assert made.read_bytes() == beside.read_bytes()


# How far workers go ahead


def waiting_for(gate: threading.Event) -> pieces.Paint:
    """Paint whose very first frame waits; whoever paints other pieces does not."""
    first = threading.Lock()

    def paint(image: Tensor) -> Tensor:
        if first.acquire(blocking=False):
            gate.wait()
        return image

    return paint


def test_workers_run_ahead_by_a_bounded_number_of_frames(threads, tmp_path, output):
    """While one frame takes its time, the others paint what may wait, and then nothing more."""
    source, gate, waiting = film(tmp_path / "long.mp4", pan(0, 200), sound=None), threading.Event(), []
    paint, frames = waiting_for(gate), []
    for progress in paint_video_by_many(source, output, lambda: paint, workers=3):
        waiting.append(sum(file.stat().st_size for file in output.parent.iterdir()) // (96 * 128 * 3))
        frames.append(progress.frame)
        if frames[-2:-1] == frames[-1:] and waiting[-2:-1] == waiting[-1:]:  # nothing comes any more
            gate.set()
    allowed = piece_workers.waiting_frames(job_of(source, steady=False), 3)
    assert progress.frame == 200 and 2 * 12 <= max(waiting) <= allowed == 4 * 12


# Stopped and failed


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_stopped_video_is_kept_with_its_sound_up_to_there(threads, source, output, how):
    steering = Steering()
    run = paint_video_by_many(source, output, shimmer, workers=2, steering=steering)
    for progress in run:
        if progress.frame == 20:
            if how == "close":
                run.close()
                break
            steering.stop.set()
    assert times_of(output) == times_of(source)[:20] and files_beside(output) == ["painted.mp4"]
    assert 0.6 < sound_packets(output)[-1][0] / 1e6 < 0.9


@dataclass(frozen=True)
class Failing:
    """Paint that fails after some frames."""

    error: type[Exception]
    after: int = 9

    def __call__(self) -> pieces.Paint:
        count = iter(range(self.after))

        def paint(image: Tensor) -> Tensor:
            if next(count, None) is None:
                raise self.error("no")
            return image

        return paint


@pytest.mark.parametrize("error", [ImageError, DeviceError, MemoryError, RuntimeError])
def test_if_a_worker_fails_all_ends_with_its_own_error_and_nothing_is_left(threads, source, output, error):
    output.write_bytes(b"before")
    with pytest.raises(error, match="^no$"):
        list(paint_video_by_many(source, output, Failing(error), workers=3))
    assert files_beside(output) == ["painted.mp4"] and output.read_bytes() == b"before"


def test_a_worker_whose_paint_cannot_be_made_says_why(threads, source, output):
    def refuse() -> pieces.Paint:
        raise ConfigError("there is no such style")

    with pytest.raises(ConfigError, match="there is no such style"):
        list(paint_video_by_many(source, output, refuse, workers=2))
    assert not files_beside(output)


def test_errors_that_cannot_be_sent_are_told_in_words():
    class Odd(Exception):
        def __reduce__(self):
            raise TypeError("no")

    assert str(piece_workers._told(Odd("broken"))) == "Odd: broken"
    assert isinstance(piece_workers._told(ImageError("no")), ImageError)


def test_a_disk_that_takes_no_more_is_named(threads, source, output, monkeypatch):
    plain = Path.open

    def full(path: Path, mode: str = "r", *given, **named):
        if mode == "r+b" and path.name.startswith(".neural"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(path, mode, *given, **named)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="painted.mp4 could not be written: the disk is full"):
        list(paint_video_by_many(source, output, shimmer, workers=2))
    assert not files_beside(output)


def test_room_is_asked_for_what_waits_too(source, output, monkeypatch):
    usage = shutil.disk_usage(output.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=3_000_000))
    paint_video(source, output, shimmering).close()
    with pytest.raises(OutputError, match="the disk has room for 3 MB, and about 4 MB are to be written"):
        paint_video_by_many(source, output, shimmer, workers=2)


@pytest.mark.parametrize("workers", [0, -1, 9, 1.5, True, "2"])
def test_a_number_of_workers_that_cannot_be_is_refused(source, output, workers):
    with pytest.raises(ConfigError, match="workers is .*; give a whole number from 1 to 8, the cores of"):
        paint_video_by_many(source, output, shimmer, workers=workers)


def test_all_workers_are_told_to_end_before_any_is_waited_for(source, output):
    ends: list[list[bool]] = []

    class Slow:
        at = None

        def __init__(self):
            self.connection, self.theirs = Pipe()
            slow.append(self)

        def end(self):
            ends.append([worker.connection.closed for worker in slow])

    slow: list[Slow] = []
    piece_workers.PieceWorkers(job_of(source), [Slow] * 3, output).close()
    assert ends == [[True] * 3] * 3


# Processes


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
def test_a_process_that_is_ended_ends_all_with_a_sentence(source, output):
    with pytest.raises(DeviceError, match=r"was ended \(SIGKILL\), perhaps for want of memory; nothing is kept"):
        list(paint_video_by_many(source, output, killing, workers=1))
    assert not files_beside(output)


def test_processes_paint_as_one_does_and_are_gone_afterwards(source, output):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = pixels_of_one(source, output)
        many = pixels_of(paint_video_by_many(source, output, shimmer, workers=2))
    finally:
        torch.set_num_threads(before)
    assert len(many) == 61 and all(map(np.array_equal, one, many))
    assert not multiprocessing.active_children() and files_beside(output) == ["one.mp4", "painted.mp4"]
