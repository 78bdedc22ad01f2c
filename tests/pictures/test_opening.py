"""Pictures of strangers: which kinds are opened, how many at a time, and what is refused before it is decoded."""

import ast
import io
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

import nst_core
from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import cost, opening
from nst_core.pictures.opening import AT_ONCE, FORMATS, decodable, header_of, known_formats
from tests import picture_files as files
from tests.pictures.plain_tiffs import tiff

CORE = Path(nst_core.__file__).parent
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n%%EOF\n"


class Stop(BaseException):
    """What no decoder raises, as when a run is stopped from outside."""


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    monkeypatch.delenv(cost.BUDGET_NAME, raising=False)


def test_postscript_never_reaches_its_program(tmp_path, monkeypatch):
    for name in ("run", "Popen", "call", "check_call", "check_output"):
        monkeypatch.setattr(subprocess, name, lambda *_, **__: pytest.fail("a program was started"))
    (tmp_path / "cat.png").write_bytes(POSTSCRIPT)
    for read in (images.load, images.load_transparent, images.check, images.read_text):
        with pytest.raises(ImageError, match=r"cat\.png cannot be read as a picture"):
            read(tmp_path / "cat.png")


@pytest.mark.parametrize("kind", ["EPS", "PPM", "DDS", "PCX", "SGI", "IM", "SPIDER", "ICNS", "QOI"])
def test_a_kind_that_is_not_listed_is_refused_though_pillow_reads_it(kind):
    mode = "F" if kind == "SPIDER" else "RGB"
    with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
        images.load(io.BytesIO(files.saved(64, 64, mode, kind)))


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "MPO"])
def test_every_kind_that_is_listed_is_read(kind):
    if kind not in known_formats():
        pytest.skip("it is not read here")
    light = np.full((48, 64, 3), 0.5, np.float32)
    own = {"EXR": lambda: files.packed_exr(light, "zip16"), "FLOATTIFF": lambda: files.float_tiff(light)}
    own["PLAINTIFF"] = lambda: tiff(np.zeros((48, 64, 3), np.uint8), 8, 2, planes=True)
    image = images.load(io.BytesIO(own[kind]() if kind in own else files.saved(64, 48, "RGB", kind)))
    assert image.shape[1] == 3 and min(images.size_of(image)) >= 36


def test_a_kind_that_this_pillow_lacks_is_left_out(monkeypatch):
    known_formats()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.delitem(Image.OPEN, "WEBP")
    assert "WEBP" not in known_formats() and "HEIF" not in known_formats() and "JPEG" in known_formats()
    monkeypatch.setitem(Image.OPEN, "HEIF", Image.OPEN["PNG"])
    assert "HEIF" in known_formats()
    with pytest.raises(ImageError, match="use a JPEG"):
        images.load(io.BytesIO(files.saved(64, 48, "RGB", "WEBP")))


def test_everything_in_the_core_that_opens_a_picture_says_which_kinds():
    for file in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
                assert "formats" in {word.arg for word in node.keywords}, f"{file}:{node.lineno}"


RAISED = [
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    KeyError,
    IndexError,
    AssertionError,
    AttributeError,
    NotImplementedError,
    ZeroDivisionError,
    OverflowError,
    BufferError,
    zlib.error,
    ImageCms.PyCMSError,
    subprocess.CalledProcessError(1, "gs"),
    subprocess.TimeoutExpired("gs", 1),
]


@pytest.mark.parametrize("error", RAISED, ids=str)
def test_whatever_a_decoder_raises_becomes_one_error_with_a_remedy(monkeypatch, error):
    def fail(self):
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match="the file cannot be read as a picture .* use a JPEG"):
        images.load(io.BytesIO(files.png(32, 32)))


def test_a_full_memory_is_said_to_be_full(monkeypatch):
    def fail(self):
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match="the file takes more memory than there is; make it smaller"):
        images.load(io.BytesIO(files.png(32, 32)))


def test_our_own_errors_pass_as_they_are():
    with pytest.raises(ImageError, match="^mine$"), header_of(io.BytesIO(files.png(32, 32))):
        raise ImageError("mine")


def test_a_file_that_cannot_go_back_is_read_all_the_same():
    class Stream:
        def __init__(self, data: bytes):
            self.read = io.BytesIO(data).read

    assert images.load(Stream(files.png(32, 24))).shape == (1, 3, 24, 32)


@pytest.mark.parametrize(
    "data",
    [files.animated_png(20_000, 20_000), files.gif(20_000, 20_000), files.icon(files.animated_png(20_000, 20_000))],
    ids=["png", "gif", "icon"],
)
def test_a_frame_beyond_all_pixels_is_refused_before_pillow_makes_it(monkeypatch, data):
    monkeypatch.setattr(Image.core, "fill", lambda *_: pytest.fail("a frame was made"))
    monkeypatch.setattr(Image.core, "new", lambda *_: pytest.fail("a picture was made"))
    with pytest.raises(ImageError, match="100,000,000 pixels"):
        images.check(io.BytesIO(data))


