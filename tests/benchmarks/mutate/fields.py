"""Finds the numbers of a file that say how the rest of it lies: sizes, counts, offsets and kinds, by format."""

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple


class Field(NamedTuple):
    """A number in a file."""

    place: int
    width: int  # bytes
    order: str  # "big" or "little"


def fields_of(data: bytes, name: str) -> list[Field]:
    """List the fields of a file of a format, of a damaged one as far as it can be followed; none of other formats."""
    found: list[Field] = []
    walk = WALKS.get(name)
    with suppress(IndexError, struct.error):
        found.extend(walk(data) if walk else ())
    return [field for field in found if field.place + field.width <= len(data)]


def _jpeg(data: bytes) -> Iterator[Field]:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = struct.unpack_from(">HH", data, place)
        yield Field(place + 1, 1, "big")
        yield Field(place + 2, 2, "big")
        if 0xFFC0 <= marker <= 0xFFC2:
            yield from (Field(place + 5, 2, "big"), Field(place + 7, 2, "big"))
            yield from (Field(at, 1, "big") for at in range(place + 4, place + 2 + min(length, 40)))
        elif marker == 0xFFE1 and data[place + 4 : place + 8] == b"Exif":
            inner = place + 10
            yield from (field._replace(place=inner + field.place) for field in _tiff(data[inner : place + 2 + length]))
        else:
            yield from (Field(at, 1, "big") for at in range(place + 4, min(place + 24, place + 2 + length)))
        if marker == 0xFFDA:
            return
        place += 2 + length


def _png(data: bytes) -> Iterator[Field]:
    for kind, place, length in chunks(data):
        yield from (Field(place - 8, 4, "big"), Field(place - 4, 4, "big"))
        if kind in (b"IHDR", b"acTL", b"fcTL", b"gAMA", b"cHRM", b"pHYs"):
            end = place + min(length, 40)
            yield from (Field(at, 4, "big") for at in range(place, end - 3, 4))
            yield from (Field(at, 1, "big") for at in range(place, end))
        if kind == b"eXIf":
            yield from (field._replace(place=place + field.place) for field in _tiff(data[place : place + length]))


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place of its data and length of every chunk of a PNG."""
    place = 8
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, place + 8, length
        place += 12 + length


def _riff(data: bytes) -> Iterator[Field]:
    yield Field(4, 4, "little")
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        yield Field(place + 4, 4, "little")
        if kind != b"EXIF":
            yield from (Field(place + 8 + at, width, "little") for at in range(min(length, 24)) for width in (1, 3))
        else:
            inner = place + 8 + 6 * (data[place + 8 : place + 12] == b"Exif")
            yield from (field._replace(place=inner + field.place) for field in _tiff(data[inner:]))
        place += 8 + length + length % 2


def _gif(data: bytes) -> Iterator[Field]:
    yield from (Field(6, 2, "little"), Field(8, 2, "little"), Field(10, 1, "little"), Field(11, 1, "little"))
    place = 13 + 3 * 2 ** ((data[10] & 7) + 1) * (data[10] >> 7)
    while place < len(data) and data[place] in b"!,":
        if data[place] == ord(","):
            yield from (Field(place + at, 2, "little") for at in (1, 3, 5, 7))
            yield Field(place + 9, 1, "little")
            place += 10 + 3 * 2 ** ((data[place + 9] & 7) + 1) * (data[place + 9] >> 7)
            yield Field(place, 1, "little")  # the size of its codes
            place += 1
        else:
            yield Field(place + 1, 1, "little")
            yield from (Field(place + 3 + at, 1, "little") for at in range(4))
            place += 2
        while place < len(data) and data[place]:
            yield Field(place, 1, "little")
            place += 1 + data[place]
        place += 1


def _tiff(data: bytes) -> Iterator[Field]:
    """All directories' entries, those of BigTIFF too."""
    mark = {b"II": "<", b"MM": ">"}.get(data[:2])
    if not mark or len(data) < 8:
        return
    order = "little" if mark == "<" else "big"
    big = struct.unpack_from(mark + "H", data, 2)[0] == 43
    count_format, entry, wide = ("Q", 20, 8) if big else ("H", 12, 4)
    yield Field(8 if big else 4, wide, order)
    (place,) = struct.unpack_from(mark + ("Q" if big else "I"), data, 8 if big else 4)
    seen: set[int] = set()
    while place and place not in seen and place + wide <= len(data):
        seen.add(place)
        (count,) = struct.unpack_from(mark + count_format, data, place)
        yield Field(place, struct.calcsize(count_format), order)
        place += struct.calcsize(count_format)
        for _ in range(min(count, 100)):
            yield from (Field(place, 2, order), Field(place + 2, 2, order), Field(place + 4, wide, order))
            yield from (Field(place + 4 + wide, wide, order), Field(place + 4 + wide, 2, order))
            place += entry
        if place + wide > len(data):
            return
        (place,) = struct.unpack_from(mark + ("Q" if big else "I"), data, place)


