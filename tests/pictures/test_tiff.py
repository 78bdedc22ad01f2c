"""TIFF pictures of every mode and packing stand upright, from a path as from an open file."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from nst_core import images
from nst_core.errors import ImageError
from tests.test_images import TURNS, quarters

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""


def grey_of(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


def in_lab(pixels: np.ndarray) -> Image.Image:
    profiles = [ImageCms.createProfile(space) for space in ("sRGB", "LAB")]
    return ImageCms.profileToProfile(Image.fromarray(pixels), *profiles, outputMode="LAB")


def big_endian(pixels: np.ndarray) -> Image.Image:
    grey = grey_of(pixels).astype(">u2") * 257
    return Image.frombytes("I;16B", grey.shape[::-1], grey.tobytes())


# Mode -> pixels as a picture of that mode.
MODES = {
    "1": lambda pixels: Image.fromarray(grey_of(pixels)).point(lambda value: 255 * (value > 110)).convert("1"),
    "P": lambda pixels: Image.fromarray(pixels).quantize(4),
    "I;16": lambda pixels: Image.fromarray(grey_of(pixels).astype(np.uint16) * 257),
    "I;16B": big_endian,
    "I": lambda pixels: Image.fromarray(grey_of(pixels).astype(np.int32) * 257),
    "F": lambda pixels: Image.fromarray(grey_of(pixels).astype(np.float32) / 255),
    "LAB": in_lab,
}  # fmt: skip
MODES |= {mode: lambda pixels, mode=mode: Image.fromarray(pixels).convert(mode) for mode in ("L", "LA", "RGB", "RGBA")}
MODES |= {mode: lambda pixels, mode=mode: Image.fromarray(pixels).convert(mode) for mode in ("RGBX", "CMYK", "YCbCr")}
GREY = {"L", "LA", "I;16", "I;16B", "I", "F"}
PACKINGS = ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "jpeg"]
FOR_JPEG = {"L", "RGB", "CMYK", "YCbCr"}
ODD = {("YCbCr", "raw")}  # Pillow writes it and reads it as something else


def seen(source) -> np.ndarray:
    return images.load(source)[0].permute(1, 2, 0).numpy() * 255


def expected(mode: str) -> np.ndarray:
    grey = grey_of(quarters())
    values = {"1": 255 * (grey > 110)}.get(mode, grey) if mode in GREY | {"1"} else None
    return quarters() if values is None else np.repeat(values[..., None], 3, 2)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("mode", MODES)
def test_a_tiff_stands_upright_in_every_mode_packing_and_orientation(tmp_path, mode, packing):
    if (packing == "jpeg" and mode not in FOR_JPEG) or (mode, packing) in ODD:
        pytest.skip("there is no such file")
    options = {"quality": 95} if packing == "jpeg" else {}
    for orientation, turned in TURNS.items():
        path = tmp_path / f"{orientation}.tif"
        stored = MODES[mode](np.ascontiguousarray(turned(quarters())))
        stored.save(path, "TIFF", compression=packing, tiffinfo={274: orientation}, **options)
        for source in (path, io.BytesIO(path.read_bytes())):
            np.testing.assert_allclose(
                seen(source), expected(mode), atol=12 if packing == "jpeg" or mode == "LAB" else 4.01
            )


def test_a_turn_that_is_told_twice_is_made_once(tmp_path):
    stored = Image.fromarray(np.ascontiguousarray(TURNS[6](quarters())))
    stored.save(tmp_path / "file.tif", tiffinfo={274: 6, 700: XMP})
    np.testing.assert_array_equal(seen(tmp_path / "file.tif").round(), quarters())


def test_a_turned_tiff_of_many_strips_is_scaled_as_an_upright_one(tmp_path):
    whole = quarters(600, 1000)
    Image.fromarray(np.ascontiguousarray(TURNS[6](whole))).save(
        tmp_path / "file.tif", tiffinfo={274: 6, 278: 16}, compression="raw"
    )
    image = images.load(tmp_path / "file.tif", max_side=100)
    assert images.size_of(image) == (60, 100)
    np.testing.assert_allclose(image[0, :, -1, 0] * 255, whole[-1, 0], atol=2)


def test_a_tiff_that_pillow_would_scramble_is_refused():
    buffer = io.BytesIO()
    MODES["YCbCr"](quarters()).save(buffer, "TIFF")
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        images.load(io.BytesIO(buffer.getvalue()))
