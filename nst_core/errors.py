"""Defines the errors that a user can put right.

NSTError
├── BusyError      this computer has no room for more work now
├── ImageError     a picture that cannot be read or is of no use here
├── ConfigError    a setting that is unknown or out of range
├── DeviceError    the device that was asked for is absent, or its memory is too small
│   └── NoDeviceError   none is to be had, for another picture as little as for this one
├── OutputError    a file that cannot be written
└── WeightsError   a network's weights are missing, damaged or out of reach
    └── DownloadError   fetching them failed

Every message says what is wrong, with the value, and then what to do. Mistakes of a
programmer stay ValueError and TypeError.

What a user gave may be of any length and hold anything: `said`, `named` and `listed` put it into a message.
"""

import reprlib
from collections.abc import Iterable
from pathlib import PurePath

MOST_SAID = 80  # characters of what a user gave that a message repeats
MOST_LISTED = 300  # characters of a list of what there is to choose of


class NSTError(Exception):
    """Something a user can put right; its text is fit to be shown."""


class BusyError(NSTError):
    """This computer has no room for more work now."""


class ImageError(NSTError):
    """A picture that cannot be read or is of no use here."""


class ConfigError(NSTError):
    """A setting that is unknown or out of range."""


class DeviceError(NSTError):
    """The device that was asked for is absent, or its memory is too small."""


class NoDeviceError(DeviceError):
    """None is to be had, for another picture as little as for this one: a cluster is gone, a lent GPU's time is up."""


class OutputError(NSTError):
    """A file that cannot be written; an old one of its name stays as it was."""


class WeightsError(NSTError):
    """A network's weights are missing, damaged or out of reach."""


class DownloadError(WeightsError):
    """Fetching weights failed; nothing was left half-written."""


class _Brief(reprlib.Repr):
    """Writes Python's own short forms, without a look at the whole of what is large."""

    def __init__(self) -> None:
        super().__init__()
        self.fillvalue = "…"
        self.maxlevel, self.maxstring, self.maxlong, self.maxother = 3, MOST_SAID, MOST_SAID, MOST_SAID

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() > 1000:  # of more digits than Python writes, perhaps
            return f"a number of about {value.bit_length() * 0.30103:.0f} digits"
        return super().repr_int(value, level)

    def repr_bytes(self, value: bytes, level: int) -> str:
        return _cut(repr(value[:MOST_SAID]) + "…" * (len(value) > MOST_SAID))


def said(value: object) -> str:
    """Write a value as Python does, in at most MOST_SAID characters; of a long one, how it begins and ends."""
    return _cut(_Brief().repr(value))


def named(path: str | PurePath) -> str:
    """Write a file's name without its folders, in at most MOST_SAID characters that can be seen; its ending stays."""
    return seen(PurePath(path).name)


def seen(text: str) -> str:
    """Write a text in at most MOST_SAID characters; "?" for what no letter shows, such as a new line."""
    short = _cut(text)
    return short if short.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in short)


def listed(names: Iterable[str]) -> str:
    """Write names separated by commas, as many as find room in MOST_LISTED characters."""
    names, room = list(names), MOST_LISTED
    told: list[str] = []
    for name in map(seen, names):
        room -= len(name) + len(", ")
        if room < 0:
            return f"{', '.join(told)} and {len(names) - len(told)} more"
        told.append(name)
    return ", ".join(told)


def _cut(text: str) -> str:
    half = (MOST_SAID - 1) // 2
    return text if len(text) <= MOST_SAID else f"{text[:half]}…{text[-half:]}"
