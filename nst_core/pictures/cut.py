"""Decodes as much of a picture as its file holds: browsers show what there is of a file that is cut short."""

from pathlib import Path

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from nst_core.pictures import plain_tiff
from nst_core.pictures.openexr import ExrImageFile
from nst_core.pictures.opening import DECODER_ERRORS, decodable, is_large
from nst_core.pictures.webp import CutWebP, decode_cut

SHOWN_CUT = ("JPEG", "MPO", "PNG", "GIF", "BMP")  # what browsers show of it, too; and WebP
CUT_SHORT = "is cut short or damaged: what there is of it is used; for the rest, fetch the file anew"
PAGES = "has several pages: the first one is used; for another, save it as a file of its own"
END_OF_JPEG = b"\xff\xd9"
WHITE = {"1": 255, "L": 255, "RGB": (255, 255, 255), "I;16": 65535}  # by mode; others begin transparent, or as index 0


def is_cut_short(source: str | Path, max_side: int) -> bool:
    """Tell whether a picture that would be read at max_side pixels is there in part; it is decoded for that.

    Raises:
        ImageError: as `decodable`, or nothing of it is there.
    """
    with decodable(source, max_side) as (picture, *_):
        may_be = picture.format in (*SHOWN_CUT, "WEBP") and not is_large(picture)
        return may_be and decode(picture) == CUT_SHORT


def decode(picture: ImageFile.ImageFile) -> str:
    """Decode a picture, or what there is of it; the rest is grey in a JPEG, white or transparent in others.

    Returns:
        what is missing or left out, in words behind its name; "" where nothing is.

    Raises:
        OSError and others of DECODER_ERRORS: nothing of it can be decoded.
    """
    if picture.format == "WEBP" and isinstance(picture.fp, CutWebP):
        decode_cut(picture, picture.fp)
        return CUT_SHORT
    if picture.format not in SHOWN_CUT:
        pages = picture.format in ("TIFF", plain_tiff.FORMAT) and getattr(picture, "is_animated", False)
        picture.load()
        if isinstance(picture, ExrImageFile):
            return picture.told
        return PAGES if pages else ""
    end = _Ending(picture) if isinstance(picture, JpegImageFile) else None
    if end is None and picture.format != "GIF":
        _begin_white(picture)
    try:
        picture.load()
    except DECODER_ERRORS:
        if picture._im is None:
            raise
        picture.tile = []  # as if it were whole
    else:
        if end is None or not end.reached:
            return ""
    finally:
        if end:
            end.forget()
    if _is_flat(picture):
        raise OSError("nothing of it is there")
    return CUT_SHORT


class _Ending:
    """Has a JPEG end where its file does, since libjpeg waits for more else. Pillow asks the picture itself to read."""

    def __init__(self, picture: JpegImageFile):
        if not _has_more(picture):
            raise OSError("it ends in its header")
        self.reached = False
        self._picture, self._read = picture, picture.load_read
        picture.load_read = self.read  # type: ignore[method-assign]  # for this picture alone

    def forget(self) -> None:
        """Leave the picture as it was."""
        del self._picture.load_read

    def read(self, read_bytes: int) -> bytes:
        data = self._read(read_bytes)
        if data or self.reached:
            return data
        self.reached = True
        return END_OF_JPEG


def _has_more(picture: JpegImageFile) -> bool:
    """Whether there is anything behind the first scan's header, which the file stands behind when it is opened."""
    file = picture.fp
    if file is None:
        return False
    place = file.tell()
    more = bool(file.read(1))
    file.seek(place)
    return more


def _begin_white(picture: ImageFile.ImageFile) -> None:
    """Make the picture that is decoded into, white; Pillow would make a black one."""
    if (white := WHITE.get(picture.mode)) is not None:
        picture.im = Image.core.fill(picture.mode, picture.size, white)


def _is_flat(picture: ImageFile.ImageFile) -> bool:
    """Whether it shows one colour: then nothing was decoded, or nothing is to be seen."""
    extremes = picture.getextrema()
    pairs = extremes if isinstance(extremes[0], tuple) else (extremes,)
    return all(low == high for low, high in pairs)
