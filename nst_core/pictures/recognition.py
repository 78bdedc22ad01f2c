"""Tells pictures and animations by what is in a file, whatever its name."""

from pathlib import Path

from PIL import Image

from nst_core.errors import ImageError
from nst_core.pictures.opening import header_of, known_formats

HEAD_BYTES = 16  # of a file, as many as Pillow asks for
# Brands of what lies in MP4's boxes and is a still picture, which players would open as a film.
STILL_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")  # Pillow counts the pages of a TIFF and an MPO's views as frames, too


def begins_as_picture(head: bytes) -> bool:
    """Whether a file that begins so is of a kind of picture that has a mark; it may be damaged further on.

    Args:
        head: HEAD_BYTES or more.
    """
    if head[4:8] == b"ftyp" and head[8:12] in STILL_BRANDS:
        return True
    marks = (Image.OPEN[name][1] for name in known_formats())
    return any(mark is not None and mark(head[:HEAD_BYTES]) is True for mark in marks)


def animation_format(path: Path) -> str | None:
    """The format of an animation of ANIMATED; None for a picture of one frame, and for what cannot be read."""
    try:
        with header_of(path) as (picture, _, _):
            return picture.format if picture.format in ANIMATED and getattr(picture, "is_animated", False) else None
    except ImageError:
        return None


def opens_as_picture(path: Path) -> bool:
    """Whether a file's header is a picture's, of a kind without a mark, too."""
    try:
        with header_of(path):
            return True
    except ImageError:
        return False
