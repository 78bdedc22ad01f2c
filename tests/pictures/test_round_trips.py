"""Pictures of any size, kind, mode and orientation come back as they were saved."""

import io

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures.orientation import ORIENTATIONS

sides = st.integers(images.MIN_SIDE, 70)
seeds = st.integers(0, 2**32 - 1)
# Kind -> (modes, how it is saved, levels that it may be off); what loses little is given a picture without edges.
KINDS = {
    "PNG": (("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), {}, 1),
    "TIFF": (("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F", "CMYK"), {"compression": "tiff_lzw"}, 1),
    "WEBP": (("L", "RGB", "RGBA"), {"lossless": True}, 1),
    "JPEG": (("L", "RGB", "CMYK"), {"quality": 95, "subsampling": 0}, 12),
}

LEFT, RIGHT = Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270
# Orientation -> what turns an upright picture into the stored one; all but two are their own way back.
STORED = {turn: {LEFT: RIGHT, RIGHT: LEFT}.get(way, way) for turn, way in ORIENTATIONS.items()}


def random_pixels(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def smooth(height: int, width: int, seed: int) -> np.ndarray:
    """Four colours that pass into each other."""
    corners = Image.fromarray(random_pixels(2, 2, 3, seed))
    return np.asarray(corners.resize((width, height), Image.Resampling.BILINEAR))


def of_mode(pixels: np.ndarray, mode: str) -> Image.Image:
    """(H, W, 3) in another mode of Pillow's."""
    rgb = Image.fromarray(pixels)
    match mode:
        case "P":
            return rgb.quantize(200)
        case "I;16":
            return Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
        case "F":
            return Image.fromarray(np.asarray(rgb.convert("L")) / np.float32(255))
        case "LA" | "RGBA":
            made = rgb.convert(mode)
            made.putalpha(rgb.getchannel("G"))
            return made
    return rgb.convert(mode)


def looks(picture: Image.Image) -> np.ndarray:
    """(H, W, 4) as a viewer sees it: over nothing, with how opaque it is."""
    if picture.mode in ("I;16", "F"):
        scale = 257 if picture.mode == "I;16" else 1 / 255
        picture = Image.fromarray((np.asarray(picture) / scale).round().astype(np.uint8))
    return np.asarray(picture.convert("RGBA")).astype(float)


@settings(max_examples=120)
@given(sides, sides, st.sampled_from(sorted(KINDS)), st.data(), st.sampled_from([None, *ORIENTATIONS]), seeds)
def test_a_picture_of_any_kind_mode_size_and_orientation_comes_back_upright(height, width, kind, data, turn, seed):
    modes, options, tolerance = KINDS[kind]
    mode = data.draw(st.sampled_from(modes))
    made = smooth if kind == "JPEG" else lambda *given: random_pixels(given[0], given[1], 3, given[2])
    picture = of_mode(made(height, width, seed), mode)
    stored = picture.transpose(STORED[turn]) if turn else picture
    exif = Image.Exif()
    if turn:
        exif[0x0112] = turn
    buffer = io.BytesIO()
    stored.save(buffer, kind, exif=exif, **options)
    seen = images.load_transparent(io.BytesIO(buffer.getvalue()))[0].permute(1, 2, 0).numpy() * 255
    expected = looks(picture)
    assert seen.shape == expected.shape
    visible = expected[..., 3:] > 0
    np.testing.assert_allclose(seen[..., 3], expected[..., 3], atol=tolerance)
    np.testing.assert_allclose(seen[..., :3] * visible, expected[..., :3] * visible, atol=tolerance)


@settings(max_examples=50)
@given(sides, sides, st.sampled_from([3, 4]), seeds)
def test_what_is_saved_as_png_is_loaded_bit_for_bit(height, width, channels, seed):
    pixels = random_pixels(height, width, channels, seed)
    image = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    buffer = io.BytesIO()
    images.save_png(image, buffer, {"key": "text"})
    seen = images.load(io.BytesIO(buffer.getvalue()), keep_transparency=True)
    visible = image[:, 3:] > 0 if channels == 4 else True
    torch.testing.assert_close(seen * visible, image * visible, atol=1e-6, rtol=0)


@settings(max_examples=60)
@given(sides, sides, st.integers(images.MIN_SIDE, 80), seeds)
def test_however_large_a_picture_may_be_it_keeps_its_shape(height, width, most, seed):
    buffer = io.BytesIO()
    Image.fromarray(random_pixels(height, width, 3, seed)).save(buffer, "PNG")
    try:
        image = images.load(io.BytesIO(buffer.getvalue()), max_side=most)
    except ImageError:
        assert min(height, width) * most / max(height, width) < images.MIN_SIDE
        return
    made_height, made_width = images.size_of(image)
    assert max(made_height, made_width) == min(most, max(height, width))
    assert abs(made_height * width - made_width * height) <= max(height, width)
