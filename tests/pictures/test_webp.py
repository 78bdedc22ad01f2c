"""WebP files that are cut short, piece by piece."""

import io

import numpy as np
import pytest
from PIL import Image

from nst_core.errors import ImageError
from nst_core.pictures.webp import CutWebP, decodable_webp, whole_pieces
from tests.pictures.test_cut import noise, saved, seen


def test_a_webp_that_lacks_its_first_row_is_refused_and_one_that_lacks_its_end_alone_is_whole():
    picture, buffer = Image.fromarray(noise()), io.BytesIO()
    picture.save(buffer, "WEBP", exif=Image.Exif().tobytes() + bytes(40))
    data = buffer.getvalue()
    np.testing.assert_array_equal(seen(data[:-20]), seen(data))
    for length in (60, 100):
        with pytest.raises(ImageError, match="cut short"):
            seen(data[:length])


def test_an_animated_webp_that_is_cut_is_its_first_frame_if_that_is_whole():
    frames, buffer = [Image.fromarray(np.roll(noise(), index)) for index in range(3)], io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    data = buffer.getvalue()
    np.testing.assert_array_equal(seen(data[: len(data) // 2]), seen(data))
    with pytest.raises(ImageError, match="cut short"):
        seen(data[: len(data) // 4])


def test_what_is_whole_or_no_webp_is_left_as_it_is():
    whole = saved("RGB", "WEBP")
    for data in (whole, whole + b"more", saved("RGB", "PNG")[:200], b"RIFF"):
        file = io.BytesIO(data)
        assert decodable_webp(file) is file and file.tell() == 0
    assert whole_pieces(whole) == (whole, True)


def test_of_a_cut_one_whole_pieces_are_kept_and_pixels_are_filled_up():
    whole = saved("RGB", "WEBP", quality=95)
    assert whole_pieces(whole[:-9]) == (b"RIFF\x04\0\0\0WEBP", False)
    mended = decodable_webp(io.BytesIO(whole[:-9]))
    assert isinstance(mended, CutWebP)
    assert mended.getvalue() == whole[:-9] + bytes(9) and len(mended.shorter) == len(whole)


def test_a_webp_that_says_it_lacks_gigabytes_is_refused_at_once():
    cut = bytearray(saved("RGB", "WEBP", quality=95))
    cut[4:8], cut[16:20] = b"\xf0\xff\xff\xff", b"\xe0\xff\xff\xff"  # of the file, of its pixels
    assert not isinstance(decodable_webp(io.BytesIO(bytes(cut))), CutWebP)
