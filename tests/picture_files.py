"""Files that a stranger might send: honest ones, and small ones that would take a great deal."""

import io
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
from PIL import Image


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, *, depth: int = 8, color: int = 2, before: bytes = b"", rows: int | None = None
) -> bytes:
    """A black PNG; with fewer rows than its height it is cut short."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color]
    row, packer = bytes(1 + width * channels * depth // 8), zlib.compressobj(9)
    pixels = b"".join([packer.compress(row) for _ in range(height if rows is None else rows)]) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def animated_png(width: int, height: int) -> bytes:
    """A few bytes whose first frame is cleared once it was shown, for which Pillow makes a frame while it opens it."""
    control = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 1, 1, 0)
    before = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", control)
    return png(width, height, color=6, before=before, rows=0)


def gif(width: int, height: int) -> bytes:
    """A picture of one pixel on a large screen."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([0, 0, 0, 9, 9, 9])
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00;"


def icon(picture: bytes) -> bytes:
    """An icon that says it is 16 pixels wide, whatever picture is inside."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(picture), 22) + picture


def tiff(entries: list[tuple[int, int, int, int]], data: bytes = b"") -> bytes:
    """Tags (tag, type, count, value) and the data behind them, which begins at `behind(entries)`."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", 0) + data


def behind(count: int) -> int:
    """Where the data of a TIFF of so many tags begins."""
    return 8 + 2 + 12 * count + 4


def one_tile(side: int) -> bytes:
    """A TIFF of 16×16 pixels in one tile, which is far larger."""
    pixels, start = zlib.compress(bytes(side * side * 3), 9), behind(11)
    sizes = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 3, start), (259, 3, 1, 8), (262, 3, 1, 2), (277, 3, 1, 3)]
    tiles = [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, start + 6), (325, 4, 1, len(pixels)), (339, 3, 1, 1)]
    return tiff(sizes + tiles, struct.pack("<HHH", 8, 8, 8) + pixels)


def float_tiff(
    pixels: np.ndarray,
    order: str = "<",
    tags: dict[int, bytes] | None = None,
    packed: list[bytes] | None = None,
    tile: tuple[int, int] | None = None,
) -> bytes:
    """A TIFF of floats (H, W) or (H, W, C) of any size, with more tags, of bytes or a short each.

    Args:
        packed: its strips, or tiles if their (height, width) is given; one strip, unpacked, if there are none.
    """
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    blocks = packed or [pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()]
    data, longs = b"".join(blocks), struct.Struct(f"{order}{len(blocks)}I")
    lengths = [len(block) for block in blocks]
    places = longs.pack(*(8 + sum(lengths[:number]) for number in range(len(blocks))))
    of_blocks = (324, 325) if tile else (273, 279)
    words = struct.Struct(f"{order}{samples}H")
    values = {
        256: (3, 1, struct.pack(order + "H", width)),
        257: (3, 1, struct.pack(order + "H", height)),
        258: (3, samples, words.pack(*[8 * pixels.itemsize] * samples)),
        259: (3, 1, struct.pack(order + "H", 1)),
        262: (3, 1, struct.pack(order + "H", 1 if samples == 1 else 2)),
        of_blocks[0]: (4, len(blocks), places),
        of_blocks[1]: (4, len(blocks), longs.pack(*lengths)),
        277: (3, 1, struct.pack(order + "H", samples)),
        339: (3, samples, words.pack(*[3] * samples)),
    }
    if tile:
        values |= {tag: (3, 1, struct.pack(order + "H", side)) for tag, side in zip((323, 322), tile, strict=True)}
    for tag, value in (tags or {}).items():
        values[tag] = (7, len(value), value) if len(value) > 2 else (3, 1, struct.pack(order + "H", *value))
    start, more, entries = 8 + len(data), b"", b""
    behind_entries = start + 2 + 12 * len(values) + 4
    for tag, (kind, count, value) in sorted(values.items()):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", behind_entries + len(more))
        more += value if len(value) > 4 else b""
        entries += struct.pack(order + "HHI", tag, kind, count) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    return head + data + struct.pack(order + "H", len(values)) + entries + bytes(4) + more


def exr(
    channels: dict[str, np.ndarray], more: tuple[tuple[str, str, bytes], ...] = (), place: tuple[int, int] = (0, 0)
) -> bytes:
    """An unpacked OpenEXR picture of channels (H, W), halves or floats, and more attributes (name, type, value).

    Args:
        place: row and column of the picture, of which the window that is shown begins at 0 and is of its size.
    """
    height, width = next(iter(channels.values())).shape
    kinds = {name: 1 if values.dtype == np.float16 else 2 for name, values in channels.items()}
    listed = b"".join(name.encode() + struct.pack("<xIIII", kinds[name], 0, 1, 1) for name in sorted(channels)) + b"\0"
    top, left = place
    attributes = [
        ("channels", "chlist", listed),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", struct.pack("<4i", left, top, left + width - 1, top + height - 1)),
        ("displayWindow", "box2i", struct.pack("<4i", 0, 0, width - 1, height - 1)),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *more,
    ]
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 2)
    for name, kind, value in attributes:
        head += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
    head += b"\0"
    rows = []
    for row in range(height):
        line = b"".join(channels[name][row].tobytes() for name in sorted(channels))
        rows.append(struct.pack("<iI", top + row, len(line)) + line)
    start = len(head) + 8 * height
    places = struct.pack(f"<{height}Q", *(start + len(rows[0]) * row for row in range(height)))
    return head + places + b"".join(rows)


def packed_exr(pixels: np.ndarray, compression: str, kind: str = "float") -> bytes:
    """A picture (H, W, 3) of floats as ffmpeg packs it: "rle", "zip1" or "zip16"; of "half" or "float"."""
    height, width = pixels.shape[:2]
    encoder = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "gbrpf32le", Fraction(1)
    encoder.options = {"compression": compression, "format": kind}
    frame = av.VideoFrame(width, height, "gbrpf32le")
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        rows = np.zeros((height, plane.line_size // 4), np.float32)
        rows[:, :width] = pixels[..., channel]
        plane.update(rows.tobytes())
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def shared_tags(count: int, size: int) -> bytes:
    """Tags that all name the same bytes."""
    return tiff([(1000 + tag, 1, size, behind(count)) for tag in range(count)], bytes(size))


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    """A JPEG with such EXIF, in as many segments as it needs."""
    parts = [b"Exif\0\0" + exif[start : start + 60_000] for start in range(0, len(exif), 60_000)]
    return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts) + jpeg[2:]


def saved(width: int, height: int, mode: str, kind: str, **options) -> bytes:
    """A picture of a few colours, as Pillow saves it."""
    rows, columns = np.indices((height, width)) // 50
    pixels = np.stack([rows * 40 % 256, columns * 60 % 256, (rows + columns) * 20 % 256], 2).astype(np.uint8)
    picture, buffer = Image.fromarray(pixels), io.BytesIO()
    (picture.quantize(16) if mode == "P" else picture.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


def noisy_16_bits(side: int) -> bytes:
    """A PNG of grey in 16 bits."""
    picture, buffer = (
        Image.fromarray(np.random.default_rng(0).integers(0, 2**16, (side, side), np.uint16)),
        io.BytesIO(),
    )
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def interlaced(pixels: np.ndarray) -> bytes:
    """(H, W, 3) as a PNG in Adam7's seven passes, which Pillow does not write."""
    height, width, _ = pixels.shape
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [
        b"\0" + row.tobytes() for top, left, down, across in passes for row in pixels[top::down, left::across]
    ]  # each row without a filter
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
