"""Keeps Pillow and libtiff from printing what they find wrong with a file: a sentence of ours says it."""

import ctypes
import logging
from contextlib import suppress

from PIL import Image


def hush() -> None:
    """Have them print nothing any more; a program that listens to Pillow's log hears it as before.

    libtiff writes to the process's standard error by itself, in Pillow's name, and Pillow has no switch for it.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with suppress(AttributeError, OSError):  # a Pillow with libtiff inside, or without
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)
