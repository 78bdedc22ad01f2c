"""Lists what a batch paints: every pair of picture and style, or what a table says, each with a name of its own."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from nst_core.errors import ConfigError, ImageError, named, said
from nst_core.file_names import DIGITS, PORTABLE_BYTES, Names, longest_in, named_after

TABLES = (".csv", ".json")
PICTURES = ("content", "style")  # columns that every table has
MOST_BYTES = 2**26  # of a table


class Way(Protocol):
    """How a picture is painted: a name for files, and settings that tell it from others. Hashable."""

    @property
    def title(self) -> str:
        """A word for it, such as the preset's name."""

    def settings(self) -> dict[str, Any]:
        """All that the painting depends on besides its pictures, as plain values."""


AWay = TypeVar("AWay", bound=Way)


@dataclass(frozen=True, slots=True)
class Task(Generic[AWay]):
    """One painting of a batch.

    Attributes:
        content: the picture.
        style: another's path, or the name of a style that was trained.
        way: how it is painted.
        file: its name in the output.
    """

    content: Path
    style: str
    way: AWay
    file: str


def pairs(
    contents: Sequence[Path], styles: Sequence[str], way: AWay, output: Path, ending: str = ".png"
) -> list[Task[AWay]]:
    """Pair every content with every style, a content's paintings one after the other.

    Args:
        contents: pictures.
        styles: paths of pictures, or names.
        way: how all are painted.
        output: the folder that they go to, which may take short names only.
        ending: of their names.
    """
    return _tasks(((content, style, way) for content in contents for style in styles), output, ending)


def read_table(
    path: Path,
    way_of: Callable[[Mapping[str, str]], AWay],
    output: Path,
    ending: str = ".png",
    *,
    names: Container[str] = (),
) -> list[Task[AWay]]:
    """Read what is to be painted from a table: CSV with a head, or JSON, a list of objects.

    Paths in it are those beside the table. An empty cell says nothing.

    Args:
        path: of the table, which has a column of contents and one of styles.
        way_of: makes of the other columns of a row, name -> text, how it is painted; raises ConfigError.
        output, ending: as of `pairs`.
        names: of styles that are none of pictures.

    Raises:
        ConfigError: it cannot be read, or a row of it makes no sense; it says which.
    """
    rows = _rows_of_json(path) if path.suffix.lower() == ".json" else _rows_of_csv(path)
    found: list[tuple[Path, str, AWay]] = []
    ways: dict[tuple[tuple[str, str], ...], AWay] = {}  # a few, of thousands of rows
    for where, row in rows:
        lacking = [column for column in PICTURES if not row.get(column)]
        if lacking:
            raise ConfigError(f"{where} names no {' and no '.join(lacking)}; give each row both")
        rest = {name: text for name, text in row.items() if name not in PICTURES and text}
        key = tuple(sorted(rest.items()))
        if key not in ways:
            try:
                ways[key] = way_of(rest)
            except ConfigError as error:
                raise ConfigError(f"{where}: {error}") from None
        style = row["style"] if row["style"] in names else str(path.parent / row["style"])
        found.append((path.parent / row["content"], style, ways[key]))
    if not found:
        raise ConfigError(f"{named(path)} has no rows; give it one for each painting")
    return _tasks(found, output, ending)


def _rows_of_csv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    lines = csv.reader(io.StringIO(_text_of(path), newline=""), skipinitialspace=True)
    try:
        head = [name.strip().lower() for name in next(lines, [])]
        if len(set(head)) < len(head) or not set(PICTURES) <= set(head):
            what = f"{named(path)} begins with {said(', '.join(head))}"
            raise ConfigError(f"{what}; begin it with content,style and name more columns by settings")
        for cells in lines:
            where = f"{named(path)}, line {lines.line_num}"
            if len(cells) > len(head):
                what = f"{where} has {len(cells)} cells, and the head {len(head)}"
                raise ConfigError(f"{what}; put a cell with commas in it into quotes")
            if any(cell.strip() for cell in cells):
                yield where, {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
    except csv.Error as error:
        raise ConfigError(f"{named(path)}, line {lines.line_num}: {error}; write it as CSV") from None


def _rows_of_json(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        rows = json.loads(_text_of(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{named(path)} is no JSON ({error}); write a list of objects") from None
    if not isinstance(rows, list):
        raise ConfigError(f"{named(path)} holds {said(rows)}; write a list of objects")
    for number, row in enumerate(rows, 1):
        where = f"{named(path)}, entry {number}"
        if not isinstance(row, dict):
            raise ConfigError(f"{where} is {said(row)}; write an object with content and style")
        yield where, {name.strip().lower(): _text(where, name, value) for name, value in row.items()}


def _text(where: str, name: str, value: Any) -> str:
    """Write a value of JSON as a person types it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int | float):
        return str(value).strip()
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return " ".join(map(str, value))
    raise ConfigError(f"{where}: {name} is {said(value)}; give a text or a number")


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{named(path)} has more than {MOST_BYTES / 1e6:.0f} MB; split it")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise ConfigError(f"the table {named(path)} cannot be read ({reason}); name another") from None
    except ValueError:
        raise ConfigError(f"{named(path)} is no text in UTF-8; save it as such") from None


def _tasks(found: Iterable[tuple[Path, str, AWay]], output: Path, ending: str) -> list[Task[AWay]]:
    """Name each painting after what it is made of, such that the same batch names all the same again.

    Raises:
        ImageError: there are none.
    """
    names = Names(min(PORTABLE_BYTES, longest_in(output)))
    marks: dict[AWay, str] = {}
    tasks, seen = [], set[tuple[Path, str, AWay]]()
    for content, style, way in found:
        if (content, style, way) in seen:  # a row that stands there twice
            continue
        seen.add((content, style, way))
        if way not in marks:
            marks[way] = json.dumps(way.settings(), sort_keys=True)
        folder = content.absolute().parent.name
        told = "\n".join((marks[way], f"{folder}/{content.name}", Path(style).name))
        digits = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
        stem = named_after(content.stem, Path(style).stem, way.title, ending="")
        tasks.append(Task(content, style, way, names.free(f"{stem}-{digits}", ending)))
    if not tasks:
        raise ImageError("there is nothing to paint; name pictures and styles")
    return tasks
