"""Chooses the file of each of many paintings, so that none overwrites another or what it is painted from."""

from collections.abc import Iterable
from pathlib import Path

from nst_core.commands.outputs import check_apart
from nst_core.commands.pictures import pictures_in
from nst_core.errors import ConfigError, ImageError, said
from nst_core.files import check_writable

VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"})
PICTURE_OUTPUTS, VIDEO_OUTPUTS = (".png", ".jpg", ".jpeg"), (".mp4",)  # the first one is used in a folder


def is_video(path: Path) -> bool:
    """Tell a video by its file's name."""
    return path.suffix.lower() in VIDEOS


def destinations(inputs: list[Path], output: Path) -> tuple[dict[Path, Path], list[str]]:
    """Choose the file that each painting goes to.

    Args:
        inputs: pictures, videos, and folders, of which the pictures are meant.
        output: a file if one picture or video is named, else a folder, which need not exist.

    Returns:
        source -> the file to write; what a user should know about it.

    Raises:
        ConfigError: an output of the wrong kind.
        ImageError: no picture in the folders.
        OutputError: an output that cannot be written, or that is a source.
    """
    sources, empty = _sources(inputs)
    if not sources:
        raise ImageError(f"{' and '.join(map(str, empty))} has no pictures in it; name a folder that has")
    notes = [f"{folder} has no pictures in it" for folder in empty]
    if _is_folder(output):
        found, numbered = _in_folder(sources, output)
        notes += numbered
    else:
        found = {_single(inputs, sources, output): output}
    for path in found.values():
        check_apart(path, sources.values())
    return found, notes


def _sources(inputs: list[Path]) -> tuple[dict[Path, Path], list[Path]]:
    """List the files to paint, each once -> its full path, and the folders without pictures."""
    files, empty = [], []
    for path in inputs:
        inside = pictures_in(path) if path.is_dir() else [path]
        files += inside
        empty += [] if inside else [path]
    once = {path.resolve(): path for path in reversed(files)}
    return {path: path.resolve() for path in files if once[path.resolve()] is path}, empty


def _is_folder(output: Path) -> bool:
    return output.is_dir() or not (output.suffix or output.exists())


def _single(inputs: list[Path], sources: Iterable[Path], output: Path) -> Path:
    """Find the one source of an output that is a file."""
    source, *others = sources
    if others or inputs[0].is_dir():
        raise ConfigError(
            f"output is {said(output.name)}, one file, for pictures of a folder or several; name a folder"
        )
    suffixes = VIDEO_OUTPUTS if is_video(source) else PICTURE_OUTPUTS
    if output.suffix.lower() not in suffixes:
        kind = "video" if is_video(source) else "picture"
        raise ConfigError(
            f"output is {said(output.name)}; for a {kind}, name a {' or '.join(suffixes)} file or a folder"
        )
    check_writable(output)
    return source


def _in_folder(sources: Iterable[Path], folder: Path) -> tuple[dict[Path, Path], list[str]]:
    """Name files as their sources; of two with the same name, the second gets a number, and a note says so."""
    found: dict[Path, Path] = {}
    taken: set[str] = set()  # in lower case, as some file systems tell no more apart
    notes = []
    for source in sources:
        suffix = (VIDEO_OUTPUTS if is_video(source) else PICTURE_OUTPUTS)[0]
        name, number = source.stem + suffix, 1
        while name.lower() in taken:
            number += 1
            name = f"{source.stem}-{number}{suffix}"
        if number > 1:
            notes.append(f"{source} becomes {name}, as another one is called {source.stem!r}, too")
        taken.add(name.lower())
        found[source] = folder / name
    return found, notes
