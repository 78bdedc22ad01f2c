"""A PNG's one transparent colour, of every depth."""

import io
import struct
import zlib

import numpy as np
import pytest

from nst_core import images
from tests import picture_files as files

SIDE = 16


def png(pixels: np.ndarray, depth: int, hidden: tuple[int, ...]) -> bytes:
    """Numbers (16, 16, 1 or 3) of so many bits, and the colour that is transparent."""
    channels = pixels.shape[2]
    if depth == 16:
        rows = pixels.astype(">u2").view(np.uint8).reshape(SIDE, -1)
    else:
        rows = np.packbits(np.unpackbits(pixels.astype(np.uint8)[..., None], axis=3)[..., -depth:].reshape(SIDE, -1), 1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, 0 if channels == 1 else 2, 0, 0, 0)
    chunks = {b"IHDR": header, b"tRNS": struct.pack(f">{channels}H", *hidden), b"IDAT": data, b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(files.chunk(kind, content) for kind, content in chunks.items())


@pytest.mark.parametrize("depth, channels", [(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (8, 3), (16, 3)])
def test_the_colour_that_is_told_is_transparent_and_no_other(depth, channels):
    most = 2**depth - 1
    levels = np.linspace(0, most, min(most + 1, SIDE)).round().astype(np.uint16)
    if depth == 16:
        levels[1:-1] += 5  # none of twice the same byte
    pixels = np.tile(np.resize(levels, SIDE)[:, None], (SIDE, 1, channels))
    hidden = levels[1]
    if (depth, channels) == (16, 1):
        pixels[0, 0] = hidden + 1  # which looks the same in eight bits
    image = images.load_transparent(io.BytesIO(png(pixels, depth, (int(hidden),) * channels)))[0].numpy()
    np.testing.assert_array_equal(image[3], pixels[..., 0] != hidden)
    np.testing.assert_allclose(image[:3], np.broadcast_to(np.moveaxis(pixels / most, 2, 0), (3, SIDE, SIDE)), atol=0.01)
    over_white = images.load(io.BytesIO(png(pixels, depth, (int(hidden),) * channels)))[0].numpy()
    np.testing.assert_allclose(over_white, np.where(image[3], image[:3], 1), atol=0.01)
