"""Chooses the file of each of many paintings, so that none overwrites another or what it is painted from."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nst_core.commands.pictures import files_in
from nst_core.errors import ConfigError, ImageError, said
from nst_core.file_names import Names, longest_in
from nst_core.files import check_writable
from nst_core.images import JPEG_ENDINGS
from nst_core.instant.kinds import PICTURE, Kind, kind_of
from nst_core.outputs import LEAST_ROOM, check_apart, check_folder, check_output


class Destination(NamedTuple):
    """The file that a painting goes to, and what it is painted from."""

    output: Path
    kind: Kind


@dataclass(frozen=True)
class Destinations:
    """Where what is painted goes.

    Attributes:
        found: source -> its destination.
        left_out: why other files that were asked for cannot be painted, a sentence each.
        notes: what a user should know besides.
    """

    found: dict[Path, Destination]
    left_out: list[str]
    notes: list[str] = field(default_factory=list)


def destinations(
    inputs: list[Path], output: Path, read: Iterable[Path] = (), *, shrunk: bool = False, jpeg: bool = False
) -> Destinations:
    """Find out what is to be painted, by what is in the files, and where it goes.

    Args:
        inputs: pictures, animations, films, and folders, of which all files are meant that are not hidden.
        output: a file if one file is named, else a folder, which need not exist.
        read: further files, which must not be overwritten either.
        shrunk: whether paintings may be smaller than what they are painted from.
        jpeg: whether pictures in a folder are JPEGs rather than PNGs.

    Raises:
        ConfigError: an output of the wrong kind.
        ImageError: nothing that can be painted.
        OutputError: an output that cannot be written, or that is a source.
    """
    sources, notes = _sources(inputs)
    kinds, left_out = _kinds(sources)
    if not kinds:
        raise ImageError(_nothing(inputs, left_out))
    if _is_folder(output):
        found, numbered = _in_folder(kinds, output, jpeg=jpeg)
        notes += numbered
        check_folder(output, max(LEAST_ROOM, 0 if shrunk else _least_size(kinds)))
        for path in filter(os.path.lexists, found.values()):
            check_writable(path)
    else:
        found = {_single(inputs, sources, kinds, output): output}
    check_apart(found.values(), [*sources, *read])
    return Destinations({path: Destination(found[path], kind) for path, kind in kinds.items()}, left_out, notes)


def _sources(inputs: list[Path]) -> tuple[list[Path], list[str]]:
    """List the files to paint, each once; say what is passed over."""
    files, notes = [], []
    for path in inputs:
        inside, passed_over = files_in(path) if os.path.isdir(path) else ([path], [])
        files += inside
        notes += passed_over
    return list({os.path.realpath(path): path for path in reversed(files)}.values())[::-1], notes


def _kinds(sources: Iterable[Path]) -> tuple[dict[Path, Kind], list[str]]:
    """Tell what each file is, and why others are nothing that can be painted."""
    kinds, left_out = {}, []
    for source in sources:
        try:
            kinds[source] = kind_of(source)
        except ImageError as error:
            left_out.append(str(error))
    return kinds, left_out


def _nothing(inputs: list[Path], left_out: list[str]) -> str:
    if not left_out:
        return f"{' and '.join(map(str, inputs))} has nothing in it to paint; name a folder that has"
    if len(left_out) == 1:
        return left_out[0]
    return f"none of the {len(left_out)} files could be painted: {'; '.join(left_out[:3])}"


def _is_folder(output: Path) -> bool:
    return os.path.isdir(output) or not (output.suffix or os.path.lexists(output))


def _single(inputs: list[Path], sources: list[Path], kinds: dict[Path, Kind], output: Path) -> Path:
    """Find the one source of an output that is a file."""
    if len(sources) > 1 or os.path.isdir(inputs[0]):
        raise ConfigError(f"output is {said(output.name)}, one file, for files of a folder or several; name a folder")
    ((source, kind),) = kinds.items()
    if output.suffix.lower() not in kind.endings:
        raise ConfigError(
            f"output is {said(output.name)}; for {kind.named}, name a {' or '.join(kind.endings)} file or a folder"
        )
    check_output(output, kind.endings)
    return source


def _in_folder(kinds: dict[Path, Kind], folder: Path, *, jpeg: bool) -> tuple[dict[Path, Path], list[str]]:
    """Name files as their sources; where one must be called otherwise, a note says so."""
    names, found, notes = Names(longest_in(folder)), {}, []
    for source, kind in kinds.items():
        ending = JPEG_ENDINGS[0] if jpeg and kind is PICTURE else kind.endings[0]
        name = names.free(source.stem, ending)
        if name != source.stem + ending:
            notes.append(f"{source} becomes {name}, as its own name is taken or too long")
        found[source] = folder / name
    return found, notes


def _least_size(kinds: dict[Path, Kind]) -> int:
    """About how many bytes paintings take at least: a PNG more than any JPEG; of films and animations, who knows."""
    return sum(source.stat().st_size for source, kind in kinds.items() if kind is PICTURE) // 2
