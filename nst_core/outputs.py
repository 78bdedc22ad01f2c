"""Asks before work begins whether an output can be written, and destroys nothing that is read."""

import os
import shutil
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from nst_core.errors import ConfigError, OutputError, named, said
from nst_core.files import check_writable

LEAST_ROOM = 2_000_000  # bytes that a disk must have for any output
NETWORK_ROOM = 50_000_000  # bytes of a network and, while it is trained, of what going on needs


def check_output(
    path: Path,
    endings: Sequence[str],
    sources: Iterable[Path] = (),
    *,
    called: str = "output",
    hint: str = "",
    room: int = LEAST_ROOM,
) -> None:
    """Refuse a file, before an hour of work rather than after it, that could not be written or would destroy another.

    Args:
        path: the file to write.
        endings: that it may have, in small letters.
        sources: files that are read.
        called: what the user calls it.
        hint: goes on from "name a .png file".
        room: about how many bytes will be written.

    Raises:
        ConfigError: another ending.
        OutputError: no such folder, nothing may be written there, the disk is too full, or it is one of the sources.
    """
    if path.suffix.lower() not in endings:
        raise ConfigError(f"{called} is {said(path.name)}; name a {' or '.join(endings)} file{hint}")
    check_writable(path)
    check_apart([path], sources)
    check_room(path.parent, room)


def check_network(path: Path, sources: Iterable[Path] = ()) -> None:
    """Refuse as `check_output` a file for a network, which "PATH.partial" stands in for while it is trained.

    Sources that are found one by one are looked for last.

    Raises:
        OutputError: no place to write a safetensors file to, or one of the sources.
    """
    if path.suffix != ".safetensors" or os.path.isdir(path):
        raise OutputError(f"output is {said(path.name)}; name a .safetensors file")
    partial = path.with_name(path.name + ".partial")
    for file in (path, partial):
        check_writable(file)
    check_apart([path, partial], sources)
    check_room(path.parent, NETWORK_ROOM)


def check_apart(outputs: Iterable[Path], sources: Iterable[Path]) -> None:
    """Refuse to write over what is read, by whatever name or link, and on disks that know no capitals.

    Raises:
        OutputError: an output is one of the sources.
    """
    read = {mark for source in sources for mark in _marks(source)}
    for output in outputs:
        if read.intersection(_marks(output)):
            raise OutputError(f"{output} is painted from and would be overwritten; write elsewhere")


def check_distinct(outputs: Sequence[Path]) -> None:
    """Refuse outputs of which one would overwrite another.

    Raises:
        OutputError: two are one file.
    """
    for number, output in enumerate(outputs):
        for other in outputs[:number]:
            if _marks(output) & _marks(other):
                raise OutputError(f"{named(other)} and {named(output)} are one file; name another for one of them")


def _marks(path: Path) -> set[Hashable]:
    """Collect what a file is known by: its path without links and, if it is there, its number on its disk."""
    marks: set[Hashable] = {os.path.realpath(path)}
    with suppress(OSError):
        found = os.stat(path)
        marks.add((found.st_dev, found.st_ino))
    return marks


def check_folder(folder: Path, room: int = LEAST_ROOM) -> None:
    """Refuse a folder, before the work, in which nothing could be written; it need not exist.

    Args:
        room: about how many bytes will be written.

    Raises:
        OutputError: there can be none, nothing may be written in it, or the disk is too full.
    """
    place = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not os.path.isdir(place) or not os.access(place, os.W_OK):
        raise OutputError(f"the folder {folder} cannot be written; write elsewhere")
    check_room(folder, room)


def check_room(folder: Path, needed: int = LEAST_ROOM, *, called: str = "") -> None:
    """Refuse to begin what the disk has no room for; roughly, as others write to it, too.

    Args:
        folder: where it goes; need not exist.
        needed: bytes.
        called: what the user is told of in place of the folder.

    Raises:
        OutputError: less is free.
    """
    place = next(place for place in (folder, *folder.absolute().parents) if os.path.isdir(place))
    with suppress(OSError):  # a file system that does not say
        free = shutil.disk_usage(place).free
        if free < needed:
            raise OutputError(
                f"{called or folder} has room for {free / 1e6:,.0f} MB, and about {needed / 1e6:,.0f} MB are to be "
                "written; make room, or write elsewhere"
            )
