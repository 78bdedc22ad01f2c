"""Has Pillow open the TIFFs of whole numbers that it does not know, or takes for others.

Those are: of planes, of white as zero in many bits, of grey with transparency in many bits or multiplied by it, of CMYK
with transparency, of numbers that do not fill bytes, of 32 bits, and BigTIFFs of big-endian order.

Strips and tiles are unpacked by Pillow's libtiff, each as a small grey TIFF of its bytes; what they mean is told here.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFile

from nst_core.pictures.float_tiff import (
    ASSOCIATED,
    BEGINNINGS,
    BITS,
    COLOURS,
    EXTRA,
    GREY,
    HEIGHT,
    KIND,
    MEANING,
    PACKING,
    PLANES,
    PREDICTOR,
    PROFILE,
    ROWS,
    SAMPLES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TURN,
    TURNED,
    UPRIGHT,
    UPRIGHT_BY,
    WHOLE,
    WIDTH,
    tags_of,
)

FORMAT = "PLAINTIFF"
STRIPS, STRIP_BYTES, TILES, TILE_BYTES = 273, 279, 324, 325  # where they lie, and how long they are
ORDER_OF_BITS, MAP = 266, 320
INVERTED, MAPPED, INKS = 0, 3, 5  # further meanings
RAW, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 8, 32946, 32773, 34925, 50000
DIFFERENCES = 2  # a predictor
TRANSPARENT = 2  # an extra sample by which the colours are not multiplied
OWN = {INVERTED: 1, GREY: 1, COLOURS: 3, MAPPED: 1, INKS: 4}  # samples of a colour
PILLOWS = {1, 2, 4, 8, 16, 32}  # bits of a number
MOST_SAMPLES = 16
MOST_BLOCKS = 2**15  # in a plane, as each takes its time
STRIP_PIXELS = 2**18  # brought to Pillow's numbers at a time


class PlainTiffImageFile(ImageFile.ImageFile):
    """A TIFF of whole numbers, upright."""

    format, format_description = FORMAT, "TIFF of whole numbers"

    def _open(self) -> None:
        """Read the tags alone, as Pillow asks for."""
        head = self.fp.read(16) if self.fp else b""
        if self.fp is None or head[:4] not in BEGINNINGS:
            raise SyntaxError("no TIFF")
        self._tags = tags = tags_of(head)
        self.fp.seek(tags.next)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of tags whose content is not there, which would count as not told
                tags.load(self.fp)
        except UserWarning:
            raise SyntaxError("the directory is cut short") from None
        self.is_animated = bool(tags.next)  # has more pages
        self._bits, self._samples, self._meaning = tags[BITS][0], tags.get(SAMPLES, 1), tags.get(MEANING, -1)
        self._own = OWN.get(self._meaning, 0)
        if not self._is_plain() or self._is_pillows(head):
            raise SyntaxError("for another reader")
        extras = tags.get(EXTRA, ())[: self._samples - self._own]
        self._alpha = next((place for place, kind in enumerate(extras) if kind in (ASSOCIATED, TRANSPARENT)), None)
        self._associated = self._alpha is not None and extras[self._alpha] == ASSOCIATED
        self._mode = self._mode_told()
        size = tags[WIDTH], tags[HEIGHT]
        self._size = size[::-1] if tags.get(TURN) in TURNED else size
        if PROFILE in tags and self._meaning != MAPPED:
            self.info["icc_profile"] = tags[PROFILE]

    def _is_plain(self) -> bool:
        tags = self._tags
        return (
            {*tags.get(KIND, (WHOLE,))} == {WHOLE}
            and {*tags[BITS]} == {self._bits}
            and tags.get(PACKING, RAW) in (RAW, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD)
            and tags.get(PREDICTOR, 1) in (1, DIFFERENCES)
            and tags.get(ORDER_OF_BITS, 1) == 1
            and 1 <= self._own <= self._samples <= MOST_SAMPLES
            and (1 <= self._bits <= 16 or self._bits == 32)
        )

    def _is_pillows(self, head: bytes) -> bool:
        """Whether Pillow reads it right."""
        tags, bits, more = self._tags, self._bits, self._samples - self._own
        grey = self._meaning in (INVERTED, GREY)
        return not (
            head.startswith(b"MM\0+")
            or bits not in PILLOWS
            or tags.get(PLANES, 1) != 1
            or (bits > 8 and self._meaning == INVERTED)
            or (bits == 32 and (self._samples > 1 or head.startswith(b"MM")))
            or (grey and more and (bits > 8 or more > 1 or tags.get(EXTRA) == (ASSOCIATED,)))
            or (self._meaning == INKS and (more > 1 or (more and tags.get(EXTRA) != (0,))))
        )

    def _mode_told(self) -> str:
        if self._meaning == INKS:
            return "CMYK"
        if self._own == 1 and self._meaning != MAPPED:
            return "LA" if self._alpha is not None else "I;16" if self._bits > 8 else "L"
        return "RGBA" if self._alpha is not None else "RGB"

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode it, once."""
        if self._im is None and self.fp is not None:
            pixels = UPRIGHT_BY[self._tags.get(TURN, UPRIGHT)](self._pixels(self._numbers()))
            self.im = Image.fromarray(np.ascontiguousarray(pixels), None if pixels.dtype != "u1" else self.mode).im
        return Image.Image.load(self)

    def _pixels(self, numbers: np.ndarray) -> np.ndarray:
        """Bring numbers (H, W, samples) to Pillow's, some rows at a time: (H, W, channels) uint8, or (H, W) uint16."""
        large = self._bits == 32 and self._mode == "I;16" and numbers.max() > 65535
        rows = max(1, STRIP_PIXELS // numbers.shape[1])
        parts = (self._colours(numbers[top : top + rows], large) for top in range(0, len(numbers), rows))
        first = next(parts)
        pixels = np.empty((len(numbers), *first.shape[1:]), first.dtype)
        pixels[:rows] = first
        for index, part in enumerate(parts, 1):
            pixels[index * rows : (index + 1) * rows] = part
        return pixels

    def _colours(self, numbers: np.ndarray, large: bool) -> np.ndarray:
        """Bring some rows so; large: grey of 32 bits that is not as small as of 16."""
        most = 2**self._bits - 1
        if self._mode == "I;16":
            grey = most - numbers[..., 0] if self._meaning == INVERTED else numbers[..., 0]
            if self._bits == 32:
                return (grey >> (16 if large else 0)).astype(np.uint16)
            return (grey * (65535 / most)).round().astype(np.uint16)
        eight = (numbers * (255 / most)).round().astype(np.uint8) if most != 255 else numbers
        colours = eight[..., : self._own]
        if self._meaning == MAPPED:
            table = np.reshape(self._tags[MAP], (3, -1)).T
            colours = (table >> (8 if table.max() > 255 else 0)).astype(np.uint8)[numbers[..., 0]]
        elif self._meaning == INVERTED:
            colours = 255 - colours
        if self._alpha is None:
            return colours[..., 0] if self._mode == "L" else colours
        alpha = eight[..., self._own + self._alpha, None]
        if self._meaning == INKS:  # fewer of them, as on paper; Pillow has none with transparency
            return colours if self._associated else (colours * (alpha / np.float32(255))).round().astype(np.uint8)
        if self._associated:
            whole = colours * (np.float32(255) / np.maximum(alpha, 1))
            colours = whole.round().clip(0, 255).astype(np.uint8)
        return np.concatenate([colours, alpha], axis=-1)

    def _numbers(self) -> np.ndarray:
        """Unpack all of its numbers, (H, W, samples), as they lie in the file."""
        tags = self._tags
        width, height, planes = tags[WIDTH], tags[HEIGHT], tags.get(PLANES, 1)
        together = self._samples if planes == 1 else 1  # samples in a block
        kind = np.uint8 if self._bits <= 8 else np.uint16 if self._bits <= 16 else np.uint32
        numbers = np.empty((height, width, self._samples), kind)
        blocks = [
            (plane, *block) for plane in range(0, self._samples, together) for block in self._blocks(width, height)
        ]
        tiled = TILES in tags
        places = zip(tags[TILES if tiled else STRIPS], tags[TILE_BYTES if tiled else STRIP_BYTES], blocks, strict=True)
        for place, length, (plane, top, left, rows, columns) in places:
            block = self._block(place, length, rows, columns, together)[: height - top, : width - left]
            numbers[top : top + rows, left : left + columns, plane : plane + together] = block
        return numbers

    def _blocks(self, width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
        """Say of each strip or tile of a plane where it begins and how large it is: top, left, rows, columns."""
        rows, columns = self._block_size()
        if height * width > MOST_BLOCKS * rows * columns:
            raise ValueError("too many strips or tiles")
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                yield top, left, rows if TILES in self._tags else min(rows, height - top), columns

    def _block_size(self) -> tuple[int, int]:
        tags = self._tags
        if TILES in tags:
            return tags[TILE_HEIGHT], tags[TILE_WIDTH]
        return max(1, min(tags.get(ROWS, tags[HEIGHT]), tags[HEIGHT])), tags[WIDTH]

    def _block(self, place: int, length: int, rows: int, columns: int, samples: int) -> np.ndarray:
        """Unpack a strip or tile, (rows, columns, samples)."""
        row_bytes = -(-columns * samples * self._bits // 8)
        self.fp.seek(place)  # type: ignore[union-attr]
        data = self._unpacked(self.fp.read(length), row_bytes, rows)  # type: ignore[union-attr]
        if len(data) < row_bytes * rows:
            raise OSError("a strip or tile is cut short")
        lines = np.frombuffer(data, np.uint8, row_bytes * rows).reshape(rows, row_bytes)
        if self._bits in (8, 16, 32):
            kind = np.dtype(f"{self._tags._endian}u{self._bits // 8}")
            numbers = lines.view(kind).astype(kind.newbyteorder("=")).reshape(rows, columns, samples)
        else:
            bits = np.unpackbits(lines, axis=1)[:, : columns * samples * self._bits]
            bits = bits.reshape(rows, columns, samples, self._bits)
            numbers = bits @ (1 << np.arange(self._bits, dtype=np.uint16)[::-1])
        if self._tags.get(PREDICTOR) == DIFFERENCES and self._tags.get(PACKING) in (
            LZW,
            DEFLATE,
            OLD_DEFLATE,
            ZSTD,
            LZMA,
        ):
            numbers = numbers.cumsum(axis=1, dtype=numbers.dtype)
        return numbers

    def _unpacked(self, data: bytes, width: int, height: int) -> bytes:
        packing = self._tags.get(PACKING, RAW)
        if packing == RAW:
            return data
        if packing in (DEFLATE, OLD_DEFLATE):
            return zlib.decompressobj().decompress(data, width * height)
        told = [(WIDTH, width), (HEIGHT, height), (BITS, 8), (PACKING, packing), (MEANING, GREY), (STRIPS, 8)]
        told += [(SAMPLES, 1), (ROWS, height), (STRIP_BYTES, len(data))]
        entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in told)
        behind = struct.pack("<H", len(told)) + entries + bytes(4)
        data += bytes(len(data) % 2)
        small = b"II*\0" + struct.pack("<L", 8 + len(data)) + data + behind
        with Image.open(io.BytesIO(small), formats=("TIFF",)) as picture:
            return picture.tobytes()

    @property
    def decoder_bytes(self) -> float:
        """Bytes that decoding takes beside the file: its numbers, Pillow's, those turned, and a block thrice."""
        size, block = (1 if self._bits <= 8 else 2 if self._bits <= 16 else 4), math.prod(self._block_size())
        return (self._samples * size + 8) * math.prod(self.size) + self._samples * max(3 * size, 9) * block


def _accepts(head: bytes) -> bool:
    return head.startswith(BEGINNINGS)


def register() -> None:
    """Have Pillow open such files; again changes nothing."""
    Image.register_open(FORMAT, PlainTiffImageFile, _accepts)
