"""Keeps a small file's tags (EXIF's and TIFF's) from filling the memory.

A tag says where its data lies, and nothing keeps a thousand tags from naming the same megabyte: Pillow copies it for
each, while it opens a JPEG, AVIF or TIFF file, before anyone can ask how large the picture is.
"""

import os
import struct
from typing import IO

from PIL import TiffImagePlugin

MOST_NUMBERS = 2**18  # in all of a directory's tags; Python makes an object of each, and Pillow up to 600 bytes
TEXT_TYPES = {1, 2, 7}  # bytes, text and undefined, which stay in one piece
PLACES = {273, 324}  # where strips or tiles lie: an object for each, whatever their type
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}


def guard() -> None:
    """Have Pillow count a directory's data before it reads it; again changes nothing.

    Pillow reads tags from several of its own places, at opening, so this is for all of the process.
    """
    directory = TiffImagePlugin.ImageFileDirectory_v2
    plain = directory.load
    if plain.__module__ == __name__:  # it is the one below already
        return

    def load(self: TiffImagePlugin.ImageFileDirectory_v2, fp: IO[bytes]) -> None:  # named as Pillow's
        start = fp.tell()
        check(fp, self._endian, self._bigtiff)
        fp.seek(start)
        plain(self, fp)

    directory.load = load  # type: ignore[method-assign]  # Pillow has no hook for it


def check(file: IO[bytes], order: str, big: bool) -> None:
    """Refuse a directory whose tags take more than the file holds, by its entries alone.

    Args:
        file: at the directory.
        order: "<" or ">".
        big: whether it is a BigTIFF's, with longer numbers.

    Raises:
        SyntaxError: tags that share their data, or too many numbers. Pillow does without such EXIF, and reads no TIFF.
    """
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start)
    count_format, entry, inline = ("Q", "HHQQ", 8) if big else ("H", "HHLL", 4)
    entry_format = struct.Struct(order + entry)
    (count,) = _unpacked(struct.Struct(order + count_format), file) or (0,)
    total = numbers = 0
    for _ in range(count):
        fields = _unpacked(entry_format, file)
        if fields is None:
            return
        tag, kind, length, place = fields
        size = length * TYPE_BYTES.get(kind, 0)
        if size <= inline or place + size > end:  # what lies beyond the end is not read
            continue
        total += size
        numbers += length if kind not in TEXT_TYPES or tag in PLACES else 0
        if total > end or numbers > MOST_NUMBERS:
            raise SyntaxError("tags that share their data, or too many numbers")


def _unpacked(fields: struct.Struct, file: IO[bytes]) -> tuple[int, ...] | None:
    data = file.read(fields.size)
    return fields.unpack(data) if len(data) == fields.size else None
