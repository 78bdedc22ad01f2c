"""Estimates the memory that reading a picture takes, from its header alone, and sets how much it may take."""

import math
import os
import struct
from typing import BinaryIO

from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from nst_core.errors import ConfigError
from nst_core.host_memory import total_memory
from nst_core.pictures import jpeg2000
from nst_core.pictures.float_tiff import FloatTiffImageFile
from nst_core.pictures.openexr import ExrImageFile
from nst_core.pictures.plain_tiff import PlainTiffImageFile
from nst_core.pictures.webp import CutWebP

BUDGET_NAME = "NST_PICTURE_BYTES"  # in the environment: what a picture may take, bytes
BUDGET_SHARE = 8  # one part in so many of the memory there is, else

# By mode; Pillow takes 4 for all others.
PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
RGB_BYTES = 4  # of a pixel of Pillow's
TENSOR_BYTES = 4  # of a number
HELD_BACK = 1.1  # of what is freed, some stays with the C library until all of its block is
STRIP_BYTES = 2**23  # of the rows that are converted at a time, and small things
FILE_COPIES = 2  # decoders keep a file's bytes, or map them

# Bytes a pixel beside the picture itself, as measured: libwebp's canvases and the frame, libavif's planes of 16 bits.
WEBP_BYTES, AVIF_BYTES = 12.6, 14
BLOCK_BYTES, PRECINCT_BYTES = 450, 300  # of OpenJPEG's notes on a piece, kept for as long as a tile is decoded
SEGMENT_COPIES = 12  # of a JPEG 2000 file's bytes: its notes on where each of them belongs
COMPONENT_BYTES = 6  # of a number of OpenJPEG's: 32 bits, and up to 16 of them again


def budget() -> int:
    """Bytes that reading one picture may take.

    Raises:
        ConfigError: the environment's wish is no number.
    """
    wish = os.environ.get(BUDGET_NAME, "").strip()
    if not wish:
        return total_memory() // BUDGET_SHARE
    if not wish.isdecimal() or not int(wish):
        raise ConfigError(f"{BUDGET_NAME} is {wish!r}; give a whole number of bytes, or none for one part in eight")
    return int(wish)


