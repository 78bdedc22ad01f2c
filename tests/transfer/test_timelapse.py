import math
import threading
import tracemalloc
from concurrent.futures import Future
from functools import partial

import av
import pytest
import torch
from PIL import Image, features

from nst_core import images
from nst_core.errors import ConfigError, NSTError
from nst_core.transfer import timelapse as module
from nst_core.transfer.timelapse import HOLD_MILLISECONDS, LEAST_MILLISECONDS, Timelapse


class AtOnce:
    """A worker that is done when it is asked."""

    def submit(self, work, *given) -> Future:
        future: Future = Future()
        future.set_result(work(*given))
        return future


@pytest.fixture(autouse=True)
def at_once(request, monkeypatch) -> None:
    """No step is faster than pictures are made; but for tests of those that are."""
    if "in_the_making" in request.node.name or "small_part" in request.node.name:
        return
    monkeypatch.setattr(module, "WORKER", AtOnce())
    monkeypatch.setattr(module, "SECONDS_APART", 0.0)
    monkeypatch.setattr(module, "SHARE", math.inf)


def grey(level: float, height: int = 24, width: int = 32) -> torch.Tensor:
    """A picture of one grey, (1, 3, height, width)."""
    return torch.full((1, 3, height, width), float(level))


def filled(count: int, frames: int = 120, every: int = 1) -> Timelapse:
    """A time-lapse of steps 0, every, 2·every …, from black to white."""
    lapse = Timelapse(frames=frames, side=32)
    for index in range(count):
        lapse.add(grey(index / max(1, count - 1)), index * every)
    return lapse


def shown(path) -> tuple[list[Image.Image], list[int]]:
    """The pictures of an animation and their milliseconds."""
    pictures, durations = [], []
    with Image.open(path) as animation:
        for index in range(getattr(animation, "n_frames", 1)):
            animation.seek(index)
            animation.load()
            pictures.append(animation.convert("RGB"))
            durations.append(animation.info.get("duration", 0))
    return pictures, durations


