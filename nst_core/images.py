"""Pictures in and out. The only place that knows files, colour profiles and 0..255."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from nst_core.errors import ConfigError, ImageError, named

MIN_SIDE = 16  # pixels; VGG halves a picture four times before conv5_1
MAX_SIDE = 4096  # pixels; larger pictures are read at this size
MAX_PIXELS = 100_000_000  # a file's pixels; beyond, decoding alone would fill the memory of a small machine

# What Pillow's decoders raise for files that are damaged or of another kind.
DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    TypeError,
    LookupError,
    OverflowError,
    struct.error,
)

# EXIF's orientation -> what turns such a picture upright. ImageOps.exif_transpose fails where another tag is damaged.
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

UNREADABLE = "cannot be read as a picture (it is damaged, cut short or of another kind); use a JPEG, PNG or WebP file"


def load(source: str | Path | BinaryIO, *, max_side: int = MAX_SIDE) -> Tensor:
    """Read a picture the way a viewer shows it: upright, over white, in sRGB.

    Takes whatever Pillow opens: RGBA, palette, grey, 16-bit, CMYK, EXIF-rotated, and the first frame of an animation.

    Args:
        source: a file's path or an open binary file.
        max_side: pixels; a picture with a longer side is read at this size.

    Returns:
        image (1, 3, H, W), float32 sRGB in [0, 1].

    Raises:
        ImageError: not a picture, damaged, larger than MAX_PIXELS or smaller than MIN_SIDE.
    """
    with _opened(source) as (picture, name):
        _check_size(picture, name, max_side)
        upright = _upright_srgb(picture, max_side)
    return from_pil(upright)


def load_transparent(source: str | Path | BinaryIO, *, max_side: int = MAX_SIDE) -> Tensor:
    """Read a picture as `load` does, but keep its transparency rather than lay it over white.

    Returns:
        (1, 4, H, W), float32 in [0, 1]: sRGB, not multiplied by the last channel, which is 1 where it is opaque.

    Raises:
        ImageError: as `load`.
    """
    with _opened(source) as (picture, name):
        _check_size(picture, name, max_side)
        orientation = _orientation(picture)
        colors, alpha = _srgb_and_alpha(picture, max_side)
        colors.putalpha(alpha or 255)
        upright = _turned(colors, orientation, max_side)
    return _to_tensor(upright)


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[tuple[Image.Image, str]]:
    """An open picture and its name; what Pillow raises meanwhile becomes an ImageError."""
    name = named(source) if isinstance(source, str | Path) else "the file"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS says it in plain words
            with Image.open(source) as picture:
                yield picture, name
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist; check the path") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller first") from None
    except DECODER_ERRORS:
        raise ImageError(f"{name} {UNREADABLE}") from None


def _check_size(picture: Image.Image, name: str, max_side: int = MAX_SIDE) -> None:
    """Refuse by the header alone, before anything is decoded."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name} is {width}×{height}, more than {MAX_PIXELS:,} pixels; make it smaller first")
    if min(width, height) * min(1, max_side / max(width, height)) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width}×{height} pixels, too small or too narrow; use a picture of at least "
            f"{MIN_SIDE}×{MIN_SIDE} (a side over {max_side} is scaled down to it)"
        )


def _upright_srgb(picture: Image.Image, max_side: int) -> Image.Image:
    """The picture in mode RGB, rotated as its EXIF says, transparency over white."""
    orientation = _orientation(picture)
    picture, alpha = _srgb_and_alpha(picture, max_side)
    if alpha:
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=alpha)
        picture = white
    return _turned(picture, orientation, max_side)


def _orientation(picture: Image.Image) -> int | None:
    return picture.getexif().get(ExifTags.Base.Orientation)


def _srgb_and_alpha(picture: Image.Image, max_side: int) -> tuple[Image.Image, Image.Image | None]:
    """The picture in mode RGB, as it lies in the file, and in mode L how opaque it is, None if wholly."""
    picture.draft("RGB", (max_side, max_side))  # JPEG decodes at a fraction of its size where that is enough
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture)
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    opaque = {"LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB"}.get(picture.mode)
    return _to_srgb(picture.convert(opaque) if opaque else picture, profile), alpha


def _turned(picture: Image.Image, orientation: int | None, max_side: int) -> Image.Image:
    """The picture upright and no larger than it may be."""
    if orientation in ORIENTATIONS:
        picture = picture.transpose(ORIENTATIONS[orientation])
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float grey as 8-bit grey; Pillow itself would clip them to white."""
    values = np.asarray(picture, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("not finite")
    if picture.mode == "F":  # no fixed range: [0, 1] by custom, else its own extremes
        low, high = min(0.0, values.min()), max(1.0, values.max())
    else:
        low, high = 0.0, 65535.0 if values.max() <= 65535 else float(2**31 - 1)
    return Image.fromarray(((values - low) / (high - low) * 255).round().clip(0, 255).astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as meant by the embedded profile; one that is damaged or unfit counts as none, as in viewers."""
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return picture.convert("RGB")
    return picture.convert("RGB")


def from_pil(picture: Image.Image) -> Tensor:
    """An RGB picture of Pillow's as image (1, 3, H, W) in [0, 1]; in numpy, as `to_bytes` is."""
    return _to_tensor(picture.convert("RGB"))


