"""What is written in a PNG file, read without its pixels."""

import io
import zlib

import pytest
from PIL import Image, ImageFile

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures.png_text import png_text
from tests import picture_files as files


def text(key: str, value: str) -> bytes:
    return files.chunk(b"tEXt", key.encode() + b"\0" + value.encode())


def test_text_is_read_before_and_behind_the_pixels_and_they_are_not(monkeypatch):
    packed = files.chunk(b"zTXt", b"packed\0\0" + zlib.compress(b"small"))
    data = files.png(64, 48, before=text("before", "one") + packed)
    data = data[:-12] + text("behind", "two") + data[-12:]
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    assert images.read_text(io.BytesIO(data)) == {"before": "one", "packed": "small", "behind": "two"}


def test_text_of_an_animation_is_read_without_its_frames(monkeypatch):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), shade) for shade in ("red", "blue", "white")]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    data = buffer.getvalue()[:-12] + text("note", "moving") + buffer.getvalue()[-12:]
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    assert images.read_text(io.BytesIO(data)) == {"note": "moving"}


def test_a_picture_beyond_the_budget_still_tells_its_text(monkeypatch):
    monkeypatch.setenv("NST_PICTURE_BYTES", "1000")
    assert images.read_text(io.BytesIO(files.png(64, 48, before=text("a", "b")))) == {"a": "b"}


def test_a_file_that_ends_early_is_refused():
    data = files.png(64, 48, before=text("a", "b"))
    for end in range(len(data) - 12):
        with pytest.raises(ImageError):
            images.read_text(io.BytesIO(data[:end]))


def test_a_damaged_text_is_refused():
    data = files.png(64, 48, before=text("key", "value")).replace(b"value", b"walue")
    with pytest.raises(SyntaxError):
        png_text(io.BytesIO(data))
