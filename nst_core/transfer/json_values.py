"""Reads JSON that may come from anyone, and says of what kind its values are."""

import json
from collections.abc import Callable
from typing import Any

MOST_LETTERS = 10_000  # of a text
MOST_COUNTED = 10**9  # steps, pixels, seconds


def read_json(text: str) -> Any:
    """Read a value of JSON.

    Raises:
        ValueError, RecursionError: it is none, an object has a name twice, on which readers disagree, or NaN is in it.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refused)


def is_text(value: Any) -> bool:
    """Whether it is a text of at most MOST_LETTERS."""
    return isinstance(value, str) and len(value) <= MOST_LETTERS


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 0 to MOST_COUNTED."""
    return type(value) is int and 0 <= value <= MOST_COUNTED


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return type(value) in (int, float) and abs(value) <= 1e300  # which NaN and infinity are not


def is_duration(value: Any) -> bool:
    """Whether it is a number of seconds."""
    return is_number(value) and 0 <= value <= MOST_COUNTED


def is_size(value: Any) -> bool:
    """Whether it is two counts above 0."""
    return isinstance(value, list) and len(value) == 2 and all(is_count(side) and side for side in value)


def is_table(value: Any, kind: Callable[[Any], bool]) -> bool:
    """Whether it is an object whose values are of a kind."""
    return isinstance(value, dict) and all(is_text(name) and kind(entry) for name, entry in value.items())


def is_switch(value: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


def are_texts(value: Any) -> bool:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def are_numbers(value: Any) -> bool:
    """Whether it is a list of finite numbers."""
    return isinstance(value, list) and all(map(is_number, value))


def are_losses(value: Any) -> bool:
    """Whether it is a table of finite numbers."""
    return is_table(value, is_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name twice")
    return table


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
