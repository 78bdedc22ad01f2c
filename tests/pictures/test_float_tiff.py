"""TIFFs of floats in every size, order of bytes and packing."""

import zlib

import cv2
import numpy as np
import pytest
from PIL import ImageCms

from nst_core import images
from tests import picture_files as files
from tests.pictures.test_color_space import coded
from tests.pictures.test_light import ALPHA, light, seen, shown, with_alpha
from tests.test_images import TURNS, swapped_profile


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_a_colour_tiff_of_floats_is_light(kind, order):
    pixels = light(kind)
    np.testing.assert_allclose(seen(files.float_tiff(pixels, order)), shown(pixels), atol=1.01)
    for extra in (1, 2):  # multiplied by how opaque it is, or not
        stored = with_alpha(pixels * np.dtype(kind).type(ALPHA if extra == 1 else 1))
        image = seen(files.float_tiff(stored, order, {338: bytes([extra])}), images.load_transparent)
        np.testing.assert_allclose(image[..., :3], shown(pixels), atol=1.01)
        np.testing.assert_allclose(image[..., 3], 255 * ALPHA, atol=1)


@pytest.mark.parametrize("kind", ["f2", "f8"])
def test_a_grey_tiff_of_floats_is_grey_as_it_is(kind):
    grey = np.tile(np.linspace(0, 1, 40), (24, 1)).astype(kind)
    np.testing.assert_allclose(seen(files.float_tiff(grey))[..., 1], grey * 255, atol=1)


@pytest.mark.parametrize("packing", [1, 5, 8, 32773])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_a_colour_tiff_of_floats_is_unpacked(packing, kind):
    for predictor in (1, 2, 3) if kind == "f4" else (1,):
        told = [cv2.IMWRITE_TIFF_COMPRESSION, packing, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
        data = cv2.imencode(".tif", light(kind)[..., ::-1].copy(), told)[1].tobytes()
        np.testing.assert_allclose(seen(data), shown(light(kind)), atol=1.01)


def predicted(pixels: np.ndarray) -> bytes:
    """Rows of halves (H, W, C), packed, of the predictor of floats."""
    height, _, samples = pixels.shape
    high_first = pixels.astype(">f2").view(np.uint8).reshape(height, -1, 2).swapaxes(1, 2).reshape(height, -1, samples)
    differences = np.diff(high_first, axis=1, prepend=np.zeros((height, 1, samples), np.uint8))
    return zlib.compress(differences.tobytes())


def in_tiles(pixels: np.ndarray, height: int, width: int) -> list[bytes]:
    """Tiles of them, which go beyond the edges as a TIFF's do."""
    sides = zip(pixels.shape, (height, width), strict=False)
    padded = np.pad(pixels, [*((0, -side % tile) for side, tile in sides), (0, 0)], constant_values=7)
    starts = ((top, left) for top in range(0, len(padded), height) for left in range(0, padded.shape[1], width))
    return [predicted(padded[top : top + height, left : left + width]) for top, left in starts]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("samples", [1, 3, 4])
def test_halves_of_the_predictor_of_floats_are_summed(samples, order):
    pixels = {1: light("f2")[..., 1:2] / 8, 3: light("f2"), 4: with_alpha(light("f2"))}[samples]
    expected = np.dstack([pixels] * 3) * 255.0 if samples == 1 else shown(light())
    read = images.load_transparent if samples == 4 else images.load
    for orientation, turned in TURNS.items():
        stored = np.ascontiguousarray(turned(pixels))
        for tile in (None, (16, 16), (32, 16)):
            blocks = in_tiles(stored, *tile) if tile else [predicted(stored)]
            told = {259: b"\x08", 317: b"\x03", 274: bytes([orientation])} | ({338: b"\2"} if samples == 4 else {})
            data = files.float_tiff(stored.squeeze(2) if samples == 1 else stored, order, told, blocks, tile)
            np.testing.assert_allclose(seen(data, read)[..., :3], expected, atol=1.01, err_msg=f"{orientation} {tile}")


def test_a_colour_tiff_of_floats_stands_upright():
    for orientation, turned in TURNS.items():
        data = files.float_tiff(np.ascontiguousarray(turned(light())), tags={274: bytes([orientation])})
        np.testing.assert_allclose(seen(data), shown(light()), atol=1.01)


def test_a_colour_tiff_of_floats_has_a_profile():
    signal = coded(light() / 8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, swapped = (
        seen(files.float_tiff(signal.astype("f4"), tags={34675: one})) for one in (srgb, swapped_profile())
    )
    np.testing.assert_allclose(plain, shown(light() / 8), atol=2.5)
    np.testing.assert_allclose(swapped, shown(light() / 8)[..., [1, 0, 2]], atol=4)
