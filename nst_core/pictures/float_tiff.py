"""Has Pillow open the TIFFs of floats that it does not know: colours, and grey of 16 or 64 bits.

OpenCV's libtiff decodes them in every packing; halves it takes for whole numbers of 16 bits, which they are told to be.
Colours without a profile are light, 1 is white, as in OpenEXR. Grey stays as it is: such TIFFs are measurements.
"""

import io
import math
import struct

import numpy as np
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from nst_core.pictures.color_space import colours_of, to_srgb_from
from nst_core.pictures.light import Curve, shown_light, srgb_light

FORMAT = "FLOATTIFF"
BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDTH, HEIGHT, BITS, MEANING, TURN, SAMPLES, ROWS = 256, 257, 258, 262, 274, 277, 278
PACKING, PLANES, PREDICTOR = 259, 284, 317
TILE_WIDTH, TILE_HEIGHT, EXTRA, KIND, PROFILE = 322, 323, 338, 339, 34675
WHOLE, FLOATS = 1, 3  # kinds of numbers
GREY, COLOURS = 1, 2  # meanings
PREDICTED = (5, 8, 32946)  # packings that take a predictor: LZW, deflate
NONE, OF_FLOATS = 1, 3  # predictors
ASSOCIATED = 1  # an extra sample by which the colours are multiplied
UPRIGHT, TURNED = 1, range(5, 9)  # whose sides are exchanged
NUMBERS = {3: "H", 4: "L", 16: "Q"}  # kinds of whole numbers that tags have
UPRIGHT_BY: dict[int, Curve] = {  # how TURN tells to turn pixels (H, W, …)
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}