def _to_tensor(picture: Image.Image) -> Tensor:
    pixels = np.asarray(picture).transpose(2, 0, 1)  # (C, H, W)
    return torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32)[None] / np.float32(255))


def to_pil(image: Tensor) -> Image.Image:
    """image (1, 3, H, W), clipped to [0, 1], as a picture of Pillow's."""
    return Image.fromarray(to_bytes(image))


def to_bytes(image: Tensor) -> np.ndarray:
    """image (1, 3, H, W), clipped to [0, 1], as (H, W, 3) uint8 on the CPU.

    In numpy, as torch would start threads of its own for it, beside those that may be painting: with more of them than
    cores, they all go to sleep between any two operations, and painting takes twice as long.
    """
    pixels = image.detach()[0].cpu().numpy()  # (3, H, W)
    return np.ascontiguousarray((pixels.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))


def encode_jpeg(image: Tensor, *, quality: int = 85, max_side: int = MAX_SIDE) -> bytes:
    """image (1, 3, H, W) as a JPEG file's bytes, at most max_side pixels: 20 times faster than PNG, for previews."""
    picture = to_pil(image)
    if max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def save_png(image: Tensor, path: str | Path, text: dict[str, str] | None = None) -> None:
    """Write image (1, 3, H, W) as PNG, with `text` as its text chunks."""
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    to_pil(image).save(path, "PNG", pnginfo=info)


def read_text(path: str | Path) -> dict[str, str]:
    """The text chunks of a PNG file; none of another kind of picture.

    Raises:
        ImageError: not a picture, damaged or too large.
    """
    with _opened(path) as (picture, name):
        _check_size(picture, name)
        picture.load()  # text may stand behind the pixels
        return {key: str(value) for key, value in getattr(picture, "text", {}).items()}


def size_of(image: Tensor) -> tuple[int, int]:
    """(height, width) in pixels."""
    return image.shape[-2], image.shape[-1]


# What "size" is the size of; each system of the field has its own. Name -> (height, width, size) -> (height, width).
SIZE_RULES = {
    "longest side": lambda height, width, size: _scaled(height, width, size / max(height, width)),
    "shortest side": lambda height, width, size: _scaled(height, width, size / min(height, width)),
    "area": lambda height, width, size: _scaled(height, width, size / (height * width) ** 0.5),
    "height": lambda height, width, size: _scaled(height, width, size / height),
    "exact": lambda height, width, size: (size, size),  # a square out of the middle
}


def _scaled(height: int, width: int, scale: float) -> tuple[int, int]:
    return max(1, round(height * scale)), max(1, round(width * scale))


def fit(image: Tensor, size: int, rule: str = "longest side") -> Tensor:
    """The image at the size at which it is painted, never squashed.

    Args:
        image: (1, 3, H, W) in [0, 1].
        size: pixels; what it measures is the rule's matter ("area": the side of a square of equal area).
        rule: one of SIZE_RULES.

    Returns:
        (1, 3, H', W') in [0, 1].

    Raises:
        ConfigError: as `fitted_size`.
    """
    size = fitted_size(size_of(image), size, rule)
    return cover(image, size) if rule == "exact" else resize(image, size)


def fitted_size(own_size: tuple[int, int], size: int, rule: str = "longest side") -> tuple[int, int]:
    """(height, width) at which `fit` puts a picture of own_size = (height, width); pixels.

    Raises:
        ConfigError: a side would be shorter than MIN_SIDE, or the picture larger than MAX_SIDE squared.
    """
    height, width = own_size
    fitted = SIZE_RULES[rule](height, width, size)
    shown = f"size {size} ({rule}) makes this {width}×{height} picture {fitted[1]}×{fitted[0]} pixels"
    if min(fitted) < MIN_SIDE:
        raise ConfigError(f"{shown}; both sides must be at least {MIN_SIDE}: use a larger size, or crop the picture")
    if fitted[0] * fitted[1] > MAX_SIDE**2:
        raise ConfigError(f"{shown}, more than {MAX_SIDE}×{MAX_SIDE}: use a smaller size")
    return fitted


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image at another size, by Lanczos' filter.

    Args:
        image: (1, 3, H, W) in [0, 1].
        size: (height, width), pixels.

    Returns:
        (1, 3, height, width) in [0, 1], on the same device.
    """
    if size_of(image) == tuple(size):
        return image
    height, width = size
    channels = [Image.fromarray(channel.cpu().numpy()) for channel in image[0]]  # float32, not 8 bits
    resized = [np.array(channel.resize((width, height), Image.Resampling.LANCZOS)) for channel in channels]
    return torch.from_numpy(np.stack(resized).clip(0, 1))[None].to(image.device)


def cover(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image scaled and centre-cropped to fill `size` = (height, width), never squashed."""
    height, width = size
    own_height, own_width = size_of(image)
    scale = max(height / own_height, width / own_width)
    large = max(height, round(own_height * scale)), max(width, round(own_width * scale))
    top, left = (large[0] - height) // 2, (large[1] - width) // 2
    return resize(image, large)[..., top : top + height, left : left + width].contiguous()
