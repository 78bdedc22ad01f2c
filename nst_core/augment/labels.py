"""Keeps the index of a painted folder: a table with a line for each painting, true however a run ends."""

import csv
import io
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, TextIO

from nst_core.errors import ImageError
from nst_core.files import append, make_folder, writing

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
    """Read the index, file -> its line, for the files that are still there; none without an index.

    Raises:
        ImageError: a file of this name that is no index.
    """
    path = output / INDEX
    if not path.exists():
        return {}
    try:
        with _opened(path, "r") as lines:
            whole = [line for line in lines if line.endswith("\n")]  # a process that was killed may have cut the last
            head, *rows = csv.reader(whole)
    except (OSError, ValueError, csv.Error):
        head = []
    if head != HEAD:
        raise ImageError(f"{path} is no index of paintings and would be overwritten; name another folder")
    entries = [Entry(*row) for row in rows if len(row) == len(HEAD)]
    return {entry.file: entry for entry in entries if (output / entry.file).is_file()}


def begin_index(output: Path, known: Mapping[str, Entry]) -> None:
    """Make the folder, and an index of what is in it.

    Raises:
        OutputError: it cannot be written.
    """
    make_folder(output)
    with writing(output / INDEX) as aside, _opened(aside, "w") as lines:
        csv.writer(lines).writerows([HEAD, *map(astuple, known.values())])


def add_to_index(output: Path, entry: Entry) -> None:
    """Write one more line into the index.

    Raises:
        OutputError: it cannot be written; the lines before it stay whole.
    """
    line = io.StringIO(newline="")
    csv.writer(line).writerow(astuple(entry))
    append(output / INDEX, line.getvalue().encode("utf-8", "surrogateescape"))


def _opened(path: Path, mode: Literal["r", "w"]) -> TextIO:
    """Open a table, which takes file names of any bytes."""
    return path.open(mode, newline="", encoding="utf-8", errors="surrogateescape")
