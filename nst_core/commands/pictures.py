"""Finds the pictures in folders that commands are given."""

from pathlib import Path

# What cameras, scanners and the web make. A file of another name in a folder is taken for no picture.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"})


def pictures_in(folder: Path) -> list[Path]:
    """List the pictures in a folder by name, none of the folders in it, no hidden ones."""
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES)
