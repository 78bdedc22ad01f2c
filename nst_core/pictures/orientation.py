"""Reads from EXIF how a picture is to be turned."""

from PIL import ExifTags, Image

from nst_core.pictures.opening import DECODER_ERRORS

# EXIF's orientation -> what turns such a picture upright. ImageOps.exif_transpose fails where another tag is damaged.
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(picture: Image.Image) -> int | None:
    """Read the orientation from EXIF; damaged EXIF says nothing, as in viewers."""
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except DECODER_ERRORS:
        return None
