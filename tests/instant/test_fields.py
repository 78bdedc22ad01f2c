"""Films of two fields a frame, made of a bar that moves from field to field."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags

from nst_core.instant.fields import Fields
from nst_core.instant.film_pixels import SCALER
from tests.instant.films import HEIGHT, WIDTH, decoded, frame_of, seen, write

COUNT = 8


def moment(time: float, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The bar at a time, in frames, (H, W, 3) uint8."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    left = round(8 * time)
    pixels[:, left : left + 12] = 220
    return pixels


def woven(index: int, order: str) -> np.ndarray:
    """A frame whose rows are of two moments."""
    pixels = moment(index)
    first, second = (0, 1) if order == "tff" else (1, 0)
    pixels[first::2] = moment(index)[first::2]
    pixels[second::2] = moment(index + 0.5)[second::2]
    return pixels


def marked(frame: av.VideoFrame, order: str) -> av.VideoFrame:
    """The same frame, which says that it is of two fields; PyAV's cannot be told."""
    graph = av.filter.Graph()
    size = f"{frame.width}x{frame.height}"
    nodes = graph.add("buffer", video_size=size, pix_fmt=frame.format.name, time_base="1"), graph.add("setfield", order)
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def film(path: Path, codec: str, order: str = "tff", kind: str = "yuv420p", pixels=None, **settings) -> Path:
    pixels = [woven(index, order) for index in range(COUNT)] if pixels is None else pixels
    levels = 2 if kind.startswith("yuvj") else 1
    frames = [marked(frame_of(each, kind, full=levels == 2), order) for each in pixels]
    fields = Flags.interlaced_dct | Flags.interlaced_me if codec != "mjpeg" else 0
    number = 2 if order == "tff" else 3
    return write(path, frames, codec, flags=fields, field_order=number, color_range=levels, colorspace=1, **settings)


def comb(pixels: np.ndarray) -> float:
    """How far rows are from the mean of their neighbours."""
    grey = pixels.mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(
    "name, codec, kind",
    [
        ("dvd.mpg", "mpeg2video", "yuv420p"),
        ("camera.mts", "libx264", "yuv420p"),
        ("edit.mov", "prores_ks", "yuv422p10le"),
        ("edit.mkv", "ffv1", "yuv422p"),
        ("old.mov", "mjpeg", "yuvj422p"),  # whose frames do not tell, but the container
    ],
)
def test_two_fields_become_one_picture_of_the_first_moment(tmp_path, name, codec, kind, order):
    container = {"dvd.mpg": "mpeg", "camera.mts": "mpegts"}.get(name)
    source = film(tmp_path / name, codec, order, kind, container=container, bit_rate=4_000_000)
    frames, notes = seen(source, tmp_path / "o.mp4")
    assert len(frames) == COUNT and not notes
    assert comb(woven(3, order)) > 20 and all(comb(frame) < 2 for frame in frames)
    for index in range(2, COUNT - 2):
        middle = (frames[index][20:28].mean(axis=(0, 2)) > 130).nonzero()[0].mean()
        assert middle == pytest.approx(8 * index + 5.5, abs=1.5)  # not the second's, 4 further


def test_times_stay(tmp_path):
    source = film(tmp_path / "dvd.mpg", "mpeg2video", container="mpeg")
    seen(source, tmp_path / "o.mp4")
    begin = decoded(source)[0].time
    assert [round(frame.time - begin, 5) for frame in decoded(source)] == [
        round(frame.time, 5) for frame in decoded(tmp_path / "o.mp4")
    ]


def test_frames_without_fields_are_not_touched(tmp_path):
    pixels = [moment(index) for index in range(COUNT)]
    frames = [frame_of(each, "yuv420p") for each in pixels]
    source = write(tmp_path / "film.mkv", frames, "ffv1", color_range=1, colorspace=1)
    plain = [f.to_ndarray(format="rgb24", src_colorspace=1, dst_color_range=2, interpolation=SCALER) for f in frames]
    for found, wanted in zip(seen(source, tmp_path / "o.mp4")[0], plain, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_film_that_has_fields_in_places_is_whole_in_every_place():
    """And none of its frames is lost or late where the kind changes."""
    two = range(3, 6)
    plain = np.random.default_rng(0).integers(0, 255, (COUNT, HEIGHT, WIDTH, 3), np.uint8)
    pictures = [woven(index, "tff") if index in two else plain[index] for index in range(COUNT)]
    kinds = ["tff" if index in two else "prog" for index in range(COUNT)]
    frames = [marked(frame_of(each, "yuv420p"), kind) for each, kind in zip(pictures, kinds, strict=True)]
    fields, found = Fields(None), []
    for index, frame in enumerate(frames):
        frame.pts, frame.duration, frame.time_base = 40 * index, 40, Fraction(1, 1000)
        found += fields(frame)
    found += fields.flush()
    assert [(frame.pts, frame.duration, frame.time_base) for frame in found] == [
        (40 * index, 40, Fraction(1, 1000)) for index in range(COUNT)
    ]
    for index in set(range(COUNT)) - set(two):
        np.testing.assert_array_equal(found[index].to_ndarray(), frames[index].to_ndarray())
    assert all(comb(found[index].to_ndarray(format="rgb24")) < 2 for index in (4, 5))


@pytest.mark.parametrize("kinds", ["t", "pppt", "ptpp", "tppp", "tt"])
def test_a_single_frame_of_two_fields_is_whole_wherever_it_stands(kinds):
    pictures = [woven(index, "tff") if kind == "t" else moment(index) for index, kind in enumerate(kinds)]
    fields, found = Fields(None), []
    for index, (picture, kind) in enumerate(zip(pictures, kinds, strict=True)):
        frame = marked(frame_of(picture, "yuv420p"), "tff" if kind == "t" else "prog")
        frame.pts, frame.duration, frame.time_base = 40 * index, 40, Fraction(1, 1000)
        found += fields(frame)
    found += fields.flush()
    assert [frame.pts for frame in found] == [40 * index for index in range(len(kinds))]
    assert all(comb(frame.to_ndarray(format="rgb24")) < 1 for frame in found)
