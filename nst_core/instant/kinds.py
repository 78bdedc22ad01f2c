"""Tells what is to be painted in a file: a picture, an animation or a film, by its content alone."""

import os
import stat
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from nst_core.errors import ImageError, named
from nst_core.images import JPEG_ENDINGS
from nst_core.instant.film import Film
from nst_core.pictures.recognition import HEAD_BYTES, animation_format, begins_as_picture, opens_as_picture


class Kind(NamedTuple):
    """Says what a file is: its name, and the endings that a painting of it may have, the usual one first."""

    name: str
    endings: tuple[str, ...]

    @property
    def named(self) -> str:
        """ "a picture", "an animation"."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"


PICTURE = Kind("picture", (".png", *JPEG_ENDINGS))
FILM = Kind("film", (".mp4",))
# Format of an animation -> its kind: what comes in as one goes out as one, in the same format or another.
ANIMATIONS = {
    "GIF": Kind("animation", (".gif", ".webp", ".png", ".mp4")),
    "WEBP": Kind("animation", (".webp", ".gif", ".png", ".mp4")),
    "PNG": Kind("animation", (".png", ".gif", ".webp", ".mp4")),
    "AVIF": Kind("animation", (".webp", ".gif", ".png", ".mp4")),
}
NEITHER = "is neither a picture nor a film that can be read (it is damaged, cut short or of another kind)"


def kind_of(path: Path) -> Kind:
    """Look into a file, no further than it needs: at its first bytes, its header, or what ffmpeg makes of it.

    A picture that is damaged further on is a picture all the same; reading it says what is wrong.

    Raises:
        ImageError: no such file, no ordinary or an empty one, or neither a picture nor a film.
    """
    head = _head(path)
    if begins_as_picture(head):
        found = animation_format(path)
        return ANIMATIONS[found] if found else PICTURE
    try:
        with closing(Film(path)):
            return FILM
    except ImageError:
        if opens_as_picture(path):  # a Targa, which has no mark to know it by
            return PICTURE
    raise ImageError(f"{named(path)} {NEITHER}")


def _head(path: Path) -> bytes:
    """A file's first bytes."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise ImageError(f"{named(path)} is no ordinary file; name a picture or a film")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise ImageError(f"{named(path)} does not exist; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{named(path)} cannot be opened ({reason.lower()}); check the path") from None
    if not head:
        raise ImageError(f"{named(path)} is empty; use another file")
    return head
