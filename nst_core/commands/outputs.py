"""Refuses outputs that would overwrite their own sources, before the work."""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from nst_core.errors import OutputError


def add_transparency(parser: argparse.ArgumentParser) -> None:
    """An option of all that paint pictures."""
    parser.add_argument(
        "--keep-transparency",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a PNG is as transparent as the picture it is painted from; else that is painted over white",
    )


def check_apart(output: Path, sources: Iterable[Path]) -> None:
    """Refuse to write over what is read, by whatever name or link.

    Raises:
        OutputError: output is one of the sources.
    """
    for source in sources:
        if output.resolve() == source.resolve() or _same(output, source):
            raise OutputError(f"{output} is painted from and would be overwritten; write elsewhere")


def _same(output: Path, source: Path) -> bool:
    try:
        return os.path.samefile(output, source)
    except OSError:  # one of them is not there
        return False
