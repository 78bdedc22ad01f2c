"""Brings pictures of any mode, depth and colour profile to sRGB, strip by strip."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms

from nst_core.pictures.light import Colours, HighRange, NotFinite

Transform = ImageCms.ImageCmsTransform | HighRange
STRIP_PIXELS = 2**18  # converted at a time, lest a picture be there several times over
SAMPLE_FORMAT, UNSIGNED = 339, 1  # TIFF's tag of what a number is, and what it says where it says nothing
DEEP = ("I", "F")  # grey of 16 or 32 bits, or of floats
# A mode with transparency or a palette -> what its colours alone are.
OPAQUE = {"LA": "L", "La": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB"}


def in_srgb(picture: Image.Image, mode: str, told: bytes | Colours | None) -> Image.Image:
    """Bring a picture to sRGB as it lies in the file: in mode RGB over white, in mode RGBA with its transparency.

    By its ICC profile or what it tells of its high dynamic range, if anything. Converted strip by strip: Pillow's and
    numpy's own copies would be several times as large as the picture.
    """
    unsigned = _is_unsigned(picture)
    range_ = _range(picture, unsigned) if picture.mode.startswith(DEEP) else None
    opaque = _opaque(picture)
    profile = _transform(told, opaque)
    if picture.mode == mode == "RGB" and not profile and not picture.has_transparency_data:
        return picture
    made = Image.new(mode, picture.size)
    for top, strip in _strips(picture):
        if range_:
            values = _numbers(strip, unsigned)
            colors = _eight_bits(values, *range_, profile).convert("RGB")
            hidden = picture.info.get("transparency")  # a number, in a PNG
            made.paste(_laid(colors, None if hidden is None else Image.fromarray(values != hidden), mode), (0, top))
        else:
            made.paste(_strip_srgb(strip, opaque, profile, mode), (0, top))
    return made


def is_grey(picture: Image.Image) -> bool:
    """Whether its colours are one number each."""
    return _opaque(picture) in ("1", "L")


def _opaque(picture: Image.Image) -> str:
    """The mode of its colours alone, in eight bits."""
    return "L" if picture.mode.startswith(DEEP) else OPAQUE.get(picture.mode, picture.mode)


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """First row and rows of each part."""
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _strip_srgb(strip: Image.Image, opaque: str, profile: Transform | None, mode: str) -> Image.Image:
    alpha = strip.convert("RGBA").getchannel("A") if strip.has_transparency_data else None
    colors = strip.convert(opaque)
    colors = profile.apply(colors) if profile else colors.convert("RGB")
    return _laid(colors, alpha, mode)


def _laid(colors: Image.Image, alpha: Image.Image | None, mode: str) -> Image.Image:
    """Join colours with their transparency, of mode 1 or L, or lay them over white."""
    if mode == "RGBA":
        colors.putalpha(alpha.convert("L") if alpha else 255)
        return colors
    if alpha:
        white = Image.new("RGB", colors.size, "white")
        white.paste(colors, mask=alpha)
        return white
    return colors


def _is_unsigned(picture: Image.Image) -> bool:
    """Whether grey of 32 bits goes to 2³², of which Pillow makes numbers to 2³¹ and below 0."""
    tags = getattr(picture, "tag_v2", {})
    return picture.mode == "I" and bool(tags) and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED


def _numbers(strip: Image.Image, unsigned: bool) -> np.ndarray:
    values = np.asarray(strip)
    return values.view(np.uint32) if unsigned else values


def _range(picture: Image.Image, unsigned: bool) -> tuple[float, float]:
    """Find what is black and what is white in grey of 16 or 32 bits or of floats."""
    strips = (_numbers(strip, unsigned) for _, strip in _strips(picture))
    extremes = [float(extreme) for values in strips for extreme in (values.min(), values.max())]  # NaN if there is one
    low, high = min(extremes), max(extremes)
    if not np.isfinite(extremes).all():
        raise NotFinite
    if picture.mode == "F":  # no fixed range: [0, 1] by custom, else its own extremes
        return min(0.0, low), max(1.0, high)
    return 0.0, 65535.0 if high <= 65535 else float(2 ** (32 if unsigned else 31) - 1)


def _eight_bits(numbers: np.ndarray, low: float, high: float, profile: Transform | None) -> Image.Image:
    """16-bit, 32-bit and float grey as 8-bit grey; Pillow itself would clip them to white, or take eight bits first."""
    values = (numbers.astype(np.float64) - low) / (high - low) * 255
    if profile:
        ramp = np.arange(256, dtype=np.uint8)[None]
        values = np.interp(values, ramp[0], np.asarray(profile.apply(Image.fromarray(ramp)))[0, :, 0])
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))


def _transform(data: bytes | Colours | None, mode: str) -> Transform | None:
    """From an embedded profile to sRGB; None for one that is damaged or unfit, which counts as none, as in viewers."""
    if isinstance(data, Colours):
        return HighRange(data)
    if not data or mode not in ("RGB", "CMYK", "L"):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(data))
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE  # else it knows 33 greys
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError):
        return None
