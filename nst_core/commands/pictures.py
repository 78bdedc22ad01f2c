"""Lists the files in folders that commands are given."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from nst_core.errors import ImageError, listed, named
from nst_core.pictures.recognition import HEAD_BYTES, animation_format, begins_as_picture


def files_in(folder: Path) -> tuple[list[Path], list[str]]:
    """List the files in a folder by name, hidden ones and folders in it left out; a sentence on what is.

    Raises:
        ImageError: it cannot be looked into.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise ImageError(f"the folder {folder} cannot be looked into ({reason}); name another") from None
    hidden = [path.name for path in entries if path.name.startswith(".")]
    shown = [path for path in entries if not path.name.startswith(".")]
    inner = [path.name for path in shown if path.is_dir()]
    notes = [f"passed over in {folder}, as hidden: {listed(hidden)}"] if hidden else []
    notes += [f"not looked into in {folder}: the folders {listed(inner)}"] if inner else []
    files = [path for path in shown if not path.is_dir()]
    return files, notes if files else [*notes, f"{folder} has no files in it"]


def tell_of_animations(paths: Iterable[Path]) -> None:
    """Say on standard error of what moves that only its first frame is used."""
    for path in paths:
        if animation_format(path):
            print(f"{named(path)} is an animation; its first frame is used (`instant` paints all)", file=sys.stderr)


def pictures_below(folder: Path) -> Iterator[Path]:
    """Find the pictures of a folder and of those in it by their first bytes; none of a folder that is not there."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(OSError):
            if path.is_file() and begins_as_picture(_beginning(path)):
                yield path


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
