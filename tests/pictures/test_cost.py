"""What a picture takes while it is read, told from its header, against what it takes indeed."""

import io
import platform
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFile, features
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.host_memory import total_memory
from nst_core.pictures import cost
from nst_core.pictures.opening import header_of, known_formats
from tests import picture_files as files
from tests.pictures.plain_tiffs import tiff

SIDE = 1600  # pixels; 50 MB as a tensor and what leads to it
QUICK_HEIC = {"preset": "ultrafast"}  # of x265: larger files, of the same pictures


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    monkeypatch.delenv(cost.BUDGET_NAME, raising=False)


def estimate(data: bytes, max_side: int = images.READ_SIDE) -> int:
    with header_of(io.BytesIO(data)) as (picture, file, _):
        cost.shrink(picture, file, max_side)
        return cost.needed(picture, file, max_side)


# Kind of file -> (how it is made, side at which it is read). Those that once took most, and one of each decoder.
FILES = {
    "16-bit png": (lambda: files.png(SIDE, SIDE, depth=16, color=0), images.READ_SIDE),
    "rgba png": (lambda: files.png(SIDE, SIDE, color=6), images.READ_SIDE),
    "rgba png, scaled": (lambda: files.png(SIDE, SIDE, color=6), 600),
    "jpeg 2000": (lambda: files.saved(SIDE, SIDE, "RGB", "JPEG2000"), images.READ_SIDE),
    "jpeg 2000 of small blocks": (lambda: files.saved(1200, 1200, "RGB", "JPEG2000", codeblock_size=(4, 4)), 600),
    "palette gif": (lambda: files.saved(SIDE, SIDE, "P", "GIF"), images.READ_SIDE),
    "cmyk jpeg": (lambda: files.saved(SIDE, SIDE, "CMYK", "JPEG"), images.READ_SIDE),
    "progressive jpeg, scaled": (lambda: files.saved(SIDE, SIDE, "CMYK", "JPEG", progressive=True), 300),
    "webp": (lambda: files.saved(SIDE, SIDE, "RGB", "WEBP", method=0), images.READ_SIDE),
    "webp, scaled": (lambda: files.saved(SIDE, SIDE, "RGB", "WEBP", method=0), 600),
    "avif": (lambda: files.saved(SIDE, SIDE, "RGB", "AVIF", speed=10), images.READ_SIDE),
    "heic": (lambda: files.saved(SIDE, SIDE, "RGB", "HEIF", enc_params=QUICK_HEIC), images.READ_SIDE),
    "heic, scaled": (lambda: files.saved(SIDE, SIDE, "RGBA", "HEIF", enc_params=QUICK_HEIC), 600),
    "float tiff": (lambda: files.saved(SIDE, SIDE, "F", "TIFF"), images.READ_SIDE),
    "double tiff, colours": (lambda: files.float_tiff(np.ones((SIDE, SIDE, 3), "f8")), images.READ_SIDE),
    "half tiff, colours": (lambda: files.float_tiff(np.ones((SIDE, SIDE, 3), "f2")), images.READ_SIDE),
    "tiff in planes": (lambda: tiff(np.ones((SIDE, SIDE, 4), np.uint16), 16, 2, planes=True), images.READ_SIDE),
    "exr": (lambda: files.packed_exr(np.ones((SIDE, SIDE, 3)), "zip16"), images.READ_SIDE),
    "exr, scaled": (lambda: files.exr(dict.fromkeys("RGBA", np.ones((SIDE, SIDE), "f4"))), 600),
    "tiff of one tile": (lambda: files.one_tile(5000), images.READ_SIDE),
    "icon": (lambda: files.icon(files.png(SIDE, SIDE, color=6)), images.READ_SIDE),
}

# Reads a file in a child of its own, which has imported all, and prints by how many bytes that grew at most, but for
# what of the program itself was brought back from disk: a computer short of memory takes such parts away.
READING = """
import os, resource, sys
from nst_core import images
from nst_core.pictures.opening import known_formats

known_formats()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
brought = lambda: int(open("/proc/self/statm").read().split()[2]) * resource.getpagesize()
for line in sys.stdin:
    path, side = line.rsplit(" ", 1)
    reader, writer = os.pipe()
    if not os.fork():
        before = peak() - brought()
        images.load(path, max_side=int(side))
        os.write(writer, str(peak() - brought() - before).encode())
        os._exit(0)
    os.close(writer)
    print(os.read(reader, 99).decode(), flush=True)
    os.close(reader)
"""


