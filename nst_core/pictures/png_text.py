"""Reads what is written in a PNG file without decoding its pixels."""

import io
import struct
from collections.abc import Iterator
from typing import IO, BinaryIO

from PIL import PngImagePlugin

TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


def heads(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place of its data and length of every chunk before a PNG's pixels, and of the first of those."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        place = file.tell()
        yield kind, place, length
        if kind == b"IDAT":
            return
        file.seek(place + length + 4)  # behind its checksum


def png_text(file: BinaryIO) -> dict[str, str]:
    """A PNG file's text chunks, before its pixels and behind them.

    Raises:
        ValueError: more text than Pillow takes (its MAX_TEXT_MEMORY).
        SyntaxError, OSError, struct.error: the file is cut short or damaged.
    """
    file.seek(8)
    stream = PngImagePlugin.PngStream(file)
    while True:
        kind, place, length = stream.read()
        if kind == b"IEND":
            return {key: str(value) for key, value in stream.im_text.items()}
        if kind in TEXT_CHUNKS:
            stream.crc(kind, stream.call(kind, place, length))
        else:
            file.seek(length + 4, io.SEEK_CUR)  # with its checksum
