"""Reads and writes pictures. The only place that knows files, colour profiles and 0..255."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from nst_core.errors import ConfigError, ImageError
from nst_core.pictures import large
from nst_core.pictures.color_space import profile_of
from nst_core.pictures.cut import decode
from nst_core.pictures.cut import is_cut_short as is_cut_short
from nst_core.pictures.jpeg_text import JPEG_ENDINGS as JPEG_ENDINGS
from nst_core.pictures.jpeg_text import is_jpeg as is_jpeg
from nst_core.pictures.jpeg_text import jpeg_text
from nst_core.pictures.notes import PictureWarning as PictureWarning
from nst_core.pictures.notes import note
from nst_core.pictures.opening import MAX_PIXELS as MAX_PIXELS
from nst_core.pictures.opening import admit, decodable, header_of, is_large
from nst_core.pictures.orientation import ORIENTATIONS, orientation_of
from nst_core.pictures.pixels import to_bytes as to_bytes
from nst_core.pictures.png_text import png_text
from nst_core.pictures.save import JPEG_QUALITY as JPEG_QUALITY
from nst_core.pictures.save import encode_jpeg as encode_jpeg
from nst_core.pictures.save import over_white as over_white
from nst_core.pictures.save import save_jpeg as save_jpeg
from nst_core.pictures.save import save_png as save_png
from nst_core.pictures.save import to_pil as to_pil
from nst_core.pictures.srgb import in_srgb, is_grey
from nst_core.pictures.tiff import TIFF_ENDINGS as TIFF_ENDINGS
from nst_core.pictures.tiff import is_tiff as is_tiff
from nst_core.pictures.tiff import save_tiff as save_tiff
from nst_core.pictures.tiff import tiff_text

LANCZOS = 3  # pixels to either side of one that its filter looks at, of the smaller picture
MIN_SIDE = 16  # pixels; VGG halves a picture four times before conv5_1
MAX_SIDE = 16_384  # pixels; a result is at most as large as a square of this side
READ_SIDE = 4096  # pixels; larger pictures are read at this size where nobody asks for more


def load(source: str | Path | BinaryIO, *, max_side: int = READ_SIDE, keep_transparency: bool = False) -> Tensor:
    """Read a picture the way a viewer shows it: upright, over white, in sRGB.

    Takes files of FORMATS: RGBA, palette, grey, 16-bit, CMYK, EXIF-rotated, and the first frame of an animation. Of a
    file that is cut short, what there is of it, with a PictureWarning.

    Args:
        source: a file's path or an open binary file.
        max_side: pixels; a picture with a longer side is read at this size.
        keep_transparency: give a picture that is transparent anywhere as `load_transparent` does.

    Returns:
        image (1, 3, H, W), float32 sRGB in [0, 1]; a transparent one that is kept so, (1, 4, H, W).

    Raises:
        ImageError: not a picture, damaged, larger than MAX_PIXELS (a result of this program's: than any), smaller than
            MIN_SIDE, or more than the memory that one picture may take.
    """
    image = _read(source, max_side, None if keep_transparency else "RGB")
    return image[:, :3].clone() if image.shape[1] == 4 and image[:, 3].min() == 1 else image


def load_transparent(source: str | Path | BinaryIO, *, max_side: int = READ_SIDE) -> Tensor:
    """Read a picture as `load` does, but keep its transparency rather than lay it over white.

    Returns:
        (1, 4, H, W), float32 in [0, 1]: sRGB, not multiplied by the last channel, which is 1 where it is opaque.

    Raises:
        ImageError: as `load`.
    """
    return _read(source, max_side, "RGBA")


def check(source: str | Path | BinaryIO, *, max_side: int = READ_SIDE) -> None:
    """Refuse a picture that `load` would refuse, as far as its header tells; nothing is decoded.

    A file that is cut short or damaged further on is found out when it is read.

    Raises:
        ImageError: as `load`.
    """
    with header_of(source) as (picture, file, name):
        _check_sides(picture.size, name, max_side)
        admit(picture, file, name, max_side)


def _read(source: str | Path | BinaryIO, max_side: int, mode: str | None) -> Tensor:
    """In a mode, or in that which the picture needs."""
    with decodable(source, max_side, channels=len(mode) if mode else None) as (picture, file, size, name):
        _check_sides(size, name, max_side)
        if is_large(picture):
            return torch.from_numpy(large.read(picture, file, max_side, mode or picture.mode))
        profile = profile_of(picture, is_grey(picture))
        told = decode(picture)
        vars(picture).pop("_decoder", None)  # WebP's and AVIF's keep three more pictures of this size
        orientation = orientation_of(picture)  # by now without it where Pillow turned a TIFF
        shown = in_srgb(picture, mode or ("RGBA" if picture.has_transparency_data else "RGB"), profile)
        if shown is not picture:
            picture.close()  # now, not later: it may take as much again
        shown.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        if orientation in ORIENTATIONS:
            shown = shown.transpose(ORIENTATIONS[orientation])
        image = _to_tensor(shown)
    if told:
        note(f"{name} {told}")
    return image


def read_side(size: int) -> int:
    """Pixels at which a picture is read that a result of such a size is made of."""
    return max(READ_SIDE, size)


def _check_sides(size: tuple[int, int], name: str, max_side: int) -> None:
    """Refuse a picture that is too small, or gets so; size = (width, height)."""
    width, height = size
    if min(width, height) * min(1, max_side / max(width, height)) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width}×{height} pixels, too small or too narrow; use a picture of at least "
            f"{MIN_SIDE}×{MIN_SIDE} (a side over {max_side} is scaled down to it)"
        )


def as_transparent_as(image: Tensor, source: Tensor) -> Tensor:
    """A painted picture with the transparency of what it was painted from.

    Args:
        image: (1, 3, H, W) in [0, 1].
        source: (1, 3 or 4, any, any) in [0, 1], of which the painted picture shows all, or the middle.

    Returns:
        (1, 4, H, W) for a source of 4 channels, else the image.
    """
    if source.shape[1] == 3:
        return image
    return torch.cat([image, cover(source[:, 3:], size_of(image)).to(image.device)], 1)


def from_pil(picture: Image.Image) -> Tensor:
    """An RGB picture of Pillow's as image (1, 3, H, W) in [0, 1]; in numpy, as `to_bytes` is."""
    return _to_tensor(picture.convert("RGB"))


def _to_tensor(picture: Image.Image) -> Tensor:
    pixels = np.empty((1, len(picture.getbands()), picture.height, picture.width), np.float32)  # (1, C, H, W)
    for channel, values in enumerate(pixels[0]):  # one by one, lest there be a second copy of all
        values[...] = np.asarray(picture.getchannel(channel))
    pixels /= np.float32(255)
    return torch.from_numpy(pixels)


def read_text(path: str | Path) -> dict[str, str]:
    """The text chunks of a PNG file, or what `save_jpeg` or `save_tiff` wrote; none of another. Pixels are skipped.

    Of a PNG or TIFF as large as results may be, which may be larger than what is loaded.

    Raises:
        ImageError: not a picture, cut short, too large, or more text than Pillow takes (64 MB).
    """
    with header_of(path, most=MAX_SIDE**2) as (picture, file, name):
        if picture.format in ("JPEG", "MPO"):
            return jpeg_text(picture)
        if picture.format == "TIFF":
            return tiff_text(picture)
        return png_text(file) if picture.format == "PNG" else {}


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
    fitted = fitted_size(size_of(image), size, rule)
    return cover(image, fitted) if rule == "exact" else resize(image, fitted)


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


def resize(image: Tensor, size: tuple[int, int], *, wrap: bool = False) -> Tensor:
    """The image at another size, by Lanczos' filter.

    Args:
        image: (1, 3, H, W) in [0, 1].
        size: (height, width), pixels.
        wrap: beyond every edge lies the opposite edge, as of a tile among its likes.

    Returns:
        (1, 3, height, width) in [0, 1], on the same device.
    """
    if size_of(image) == tuple(size):
        return image
    (height, width), (own_height, own_width) = size, size_of(image)
    top = left = 0  # what of the opposite edges the filter looks at
    if wrap:
        top, left = (math.ceil(LANCZOS * max(1, own / new)) for own, new in ((own_height, height), (own_width, width)))
        top, left = min(top, own_height), min(left, own_width)
        image = F.pad(image, (left, left, top, top), mode="circular")
    box = left, top, left + own_width, top + own_height
    channels = [Image.fromarray(channel.cpu().numpy()) for channel in image[0]]  # float32, not 8 bits
    resized = [np.array(channel.resize((width, height), Image.Resampling.LANCZOS, box)) for channel in channels]
    return torch.from_numpy(np.stack(resized).clip(0, 1))[None].to(image.device)


def cover(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The image scaled and centre-cropped to fill `size` = (height, width), never squashed."""
    height, width = size
    own_height, own_width = size_of(image)
    scale = max(height / own_height, width / own_width)
    large = max(height, round(own_height * scale)), max(width, round(own_width * scale))
    top, left = (large[0] - height) // 2, (large[1] - width) // 2
    return resize(image, large)[..., top : top + height, left : left + width].contiguous()
