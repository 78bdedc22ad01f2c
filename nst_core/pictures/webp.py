"""Makes WebP files that are cut short such that libwebp decodes what there is of them, as browsers do."""

import io
import struct
from typing import BinaryIO

from PIL import Image, ImageFile

HEAD, PIECE = 12, 8  # bytes: of RIFF, its size and WEBP; of a piece's name and size
PIXELS = (b"VP8 ", b"VP8L")  # pieces that a picture's pixels are in
FRAME_HEAD = 10  # bytes, of a lossy frame; its first three say, from the sixth bit on, how long its first part is
UNSURE = 16  # bytes at the end that are read as zeros to see how far the rest reaches
MOST_FILLED = 2**26  # bytes of a piece that is filled up; of a damaged file any number may be told


class CutWebP(io.BytesIO):
    """A WebP whose pixels end early, filled up with zeros.

    Attributes:
        shorter: the same with a little less of it.
    """

    def __init__(self, content: bytes, shorter: bytes):
        super().__init__(content)
        self.shorter = shorter


def is_webp(head: bytes) -> bool:
    """Tell by a file's first HEAD bytes."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def whole_pieces(content: bytes) -> tuple[bytes, bool]:
    """Take a WebP up to where it is cut short, as Pillow reads none that is; and tell whether it is whole."""
    end = HEAD
    while end + PIECE <= len(content):
        following = end + PIECE + (struct.unpack_from("<I", content, end + 4)[0] + 1) // 2 * 2
        if following > len(content):
            break
        end = following
    told = 8 + struct.unpack_from("<I", content, 4)[0]
    if told <= len(content):
        return content, True
    return _of_size(content[:end]), False


def decodable_webp(file: BinaryIO) -> BinaryIO:
    """Give a file that can be decoded in place of a WebP that is cut short; any other as it is, at its beginning."""
    head = file.read(HEAD)
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not is_webp(head) or 8 + int.from_bytes(head[4:8], "little") <= length:
        return file
    content = file.read()
    pieces = whole_pieces(content)[0]
    rest = content[len(pieces) :]
    if rest[:4] not in PIXELS or len(rest) <= _first_row(rest) + UNSURE:
        return io.BytesIO(pieces)  # it lacks what lies behind its pixels, or all of them
    size = PIECE + (int.from_bytes(rest[4:8], "little") + 1) // 2 * 2
    if size > MOST_FILLED:
        return io.BytesIO(pieces)  # it says that it lacks gigabytes
    filled, shorter = (_of_size(pieces + part.ljust(size, b"\0")) for part in (rest, rest[:-UNSURE]))
    return CutWebP(filled, shorter)


def _first_row(piece: bytes) -> int:
    """Say how many bytes of a piece lie before its first row's: of a lossy one, how all of its blocks are predicted."""
    if piece[:4] == PIXELS[0]:
        return PIECE + FRAME_HEAD + (int.from_bytes(piece[PIECE : PIECE + 3], "little") >> 5)
    return PIECE


def decode_cut(picture: ImageFile.ImageFile, file: CutWebP) -> None:
    """Decode the rows that are there, those that do not change with what may follow; the rest is white or transparent.

    Raises:
        OSError: there are none.
    """
    picture.load()
    with Image.open(io.BytesIO(file.shorter), formats=("WEBP",)) as shorter:
        other = shorter.convert(picture.mode)
    rows = next((row for row in range(picture.height) if _row(picture, row) != _row(other, row)), picture.height)
    if not rows:
        raise OSError("nothing of it is there")
    transparent = picture.mode == "RGBA"
    picture.paste((0, 0, 0, 0) if transparent else (255, 255, 255), (0, rows, picture.width, picture.height))


def _row(picture: Image.Image, row: int) -> bytes:
    return picture.crop((0, row, picture.width, row + 1)).tobytes()


def _of_size(content: bytes) -> bytes:
    """Say of a RIFF file how long it is now."""
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
