"""Measures the memory of the computer, or of the container in it that this process runs in.

A container's limit is often far below what its host has free, and who takes more than it is killed without a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from nst_core.control_groups import GROUPS, OWN_GROUPS, limiting

NO_LIMIT = 2**60  # bytes; version 1 writes the largest number there is where nothing is limited


@dataclass(frozen=True)
class _Version:
    """The names by which a version of control groups calls things."""

    limits: tuple[str, ...]  # files
    used: str  # a file
    spare: str  # what of that the system takes back when memory gets short: a line of memory.stat


VERSIONS = {
    1: _Version(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    2: _Version(("memory.max", "memory.high"), "memory.current", "inactive_file"),
}


def total_memory(groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Bytes of memory that this process and those beside it have, used or not.

    Args:
        groups: the folder of control groups.
        own_groups: the file that says in which of them this process is.
    """
    limits = [limit for version, folder in _limiting(groups, own_groups) for limit in _limits(version, folder)]
    return min([psutil.virtual_memory().total, *limits])


def available_memory(groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Bytes of memory that this process can still take; arguments as of `total_memory`."""
    rooms = [room for version, folder in _limiting(groups, own_groups) for room in _rooms(version, folder)]
    return max(0, min([psutil.virtual_memory().available, *rooms]))


def _limiting(groups: Path, own_groups: Path) -> Iterator[tuple[_Version, Path]]:
    return ((VERSIONS[number], folder) for number, folder in limiting("memory", groups, own_groups))


def _limits(version: _Version, folder: Path) -> list[int]:
    """Read what the group's files allow, bytes; none where they say nothing."""
    numbers = [_number(folder / name) for name in version.limits]
    return [number for number in numbers if number is not None and 0 < number < NO_LIMIT]


def _rooms(version: _Version, folder: Path) -> list[int]:
    """Read what the group can still take, bytes; none where nothing limits it, or its use is not told."""
    limits, used = _limits(version, folder), _number(folder / version.used)
    if not limits or used is None:
        return limits
    return [min(limits) - max(0, used - _spare(version, folder))]


def _spare(version: _Version, folder: Path) -> int:
    """Bytes of files' contents kept for later reading."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    values = [value for name, _, value in (line.partition(" ") for line in lines) if name == version.spare]
    return int(values[0]) if values and values[0].strip().isdecimal() else 0


def _number(file: Path) -> int | None:
    """Read a file's one number; None where there is none."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None  # "max" is no limit
