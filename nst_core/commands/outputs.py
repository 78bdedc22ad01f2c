"""Whether files can be written, asked before the work."""

import os
from pathlib import Path

from nst_core.errors import ImageError, WeightsError


def check_writable(path: Path) -> None:
    """Before an hour of painting rather than after it.

    Raises:
        ImageError: a file of this path cannot be written.
    """
    if not path.parent.is_dir():
        raise ImageError(f"the folder {path.parent} does not exist; make it, or write elsewhere")
    if path.is_dir():
        raise ImageError(f"{path} is a folder; name a file in it")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ImageError(f"{path} cannot be written; write elsewhere")


def make_folder(path: Path) -> None:
    """Where it is missing.

    Raises:
        WeightsError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"the folder {path} cannot be made ({error.strerror or error}); write elsewhere") from None
