"""Files that are cut short: shown as far as they go, with a note, as browsers show them."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from nst_core import images
from nst_core.errors import ImageError
from nst_core.images import PictureWarning
from tests import picture_files as files

NOTE = "the file is cut short or damaged: what there is of it is used; for the rest, fetch the file anew"
SIDE = 96  # pixels


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def saved(mode: str, kind: str, **options) -> bytes:
    picture, buffer = Image.fromarray(noise()), io.BytesIO()
    (picture.quantize(64) if mode == "P" else picture.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


def seen(data: bytes) -> np.ndarray:
    return images.load(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


# Kind -> (its file, the colour of what is missing, or None where it is decoded from what is there).
KINDS = {
    "jpeg": (lambda: saved("RGB", "JPEG"), 128),
    "grey jpeg": (lambda: saved("L", "JPEG"), 128),
    "progressive jpeg": (lambda: saved("RGB", "JPEG", progressive=True), None),
    "png": (lambda: saved("RGB", "PNG"), 255),
    "rgba png": (lambda: saved("RGBA", "PNG"), 255),
    "grey png": (lambda: saved("L", "PNG"), 255),
    "16-bit png": (lambda: files.noisy_16_bits(SIDE), 255),
    "interlaced png": (lambda: files.interlaced(noise()), None),
    "palette png": (lambda: saved("P", "PNG"), None),
    "gif": (lambda: saved("P", "GIF", interlace=0), None),
    "bmp": (lambda: saved("RGB", "BMP"), 255),
    "webp": (lambda: saved("RGB", "WEBP", quality=95), 255),
    "webp without loss": (lambda: saved("RGB", "WEBP", lossless=True), 255),
    "webp with transparency": (lambda: saved("RGBA", "WEBP", quality=95, exact=True), 255),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_cut_file_is_shown_as_far_as_it_goes_with_a_note(kind, share):
    make, missing = KINDS[kind]
    data = make()
    whole = seen(data)
    with pytest.warns(PictureWarning) as told:
        part = seen(data[: int(share * len(data))])
    assert [str(one.message) for one in told] == [NOTE]
    rows = [bool((part[row] == whole[row]).all()) for row in range(SIDE)]
    assert part.shape == whole.shape
    if kind == "progressive jpeg":  # all rows, none of them at its best
        assert np.abs(part - whole).mean() < 40
        return
    if kind == "interlaced png":
        assert 0.2 < (part == whole).mean() < 0.95
        return
    assert (share - 0.25) * SIDE < sum(rows) < (share + 0.15) * SIDE
    last = part[0 if kind == "bmp" else -1, -1]  # a BMP begins below
    if missing is not None:
        np.testing.assert_allclose(last, missing, atol=1.01)


def test_a_jpeg_that_lacks_its_last_two_bytes_lacks_nothing_that_is_seen():
    data = saved("RGB", "JPEG")
    with pytest.warns(PictureWarning):
        part = seen(data[:-2])
    np.testing.assert_array_equal(part, seen(data))


def test_a_png_without_its_end_is_whole():
    data = saved("RGB", "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(seen(data[:-12]), noise())


def test_a_png_that_is_damaged_further_on_is_shown_until_there():
    data = bytearray(saved("RGB", "PNG"))
    data[len(data) // 2] ^= 255
    with pytest.warns(PictureWarning):
        part = seen(bytes(data))
    assert (part[: SIDE // 4] == noise()[: SIDE // 4]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_which_nothing_is_left_is_refused(kind):
    data = KINDS[kind][0]()
    for length in (0, 10, 25):
        with pytest.raises(ImageError, match="cannot be read as a picture"):
            seen(data[:length])


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "HEIF"), ("RGB", "TIFF"), ("RGB", "TGA"), ("RGB", "JPEG2000")])
def test_what_browsers_do_not_show_when_it_is_cut_is_refused(mode, kind):
    data = saved(mode, kind)
    with pytest.raises(ImageError, match="cut short"):
        seen(data[: len(data) // 2])


def test_a_jpeg_that_ends_in_its_header_is_refused():
    data = saved("RGB", "JPEG")
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        seen(data[: data.index(b"\xff\xda") + 14])  # not one block of pixels


def test_a_png_that_ends_before_its_first_row_is_refused():
    data = saved("RGB", "PNG")
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        seen(data[: data.index(b"IDAT") + 8])


def test_reading_a_cut_jpeg_changes_nothing_for_others(monkeypatch):
    plain = JpegImagePlugin.JpegImageFile.load_read
    with pytest.warns(PictureWarning):
        seen(saved("RGB", "JPEG")[:-2000])
    assert JpegImagePlugin.JpegImageFile.load_read is plain


def test_a_cut_picture_is_turned_scaled_and_coloured_as_a_whole_one():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved("RGB", "JPEG", exif=exif, subsampling=0)
    with pytest.warns(PictureWarning):
        image = images.load(io.BytesIO(data[: int(0.6 * len(data))]), max_side=48)
    assert images.size_of(image) == (48, 48)
    assert image[..., :10].std() < 0.02 < image[..., -10:].std()  # what was below is at the left
