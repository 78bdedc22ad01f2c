"""Reads this program's own results of more pixels than other files may have, some rows at a time.

Only what it wrote itself is read so: PNG of 8 bits, not interlaced, and TIFF of 16 bits in strips, with its text.

Source: PNG (ISO/IEC 15948), 9: a row is told by its differences to the row above, so a piece of a file with one known
row above it is a PNG of its own. TIFF 6.0 (1992).
"""

import io
import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from nst_core.pictures.srgb import in_srgb

MOST_PIXELS = 2**28  # of a result: 16,384×16,384
PNG_KEY = "neural-style-lab"  # of the text that a result's PNG begins with
TIFF_MAKER = "Neural Style Lab"
STRIP_NUMBERS = 2**22  # that are unpacked at a time
ROW_BYTES = 16  # for each of them
MOST_IN_STRIP = 2**22  # numbers of a TIFF's strip, or one row's
READ_BYTES = 2**20  # of the file, at a time
TIMES_AS_FINE = 2  # pixels are averaged first, to a picture that is still so many times as fine as what is made
WIDTH, HEIGHT, BITS, PACKING, PLACES, CHANNELS, ROWS = 256, 257, 258, 259, 273, 277, 278  # tags
LENGTHS, PLANES, MAKER, PREDICTOR = 279, 284, 305, 317
DEFLATE, DIFFERENCES = 8, 2

Strips = Iterator[np.ndarray]  # (n, W, C) uint8, from the top


def is_own(picture: ImageFile) -> bool:
    """Tell by a file's header whether this program wrote it."""
    if picture.format == "PNG":
        plain = not picture.info.get("interlace") and [tile[3] for tile in picture.tile] == [picture.mode]
        return PNG_KEY in picture.info and plain and picture.mode in ("RGB", "RGBA")
    tags = getattr(picture, "tag_v2", {})
    told = (tags.get(MAKER), tags.get(PACKING), tags.get(PREDICTOR), tags.get(PLANES), {*tags.get(BITS, ())})
    return picture.format == "TIFF" and told == (TIFF_MAKER, DEFLATE, DIFFERENCES, 1, {16})


def needed(size: tuple[int, int], max_side: int, channels: int) -> int:
    """Count the bytes that reading one of (width, height) takes: the tensor, on its way to it a smaller picture, rows.

    Args:
        size: (width, height).
        max_side: pixels; the tensor's longest side.
        channels: of the tensor.
    """
    times, pixels = _times(size, max_side), math.prod(size)
    made = pixels * min(1.0, max_side / max(size)) ** 2
    rows = ROW_BYTES * max(STRIP_NUMBERS, times * 4 * size[0])
    smaller = 0.0 if max(size) <= max_side else 4 * (pixels / times**2 + made)
    return round(made * channels * 4 + smaller) + rows


