"""Writes text into a JPEG file's EXIF, as a comment of the user's, and reads it without decoding pixels."""

import json
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

JPEG_ENDINGS = (".jpg", ".jpeg")
MARK = b"ASCII\0\0\0"  # EXIF's name of the letters that follow
MOST_BYTES = 65_000  # of EXIF, which has to find room in one of a JPEG's segments


def is_jpeg(path: str | Path) -> bool:
    """Tell whether a file's name is that of a JPEG."""
    return Path(path).suffix.lower() in JPEG_ENDINGS


def exif_of(text: dict[str, str]) -> bytes | None:
    """EXIF that holds text, by key; None where it is more than a JPEG takes."""
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Neural Style Lab"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = MARK + json.dumps(text).encode("ascii")
    written = exif.tobytes()
    return written if len(written) <= MOST_BYTES else None


def jpeg_text(picture: Image.Image) -> dict[str, str]:
    """Read what `exif_of` wrote; nothing from another program's comment.

    Raises:
        what Pillow raises for EXIF that is damaged.
    """
    comment: Any = picture.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if not isinstance(comment, bytes) or not comment.startswith(MARK):
        return {}
    try:
        text = json.loads(comment[len(MARK) :])
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in text.items() if isinstance(value, str)} if isinstance(text, dict) else {}