def _exr(data: bytes) -> Iterator[Field]:
    """Attributes' lengths and values, then where blocks lie, and the first one's head."""
    place, end = 8, len(data)
    yield Field(4, 4, "little")
    while place < end and data[place]:
        name = data.find(0, place)
        place = data.find(0, name + 1) + 1
        if name < 0 or place <= 0 or place + 4 > end:
            return
        (length,) = struct.unpack_from("<I", data, place)
        yield from (Field(place, 4, "little"), Field(place + 4, 1, "little"))
        yield from (Field(at, 4, "little") for at in range(place + 4, min(place + 4 + length, end - 4), 4))
        place += 4 + length
    if place + 9 > end:
        return
    (first,) = struct.unpack_from("<Q", data, place + 1)
    yield from (Field(at, 8, "little") for at in range(place + 1, min(first, end - 8), 8))
    if first + 8 <= end:
        yield from (Field(first, 4, "little"), Field(first + 4, 4, "little"))


HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf", b"mvex"}
HOLDERS |= {b"meta", b"iprp", b"ipco"}


def _boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Field]:
    end = len(data) if end is None else min(end, len(data))
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        yield from (Field(begin, 4, "big"), Field(begin + 4, 4, "big"))
        inner = begin + 8
        if kind == b"meta" or kind == b"stsd":
            inner += 4 if kind == b"meta" else 8
        if kind in HOLDERS:
            yield from _boxes(data, inner, begin + size)
        elif kind != b"mdat":
            told = range(inner, min(begin + max(size, 8), inner + 200, end - 1))
            yield from (Field(at, width, "big") for at in told for width in (1, 2, 4) if (at - inner) % width == 0)
        if size < 8:
            return
        begin += size


# Of what stands before a file, in the central directory and at the end: offset -> width.
ZIP_FIELDS = {
    b"PK\3\4": {4: 2, 6: 2, 8: 2, 14: 4, 18: 4, 22: 4, 26: 2, 28: 2},
    b"PK\1\2": {6: 2, 8: 2, 10: 2, 12: 4, 16: 4, 20: 4, 24: 4, 28: 2, 30: 2, 32: 2, 34: 2, 38: 4, 42: 4},
    b"PK\5\6": {4: 2, 6: 2, 8: 2, 10: 2, 12: 4, 16: 4, 20: 2},
}


def _zip(data: bytes) -> Iterator[Field]:
    for mark, places in ZIP_FIELDS.items():
        place = data.find(mark)
        while place >= 0:
            yield from (Field(place + at, width, "little") for at, width in places.items())
            if mark == b"PK\1\2":
                yield from (Field(place + 46 + at, 1, "little") for at in range(8))  # the name
            place = data.find(mark, place + 4)


WALKS: dict[str, Callable[[bytes], Iterator[Field]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _riff,
    "gif": _gif,
    "tiff": _tiff,
    "float tiff": _tiff,
    "exr": _exr,
    "heic": _boxes,
    "avif": _boxes,
    "mp4": _boxes,
    "zip": _zip,
    "checkpoint": _zip,
}


def header_of(data: bytes) -> tuple[dict, int]:
    """The header of a file of safetensors, and where its numbers begin."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), end
