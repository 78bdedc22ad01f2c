"""TIFFs of whole numbers in planes, of every depth, meaning and order of bytes."""

import io
import struct

import numpy as np
import pytest

from nst_core import images
from nst_core.errors import ImageError
from nst_core.images import PictureWarning
from tests.pictures.plain_tiffs import tiff
from tests.test_images import TURNS, quarters

SHAPE = 26, 40
ALPHA = np.zeros(SHAPE, np.uint8) + np.repeat(np.uint8([0, 128, 255, 255]), 10)


def over_white(colours: np.ndarray) -> np.ndarray:
    alpha = ALPHA[..., None] / 255
    return colours * alpha + 255 * (1 - alpha)


def joined(colours: np.ndarray, *more: np.ndarray) -> np.ndarray:
    return np.dstack([colours, *more])


def times_alpha(colours: np.ndarray) -> np.ndarray:
    return (colours * (ALPHA[..., None] / 255)).round().astype(np.uint8)


COLOURS = quarters(*SHAPE)
GREY = COLOURS[..., :1]
GREYS = np.repeat(GREY, 3, axis=2)
INKS = joined(255 - COLOURS, 0 * ALPHA)
# Numbers of eight bits, their meaning, what the further ones are, what is seen.
KINDS = {
    "grey": (GREY, 1, None, GREYS),
    "white is zero": (255 - GREY, 0, None, GREYS),
    "grey, transparent": (joined(GREY, ALPHA), 1, 2, over_white(GREYS)),
    "grey, multiplied": (joined(times_alpha(GREY), ALPHA), 1, 1, over_white(GREYS)),
    "colours": (COLOURS, 2, None, COLOURS),
    "colours, transparent": (joined(COLOURS, ALPHA), 2, 2, over_white(COLOURS)),
    "colours, multiplied": (joined(times_alpha(COLOURS), ALPHA), 2, 1, over_white(COLOURS)),
    "colours and another thing": (joined(COLOURS, ALPHA), 2, 0, COLOURS),
    "inks": (INKS, 5, None, COLOURS),
    "inks, transparent": (joined(INKS, ALPHA), 5, 2, over_white(COLOURS)),
}
LAYOUTS = [{}, {"planes": True, "packed": True}, {"planes": True, "tile": True}, {"packed": True, "differences": True}]


def seen(data: bytes) -> np.ndarray:
    return images.load(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", KINDS)
def test_whole_numbers_of_every_depth_and_layout_are_seen(name, order):
    numbers, meaning, extra, expected = KINDS[name]
    more = {} if extra is None else {338: [extra]}
    for bits in (8, 12, 16, 32):
        deep = (numbers * ((2**bits - 1) / 255)).round().astype(np.uint32)
        for layout in LAYOUTS if bits != 12 else LAYOUTS[:3]:
            for big in (False, True):
                data = tiff(deep, bits, meaning, order, big=big, more=more, **layout)
                np.testing.assert_allclose(seen(data), expected, atol=4, err_msg=f"{bits} {layout} {big}")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_of_few_bits_is_read_from_a_large_file_of_either_order(bits):
    table = np.random.default_rng(0).integers(0, 256, (2**bits, 3))
    places = np.random.default_rng(1).integers(0, 2**bits, (*SHAPE, 1))
    for order in "<>":
        data = tiff(places, bits, 3, order, big=True, more={320: list(257 * table.T.ravel())})
        np.testing.assert_array_equal(seen(data).round(), table[places[..., 0]])


@pytest.mark.parametrize("orientation", TURNS)
def test_planes_are_turned_once(orientation):
    stored = np.ascontiguousarray(TURNS[orientation](COLOURS)) * np.uint32(257)
    np.testing.assert_allclose(seen(tiff(stored, 16, 2, planes=True, more={274: [orientation]})), COLOURS, atol=1)


def test_transparency_is_kept_and_hidden_colours_are_as_they_were():
    image = images.load_transparent(
        io.BytesIO(tiff(joined(COLOURS, ALPHA) * np.uint32(257), 16, 2, planes=True, more={338: [2]}))
    )
    np.testing.assert_allclose(image[0].permute(1, 2, 0).numpy() * 255, joined(COLOURS, ALPHA), atol=1)


def test_planes_that_are_cut_short_are_refused():
    data = tiff(COLOURS, 8, 2, planes=True)
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        images.load(io.BytesIO(data.replace(data[16 + 700 : 16 + 2000], b"")))
    for packed in (False, True):
        data = tiff(COLOURS, 8, 2, planes=True, packed=packed, more={257: [SHAPE[0] + 14]})
        with pytest.raises(ImageError, match="cannot be read as a picture"):
            images.load(io.BytesIO(data))


def test_of_several_pages_in_planes_the_first_is_read_with_a_note():
    data = bytearray(tiff(COLOURS, 8, 2, planes=True))
    place = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, place)[0]
    struct.pack_into("<I", data, place + 2 + 12 * count, place)
    with pytest.warns(PictureWarning, match="several pages"):
        np.testing.assert_array_equal(seen(bytes(data)).round(), COLOURS)
