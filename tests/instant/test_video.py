import gc
import os
import shutil
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError, OutputError
from nst_core.instant import video as module
from nst_core.instant.video import VideoProgress, paint_video
from nst_core.transfer.steering import Steering

HEIGHT, WIDTH, FRAMES, RATE, SOUND_RATE = 48, 64, 12, 25, 44100
COLOURS = ((220, 40, 30), (30, 160, 60), (40, 60, 210), (200, 200, 190))  # of the quarters, clockwise from top left


def quarters(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A picture whose corners tell which way up it is, (height, width, 3) uint8."""
    pixels = np.empty((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    for place, colour in zip(((top, left), (top, right), (bottom, right), (bottom, left)), COLOURS, strict=True):
        pixels[place] = colour
    return pixels


def numbered(index: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Quarters with a bar that grows from frame to frame."""
    pixels = quarters(height, width)
    pixels[height // 2 - 2 : height // 2 + 2, : 4 * (index + 1)] = 255
    return pixels


def add_tone(container, stream, seconds: float) -> None:
    """A sine tone of that length."""
    wave = (np.sin(np.arange(round(SOUND_RATE * seconds)) * 0.06) * 8000).astype(np.int16)[None]
    for begin in range(0, wave.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(wave[:, begin : begin + 1024].copy(), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, begin, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def film(
    path: Path,
    pictures=None,
    *,
    times=None,  # milliseconds
    codec: str = "libx264",
    format: str = "yuv420p",
    sound: str | None = "aac",
    seconds: float | None = None,
    matrix: int = 1,
    full: bool = False,
    **stream_settings,
) -> Path:
    """Write a video of pictures (H, W, 3), with a tone as long as it is."""
    pictures = [numbered(index) for index in range(FRAMES)] if pictures is None else pictures
    with av.open(str(path), "w") as container:
        base = Fraction(1, 1000) if times else Fraction(1, RATE)
        height, width = pictures[0].shape[:2]
        stream = container.add_stream(codec, rate=RATE, width=width, height=height, pix_fmt=format, time_base=base)
        turn = stream_settings.pop("turn", None)
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        context, levels = stream.codec_context, 2 if full else 1
        if matrix:
            context.colorspace, context.color_range = matrix, levels
        for name, value in stream_settings.items():
            setattr(context, name, value)
        audio = container.add_stream(sound, rate=SOUND_RATE, layout="mono") if sound else None
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame = frame.reformat(format=format, dst_colorspace=matrix or 5, src_color_range=2, dst_color_range=levels)
            frame.pts, frame.time_base = times[index] if times else index, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio:
            add_tone(container, audio, seconds or len(pictures) / RATE)
    return path


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def times_of(path: Path) -> list[float]:
    return [round(frame.time, 6) for frame in decoded(path)]


def shown(path: Path, index: int = 0) -> np.ndarray:
    """A frame's colours, by the matrix that the file names, (H, W, 3)."""
    frame = decoded(path)[index]
    return frame.to_ndarray(format="rgb24", src_colorspace=frame.colorspace, dst_color_range=2).astype(int)


def sound_packets(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as container:
        packets = list(container.demux(audio=0)) if container.streams.audio else []
        return [(round(packet.pts * packet.time_base * 10**6), bytes(packet)) for packet in packets if packet.size]


def samples_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def corners(pixels: np.ndarray) -> list[np.ndarray]:
    """The colours of a picture's quarters, clockwise from top left."""
    height, width = pixels.shape[:2]
    low, high = height // 5, height - height // 5
    return [pixels[y, x] for y, x in ((low, width // 5), (low, -width // 5), (high, -width // 5), (high, width // 5))]


def painted(source: Path, output: Path, paint=lambda image: image, **settings) -> list[VideoProgress]:
    return list(paint_video(source, output, paint, **settings))


@pytest.fixture
def source(tmp_path) -> Path:
    return film(tmp_path / "source.mp4")


@pytest.fixture
def output(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "painted.mp4"


# What stays as it was


def test_length_rate_times_and_sound_stay(source, output):
    progress = painted(source, output)
    assert [each.frame for each in progress] == list(range(FRAMES + 1)) and progress[-1].frames == FRAMES
    assert times_of(output) == times_of(source) and len(times_of(output)) == FRAMES
    assert sound_packets(output) == sound_packets(source) and samples_of(output) == samples_of(source)
    with av.open(str(source)) as before, av.open(str(output)) as after:
        for name in ("average_rate", "frames"):
            assert getattr(after.streams.video[0], name) == getattr(before.streams.video[0], name)
        assert after.duration == pytest.approx(before.duration, abs=50_000)
        assert after.streams.video[0].codec_context.name == "h264" and after.streams.video[0].pix_fmt == "yuv420p"


def test_uneven_times_stay(tmp_path, output):
    times = [0, 33, 50, 51, 120, 400, 433, 700, 701, 900, 1300, 1333]
    source = film(tmp_path / "uneven.mkv", times=times)
    painted(source, output)
    assert times_of(output) == times_of(source) == [time / 1000 for time in times]


def test_what_begins_late_begins_at_once(tmp_path, output):
    source = film(tmp_path / "late.mkv", times=[3000 + 40 * index for index in range(FRAMES)], sound=None)
    painted(source, output)
    assert times_of(source)[0] == 3 and times_of(output) == [0.04 * index for index in range(FRAMES)]


def test_sound_keeps_step_in_a_broadcast(tmp_path, output):
    """Which never begins at 0, and keeps AAC in another way than MP4."""
    source = film(tmp_path / "broadcast.ts")
    painted(source, output)
    lag = [sound_packets(path)[0][0] / 1e6 - times_of(path)[0] for path in (source, output)]
    assert times_of(source)[0] > 0.05 and lag[0] == pytest.approx(lag[1], abs=0.001)
    assert len(sound_packets(output)) == len(sound_packets(source))


@pytest.mark.parametrize("matrix, full", [(1, False), (1, True), (5, False), (6, True), (9, False), (0, False)])
def test_colours_stay_whatever_the_file_keeps_them_in(tmp_path, output, matrix, full):
    source = film(tmp_path / "source.mp4", [quarters()] * 3, matrix=matrix, full=full, sound=None)
    seen = []
    painted(source, output, lambda image: seen.append(image) or image)
    for pixels in (images.to_bytes(seen[0]).astype(int), shown(output)):
        assert np.abs(np.array(corners(pixels)) - COLOURS).max() <= 4


def test_a_large_video_that_names_no_matrix_is_of_high_definition(tmp_path, output):
    pictures, seen = [quarters(720, 64)] * 2, []
    source = film(tmp_path / "source.mp4", pictures, matrix=1, sound=None)
    unnamed = tmp_path / "unnamed.avi"  # a container that does not say
    with av.open(str(source)) as before, av.open(str(unnamed), "w") as after:
        stream = after.add_stream("mpeg4", rate=RATE, width=64, height=720, pix_fmt="yuv420p", bit_rate=4_000_000)
        for frame in before.decode(video=0):
            planes = av.VideoFrame.from_ndarray(frame.to_ndarray(), "yuv420p")  # without its colours' names
            after.mux(stream.encode(planes))
        after.mux(stream.encode(None))
    painted(unnamed, output, lambda image: seen.append(image) or image)
    assert np.abs(np.array(corners(images.to_bytes(seen[0]).astype(int))) - COLOURS).max() <= 6


def test_paint_sees_images_and_its_paint_is_in_the_file(source, output):
    seen = []

    def paint(image: Tensor) -> Tensor:
        seen.append(image)
        return 1 - image

    progress = painted(source, output, paint)
    assert all(image.shape == (1, 3, HEIGHT, WIDTH) and image.dtype == torch.float32 for image in seen)
    assert all(image.min() >= 0 and image.max() <= 1 for image in seen)
    torch.testing.assert_close(progress[-1].image, 1 - seen[-1])
    assert np.abs(np.array(corners(shown(output))) - (255 - np.array(COLOURS))).max() <= 5
    bars = [(images.to_bytes(image)[HEIGHT // 2, :, :].min(1) > 200).sum() for image in seen]
    assert bars == sorted(bars) and bars[-1] - bars[0] > 30  # every frame in its turn


@pytest.mark.parametrize("turn", [(0, False), (90, False), (-90, False), (180, False), (0, True), (90, True)])
def test_a_video_filmed_on_its_side_comes_out_upright(tmp_path, output, turn):
    """As a player shows it: turned counterclockwise, then mirrored."""
    source = film(tmp_path / "phone.mp4", [quarters()] * 3, turn=turn)
    painted(source, output)
    with av.open(str(source)) as container:
        data = next(container.decode(video=0)).side_data.get("DISPLAYMATRIX")
    matrix = np.frombuffer(data, np.int32).reshape(3, 3)[:2, :2] / 65536 if data is not None else np.eye(2)
    expected = {}
    for (x, y), colour in zip(((-1, -1), (1, -1), (1, 1), (-1, 1)), COLOURS, strict=True):
        expected[tuple(np.array((x, y)) @ matrix)] = colour  # as ISO 14496-12 has it: (p, q) times the matrix
    wanted = [expected[place] for place in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    found = shown(output)
    assert found.shape[:2] == ((HEIGHT, WIDTH) if turn[0] in (0, 180) else (WIDTH, HEIGHT))
    assert np.abs(np.array(corners(found)) - wanted).max() <= 5
    assert not decoded(output)[0].rotation


def test_pixels_that_are_not_square_become_so(tmp_path, output):
    source = film(tmp_path / "wide.mp4", sample_aspect_ratio=Fraction(3, 2))
    painted(source, output)
    assert shown(output).shape[:2] == (48, 96)


def test_an_odd_size_loses_its_last_row_and_column(tmp_path, output):
    pictures, sizes = [quarters(49, 63)] * 3, []
    source = film(tmp_path / "odd.mkv", pictures, format="yuv444p")
    painted(source, output, lambda image: sizes.append(images.size_of(image)) or image)
    assert set(sizes) == {(48, 62)} and shown(output).shape == (48, 62, 3)
    assert np.abs(np.array(corners(shown(output))) - COLOURS).max() <= 5


@pytest.mark.parametrize("size, expected", [(32, (24, 32)), (50, (38, 50)), (64, (48, 64)), (1000, (48, 64))])
def test_size_is_the_longest_side_and_enlarges_nothing(source, output, size, expected):
    painted(source, output, size=size)
    assert shown(output).shape[:2] == expected
    assert sound_packets(output) == sound_packets(source)


@pytest.mark.parametrize(
    "name, sound", [("a.mkv", "libmp3lame"), ("a.mkv", "flac"), ("a.webm", "libopus"), ("a.mov", "alac")]
)
def test_sound_that_mp4_holds_is_copied(tmp_path, output, name, sound):
    codec = "libvpx" if name.endswith("webm") else "libx264"
    rate_free = sound != "libopus"
    source = film(tmp_path / name, codec=codec, sound=sound) if rate_free else film_with_opus(tmp_path / name)
    painted(source, output)
    assert [data for _, data in sound_packets(output)] == [data for _, data in sound_packets(source)]


def film_with_opus(path: Path) -> Path:
    """Opus knows 48 kHz only; its stream resamples the tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p")
        audio = container.add_stream("libopus", rate=48000, layout="mono")
        for index in range(FRAMES):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(numbered(index), "rgb24").reformat(format="yuv420p"))
            )
        container.mux(stream.encode(None))
        add_tone(container, audio, FRAMES / RATE)
    return path


@pytest.mark.parametrize("name, sound", [("a.avi", "pcm_s16le"), ("a.mkv", "mp2"), ("a.mkv", "pcm_s16le")])
def test_sound_that_mp4_does_not_hold_is_encoded_and_as_long(tmp_path, output, name, sound):
    source = film(tmp_path / name, sound=sound)
    painted(source, output)
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert abs(samples_of(output) - samples_of(source)) <= 2 * 1024  # AAC comes in packets of 1024
    assert sound_packets(output)[0][0] <= 0.03e6


def test_sound_longer_than_the_pictures_is_kept(tmp_path, output):
    source = film(tmp_path / "long.mp4", seconds=2.0)
    painted(source, output)
    assert sound_packets(output) == sound_packets(source)


def test_a_video_without_sound_is_painted_without(tmp_path, output):
    painted(film(tmp_path / "silent.mp4", sound=None), output)
    assert not sound_packets(output) and len(decoded(output)) == FRAMES


def test_the_file_can_be_shown_before_it_is_read_to_its_end(source, output):
    painted(source, output)
    content = output.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_frames_are_stored_in_the_order_in_which_they_are_shown(tmp_path, output):
    """So that a file can end after any of them, and each lasts as long as it did."""
    painted(film(tmp_path / "uneven.mkv", times=[0, 40, 60, 200, 210, 300, 400, 410, 420, 500, 520, 600]), output)
    with av.open(str(output)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert times == sorted(times)


def test_steady_steadies(source, output, monkeypatch):
    calls = []
    steadied = module.Steady.__call__
    monkeypatch.setattr(module.Steady, "__call__", lambda *given: calls.append(given) or steadied(*given))
    painted(source, output)
    assert not calls
    painted(source, output, steady=True)
    assert len(calls) == FRAMES and len(decoded(output)) == FRAMES


# How far it is


def test_progress_says_how_far_it_is(source, output):
    progress = painted(source, output)
    assert progress[0].image is None and progress[0].text == "frame 0 of 12"
    assert progress[6].text.startswith("frame 6 of 12, ") and progress[6].text.endswith(" a second")
    assert [each.seconds for each in progress] == sorted(each.seconds for each in progress)
    assert not any(each.note for each in progress)


def test_where_a_file_does_not_count_its_frames_they_are_reckoned(tmp_path, output):
    progress = painted(film(tmp_path / "uncounted.mkv"), output)
    assert abs(progress[-1].frames - FRAMES) <= 1


def test_memory_does_not_grow_with_length(tmp_path, output):
    """Nothing waits for the garbage collector either, which does not know how large a frame is."""
    alive, most = weakref.WeakSet(), []

    def paint(image: Tensor) -> Tensor:
        made = image * 1
        alive.update((image, made))
        frames = sum(type(each) is av.VideoFrame for each in gc.get_objects())
        most.append(len(alive) + frames)
        return made

    source = film(tmp_path / "long.mp4", [numbered(0)] * 60, sound=None)
    gc.collect()
    gc.disable()
    try:
        for _ in paint_video(source, output, paint, steady=True):
            pass
    finally:
        gc.enable()
    assert len(most) == 60 and max(most) <= 16  # at the end, decoding hands out what its threads still hold


# Stopped


@pytest.mark.parametrize("how", ["stop", "close"])
@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
def test_a_stopped_video_is_kept_with_its_sound_up_to_there(tmp_path, output, how, sound):
    source = film(tmp_path / "source.mkv", [numbered(index % 12) for index in range(50)], sound=sound)
    steering = Steering()
    run = paint_video(source, output, lambda image: image, steering=steering)
    for progress in run:
        if progress.frame == 20:
            if how == "close":
                run.close()
                break
            steering.stop.set()
    frames, sounding = decoded(output), samples_of(output) / SOUND_RATE
    assert len(frames) == 20 and times_of(output) == times_of(source)[:20]
    assert sounding == pytest.approx(20 / RATE, abs=2 * 1024 / SOUND_RATE + 0.03)
    assert os.listdir(output.parent) == [output.name]


def test_an_interrupt_keeps_what_is_painted(source, output):
    count = iter(range(100))

    def paint(image: Tensor) -> Tensor:
        if next(count) == 5:
            raise KeyboardInterrupt
        return image

    with pytest.raises(KeyboardInterrupt):
        painted(source, output, paint)
    assert len(decoded(output)) == 5


@pytest.mark.parametrize("begun", [False, True])
def test_stopped_before_the_first_frame_it_leaves_nothing(source, output, begun):
    output.write_bytes(b"before")
    run = paint_video(source, output, lambda image: image)
    if begun:
        next(run)
    run.close()
    assert os.listdir(output.parent) == [output.name] and output.read_bytes() == b"before"


# Failed


@pytest.mark.parametrize("error", [RuntimeError("no"), ImageError("no"), OSError("no")])
def test_if_painting_fails_nothing_is_left_and_the_error_is_its_own(source, output, error):
    count = iter(range(100))

    def paint(image: Tensor) -> Tensor:
        if next(count) == 5:
            raise error
        return image

    output.write_bytes(b"before")
    with pytest.raises(type(error), match="^no$"):
        painted(source, output, paint)
    assert os.listdir(output.parent) == [output.name] and output.read_bytes() == b"before"


def test_paint_of_another_size_is_a_mistake(source, output):
    with pytest.raises(ValueError, match="paint made"):
        painted(source, output, lambda image: image[..., :32])
    assert not os.listdir(output.parent)


def test_a_disk_that_is_full_is_named(source, output, full_disk):
    with pytest.raises(OutputError, match=r"painted.mp4 could not be written: the disk is full; make room"):
        painted(source, output)
    assert not os.listdir(output.parent)


def test_a_disk_without_room_for_the_film_is_told_before_the_work(tmp_path, monkeypatch):
    """Reckoned by frames, pixels and kind: of these, an MP4 takes less than the free 5 MB, a PNG more."""
    source = film(tmp_path / "a.mp4", [quarters(480, 640)] * 12, codec="mpeg4", sound=None)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=5_000_000))
    paint_video(source, tmp_path / "o.mp4", lambda image: image).close()
    with pytest.raises(OutputError, match="the disk has room for 5 MB, and about 9 MB are to be written"):
        paint_video(source, tmp_path / "o.png", lambda image: image)


def test_no_file_stays_open(source, output):
    held = Path("/proc/self/fd")
    if not held.exists():
        pytest.skip("only Linux tells which files are open")

    def held_files() -> set[str]:
        return {os.readlink(each) for each in held.iterdir() if each.exists()}

    painted(source, output)
    run = paint_video(source, output, lambda image: image)
    assert str(source) not in held_files()  # not even before it begins
    next(run), next(run)
    assert str(source) in held_files()
    run.close()
    with pytest.raises(ValueError):
        painted(source, output, lambda image: image[..., :32])
    assert not {path for path in held_files() if path == str(source) or path.startswith(str(output.parent))}


# Refused, before anything is painted


def refuse(image: Tensor) -> Tensor:
    pytest.fail("something was painted")


def test_what_is_no_video_is_refused_in_plain_words(tmp_path, output):
    files = {
        "text.mp4": (b"Not a film at all.\n" * 100, "cannot be read as a video"),
        "play.m3u8": (b"#EXTM3U\n#EXTINF:1,\nsource.mp4\n", "cannot be read as a video"),
        "empty.mp4": (b"", "is empty; use an MP4"),
        "picture.png": (Path(__file__).read_bytes(), "cannot be read as a video"),
    }
    for name, (content, message) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageError, match=f"{name} {message}"):
            paint_video(tmp_path / name, output, refuse)
    with pytest.raises(ImageError, match="nowhere.mp4 does not exist; check the path"):
        paint_video(tmp_path / "nowhere.mp4", output, refuse)
    with pytest.raises(ImageError, match="cannot be read as a video"):
        paint_video(tmp_path, output, refuse)
    assert not os.listdir(output.parent)


@pytest.mark.parametrize("name", ["song.m4a", "song.mp3", "song.wav"])
def test_sound_alone_is_no_video(tmp_path, output, name):
    codec = {"song.m4a": "aac", "song.mp3": "libmp3lame", "song.wav": "pcm_s16le"}[name]
    with av.open(str(tmp_path / name), "w") as container:
        add_tone(container, container.add_stream(codec, rate=SOUND_RATE, layout="mono"), 0.3)
    with pytest.raises(ImageError, match=f"{name} holds no moving pictures; use an MP4"):
        paint_video(tmp_path / name, output, refuse)


def test_the_cover_of_a_song_is_no_video(tmp_path, output):
    with av.open(str(tmp_path / "song.m4a"), "w", "mp4") as container:
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        cover = container.add_stream("mjpeg", rate=1, width=WIDTH, height=HEIGHT, pix_fmt="yuvj420p")
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(quarters(), "rgb24").reformat(format="yuvj420p")))
        container.mux(cover.encode(None))
        add_tone(container, audio, 0.3)
    with pytest.raises(ImageError, match="song.m4a holds no moving pictures"):
        paint_video(tmp_path / "song.m4a", output, refuse)


def test_a_video_without_a_single_frame_is_refused(source, tmp_path, output):
    content = source.read_bytes()
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    (tmp_path / "black.mp4").write_bytes(content[:begin] + bytes(end - begin) + content[end:])
    with av.open(str(tmp_path / "none.mp4"), "w") as container:
        container.add_stream("libx264", rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p")
        container.start_encoding()
    for name, message in (
        ("black.mp4", "has no picture that can be read; export it anew"),
        ("none.mp4", "holds no moving pictures; use an MP4"),  # ffmpeg leaves empty tracks out
    ):
        with pytest.raises(ImageError, match=f"{name} {message}"):
            paint_video(tmp_path / name, output, refuse)


def test_what_is_too_small_is_refused(tmp_path, output):
    source = film(tmp_path / "tiny.mp4", [quarters(12, 64)] * 3)
    with pytest.raises(ImageError, match="tiny.mp4 is 64×12 pixels; both sides must be at least 16"):
        paint_video(source, output, refuse)


@pytest.mark.parametrize("size", [0, -5, 15, True, 2.5, "64"])
def test_a_size_that_is_none_is_refused(source, output, size):
    with pytest.raises(ConfigError, match="size is .*; give a whole number of pixels"):
        paint_video(source, output, refuse, size=size)


def test_a_size_that_makes_a_side_too_small_is_refused(tmp_path, output):
    source = film(tmp_path / "flat.mp4", [quarters(32, 128)] * 3)
    with pytest.raises(ConfigError, match="size 32 .* makes this 128×32 picture 32×8 pixels"):
        paint_video(source, output, refuse, size=32)


def test_an_output_that_cannot_be_is_refused(source, tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    for path, error, message in (
        (tmp_path / "painted.avi", ConfigError, "output is 'painted.avi'; name an .mp4, .gif, .webp or .png file"),
        (tmp_path / "none" / "painted.mp4", OutputError, "the folder .*none does not exist; make it"),
        (tmp_path / "folder.mp4", OutputError, "folder.mp4 is a folder; name a file in it"),
        (source, ConfigError, "output is 'source.mp4', the video itself; name another file"),
    ):
        with pytest.raises(error, match=message):
            paint_video(source, path, refuse)
    assert len(decoded(source)) == FRAMES


# Damaged


def test_what_can_be_read_of_a_damaged_video_is_painted_and_said(tmp_path, output):
    pictures = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), np.uint8)
    source = film(tmp_path / "source.mkv", list(pictures), sound=None)
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    source.write_bytes(content)
    progress = painted(source, output)
    left = len(decoded(output))
    assert [each.note for each in progress if each.note] == [module.DAMAGED, module.PARTS_LEFT.format(left, 40)]
    assert 10 <= left == progress[-1].frame < 40


def test_a_video_cut_short_is_painted_up_to_there(tmp_path, output):
    source = film(tmp_path / "source.ts", [numbered(index % 12) for index in range(40)])
    source.write_bytes(source.read_bytes()[: -source.stat().st_size // 2])
    painted(source, output)
    assert 5 <= len(decoded(output)) < 40
    assert times_of(output)[-1] < 40 / RATE


def test_a_video_whose_index_is_cut_off_is_refused(source, tmp_path, output):
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:2000])
    with pytest.raises(ImageError, match="cut.mp4 cannot be read as a video"):
        paint_video(tmp_path / "cut.mp4", output, refuse)