def shrink(picture: ImageFile, file: BinaryIO, max_side: int) -> None:
    """Have a picture decoded no larger than needed, where its format can; before anything of it is decoded.

    A JPEG is decoded at 1/2, 1/4 or 1/8, a JPEG 2000 at one of its smaller copies, no smaller than max_side.
    """
    if isinstance(picture, Jpeg2KImageFile):
        halvings = (max(picture.size) // max_side).bit_length() - 1
        picture.reduce = max(0, min(jpeg2000.read(file).levels, halvings))
        # Pillow rounds a copy's size to the nearest whole number, OpenJPEG up
        width, height = (-(-side // 2**picture._reduce) * 2**picture._reduce for side in picture.size)
        picture._size = width, height
    else:
        picture.draft("RGB", (max_side, max_side))


def decoded_size(picture: ImageFile) -> tuple[int, int]:
    """(width, height) at which a picture is decoded, after `shrink`."""
    power = 2 ** (picture._reduce if isinstance(picture, Jpeg2KImageFile) else 0)
    width, height = picture.size
    return width // power, height // power


def needed(picture: ImageFile, file: BinaryIO, max_side: int, *, channels: int = 3) -> int:
    """Bytes that decoding a picture, converting it and making a tensor of it take at their peak.

    Args:
        picture: open, after `shrink`; nothing of it decoded.
        file: that it is read from.
        max_side: pixels; the tensor's longest side.
        channels: of the tensor.

    Raises:
        ValueError: the header contradicts itself.
    """
    width, height = decoded_size(picture)
    pixels = width * height
    made = pixels * min(1, max_side / max(width, height)) ** 2  # pixels of the tensor
    own = pixels * PIXEL_BYTES.get(picture.mode, 4)
    at_once = FILE_COPIES * _length(file) + max(
        own + _decoder_bytes(picture, file, pixels),
        own + RGB_BYTES * pixels,  # the picture, and its like in sRGB
        RGB_BYTES * (2 * pixels if made < pixels else pixels) + RGB_BYTES * made,  # scaled, then turned
        made * (RGB_BYTES + channels * TENSOR_BYTES + 3),  # one channel thrice, on its way from Pillow to numpy
    )
    if made < pixels and channels > 3:
        at_once += RGB_BYTES * pixels  # Pillow scales colours multiplied by how opaque they are
    return int(at_once * HELD_BACK) + STRIP_BYTES


def _decoder_bytes(picture: ImageFile, file: BinaryIO, pixels: int) -> float:
    """Count what the decoder takes beside the picture and its file."""
    match picture:
        case JpegImageFile():  # an MPO, too
            return _jpeg_bytes(picture, file)
        case Jpeg2KImageFile():
            return _jpeg2000_bytes(picture, file)
        case TiffImageFile():
            return _tiff_bytes(picture, pixels)
        case ExrImageFile() | FloatTiffImageFile() | PlainTiffImageFile():
            return picture.decoder_bytes
    match picture.format:
        case "WEBP":
            return WEBP_BYTES * pixels * (2 if isinstance(file, CutWebP) else 1)
        case "AVIF" | "HEIF":
            return AVIF_BYTES * pixels
        case "PNG" if getattr(picture, "is_animated", False):
            return 8 * pixels  # what the first frame leaves behind, and a copy of it
        case "GIF":
            return pixels
        case "DIB":  # an icon's: pixels, those again for how opaque they are, a mask and the picture with it
            return 12 * pixels + _run_bytes(picture)
        case _:
            return _run_bytes(picture)


def _run_bytes(picture: ImageFile) -> float:
    """A BMP of runs is spelled out twice; its last run may go 255 rows too far."""
    runs = any(tile[0] == "bmp_rle" for tile in picture.tile)
    return 2.2 * picture.width * (picture.height + 255) if runs else 0


def _jpeg_bytes(picture: JpegImageFile, file: BinaryIO) -> float:
    """A JPEG that does not come in one scan is kept as coefficients until the last, and those are never reduced."""
    if picture.format == "JPEG" and not picture.info.get("progressive") and _names_all(picture.layers, file):
        return 0
    reduced_by = picture.decoderconfig[0] if picture.decoderconfig else 1
    samples = [(across, down) for _, across, down, _ in picture.layer]
    densest = max(across for across, _ in samples) * max(down for _, down in samples)
    share = sum(across * down for across, down in samples) / max(1, densest)
    return 2 * share * math.prod(picture.size) * reduced_by**2


def _names_all(colours: int, file: BinaryIO) -> bool:
    """Whether the first scan's header, which the file stands behind once Pillow has opened it, is of all colours."""
    length, place = 6 + 2 * colours, file.tell()
    file.seek(max(0, place - length))
    return file.read(length)[:3] == struct.pack(">HB", length, colours)


def _jpeg2000_bytes(picture: Jpeg2KImageFile, file: BinaryIO) -> float:
    stream, scale = jpeg2000.read(file), 2**picture._reduce
    if any(-(-own // scale) * scale != side for own, side in zip(stream.size, picture.size, strict=True)):
        raise ValueError("two sizes")
    area = math.prod(-(-side // scale) for side in stream.tile)
    blocks, precincts = stream.pieces
    notes = BLOCK_BYTES * blocks + (PRECINCT_BYTES + 2 * stream.layers) * precincts
    return COMPONENT_BYTES * stream.components * area + notes + SEGMENT_COPIES * _length(file)


def _tiff_bytes(picture: TiffImageFile, pixels: int) -> float:
    """A strip or tile as it comes out of libtiff, or the picture again while it is turned."""
    tags = picture.tag_v2
    bits = tags.get(258, (1,))
    samples = max(tags.get(277, 1), len(bits))
    width, height = tags.get(322), tags.get(323)
    if width is None or height is None:
        width, height = tags[256], min(tags.get(278, tags[257]), tags[257])
    strip = width * height * max(4, samples * max(bits) / 8)  # 4: libtiff turns JPEG's colours itself
    return max(strip, PIXEL_BYTES.get(picture.mode, 4) * pixels if tags.get(274, 1) != 1 else 0)


def _length(file: BinaryIO) -> int:
    place = file.tell()
    length = file.seek(0, os.SEEK_END)
    file.seek(place)
    return length
