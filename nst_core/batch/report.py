"""Keeps the report of a batch: a table with a line for each painting, true however the batch ends."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from nst_core.batch.tasks import Task
from nst_core.errors import OutputError
from nst_core.files import append, make_folder, writing

REPORT = "report.csv"
HEAD = ("file", "content", "style", "way", "outcome", "reason")
PAINTED, FAILED = "painted", "failed"


class Result(NamedTuple):
    """What became of a painting; no reason: it is there."""

    task: Task
    reason: str = ""


def begin_report(output: Path) -> None:
    """Make the folder and a report without lines, in place of one of before.

    Raises:
        OutputError: it cannot be written, or a file of this name is no report.
    """
    make_folder(output)
    path = output / REPORT
    if path.exists() and not _is_report(path):
        raise OutputError(f"{path} is no report of a batch and would be overwritten; name another folder")
    write_report(output, ())


def add_to_report(output: Path, result: Result) -> None:
    """Write one more line.

    Raises:
        OutputError: it cannot be written; the lines before it stay whole.
    """
    append(output / REPORT, _lines([result]))


def write_report(output: Path, results: Iterable[Result]) -> None:
    """Write it whole, in the order of the batch, which that of the lines need not be.

    Raises:
        OutputError: it cannot be written; the one of before stays.
    """
    with writing(output / REPORT) as aside:
        aside.write_bytes(_lines(results, head=True))


def _lines(results: Iterable[Result], *, head: bool = False) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    if head:
        rows.writerow(HEAD)
    for task, reason in results:
        outcome = FAILED if reason else PAINTED
        rows.writerow(("" if reason else task.file, task.content, task.style, task.way.title, outcome, reason))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _is_report(path: Path) -> bool:
    first = (",".join(HEAD) + "\r\n").encode()
    try:
        with path.open("rb") as file:
            return file.read(len(first)) == first
    except OSError:
        return False