def tags_of(head: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    """Make the directory of a TIFF's tags, of which `next` says where it lies; head: its first 16 bytes."""
    if head.startswith(b"II+"):
        return TiffImagePlugin.ImageFileDirectory_v2(head)
    tags = TiffImagePlugin.ImageFileDirectory_v2(head[:8])
    if head.startswith(b"MM\0+"):  # which Pillow overlooks
        tags._bigtiff = True
        (tags.next,) = tags._unpack("Q", head[8:])
    return tags


class FloatTiffImageFile(ImageFile.ImageFile):
    """A TIFF of floats; its colours are sRGB of eight bits once they are decoded."""

    format, format_description = FORMAT, "TIFF of floats"

    def _open(self) -> None:
        """Read the tags alone, as Pillow asks for."""
        head = self.fp.read(16) if self.fp else b""
        if self.fp is None or head[:4] not in BEGINNINGS:
            raise SyntaxError("no TIFF")
        self._big = b"+" in head[:4]
        self._tags = tags_of(head)
        self._directory = self._tags.next
        self.fp.seek(self._directory)
        self._tags.load(self.fp)
        self._mode = self._mode_told()
        size = self._tags[WIDTH], self._tags[HEIGHT]
        self._size = size[::-1] if self._tags.get(TURN) in TURNED else size
        if self._mode == "F" and PROFILE in self._tags:
            self.info["icc_profile"] = self._tags[PROFILE]

    def _mode_told(self) -> str:
        tags = self._tags
        if {*tags.get(KIND, (WHOLE,))} != {FLOATS} or {*tags[BITS]} not in ({16}, {32}, {64}):
            raise SyntaxError("no TIFF of floats")
        match tags.get(MEANING), tags.get(SAMPLES, 1):
            case (1, 1):
                return "F"
            case (2, 3):
                return "RGB"
            case (2, 4):
                return "RGBA" if tags.get(EXTRA) in ((1,), (2,)) else "RGB"
        raise SyntaxError("colours of another kind")

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode it, once."""
        if self._im is None and self.fp is not None:
            self.fp.seek(0)
            self.im = self._decoded(self.fp.read()).im
        return Image.Image.load(self)

    def _decoded(self, data: bytes) -> Image.Image:
        pixels = self._numbers(data)
        if self.mode == "F":
            return Image.fromarray(pixels.astype(np.float32))
        pixels = pixels[..., [2, 1, 0, 3] if self.mode == "RGBA" else [2, 1, 0]]  # OpenCV's BGR
        curve, matrix = _light_by(self._tags.get(PROFILE))
        associated = self._tags.get(EXTRA) == (ASSOCIATED,)
        return Image.fromarray(shown_light(pixels, matrix, curve=curve, associated=associated))

    def _numbers(self, data: bytes) -> np.ndarray:
        """Decode its floats, (H, W) or (H, W, C), upright."""
        import cv2  # takes a quarter of a second, which other pictures do without

        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # it would print what is wrong
        tags, halves = self._tags, self._tags[BITS][0] == 16
        predicted = halves and tags.get(PREDICTOR) == OF_FLOATS and tags.get(PACKING) in PREDICTED
        columns, size = tags[WIDTH], self.size
        try:
            if predicted:  # as it lies there, with what the last tiles have beyond the edge
                tile = tags.get(TILE_WIDTH, columns)
                size = math.ceil(columns / tile) * tile, tags[HEIGHT]
                data = self._told(data, {KIND: WHOLE, PREDICTOR: NONE, TURN: UPRIGHT, WIDTH: size[0]})
            elif halves:
                data = self._told(data, {KIND: WHOLE})
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise ValueError(str(error)) from None
        if pixels is None or pixels.shape[1::-1] != size:
            raise ValueError("nothing of that size is there")
        if predicted:
            tiles = (self._summed(pixels[:, left : left + tile]) for left in range(0, size[0], tile))
            pixels = UPRIGHT_BY[tags.get(TURN, UPRIGHT)](np.concatenate([*tiles], axis=1)[:, :columns])
        return np.ascontiguousarray(pixels).view(np.float16) if halves else pixels

    def _summed(self, pixels: np.ndarray) -> np.ndarray:
        """Undo the predictor of floats, (H, W) or (H, W, C) uint16, which libtiff knows of no whole numbers.

        A row of a tile, or of the picture if it has none, holds all high bytes, then all low ones, of each the
        difference to the same sample's before.

        Source: Adobe Photoshop TIFF technical note 3.
        """
        tags, order = self._tags, {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(self._tags.get(SAMPLES, 1))
        if order is None or tags.get(PLANES, 1) != 1:
            raise ValueError("in planes")
        height, width = pixels.shape[:2]
        stored = pixels.reshape(height, width, -1)[..., order].astype(f"{tags._endian}u2")
        differences = np.ascontiguousarray(stored).view(np.uint8).reshape(height, 2 * width, len(order))
        high, low = differences.cumsum(axis=1, dtype=np.uint8).reshape(height, 2, -1).astype(np.uint16).swapaxes(0, 1)
        summed = (high << 8 | low).reshape(height, width, -1)[..., order]
        return np.ascontiguousarray(summed.reshape(pixels.shape))

    def _told(self, data: bytes, values: dict[int, int]) -> bytes:
        """Say other values of those tags that the file has, and change no more of it."""
        changed, order = bytearray(data), self._tags._endian
        count, entry, inline = ("Q", "HHQQ", 8) if self._big else ("H", "HHLL", 4)
        place = self._directory + struct.calcsize(order + count)
        for _ in range(struct.unpack_from(order + count, data, self._directory)[0]):
            tag, kind, length, value = struct.unpack_from(order + entry, data, place)
            if tag in values and kind in NUMBERS:
                size = struct.calcsize(order + NUMBERS[kind])
                at = value if size * length > inline else place + struct.calcsize(order + entry) - inline
                struct.pack_into(f"{order}{length}{NUMBERS[kind]}", changed, at, *[values[tag]] * length)
            place += struct.calcsize(order + entry)
        return bytes(changed)

    @property
    def decoder_bytes(self) -> float:
        """Bytes that decoding takes beside the file: its numbers, the same in order, the result, a strip or tile."""
        tags, pixels = self._tags, math.prod(self.size)
        pixel = tags.get(SAMPLES, 1) * tags[BITS][0] / 8
        block = tags.get(TILE_WIDTH, tags[WIDTH]) * tags.get(TILE_HEIGHT, min(tags.get(ROWS, 2**32), tags[HEIGHT]))
        return (2 * pixel + 4) * pixels + 2 * pixel * block


def _light_by(profile: bytes | None) -> tuple[Curve | None, np.ndarray | None]:
    """What makes light of a profile's numbers, and its colours BT.709's; a damaged one counts as none."""
    if not profile:
        return None, None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None, None
    levels = np.linspace(0, 1, 256)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    light = srgb_light(np.asarray(transform.apply(Image.fromarray(greys)))[0, :, 1] / 255)
    exponent = math.log(light[128].clip(1e-3, 0.999)) / math.log(levels[128])

    def curve(values: np.ndarray) -> np.ndarray:
        return np.where(values > 1, values.clip(1) ** exponent, np.interp(values, levels, light)).astype(np.float32)

    colours = colours_of(source)
    return curve, None if colours is None else to_srgb_from(colours)


def _accepts(head: bytes) -> bool:
    return head.startswith(BEGINNINGS)


def register() -> None:
    """Have Pillow open such files; again changes nothing."""
    Image.register_open(FORMAT, FloatTiffImageFile, _accepts)
