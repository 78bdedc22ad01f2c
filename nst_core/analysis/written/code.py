"""Reads Gatys' method line by line: what each line of `transfer/gatys.py` makes, and of which shape."""

import inspect
from collections.abc import Callable

from nst_core.transfer import gatys

FUNCTIONS = (gatys.gram, gatys.loss_terms, gatys.paint)  # in which the formulas are


def lines_of(function: Callable[..., object]) -> list[tuple[str, str, str]]:
    """Read a function's lines: code, the shape of what it makes, and the formula's term, each "" if there is none.

    The first word of a comment in brackets is a shape, all else says what is made.
    """
    rows, described = [], False
    for line in inspect.getsource(function).splitlines():
        if '"""' in line:
            described = line.count('"""') == 1 and not described
        elif not described and line.strip():
            code, _, comment = (part.strip() for part in line.partition("  # "))
            rows.append((code, *_split(comment)))
    return rows


def _split(comment: str) -> tuple[str, str]:
    """Read a comment's shape and its words."""
    if not comment.startswith("("):
        return "", comment
    shape, _, words = comment.partition(")")
    return f"{shape})", words.lstrip(":,; ")


def method() -> tuple[tuple[str, str, str], ...]:
    """Read the functions in which the formulas are, a line a row."""
    return tuple(row for function in FUNCTIONS for row in lines_of(function))