@pytest.fixture(scope="module")
def growth():
    """Peak growth in bytes of a process that reads a file: data, side -> bytes."""
    process_of = [sys.executable, "-c", READING]
    process = subprocess.Popen(process_of, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def of(path: str, side: int) -> int:
        process.stdin.write(f"{path} {side}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield of
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


@pytest.mark.skipif(platform.system() != "Linux", reason="peaks are told in other ways elsewhere")
@pytest.mark.parametrize("name", FILES)
def test_reading_takes_no_more_than_the_header_tells_and_not_far_less(tmp_path, growth, name):
    if name == "avif" and not features.check("avif") or name.startswith("heic") and "HEIF" not in known_formats():
        pytest.skip("it is not read here")
    make, side = FILES[name]
    (tmp_path / "file").write_bytes(data := make())
    told, taken = estimate(data, side), growth(str(tmp_path / "file"), side)
    assert taken <= told and told <= 2.5 * taken + 3 * cost.STRIP_BYTES, (told / 1e6, taken / 1e6)


# What it may take


def test_a_picture_may_take_one_part_in_eight_of_the_memory_or_what_is_said(monkeypatch):
    assert cost.budget() == total_memory() // 8
    monkeypatch.setattr(cost, "total_memory", lambda: 2 * 10**9)
    assert cost.budget() == 25 * 10**7
    monkeypatch.setenv(cost.BUDGET_NAME, " 123456789 ")
    assert cost.budget() == 123456789


@pytest.mark.parametrize("wish", ["lots", "-5", "0", "1e9", "2 GB"])
def test_a_wish_that_is_no_number_is_refused_with_its_name(monkeypatch, wish):
    monkeypatch.setenv(cost.BUDGET_NAME, wish)
    with pytest.raises(ConfigError, match=f"{cost.BUDGET_NAME} is '{wish}'; give a whole number of bytes"):
        cost.budget()


@pytest.mark.parametrize("name", ["load", "load_transparent", "check"])
def test_a_picture_beyond_the_budget_is_refused_before_it_is_decoded(monkeypatch, name):
    data = files.png(1000, 800, depth=16, color=0)
    told = estimate(data)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    monkeypatch.setenv(cost.BUDGET_NAME, str(told - 1))
    with pytest.raises(ImageError) as raised:
        getattr(images, name)(io.BytesIO(data))
    text = str(raised.value)
    assert "1000×800" in text and "make it smaller" in text and cost.BUDGET_NAME in text
    assert "MB of memory" in text and "MB are allowed" in text


def test_a_picture_within_the_budget_is_read(monkeypatch):
    data = files.png(1000, 800, depth=16, color=0)
    monkeypatch.setenv(cost.BUDGET_NAME, str(estimate(data)))
    assert images.load(io.BytesIO(data)).shape == (1, 3, 800, 1000)


@cache
def jpeg_2000(width: int, height: int) -> tuple[bytes, Tensor]:
    """A file, and all of its picture."""
    data = files.saved(width, height, "RGB", "JPEG2000")
    return data, images.from_pil(Image.open(io.BytesIO(data)))


def test_a_picture_that_is_read_small_takes_less_where_its_kind_can_be_decoded_small():
    for data in (files.saved(2001, 603, "RGB", "JPEG"), jpeg_2000(2001, 603)[0]):
        assert estimate(data, 250) - cost.STRIP_BYTES < 0.2 * (estimate(data, 2001) - cost.STRIP_BYTES)


def test_a_jpeg_in_several_scans_is_counted_whole():
    whole = 2 * 3 * 1600 * 1600  # a coefficient of two bytes for each of three colours
    one, several = (files.saved(1600, 1600, "RGB", "JPEG", subsampling=0, progressive=scans) for scans in (0, 1))
    assert 0.9 * whole < estimate(several, 200) - estimate(one, 200) < 1.2 * whole
    with header_of(io.BytesIO(one)) as (picture, file, _):  # the first scan's header names one of three colours
        assert cost._names_all(picture.layers, file)
        assert not cost._names_all(1, file)


@pytest.mark.parametrize(("width", "height"), [(500, 376), (1001, 301), (257, 499), (2049, 32)])
@pytest.mark.parametrize("max_side", [32, 125, 499, 2048])
def test_a_jpeg_2000_is_decoded_small_whatever_its_sides(width, height, max_side):
    if min(width, height) * min(1, max_side / max(width, height)) < images.MIN_SIDE:
        pytest.skip("too narrow")
    data, whole = jpeg_2000(width, height)
    image = images.load(io.BytesIO(data), max_side=max_side)
    expected = images.fit(whole, max_side) if max(width, height) > max_side else whole
    assert max(abs(a - b) for a, b in zip(image.shape, expected.shape, strict=True)) <= 1
    assert (image - images.resize(expected, images.size_of(image))).abs().mean() < 0.05  # a copy is half a pixel off
