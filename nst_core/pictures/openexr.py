"""Has Pillow open OpenEXR pictures: their header is read here, their light is decoded by ffmpeg.

OpenCV's packages have no decoder of OpenEXR, or one that they shut off as unsafe; ffmpeg's is there for films already.
An OpenEXR picture is light, 1 is white, multiplied by how opaque it is.

Source: the OpenEXR file layout (openexr.com); ffmpeg's exr decoder for what is read.
"""

import math
import struct
from typing import IO, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from nst_core.errors import seen
from nst_core.pictures.color_space import SRGB, to_srgb
from nst_core.pictures.light import shown_light

FORMAT = "EXR"
MAGIC = b"\x76\x2f\x31\x01"
TILED, DEEP, PARTS = 0x200, 0x800, 0x1000  # of what the version tells
MOST_ATTRIBUTES, MOST_BYTES = 1000, 2**20  # of a header
NUMBER_BYTES = (4, 2, 4)  # whole numbers, halves, floats
BLOCK_ROWS = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)  # by compression, that lie together in the file
MOST_SIDE = 2**24  # of a window
MOST_BLOCKS = 2**18  # that are looked at one by one
MAIN_LAYERS = ("combined", "beauty", "rgba")  # what programs call the finished picture

DEEP_PIXELS = "is an OpenEXR picture of deep pixels, which are not read here; flatten it, and save it anew"
OTHER_PACKING = "is packed in a way that is too new to be read here; save it anew with ZIP or PIZ compression"
FEWER_PIXELS = "has colours of fewer pixels than brightness, which are not read here; save it as RGB"
NO_COLOURS = "has no channels that are called R, G and B, or Y; name them so, and save it anew"
LAYERS = "has several layers: {} is used; for another, save it as a file of its own"


class Unread(ValueError):
    """A picture is of a kind that is not read; the text says so behind its name, and what to do."""


class Header(NamedTuple):
    """Tells what a file says of its first part.

    Attributes:
        size: (width, height) that is shown, pixels.
        data: (width, height) that is there.
        channels: name -> bytes of a number.
        layers: of its colours, the main one first; "" for channels without any.
        block: pixels that are unpacked at once.
        blocks: how many there are of the full size.
        chunks: where the table of blocks begins.
        chunk_head: bytes of a block before its length.
        chromaticities: x and y of white, red, green and blue.
    """

    size: tuple[int, int]
    data: tuple[int, int]
    channels: dict[str, int]
    layers: list[str]
    block: int
    blocks: int
    chunks: int
    chunk_head: int
    chromaticities: tuple[float, ...]


def read_header(file: IO[bytes]) -> Header:
    """Read the header of a file's first part.

    Raises:
        Unread: it is of a kind that is not read.
        ValueError, LookupError, struct.error: it is damaged.
    """
    file.seek(0)
    magic, version = struct.unpack("<4sI", file.read(8))
    if magic != MAGIC:
        raise ValueError("no OpenEXR picture")
    if version & DEEP:
        raise Unread(DEEP_PIXELS)
    told = _attributes(file)
    if version & PARTS:
        while _attributes(file):  # an empty one is the end of all headers
            pass
    size, data = _sides(told["displayWindow"]), _sides(told["dataWindow"])
    if told["compression"][0] >= len(BLOCK_ROWS):
        raise Unread(OTHER_PACKING)
    width, rows = data[0], BLOCK_ROWS[told["compression"][0]]
    if tiled := bool(version & TILED or told.get("type", b"").startswith(b"tiled")):
        width, rows = struct.unpack_from("<II", told["tiles"])
        if not 0 < width * rows <= 4 * max(math.prod(data), 2**20):
            raise ValueError("tiles larger than the picture")
    white_last = struct.unpack("<8f", told["chromaticities"]) if "chromaticities" in told else ()
    channels = _channels(told["channels"])
    return Header(
        size=size,
        data=data,
        channels=channels,
        layers=_layers(channels),
        block=width * rows,
        blocks=math.ceil(data[0] / width) * math.ceil(data[1] / rows),
        chunks=file.tell(),
        chunk_head=(16 if tiled else 4) + (4 if version & PARTS else 0),
        chromaticities=(*white_last[6:], *white_last[:6]) if white_last else SRGB,
    )


def _attributes(file: IO[bytes]) -> dict[str, bytes]:
    """Name -> value, of one header; long values are passed over."""
    told: dict[str, bytes] = {}
    for _ in range(MOST_ATTRIBUTES):
        name = _text(file)
        if not name:
            return told
        _text(file)  # its type
        (length,) = struct.unpack("<I", file.read(4))
        if length > MOST_BYTES:
            file.seek(length, 1)
        else:
            told[name] = file.read(length)
    raise ValueError("a header without an end")


def _text(file: IO[bytes]) -> str:
    """Read up to a zero."""
    place, data = file.tell(), file.read(256)
    end = data.index(b"\0")
    file.seek(place + end + 1)
    return data[:end].decode("latin-1")


