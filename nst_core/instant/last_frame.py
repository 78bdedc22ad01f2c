"""Tells animated WebP and PNG how long their last frame lasts, of which ffmpeg's writers make something else."""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

WEBP_HEAD, WEBP_LENGTH = 12, 12  # bytes before the first piece; of a frame's piece, before its length
PNG_HEAD, PNG_LENGTH = 8, 20
MOST = 2**16 - 1  # of a PNG's numbers
PARTS = (1000, 100, 10, 1)  # of a second, that they count


def set_last(file: IO[bytes], container: str, length: int) -> None:
    """Set the last frame's length such that all of them last as long as they should.

    Args:
        file: open to be read and written.
        container: as ffmpeg names its muxer; of another kind, nothing is done.
        length: of all frames, milliseconds.

    Raises:
        OSError: the file cannot be written.
    """
    if container in ("webp", "apng"):
        (_set_webp if container == "webp" else _set_png)(file, length)


def _set_webp(file: IO[bytes], length: int) -> None:
    places = [place + WEBP_LENGTH for kind, place, _ in _pieces(file, WEBP_HEAD, "<4sI") if kind == b"ANMF"]
    lengths = [int.from_bytes(_read(file, place, 3), "little") for place in places]
    if places:
        file.seek(places[-1])
        file.write(min(max(1, length - sum(lengths[:-1])), 2**24 - 1).to_bytes(3, "little"))


def _set_png(file: IO[bytes], length: int) -> None:
    frames = [(place, size) for kind, place, size in _pieces(file, PNG_HEAD, ">I4s") if kind == b"fcTL"]
    lengths = [struct.unpack(">HH", _read(file, place + PNG_LENGTH, 4)) for place, _ in frames]
    if not frames:
        return
    rest = max(1, length - sum(1000 * count // (parts or 100) for count, parts in lengths[:-1]))
    parts = next((parts for parts in PARTS if rest * parts <= 1000 * MOST), 1)
    place, size = frames[-1]
    piece = bytearray(_read(file, place - 4, 4 + size))
    struct.pack_into(">HH", piece, 4 + PNG_LENGTH, min(rest * parts // 1000, MOST), parts)
    file.seek(place - 4)
    file.write(piece + struct.pack(">I", zlib.crc32(piece)))


def _pieces(file: IO[bytes], place: int, head: str) -> Iterator[tuple[bytes, int, int]]:
    """Name the pieces of a file, and say where the content of each begins and how long it is."""
    while len(data := _read(file, place, 8)) == 8:
        first, second = struct.unpack(head, data)
        kind, size = (first, second) if isinstance(first, bytes) else (second, first)
        yield kind, place + 8, size
        place += 8 + size + (size % 2 if kind is first else 4)  # an even length, or a checksum


def _read(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
