"""Colours that a file names by numbers, against the standards' own formulas."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from nst_core import images
from nst_core.pictures.opening import known_formats
from tests import picture_files as files
from tests.test_images import swapped_profile

# Linear Display P3 to linear sRGB, as CSS Color 4 writes it.
P3_TO_SRGB = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
P3, LINEAR, SRGB_CURVE, PQ, HLG = 12, 8, 13, 16, 18
P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def light(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def coded(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values.clip(0) ** (1 / 2.4) - 0.055).clip(0, 1)


def colours() -> np.ndarray:
    """Every mixture of five levels, (H, W, 3)."""
    levels = np.array([0, 60, 120, 180, 240])
    every = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(5, 25, 3)
    return every.repeat(8, 0).repeat(4, 1).astype(np.uint8)


def from_p3(pixels: np.ndarray) -> np.ndarray:
    return coded((light(pixels / 255) @ P3_TO_SRGB.T).clip(0, 1)) * 255


def png(*chunks: tuple[bytes, bytes], pixels: np.ndarray | None = None, **options) -> bytes:
    """A PNG with such chunks behind its header."""
    buffer = io.BytesIO()
    Image.fromarray(colours() if pixels is None else pixels).save(buffer, "PNG", **options)
    data = buffer.getvalue()
    return data[:33] + b"".join(files.chunk(*one) for one in chunks) + data[33:]


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def points(primaries: int, transfer: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, 1])


def seen(data: bytes) -> np.ndarray:
    return images.load(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


CHROMATICITIES = (b"cHRM", struct.pack(">8I", *P3_CHROMATICITIES))
TOLD = {
    "linear": ([gamma(1.0)], lambda pixels: coded(pixels / 255) * 255),
    "gamma 1.8": ([gamma(1 / 1.8)], lambda pixels: coded((pixels / 255) ** 1.8) * 255),
    "sRGB's gamma": ([gamma(0.45455)], lambda pixels: pixels),
    "P3 by chromaticities": ([gamma(0.45455), CHROMATICITIES], from_p3),
    "chromaticities alone": ([CHROMATICITIES], lambda pixels: pixels),
    "chromaticities that are none": ([gamma(1.0), (b"cHRM", bytes(32))], lambda pixels: coded(pixels / 255) * 255),
    "sRGB although gamma": ([(b"sRGB", b"\0"), gamma(1.0)], lambda pixels: pixels),
    "P3 by code points": ([points(P3, SRGB_CURVE)], from_p3),
    "linear by code points": ([points(1, LINEAR)], lambda pixels: coded(pixels / 255) * 255),
    "sRGB by code points although gamma": ([points(1, SRGB_CURVE), gamma(1.0)], lambda pixels: pixels),
    "of unknown code points": ([points(200, 200)], lambda pixels: pixels),
}


@pytest.mark.parametrize("told", TOLD)
def test_a_png_is_seen_in_the_colours_that_its_chunks_tell(told):
    chunks, expected = TOLD[told]
    np.testing.assert_allclose(seen(png(*chunks)), expected(colours()), atol=2.01)


def test_grey_has_a_gamma_too():
    grey = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    expected = np.repeat(coded(grey / 255)[..., None] * 255, 3, 2)
    np.testing.assert_allclose(seen(png(gamma(1.0), pixels=grey)), expected, atol=2.01)
    deep = grey.astype(np.uint16) * 257
    np.testing.assert_allclose(seen(png(gamma(1.0), pixels=deep)), expected, atol=2.01)


def test_transparent_pictures_have_a_gamma_and_their_transparency_does_not():
    pixels = np.dstack([colours(), np.full(colours().shape[:2], 128, np.uint8)])
    image = images.load_transparent(io.BytesIO(png(gamma(1.0), pixels=pixels)))[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(image[..., :3], coded(colours() / 255), atol=2.01 / 255)
    np.testing.assert_allclose(image[..., 3], 128 / 255, atol=1e-6)


def test_code_points_count_before_a_profile_and_a_profile_before_gamma():
    swapped = swapped_profile()
    np.testing.assert_allclose(seen(png(points(1, SRGB_CURVE), icc_profile=swapped)), colours(), atol=0.01)
    np.testing.assert_allclose(seen(png(gamma(1.0), icc_profile=swapped)), colours()[..., [1, 0, 2]], atol=4)


# Nits on a screen -> signal, by BT.2100; grey.
SIGNALS = {
    PQ: {0: 0.0, 20.3: 0.357, 50.75: 0.444, 101.5: 0.5096, 203: 0.581, 1000: 0.752},
    HLG: {0: 0.0, 203: 0.75, 1000: 1.0},
}


def in_high_range(nits: float) -> float:
    """What is shown: up to nine tenths of white as it is, then ever more of the last tenth."""
    share = nits / 203
    over = max(share - 0.9, 0) / 0.1
    return float(coded(np.array(share if over == 0 else 0.9 + 0.1 * over / (1 + over)))) * 255


@pytest.mark.parametrize("curve", SIGNALS)
def test_a_picture_of_high_dynamic_range_keeps_white_and_compresses_what_is_brighter(curve):
    for nits, signal in SIGNALS[curve].items():
        for shape in ((16, 16, 3), (16, 16)):
            flat = np.full(shape, round(signal * 255), np.uint8)
            told = seen(png(points(9, curve), pixels=flat))
            assert abs(told.mean() - in_high_range(nits)) < 3 and np.ptp(told) <= 1, (nits, told.mean())


def test_highlights_of_a_pq_picture_keep_their_hue_and_order():
    """A red of 1000 cd/m² with a tenth of green and blue; a clip would make it and all above it alike."""
    red = np.array([1000 / 203, 100 / 203, 100 / 203]) @ FROM_709.T
    power = (red * 203 / 10000) ** 0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    flat = np.tile((signal * 255).round().astype(np.uint8), (16, 16, 1))
    for data in (png(points(9, PQ), pixels=flat), avif_of(flat, 9, PQ), heic_of(flat, 9, PQ)):
        if data:
            np.testing.assert_allclose(seen(data)[8, 8], [254, 89, 89], atol=9)


FROM_709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # to BT.2020


def avif_of(pixels: np.ndarray, *code_points: int) -> bytes:
    if not features.check("avif"):
        return b""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(buffer.getvalue())
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", *code_points)
    return bytes(data)


def heic_of(pixels: np.ndarray, primaries: int, transfer: int) -> bytes:
    if "HEIF" not in known_formats():
        return b""
    told = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 6}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "HEIF", quality=100, chroma=444, **told)
    return buffer.getvalue()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_an_avif_of_p3_is_seen_so():
    buffer = io.BytesIO()
    Image.fromarray(colours()).save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(buffer.getvalue())
    place = data.index(b"colrnclx") + 8
    np.testing.assert_allclose(seen(bytes(data)), colours(), atol=6)
    data[place : place + 4] = struct.pack(">HH", P3, SRGB_CURVE)
    np.testing.assert_allclose(seen(bytes(data)), from_p3(colours()), atol=12)
    assert np.abs(seen(bytes(data)) - from_p3(colours())).mean() < 2


@pytest.mark.skipif("HEIF" not in known_formats(), reason="pillow-heif is not here")
@pytest.mark.parametrize("way", ["code points", "profile"])
def test_a_heic_of_p3_is_seen_so(way):
    made = {"color_primaries": P3, "transfer_characteristics": SRGB_CURVE, "matrix_coefficients": 6}
    profile = swapped_profile()
    options, expected = {
        "code points": (made, from_p3(colours())),
        "profile": ({"icc_profile": profile}, colours()[..., [1, 0, 2]]),
    }[way]
    buffer = io.BytesIO()
    Image.fromarray(colours()).save(buffer, "HEIF", quality=100, chroma=444, **options)
    assert np.abs(seen(buffer.getvalue()) - expected).mean() < 2
    assert np.abs(seen(buffer.getvalue()) - colours()).mean() > 4


def test_a_profile_that_is_made_reads_as_the_standards_own():
    """LittleCMS and ours agree on sRGB's colours, of which it has a profile itself."""
    from nst_core.pictures import color_space

    data = color_space._profile(color_space.SRGB, lambda values: light(values), False)
    own = ImageCms.ImageCmsProfile(io.BytesIO(data))
    there = ImageCms.profileToProfile(Image.fromarray(colours()), own, ImageCms.createProfile("sRGB"))
    np.testing.assert_allclose(np.asarray(there), colours(), atol=1)