def _sides(window: bytes) -> tuple[int, int]:
    left, top, right, bottom = struct.unpack("<4i", window)
    width, height = right - left + 1, bottom - top + 1
    if not (0 < width < MOST_SIDE and 0 < height < MOST_SIDE):
        raise ValueError("an empty window")
    return width, height


def _channels(told: bytes) -> dict[str, int]:
    """Name -> bytes of a number."""
    channels, place = {}, 0
    while told[place]:
        end = told.index(b"\0", place)
        kind, _, across, down = struct.unpack_from("<4I", told, end + 1)
        if (across, down) != (1, 1):
            raise Unread(FEWER_PIXELS)
        channels[told[place:end].decode("latin-1")] = NUMBER_BYTES[kind]
        place = end + 17
    return channels


def _layers(channels: dict[str, int]) -> list[str]:
    """List the layers that have colours, or a brightness; those without a layer, else the finished picture, first."""
    parts: dict[str, set[str]] = {}
    for name in channels:
        layer, _, part = name.rpartition(".")
        parts.setdefault(layer, set()).add(part.upper())
    found = [layer for layer, names in parts.items() if names >= {"R", "G", "B"}]
    found = found or [layer for layer, names in parts.items() if "Y" in names]
    if not found:
        raise Unread(NO_COLOURS)
    return sorted(found, key=lambda layer: (bool(layer), not any(main in layer.lower() for main in MAIN_LAYERS)))


def why_unread(file: IO[bytes]) -> str:
    """Tell of an OpenEXR picture of a kind that is not read what it is, behind its name; of any other file, nothing."""
    try:
        read_header(file)
    except Unread as error:
        return str(error)
    except (ValueError, LookupError, struct.error):
        pass
    return ""


class ExrImageFile(ImageFile.ImageFile):
    """An OpenEXR picture, which is sRGB of eight bits once it is decoded."""

    format, format_description = FORMAT, "OpenEXR"

    def _open(self) -> None:
        """Read the header alone, as Pillow asks for."""
        if self.fp is None:
            raise SyntaxError("no file")
        self.header = read_header(self.fp)
        self._size = self.header.size
        main, *others = self.header.layers
        opacity = f"{main}.A" if main else "A"
        self._mode = "RGBA" if opacity in self.header.channels else "RGB"
        self.told = LAYERS.format(seen(main)) if main and others else ""

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode it, once."""
        if self._im is None and self.fp is not None:
            _check_blocks(self.header, self.fp)
            self.fp.seek(0)
            light = _decoded(self.fp.read(), self.size, self.header.layers[0])
            matrix = to_srgb(self.header.chromaticities) if self.header.chromaticities != SRGB else None
            if light.shape[2] != len(self.getbands()):
                raise ValueError("other channels than it says")
            self.im = Image.fromarray(shown_light(light, matrix, associated=True)).im
        return Image.Image.load(self)

    @property
    def decoder_bytes(self) -> int:
        """Bytes that decoding takes beside the file: its light, the same in order, and a block with all channels."""
        header = self.header
        pixels = max(math.prod(header.size), math.prod(header.data))
        all_channels = sum(header.channels.values())
        return (2 * 4 + 1) * len(self.getbands()) * pixels + 4 * header.block * max(16, all_channels)


def _check_blocks(header: Header, file: IO[bytes]) -> None:
    """Refuse a file that is cut short, of which ffmpeg would make the rest black."""
    end = file.seek(0, 2)
    if 8 * header.blocks > end or header.blocks > MOST_BLOCKS:
        raise ValueError("cut short, or in pieces too many")
    file.seek(header.chunks)
    places = struct.unpack(f"<{header.blocks}Q", file.read(8 * header.blocks))
    for place in places:
        file.seek(min(place + header.chunk_head, end))
        (length,) = struct.unpack("<I", file.read(4))
        if place < header.chunks or file.tell() + length > end:
            raise ValueError("cut short")


def _decoded(data: bytes, size: tuple[int, int], layer: str) -> np.ndarray:
    """Light (H, W, 3 or 4) of a layer, halves or floats.

    Raises:
        ValueError: damaged, or of channels that ffmpeg does not put together.
    """
    import av  # takes a while, which other pictures do without

    decoder = av.CodecContext.create("exr", "r")
    decoder.thread_count = 1
    decoder.options = {"layer": layer}
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.FFmpegError as error:
        raise ValueError(str(error)) from None
    if not frames or (frames[0].width, frames[0].height) != size:
        raise ValueError("nothing of that size is there")
    frame = frames[0]
    kind = np.dtype("<f2" if "16" in frame.format.name else "<f4")
    order = {1: (0, 0, 0), 3: (2, 0, 1), 4: (2, 0, 1, 3)}.get(len(frame.planes))  # ffmpeg begins with green
    if order is None or not frame.format.name.startswith(("gbrpf", "gbrapf", "grayf")):
        raise ValueError(f"{frame.format.name} is not read")
    planes = [np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : size[0]] for plane in frame.planes]
    return np.stack([planes[number] for number in order], axis=-1)


def _accepts(head: bytes) -> bool:
    return head.startswith(MAGIC)


def register() -> None:
    """Have Pillow open such files; again changes nothing."""
    Image.register_open(FORMAT, ExrImageFile, _accepts)
