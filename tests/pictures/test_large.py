"""Tests of results that are larger than other files may be: read as if they were small, and in little memory."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import large, opening, pixels
from nst_core.transfer.record import TEXT_KEY

TEXT = {TEXT_KEY: "{}"}
SHAPES = [(1, 3, 61, 40), (1, 4, 61, 40), (1, 3, 40, 97)]


def painted(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """A smooth picture with some grain, in 255 levels, whose PNG has rows of every filter."""
    chance = torch.Generator().manual_seed(seed)
    coarse = torch.rand(*shape[:2], 4, 5, generator=chance)
    image = torch.nn.functional.interpolate(coarse, shape[2:], mode="bicubic").clamp(0, 1)
    image[..., ::3] += 0.05 * torch.rand(image[..., ::3].shape, generator=chance)
    return (image.clamp(0, 1) * 255).round() / 255


def saved(image: torch.Tensor, path: Path) -> Path:
    (images.save_tiff if images.is_tiff(path) else images.save_png)(image, path, TEXT)
    return path


def in_pieces(monkeypatch, numbers: int = 700) -> None:
    """Have results of more than a hundred pixels read so many numbers at a time."""
    monkeypatch.setattr(opening, "MAX_PIXELS", 100)
    monkeypatch.setattr(large, "STRIP_NUMBERS", numbers)
    monkeypatch.setattr(large, "READ_BYTES", 97)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["result.png", "result.tif"])
def test_a_large_result_is_read_as_a_small_one_is(monkeypatch, tmp_path, shape, name):
    path, image = saved(painted(shape), tmp_path / name), painted(shape)
    small = images.load(path), images.load(path, keep_transparency=True)
    in_pieces(monkeypatch)
    monkeypatch.setattr(images, "decode", None)  # how others are read
    for one, other in zip((images.load(path), images.load(path, keep_transparency=True)), small, strict=True):
        torch.testing.assert_close(one, other, atol=0 if name == "result.png" else 1.01 / 255, rtol=0)
    assert torch.equal(images.load_transparent(path)[:, : shape[1]], image)


@pytest.mark.parametrize("side", [24, 33, 60])
@pytest.mark.parametrize("name", ["result.png", "result.tif"])
def test_made_smaller_it_is_what_is_made_of_a_small_one(monkeypatch, tmp_path, side, name):
    path = saved(painted((1, 3, 97, 131)), tmp_path / name)
    small = images.load(path, max_side=side)
    in_pieces(monkeypatch, 2000)
    made = images.load(path, max_side=side)
    assert made.shape == small.shape and max(made.shape) == side
    assert (made - small).abs().mean() < 2 / 255 and (made - small).abs().max() < 12 / 255


def test_of_a_hundred_million_pixels_and_more_only_own_results_are_read(tmp_path):
    def header(width: int, height: int, key: str) -> io.BytesIO:
        info, buffer = PngInfo(), io.BytesIO()
        info.add_itxt(key, "{}")
        Image.new("RGB", (16, 16)).save(buffer, "PNG", pnginfo=info)
        data = bytearray(buffer.getvalue())
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        return io.BytesIO(data)

    images.check(header(16_384, 16_384, TEXT_KEY))
    for width, height, key in ((16_384, 16_385, TEXT_KEY), (10_001, 10_000, "Comment")):
        with pytest.raises(ImageError, match=f"{width}×{height}, more than"):
            images.check(header(width, height, key))
    assert large.MOST_PIXELS == images.MAX_SIDE**2 and large.PNG_KEY == TEXT_KEY


def test_what_is_damaged_or_cut_short_is_refused(monkeypatch, tmp_path):
    in_pieces(monkeypatch)
    for name in ("result.png", "result.tif"):
        data = saved(painted(SHAPES[0]), tmp_path / name).read_bytes()
        middle = len(data) // 2
        cut = data[:middle] if name == "result.png" else data[:100] + bytes(middle - 100) + data[middle:]
        with pytest.raises(ImageError, match="cannot be read as a picture"):
            images.load(io.BytesIO(cut))


def test_a_size_that_memory_does_not_hold_is_refused_and_a_preview_is_not(monkeypatch, tmp_path):
    path = saved(painted((1, 3, 600, 400)), tmp_path / "result.png")
    in_pieces(monkeypatch)
    monkeypatch.setenv("NST_PICTURE_BYTES", str(10**6))
    with pytest.raises(ImageError, match="1 MB are allowed"):
        images.load(path)
    assert images.load(path, max_side=100).shape == (1, 3, 100, 67)


@pytest.mark.parametrize("name", ["result.png", "result.tif"])
def test_reading_takes_little_more_than_what_is_made(monkeypatch, tmp_path, name):
    monkeypatch.setattr(opening, "MAX_PIXELS", 100)
    for module in (large, pixels):
        monkeypatch.setattr(module, "STRIP_NUMBERS", 2**16)
    path = saved(painted((1, 3, 1500, 1000)), tmp_path / name)
    for side in (1500, 300):
        tracemalloc.start()
        made = images.load(path, max_side=side)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= large.needed((1000, 1500), side, 3) + 2 * large.READ_BYTES
        assert made.numel() * 4 <= large.needed((1000, 1500), side, 3)
        assert np.isfinite(made.numpy()).all()


def told(data: bytes, tag: int, value: int) -> bytes:
    """A TIFF that says another whole number of itself."""
    place = data.rindex(struct.pack("<HHI", tag, 4, 1)) + 8
    return data[:place] + struct.pack("<I", value) + data[place + 4 :]


@pytest.mark.parametrize("name", ["result.png", "result.tif"])
def test_what_a_file_holds_beyond_its_last_row_is_not_unpacked(monkeypatch, tmp_path, name):
    monkeypatch.setattr(pixels, "STRIP_NUMBERS", 3000)  # 10 rows, of which a TIFF's strip is
    path = saved(painted((1, 3, 3000, 100)), tmp_path / name)
    data, image = path.read_bytes(), images.load(path)[:, :, :30]
    if name == "result.png":
        head = data[12:20] + struct.pack(">I", 30) + data[24:29]
        data = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
    else:
        data = told(data, large.HEIGHT, 30)
    in_pieces(monkeypatch, 3000)
    tracemalloc.start()
    made = images.load(io.BytesIO(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.shape == image.shape and (made - image).abs().max() < 1.01 / 255
    assert peak < 500_000  # all rows are 900,000 bytes and more


@pytest.mark.parametrize("rows", [0, 3000, 2**32 - 1])
def test_a_tiff_of_other_strips_than_are_written_here_is_not_unpacked(monkeypatch, tmp_path, rows):
    data = saved(painted((1, 3, 3000, 100)), tmp_path / "result.tif").read_bytes()
    file = io.BytesIO(told(data, large.ROWS, rows))
    in_pieces(monkeypatch, 3000)
    monkeypatch.setattr(large, "MOST_IN_STRIP", 3000)
    tracemalloc.start()
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        images.load(file, max_side=600)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000  # unpacked, the strip is 1,800,000 bytes


def test_nothing_is_read_behind_the_end_of_what_is_packed():
    def chunk(data: bytes, kind: bytes = b"IDAT") -> bytes:
        return struct.pack(">I", len(data)) + kind + data + bytes(4)

    first = bytes(8) + chunk(zlib.compress(b"some rows"))
    file = io.BytesIO(first + 100 * chunk(b"more"))
    assert b"".join(large._inflated(file)) == b"some rows" and file.tell() == len(first) - 4
    packed = zlib.compress(b"some rows")
    parts = chunk(packed[:9]), chunk(b"", b"IEND"), chunk(packed[9:])
    assert b"".join(large._inflated(io.BytesIO(bytes(8) + b"".join(parts)))) in b"some row"
