"""Finds the pictures in folders that commands are given."""

from pathlib import Path

from nst_core.pictures.opening import SUFFIXES


def pictures_in(folder: Path) -> list[Path]:
    """List the pictures in a folder by name, none of the folders in it, no hidden ones."""
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES)
