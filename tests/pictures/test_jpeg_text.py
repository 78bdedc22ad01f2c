"""Text in a JPEG's EXIF: what goes in comes out, and what others wrote there is no text of ours."""

import io

import pytest
from PIL import ExifTags, Image

from nst_core.pictures.jpeg_text import MARK, MOST_BYTES, exif_of, jpeg_text


def jpeg_with(exif) -> Image.Image:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", exif=exif)
    return Image.open(buffer)


@pytest.mark.parametrize("text", [{}, {"a": "b"}, {"ü \u2028": '"\\ 日本 \0 🎨', "b": "x" * 60_000}])
def test_what_goes_in_comes_out(text):
    assert jpeg_text(jpeg_with(exif_of(text))) == text


def test_more_than_a_jpeg_takes_is_none():
    assert exif_of({"a": "x" * MOST_BYTES}) is None


@pytest.mark.parametrize("comment", [b"", b"none", MARK, MARK + b"[1]", MARK + b'{"a": 1}', b"UNICODE\0{}"])
def test_what_others_write_there_is_no_text_of_ours(comment):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    assert jpeg_text(jpeg_with(exif)) == {}
    assert jpeg_text(Image.new("RGB", (16, 16))) == {}
