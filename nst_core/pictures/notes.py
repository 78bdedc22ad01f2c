"""Tells what a person should know of a picture that is read all the same: that it is cut short, or one of several."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class PictureWarning(UserWarning):
    """A picture is read, yet not all of it; the text says what is missing."""


def _warn(text: str) -> None:
    warnings.warn(text, PictureWarning, stacklevel=2)


_tell: Callable[[str], None] = _warn


def note(text: str) -> None:
    """Tell whoever listens; to a program it is a PictureWarning."""
    _tell(text)


@contextmanager
def told_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Have notes told in another way while this lasts, on whatever thread a picture is read."""
    global _tell
    before, _tell = _tell, tell
    try:
        yield
    finally:
        _tell = before


def tell_by(tell: Callable[[str], None]) -> None:
    """Have notes told in another way from here on."""
    global _tell
    _tell = tell
