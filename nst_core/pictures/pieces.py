"""Refuses PNG and GIF files of millions of empty pieces, over which Pillow would go one by one for minutes."""

import os
import struct
from typing import BinaryIO

MOST_PIECES = 200_000  # a second's; a PNG of a gigabyte in the usual chunks has 120,000
PNG_HEAD, GIF_HEAD = 8, 13  # bytes
EXTENSION, IMAGE = b"!", b","
FRAMES = 2  # of a GIF that Pillow looks for while it opens it, and tells whether there are several


def check_chunks(file: BinaryIO) -> None:
    """Refuse a PNG of too many chunks.

    Raises:
        ValueError: it has more than MOST_PIECES.
    """
    place = PNG_HEAD
    for _ in range(MOST_PIECES):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        place += 12 + struct.unpack(">I", head[:4])[0]
    raise ValueError("more chunks than a picture has")


def check_blocks(file: BinaryIO) -> None:
    """Refuse a GIF of too many blocks before its second frame.

    Raises:
        ValueError: it has more than MOST_PIECES.
    """
    file.seek(GIF_HEAD - 3)
    place, left = GIF_HEAD + _table(file), MOST_PIECES
    for _ in range(FRAMES):
        file.seek(place)
        while (mark := file.read(1)) == EXTENSION:
            file.read(1)  # of which kind
            left = _skipped(file, left - 1)
        if mark != IMAGE:
            return
        file.read(8)  # where it is, and how large
        place = file.tell() + 1 + _table(file)
        file.seek(place + 1)  # behind the size of its codes
        left = _skipped(file, left)
        place = file.tell()


def _table(file: BinaryIO) -> int:
    """Bytes of the palette that the flags at hand tell of."""
    flags = (file.read(1) or b"\0")[0]
    return 3 << (flags & 7) + 1 if flags & 128 else 0


def _skipped(file: BinaryIO, left: int) -> int:
    """Go over blocks up to the empty one; tell how many more there may be."""
    while left >= 0 and (length := file.read(1).strip(b"\0")):
        left -= 1
        file.seek(length[0], os.SEEK_CUR)
    if left < 0:
        raise ValueError("more blocks than a picture has")
    return left