def level(picture: Image.Image) -> int:
    """The grey of a picture's middle, 0..255."""
    return picture.getpixel((picture.width // 2, picture.height // 2))[0]


# What is kept


@pytest.mark.parametrize("frames", [2, 3, 8, 120])
@pytest.mark.parametrize("every", [1, 7])
def test_start_and_last_frame_are_always_shown_and_never_too_many(frames, every):
    lapse = Timelapse(frames=frames, side=32)
    for index in range(300):
        lapse.add(grey(0.5), index * every)
        assert lapse.steps[0] == 0 and lapse.steps[-1] == index * every
        assert len(lapse.steps) == len(set(lapse.steps)) <= frames


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("count", [2, 50, 119, 120, 121, 500, 1234])
def test_what_is_kept_is_evenly_spread(count, every):
    steps = filled(count, every=every).steps
    gaps = [after - before for before, after in zip(steps, steps[1:], strict=False)]
    assert len(set(gaps[:-1])) <= 1 and gaps[-1] <= gaps[0]
    assert len(steps) >= min(count, 59)


def test_steps_that_come_irregularly_are_spread_as_well():
    lapse = Timelapse(frames=20, side=32)
    steps = [*range(1000), *range(1000, 10_000, 50)]  # often at first, then seldom
    for step in steps:
        lapse.add(grey(0.5), step)
    gaps = [after - before for before, after in zip(lapse.steps, lapse.steps[1:], strict=False)]
    assert len(lapse.steps) >= 8 and max(gaps) <= 2 * min(gaps[:-1])


def test_a_short_run_is_kept_whole():
    assert filled(100).steps == tuple(range(100))


def test_memory_stays_bounded_over_a_hundred_thousand_frames():
    image, lapse = torch.rand(1, 3, 64, 64), Timelapse(frames=30, side=64)
    tracemalloc.start()
    try:
        for step in range(1000):
            lapse.add(image, step)
        after_a_thousand, _ = tracemalloc.get_traced_memory()
        for step in range(1000, 100_000):
            lapse.add(image, step)
        assert tracemalloc.get_traced_memory()[0] < after_a_thousand + 100_000
    finally:
        tracemalloc.stop()
    assert 15 <= len(lapse.steps) <= 30


def test_a_frame_that_is_not_kept_is_not_converted(monkeypatch):
    encoded, encode = [], images.encode_jpeg
    monkeypatch.setattr(images, "encode_jpeg", lambda image, **how: encoded.append(image.shape) or encode(image, **how))
    filled(10_000, frames=16)
    assert len(encoded) < 16 * 11  # log2 of 10 000 / 16, and the first 16


def test_a_run_never_waits_for_pictures_and_at_most_one_is_in_the_making(monkeypatch):
    """However slow they are, what is asked of frames meanwhile is nothing."""
    monkeypatch.setattr(module, "SECONDS_APART", 0.0)
    monkeypatch.setattr(module, "SHARE", math.inf)
    slow, asked, lapse = threading.Event(), [], Timelapse(side=32)

    def frame(step: int) -> torch.Tensor:
        asked.append(step)
        slow.wait(10)
        return grey(0.5)

    for step in range(1000):
        lapse.add(partial(frame, step), step)
    assert len(asked) <= 1 and not slow.is_set()
    slow.set()
    assert lapse.steps == (0, 999)
    lapse.add(partial(frame, 1000), 1000)
    assert lapse.steps == (0, 1000) and asked == [0, 1000]


def test_a_run_of_fast_steps_has_a_picture_each_so_many_seconds_and_a_cpu_gives_a_small_part_of_its_time(monkeypatch):
    clock, spent, each = [0.0], [0.0], [0.0]

    def thread_time() -> float:
        spent[0] += each[0]
        return spent[0]

    monkeypatch.setattr(module, "WORKER", AtOnce())
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module.time, "thread_time", thread_time)
    for each[0], apart in ((0.0, module.SECONDS_APART), (0.005, 0.5)):
        lapse = Timelapse(frames=1000, side=32)
        for step in range(500):
            clock[0] += 0.01
            lapse.add(grey(0.5), step)
        gaps = [after - before for before, after in zip(lapse.steps[:-1], lapse.steps[1:-1], strict=False)]
        assert min(gaps) >= 100 * apart - 1 and max(gaps) <= 100 * apart + 1 and len(gaps) >= 9


def test_frames_of_another_run_are_refused():
    lapse = filled(5)
    with pytest.raises(ValueError, match="step 2 comes after step 4"):
        lapse.add(grey(0), 2)
    assert lapse.steps[-1] == 4


# What is written


def test_the_animation_goes_from_the_start_to_the_last_frame_and_loops(tmp_path):
    path = tmp_path / "lapse.webp"
    filled(300, frames=20).save(path, seconds=3)
    pictures, durations = shown(path)
    levels = [level(picture) for picture in pictures]
    assert levels[0] <= 4 and levels[-1] >= 251 and levels == sorted(levels)
    assert len(pictures) <= 20
    assert sum(durations[:-1]) == pytest.approx(3000, abs=20) and durations[-1] == HOLD_MILLISECONDS
    with Image.open(path) as animation:
        assert animation.format == "WEBP" and animation.is_animated and animation.info["loop"] == 0


def test_a_film_shows_the_same_pictures_as_the_animation(tmp_path):
    lapse = filled(20, frames=20)
    for ending in (".webp", ".mp4"):
        lapse.save(tmp_path / f"lapse{ending}")
    with av.open(str(tmp_path / "lapse.mp4")) as film:
        levels = [frame.to_ndarray(format="rgb24").mean() for frame in film.decode(video=0)]
    last = levels.pop()
    assert levels == pytest.approx([level(picture) for picture in shown(tmp_path / "lapse.webp")[0]], abs=4)
    assert last == pytest.approx(levels[-1], abs=1)  # which is held


def test_a_run_can_go_on_after_it_was_saved(tmp_path):
    lapse = filled(10)
    lapse.save(tmp_path / "first.webp")
    lapse.add(grey(0.2), 10)
    lapse.save(tmp_path / "second.webp")
    first, second = (shown(tmp_path / name)[0] for name in ("first.webp", "second.webp"))
    assert len(second) == len(first) + 1
    assert level(second[-1]) == pytest.approx(51, abs=4)


def test_frames_of_all_scales_are_written_at_the_last_ones_size(tmp_path):
    lapse = Timelapse(side=64)
    for step, (height, width) in enumerate([(24, 32), (24, 32), (48, 64), (48, 64), (96, 128)]):
        lapse.add(grey(step / 4, height, width), step)
    lapse.save(tmp_path / "lapse.webp")
    pictures, _ = shown(tmp_path / "lapse.webp")
    assert [picture.size for picture in pictures] == [(64, 48)] * 5


def test_of_two_frames_of_one_step_the_later_is_the_last_picture(tmp_path):
    lapse = filled(3)
    lapse.add(grey(0.2, 48, 64), 2)
    lapse.save(tmp_path / "lapse.webp")
    pictures, _ = shown(tmp_path / "lapse.webp")
    assert lapse.steps == (0, 1, 2) and len(pictures) == 3
    assert level(pictures[-1]) == pytest.approx(51, abs=4)


@pytest.mark.parametrize("shape", [(40, 100), (100, 40), (10, 20)])
def test_no_side_is_longer_than_asked_and_none_is_enlarged(tmp_path, shape):
    lapse = Timelapse(side=50)
    lapse.add(grey(0.5, *shape), 0)
    lapse.add(grey(0.6, *shape), 1)
    lapse.save(tmp_path / "lapse.webp")
    assert max(shown(tmp_path / "lapse.webp")[0][0].size) == min(50, max(shape))


def test_one_frame_is_a_picture_too(tmp_path):
    filled(1).save(tmp_path / "lapse.webp")
    assert shown(tmp_path / "lapse.webp")[0][0].size == (32, 24)


def test_no_picture_is_faster_than_browsers_show(tmp_path):
    filled(200, frames=200).save(tmp_path / "lapse.webp", seconds=1)
    _, durations = shown(tmp_path / "lapse.webp")
    assert min(durations) >= LEAST_MILLISECONDS


# What is refused


def test_a_time_lapse_of_nothing_is_refused_in_plain_words(tmp_path):
    with pytest.raises(NSTError, match="nothing to show yet; run"):
        Timelapse().save(tmp_path / "lapse.webp")
    assert not Timelapse().steps and not list(tmp_path.iterdir())


def test_a_pillow_without_webp_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: name != "webp")
    with pytest.raises(NSTError, match="WebP.*pip install"):
        filled(3).save(tmp_path / "lapse.webp")


@pytest.mark.parametrize("frames, side", [(1, 64), (0, 64), (True, 64), (2.5, 64), (20, 0), (20, 10**6), (20, "64")])
def test_numbers_out_of_range_are_refused(frames, side):
    with pytest.raises(ConfigError, match=r"(frames|side) is .*; give a whole number from"):
        Timelapse(frames=frames, side=side)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "8"])
def test_a_duration_out_of_range_is_refused(tmp_path, seconds):
    with pytest.raises(ConfigError, match="seconds is .*; give a number from 1"):
        filled(3).save(tmp_path / "lapse.webp", seconds=seconds)