def read(picture: ImageFile, file: BinaryIO, max_side: int, mode: str) -> np.ndarray:
    """Read a result that `is_own`.

    Args:
        picture: open, nothing of it decoded.
        file: that it is read from.
        max_side: pixels; one with a longer side is made smaller.
        mode: RGB, over white, or RGBA.

    Returns:
        (1, 3 or 4, H, W) float32 in [0, 1].

    Raises:
        OSError, ValueError, zlib.error: it is damaged or cut short.
    """
    size = width, height = picture.size
    times, longest = _times(size, max_side), max(size)
    channels = len(picture.getbands())
    rows = max(1, STRIP_NUMBERS // (width * channels * times)) * times
    strips = (_of_png if picture.format == "PNG" else _of_tiff)(picture, file, rows)
    shown = (in_srgb(Image.fromarray(strip), mode, None) for strip in strips)
    if longest <= max_side:
        return _whole(shown, size, len(mode))
    averaged, top = Image.new(mode, (-(-width // times), -(-height // times))), 0
    for strip in shown:
        averaged.paste(strip.reduce(times), (0, top // times))
        top += strip.height
    made = max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))
    seen = 0, 0, width / times, height / times
    small = averaged.resize(made, Image.Resampling.LANCZOS, seen)
    return _whole([small], small.size, len(mode))


def _whole(strips: Iterable[Image.Image], size: tuple[int, int], channels: int) -> np.ndarray:
    """Join strips of a picture of (width, height)."""
    pixels, top = np.empty((1, channels, size[1], size[0]), np.float32), 0
    for strip in strips:
        place = pixels[0, :, top : top + strip.height]
        np.divide(np.asarray(strip).transpose(2, 0, 1), np.float32(255), out=place)
        top += strip.height
    return pixels


def _times(size: tuple[int, int], max_side: int) -> int:
    """Find how many pixels of each side are averaged to one."""
    return max(1, max(size) // (TIMES_AS_FINE * max_side))


def _of_png(picture: ImageFile, file: BinaryIO, rows: int) -> Strips:
    """Unpack a PNG so many rows at a time."""
    width, height = picture.size
    channels, left, held = len(picture.getbands()), height, bytearray()
    line, above = 1 + width * channels, bytes(width * channels)
    for data in _inflated(file):
        held += data
        while left and len(held) >= (count := min(rows, left)) * line:
            piece = _small_png(b"\0" + above + held[: count * line], width, count + 1, channels)
            del held[: count * line]
            with Image.open(io.BytesIO(piece), formats=("PNG",)) as small:
                strip = np.asarray(small)[1:]
            yield strip
            above, left = strip[-1].tobytes(), left - count
        if not left:
            return  # whatever else there is
    raise OSError("a strip or tile is cut short")


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    """Unpack what a PNG says of its pixels, READ_BYTES at most at a time."""
    inflater = zlib.decompressobj()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind != b"IDAT":
            file.seek(length + 4, io.SEEK_CUR)  # with its checksum
            continue
        while length:
            data = file.read(min(length, READ_BYTES))
            if not data:
                return
            length -= len(data)
            while data:
                yield inflater.decompress(data, READ_BYTES)
                data = inflater.unconsumed_tail
            if inflater.eof:  # behind it, it would collect whatever comes
                return
        file.seek(4, io.SEEK_CUR)


def _small_png(rows: bytes, width: int, height: int, channels: int) -> bytes:
    """Make a PNG of rows as a PNG has them before they are packed, each behind the number of its filter."""
    colours = 2 if channels == 3 else 6
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 0)),
        (b"IEND", b""),
    )
    made = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        made += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return made


def _of_tiff(picture: ImageFile, file: BinaryIO, rows: int) -> Strips:
    """Unpack a TIFF so many rows at a time, in eight bits."""
    tags: Any = getattr(picture, "tag_v2", {})
    width, left, channels, own = tags[WIDTH], tags[HEIGHT], tags[CHANNELS], tags[ROWS]
    if not 1 <= own <= max(1, MOST_IN_STRIP // (width * channels)):
        raise OSError("its strips are not as they are written here")
    held: list[np.ndarray] = []
    for place, length in zip(tags[PLACES], tags[LENGTHS], strict=True):
        if not left:
            return  # whatever else there is
        count = min(own, left)
        file.seek(place)
        data = zlib.decompressobj().decompress(file.read(length), 2 * count * width * channels)
        numbers = np.frombuffer(data, "<u2").reshape(count, width, channels).cumsum(1, dtype=np.uint16)
        rounded = numbers.astype(np.uint32)
        rounded += 128
        rounded //= 257  # of 65535 to 255
        held.append(rounded.astype(np.uint8))
        left -= count
        strip = np.concatenate(held)
        whole = len(strip) if left == 0 else len(strip) // rows * rows
        yield from (strip[top : top + rows] for top in range(0, whole, rows))
        held = [strip[whole:]]
    if left:
        raise OSError("a strip or tile is cut short")
