"""The index of a painted folder: a table with a line for each painting, kept true however a run ends."""

import csv
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TextIO

from nst_core.errors import ImageError
from nst_core.features.distill import writing

INDEX = "labels.csv"


@dataclass(frozen=True)
class Entry:
    """One painting: what it is, and what it was made of."""

    file: str  # "cat/photo-0.5.png", in the output
    label: str  # "cat"
    source: str  # "cat/photo.jpg", in the input
    style: str
    strength: str  # "0.5"


HEAD = list(Entry.__dataclass_fields__)


def read_index(output: Path) -> dict[str, Entry]:
    """file -> its line, of those that are still there; none without an index.

    Raises:
        ImageError: a file of this name that is no index.
    """
    path = output / INDEX
    if not path.exists():
        return {}
    try:
        with _opened(path, "r") as lines:
            head, *rows = csv.reader(lines)
    except (OSError, ValueError, csv.Error):
        head = []
    if head != HEAD:
        raise ImageError(f"{path} is no index of paintings and would be overwritten; name another folder")
    entries = [Entry(*row) for row in rows if len(row) == len(HEAD)]  # a full disk may have cut one short
    return {entry.file: entry for entry in entries if (output / entry.file).is_file()}


def begin_index(output: Path, known: Mapping[str, Entry]) -> None:
    """Make the folder, and an index of what is in it.

    Raises:
        ImageError, WeightsError: it cannot be written.
    """
    make_folder(output)
    with writing(output / INDEX) as aside, _opened(aside, "w") as lines:
        csv.writer(lines).writerows([HEAD, *map(astuple, known.values())])


def add_to_index(output: Path, entry: Entry) -> None:
    """One more line.

    Raises:
        ImageError: it cannot be written.
    """
    try:
        with _opened(output / INDEX, "a") as lines:
            csv.writer(lines).writerow(astuple(entry))
    except OSError as error:
        raise ImageError(f"{output / INDEX} could not be written ({error.strerror or error}); make room") from None


def make_folder(path: Path) -> None:
    """Where it is missing.

    Raises:
        ImageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(f"the folder {path} cannot be made ({error.strerror or error}); write elsewhere") from None


def _opened(path: Path, mode: str) -> TextIO:
    """A table, which takes file names of any bytes."""
    return path.open(mode, newline="", encoding="utf-8", errors="surrogateescape")