def test_a_first_frame_beyond_the_budget_is_refused_before_pillow_makes_it(monkeypatch):
    monkeypatch.setenv(cost.BUDGET_NAME, str(10**6))
    monkeypatch.setattr(Image.core, "fill", lambda *_: pytest.fail("a frame was made"))
    with pytest.raises(ImageError, match="1000×1000 pixels, and reading it takes about 8 MB"):
        images.check(io.BytesIO(files.animated_png(1000, 1000)))


def test_an_icon_is_counted_by_the_picture_inside(monkeypatch):
    data = files.icon(files.png(3000, 3000, color=6))
    assert images.load(io.BytesIO(data), max_side=64).shape == (1, 3, 64, 64)
    monkeypatch.setenv(cost.BUDGET_NAME, str(10**7))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    for read in (images.check, images.load):
        with pytest.raises(ImageError, match="3000×3000"):
            read(io.BytesIO(data))


@pytest.mark.parametrize("bitmap", ["bmp", "png"])
def test_an_icons_transparency_is_kept(bitmap):
    picture, buffer = Image.new("RGBA", (32, 32), (200, 30, 40, 255)), io.BytesIO()
    picture.paste((0, 0, 0, 0), (0, 0, 16, 32))
    picture.save(buffer, "ICO", sizes=[(32, 32)], bitmap_format=bitmap)
    alpha = images.load_transparent(io.BytesIO(buffer.getvalue()))[0, 3]
    assert alpha[:, :16].max() == 0 and alpha[:, 16:].min() == 1


@pytest.mark.parametrize("name", ["load", "load_transparent"])
def test_no_more_than_a_few_pictures_are_decoded_at_a_time(monkeypatch, name):
    plain, lock, inside, most = ImageFile.ImageFile.load, threading.Lock(), [], []
    full = threading.Barrier(AT_ONCE, timeout=20)

    def load(self):
        with lock:
            inside.append(1)
            most.append(len(inside))
        full.wait()  # so many at least, or this breaks
        result = plain(self)
        with lock:
            inside.pop()
        return result

    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: load(self) if self.tile else plain(self))
    made = []
    threads = [
        threading.Thread(
            target=lambda: made.append(getattr(images, name)(io.BytesIO(files.saved(40, 30, "RGB", "BMP"))))
        )
        for _ in range(3 * AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == len(threads) and max(most) == AT_ONCE


def test_what_fails_gives_its_turn_back(tmp_path):
    for _ in range(2 * AT_ONCE):
        for source in (
            io.BytesIO(b"nothing"),
            tmp_path / "gone.png",
            io.BytesIO(files.saved(64, 64, "RGB", "PNG")[:40]),
        ):
            with pytest.raises(ImageError):
                images.load(source)
        with pytest.raises(Stop), decodable(io.BytesIO(files.png(32, 32)), 32):
            raise Stop
    assert opening._turns.acquire(blocking=False)
    opening._turns.release()
    assert images.load(io.BytesIO(files.png(32, 32))).shape == (1, 3, 32, 32)


def test_looking_waits_for_no_turn():
    turns = [opening._turns.acquire(blocking=False) for _ in range(AT_ONCE)]
    try:
        images.check(io.BytesIO(files.png(32, 32)))
        assert images.read_text(io.BytesIO(files.png(32, 32))) == {}
    finally:
        for _ in filter(None, turns):
            opening._turns.release()


def test_too_much_text_is_an_error_with_a_remedy(monkeypatch):
    info = PngImagePlugin.PngInfo()
    for key in "abc":
        info.add_itxt(key, "x" * 1000, zip=True)
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "PNG", pnginfo=info)
    assert len(images.read_text(io.BytesIO(buffer.getvalue()))) == 3
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 2500)
    for read in (images.read_text, images.load, images.check):
        with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
            read(io.BytesIO(buffer.getvalue()))


def test_a_picture_that_takes_minutes_to_decode_is_refused_and_smaller_copies_of_it_are_read(monkeypatch):
    monkeypatch.setattr(opening, "SLOW_PIXELS", 300 * 200)
    slow = files.saved(400, 300, "RGB", "JPEG2000", num_resolutions=1)
    with pytest.raises(ImageError, match="400×300 pixels, too many for a JPEG 2000"):
        images.load(io.BytesIO(slow))
    assert images.load(io.BytesIO(files.saved(400, 300, "RGB", "JPEG2000")), max_side=200).shape == (1, 3, 150, 200)
    assert images.load(io.BytesIO(files.saved(400, 300, "RGB", "JPEG"))).shape == (1, 3, 300, 400)
