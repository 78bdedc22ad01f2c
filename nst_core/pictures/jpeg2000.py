"""Reads from a JPEG 2000 file's headers how it decodes: its tiles, its smaller copies and its blocks.

Source: ISO/IEC 15444-1, annexes A (codestream) and I (the file around it).
"""

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SOC, SIZ, COD, COC, SOT, SOD, EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
MOST_PARTS = 2**17  # of tiles; far more than any picture needs, and each takes time
WHOLE_PRECINCT = 15  # the exponent that means: no precincts
MAIN = -1  # the number of no tile: what is said of all


@dataclass(frozen=True)
class Coding:
    """The sizes by which tiles, or one component of them, are cut up, all as exponents of two."""

    levels: int  # of copies at half the size each, besides the full one
    block: tuple[int, int]  # width, height
    precincts: tuple[tuple[int, int], ...]  # of each level's copy, the smallest first


@dataclass(frozen=True)
class Codestream:
    """A file's headers, read.

    Attributes:
        size: (width, height) of the picture, pixels.
        tile: (width, height) of the largest part that is decoded at once.
        components: how many colours and other channels.
        at_origin: whether the picture begins where its grid does.
        layers: of quality, at most.
        codings: those of the file's head and of all tiles.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    components: int
    at_origin: bool
    layers: int
    codings: tuple[Coding, ...]

    @property
    def levels(self) -> int:
        """Count how often the picture can be halved while it is decoded."""
        return min(coding.levels for coding in self.codings) if self.at_origin else 0

    @property
    def pieces(self) -> tuple[int, int]:
        """Code blocks and precincts of a tile's components, however far it is halved; by the finest coding."""
        counts = [_pieces(coding, *self.tile) for coding in self.codings]
        blocks, precincts = (self.components * max(count[index] for count in counts) for index in (0, 1))
        return blocks, precincts


def read(file: BinaryIO) -> Codestream:
    """Read the headers of a file's first codestream, those of tiles included.

    Raises:
        ValueError, struct.error: there is none, or it is damaged.
    """
    file.seek(_start(file))
    size = layers = None
    codings: list[Coding] = []
    for marker, data in _segments(file):
        if marker == SIZ:
            size = struct.unpack_from(">HIIIIIIIIH", data)
        elif marker == COD:
            layers = max(layers or 0, struct.unpack_from(">H", data, 2)[0])
            codings.append(_coding(data[5:], bool(data[0] & 1)))
        elif marker == COC and size:
            place = 1 if size[9] < 257 else 2  # of the component's number
            codings.append(_coding(data[place + 1 :], bool(data[place] & 1)))
    if not size or not layers:
        raise ValueError("a codestream without its size or coding")
    _, right, bottom, left, top, tile_width, tile_height, tiles_left, tiles_top, components = size
    width, height = right - left, bottom - top
    return Codestream(
        size=(width, height),
        tile=(min(width, tile_width), min(height, tile_height)),
        components=components,
        at_origin=not (left or top or tiles_left or tiles_top),
        layers=layers,
        codings=tuple(codings),
    )


def _start(file: BinaryIO) -> int:
    """Find where the codestream begins."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(2) == SOC.to_bytes(2, "big"):
        return 0
    place = 0
    while place < end:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,), head = struct.unpack(">Q", file.read(8)), 16
        if kind == b"jp2c":
            return place + head
        if length < head:  # 0: to the end
            break
        place += length
    raise ValueError("no codestream")


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Markers with their data, of the head and of every part of a tile; pixels are skipped."""
    part_end = parts = 0
    while len(head := file.read(2)) == 2:
        (marker,) = struct.unpack(">H", head)
        if marker == SOC:
            continue
        if marker == EOC:
            return
        if marker == SOD:
            if not part_end:  # the last part, to the end of the file
                return
            file.seek(part_end)
            part_end = 0  # lest pixels that follow pixels are gone over for ever
            continue
        start = file.tell() - 2
        (length,) = struct.unpack(">H", file.read(2))
        if length < 2:
            raise ValueError("a marker without a length")
        data = file.read(length - 2)
        if marker == SOT:
            _, part_length = struct.unpack_from(">HI", data)
            part_end, parts = part_length and start + part_length, parts + 1
            if part_end and part_end < file.tell() or parts > MOST_PARTS:
                raise ValueError("parts of tiles without an end")
        yield marker, data


def _coding(data: bytes, with_precincts: bool) -> Coding:
    levels, wide, high = data[0], (data[1] & 15) + 2, (data[2] & 15) + 2
    if levels > 32:
        raise ValueError("more levels than there can be")
    whole = (WHOLE_PRECINCT, WHOLE_PRECINCT)
    sizes = [(data[5 + level] & 15, data[5 + level] >> 4) if with_precincts else whole for level in range(levels + 1)]
    return Coding(levels, (wide, high), tuple(sizes))


def _pieces(coding: Coding, width: int, height: int) -> tuple[int, int]:
    """(blocks, precincts) of one component of a tile."""
    blocks = precincts = 0
    for level, precinct in enumerate(coding.precincts):
        scale = 2 ** (coding.levels - level)
        side = math.ceil(width / scale), math.ceil(height / scale)
        precincts += math.prod(math.ceil(length / 2**power) for length, power in zip(side, precinct, strict=True))
        bands, halved = (3, 1) if level else (1, 0)  # all but the smallest copy are told by what it lacks
        sizes = [2 ** max(0, min(block, power - halved)) for block, power in zip(coding.block, precinct, strict=True)]
        band = [math.ceil(length / 2**halved / size) for length, size in zip(side, sizes, strict=True)]
        blocks += bands * math.prod(band)
    return blocks, precincts
