"""Which picture of several in a file is read, and grey of more than eight bits, in either order of bytes."""

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, features

from nst_core import images
from nst_core.images import PictureWarning
from tests.test_images import quarters


def other() -> Image.Image:
    return Image.new("RGB", (48, 32))


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def seen(data: bytes) -> np.ndarray:
    return images.load(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


# Kind -> (how it is saved beside another picture, levels that it may be off).
SEVERAL = {
    "MPO": ({"quality": 95, "subsampling": 0}, 8),
    "PNG": ({}, 0),
    "WEBP": ({"lossless": True}, 0),
    "AVIF": ({"quality": 95, "subsampling": "4:4:4"}, 8),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_of_several_pictures_the_first_is_read_without_a_word(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    options, tolerance = SEVERAL[kind]
    data = saved(Image.fromarray(quarters(32, 48)), kind, save_all=True, append_images=[other()], **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(seen(data), quarters(32, 48), atol=tolerance + 0.01)


def test_of_several_pages_the_first_is_read_with_a_note():
    data = saved(Image.fromarray(quarters(32, 48)), "TIFF", save_all=True, append_images=[other()])
    with pytest.warns(PictureWarning, match="^the file has several pages: the first one is used; for another, save"):
        np.testing.assert_allclose(seen(data), quarters(32, 48), atol=0.01)


def test_of_an_icon_the_largest_is_read():
    picture = Image.fromarray(quarters(64, 64))
    data = saved(picture, "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    np.testing.assert_allclose(seen(data), quarters(64, 64), atol=0.01)


def tiff(pixels: np.ndarray, sample: int, photometric: int, order: str) -> bytes:
    """(H, W, C) of any depth as an uncompressed TIFF; sample: 1 for whole numbers, 3 for floats."""
    height, width, channels = pixels.shape
    bits, place = pixels.dtype.itemsize * 8, 8 + 2 + 12 * 11 + 4
    several = channels > 2  # too many to stand in the entry itself
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, place if several else bits),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, place + 4 * channels),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, pixels.nbytes),
        (284, 3, 1, 1),
        (339, 3, channels, place + 2 * channels if several else sample),
    ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        packed = struct.pack(order + "H2x", value) if short else struct.pack(order + "I", value)
        head += struct.pack(order + "HHI", tag, kind, count) + packed
    numbers = struct.pack(f"{order}{2 * channels}H", *[bits] * channels, *[sample] * channels)
    return head + bytes(4) + numbers + pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()


GREY = np.asarray(Image.fromarray(quarters()).convert("L"))[..., None]
# Depth -> (pixels, sample, photometric).
DEPTHS = {
    "rgb of 16 bits": (quarters().astype(np.uint16) * 257, 1, 2),
    "grey of 16 bits": (GREY.astype(np.uint16) * 257, 1, 1),
    "grey of 32 bits": (GREY.astype(np.uint32) * (2**32 // 255), 1, 1),
    "grey of 32 bits, signed": (GREY.astype(np.int32) * (2**31 // 255), 2, 1),
    "grey of 32 bits, as small as of 16": (GREY.astype(np.uint32) * 257, 1, 1),
    "grey of 8 bits, white is 0": (255 - GREY, 1, 0),
    "grey of floats": ((GREY / 255).astype(np.float32), 3, 1),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("depth", DEPTHS)
def test_every_depth_is_read_in_either_order_of_bytes(depth, order):
    pixels, sample, photometric = DEPTHS[depth]
    expected = quarters() if pixels.shape[2] == 3 else np.repeat(GREY, 3, 2)
    np.testing.assert_allclose(seen(tiff(pixels, sample, photometric, order)), expected, atol=1.01)
