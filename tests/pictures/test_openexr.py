"""OpenEXR pictures of every kind that ffmpeg packs, and of our own making."""

import io
import struct

import numpy as np
import pytest

from nst_core import images
from nst_core.errors import ImageError
from tests import picture_files as files
from tests.pictures.test_color_space import P3_TO_SRGB, coded
from tests.pictures.test_light import ALPHA, exr, light, seen, shown, with_alpha

# Where red, green, blue and white are, as OpenEXR writes it.
P3_POINTS = struct.pack("<8f", 0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)
P3_CHROMATICITIES = ("chromaticities", "chromaticities", P3_POINTS)


@pytest.mark.parametrize("kind", ["<f2", "<f4"])
def test_an_openexr_picture_is_light_of_which_what_is_beyond_white_is_compressed(kind):
    pixels = light(kind)
    np.testing.assert_allclose(seen(exr(pixels)), shown(pixels), atol=1.01)
    grey = pixels[..., :1]
    np.testing.assert_allclose(seen(exr(grey)), shown(grey.repeat(3, 2)), atol=1.01)


@pytest.mark.parametrize("compression", ["rle", "zip1", "zip16"])
@pytest.mark.parametrize("kind", ["half", "float"])
def test_an_openexr_picture_is_unpacked(compression, kind):
    np.testing.assert_allclose(seen(files.packed_exr(light(), compression, kind)), shown(light()), atol=1.01)


@pytest.mark.parametrize("kind", ["<f2", "<f4"])
def test_the_light_of_an_openexr_picture_is_multiplied_by_how_opaque_it_is(kind):
    pixels = with_alpha(light(kind) * np.dtype(kind).type(ALPHA))
    pixels[:5] = 0  # nothing is there
    image = seen(exr(pixels), images.load_transparent)
    np.testing.assert_allclose(image[5:, :, :3], shown(light(kind))[5:], atol=1.01)
    assert (image[:5] == 0).all() and abs(image[5:, :, 3] - 255 * ALPHA).max() <= 1
    np.testing.assert_allclose(seen(exr(pixels))[:5], 255, atol=0.01)  # over white


def test_an_openexr_picture_tells_its_primaries():
    pixels = light() * np.float32(0.08)
    expected = coded((pixels @ P3_TO_SRGB.T).clip(0, 1)) * 255
    np.testing.assert_allclose(seen(exr(pixels, P3_CHROMATICITIES)), expected, atol=2.01)


def test_of_an_openexr_picture_the_window_that_is_shown_is_seen_with_other_channels_beside():
    pixels, beside = light(), np.ones((24, 40), np.float32)
    channels = {"R": pixels[..., 0], "G": pixels[..., 1], "B": pixels[..., 2], "Z": beside, "diffuse.R": beside}
    image = seen(files.exr(channels, place=(4, -3)))
    np.testing.assert_allclose(image[4:, :-3], shown(pixels)[:-4, 3:], atol=1.01)
    assert (image[:4] == 0).all() and (image[:, -3:] == 0).all()


def test_of_an_openexr_picture_of_several_parts_the_first_is_seen():
    def part(name: str) -> tuple[tuple[str, str, bytes], ...]:
        rows = struct.pack("<i", 24)
        return ("name", "string", name), ("type", "string", b"scanlineimage"), ("chunkCount", "int", rows)

    pixels, mark = light(), b"\x76\x2f\x31\x01\2\0\0\0"
    first, second = exr(pixels, *part(b"one")), exr(pixels * 0, *part(b"two"))
    length = 8 + 40 * 12  # of a row
    heads = [one[len(mark) : -24 * (length + 8)] for one in (first, second)]
    rows = [one[-24 * length :] for one in (first, second)]
    start = len(mark) + len(heads[0]) + len(heads[1]) + 1 + 2 * 8 * 24
    places = b"".join(struct.pack("<Q", start + (length + 4) * number) for number in range(48))
    blocks = b"".join(
        struct.pack("<I", number) + rows[number][length * row : length * (row + 1)]
        for number in (0, 1)
        for row in range(24)
    )
    whole = mark[:5] + b"\x10\0\0" + b"".join(heads) + b"\0" + places + blocks
    np.testing.assert_allclose(seen(whole), shown(pixels), atol=1.01)
    for cut in (whole[: len(mark) + len(heads[0])], whole[: start + 1000]):
        with pytest.raises(ImageError, match="damaged, cut short"):
            images.load(io.BytesIO(cut))
