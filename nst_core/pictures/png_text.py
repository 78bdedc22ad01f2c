"""Reads what is written in a PNG file without decoding its pixels."""

import io
from typing import BinaryIO

from PIL import PngImagePlugin

TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


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
