"""Writes TIFF files of 16 bits a colour, which Pillow cannot, some rows at a time; reads the text that it wrote.

Source: TIFF 6.0 (1992); Adobe's technical note 3 for Deflate and differences between neighbours.
"""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageCms
from torch import Tensor

from nst_core.errors import OutputError
from nst_core.files import writing
from nst_core.pictures.pixels import strips

TIFF_ENDINGS = (".tif", ".tiff")
MOST_BYTES = 2**32 - 2**20  # that a TIFF's places of four bytes reach
LEVEL = 6  # of compression
SHORT, LONG, RATIONAL, ASCII, UNDEFINED = (3, "H"), (4, "I"), (5, "II"), (2, "s"), (7, "s")  # types of a tag's values
DESCRIPTION = 270


def is_tiff(path: str | Path) -> bool:
    """Tell whether a file's name is that of a TIFF."""
    return Path(path).suffix.lower() in TIFF_ENDINGS


def save_tiff(image: Tensor, path: str | Path, text: dict[str, str] | None = None, *, dpi: float | None = None) -> None:
    """Write image (1, 3 or 4, H, W) as TIFF of 16 bits, in sRGB by its profile, with `text` as its description.

    Args:
        dpi: pixels an inch, for print.

    Raises:
        OutputError: the file cannot be written, or is larger than a TIFF can be.
    """
    with writing(path) as aside, aside.open("wb") as file:
        _write(file, image, text or {}, dpi)


def tiff_text(picture: Image.Image) -> dict[str, str]:
    """Read what `save_tiff` wrote; nothing from another program's description."""
    tags: Any = getattr(picture, "tag_v2", {})
    try:
        text = json.loads(tags.get(DESCRIPTION, ""))
    except (ValueError, RecursionError, TypeError):
        return {}
    return {key: value for key, value in text.items() if isinstance(value, str)} if isinstance(text, dict) else {}


def _write(file: IO[bytes], image: Tensor, text: dict[str, str], dpi: float | None) -> None:
    _, channels, height, width = image.shape
    file.write(struct.pack("<2sHI", b"II", 42, 0))
    places, lengths, rows = [], [], 0
    for _, strip in strips(image, np.uint16):
        rows = rows or len(strip)
        strip[:, 1:] -= strip[:, :-1].copy()  # of whole numbers to 2¹⁶, beyond which they begin again
        packed = zlib.compress(strip.astype("<u2").tobytes(), LEVEL)
        if file.tell() + len(packed) > MOST_BYTES:
            raise OutputError(f"{width}×{height} pixels are more than a TIFF of 4 GB holds; name a .png file")
        places.append(file.tell())
        lengths.append(len(packed))
        file.write(packed)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    resolution: list[tuple] = (
        []
        if dpi is None
        else [
            (282, RATIONAL, [round(dpi * 1000), 1000]),
            (283, RATIONAL, [round(dpi * 1000), 1000]),
            (296, SHORT, [2]),
        ]
    )
    alpha: list[tuple] = [(338, SHORT, [2])] if channels == 4 else []
    _write_tags(
        file,
        sorted(
            [
                (256, LONG, [width]),
                (257, LONG, [height]),
                (258, SHORT, [16] * channels),
                (259, SHORT, [8]),
                (262, SHORT, [2]),
                (DESCRIPTION, ASCII, [json.dumps(text).encode("ascii") + b"\0"]),
                (273, LONG, places),
                (277, SHORT, [channels]),
                (278, LONG, [rows]),
                (279, LONG, lengths),
                (284, SHORT, [1]),
                (305, ASCII, [b"Neural Style Lab\0"]),
                (317, SHORT, [2]),
                (34675, UNDEFINED, [srgb]),
                *resolution,
                *alpha,
            ]
        ),
    )


def _write_tags(file: IO[bytes], tags: list[tuple]) -> None:
    """Write a directory of (number, type, values), rising, behind what is there, and its place to the beginning."""
    entries, place = io.BytesIO(), file.seek(file.tell() + file.tell() % 2)
    behind, values_at = io.BytesIO(), place + 2 + 12 * len(tags) + 4
    for number, (kind, letters), values in tags:
        if letters == "s":
            packed, count = values[0], len(values[0])
        else:
            packed = struct.pack(f"<{len(values)}{letters[0]}", *values)
            count = len(values) // len(letters)
        if len(packed) > 4:
            where = struct.pack("<I", values_at + behind.tell())
            behind.write(packed + b"\0" * (len(packed) % 2))
            packed = where
        entries.write(struct.pack("<HHI", number, kind, count) + packed.ljust(4, b"\0"))
    file.write(struct.pack("<H", len(tags)) + entries.getvalue() + struct.pack("<I", 0) + behind.getvalue())
    file.seek(4)
    file.write(struct.pack("<I", place))
