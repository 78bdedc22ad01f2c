"""Names of files: no longer than a disk takes, fit for every computer, and told apart by each of them."""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path

MOST_BYTES = 255  # of a name, as most disks take
PORTABLE_BYTES = 200  # of a name that travels: it is to fit into a folder's path elsewhere, too
MOST_LETTERS = 40  # of each part of a name that says of what a thing is made
DIGITS = 8  # of the hash that stands for what a name has lost
FORBIDDEN = set('<>:"/\\|?*')  # by Windows
# What Windows keeps for devices, whatever the ending.
DEVICES = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"),
}


class Names:
    """The names in one folder or one ZIP, given out such that no computer takes two of them for one.

    Args:
        most: bytes of a name.
    """

    def __init__(self, most: int = MOST_BYTES):
        self._most, self._taken = most, set[str]()
        self._numbers = Counter[str]()

    def free(self, stem: str, ending: str = "") -> str:
        """The stem with its ending, shortened where it is too long, and numbered ("-2") where it is taken."""
        first = name = shortened(stem, ending, self._most)
        number = self._numbers[alike(first)]
        while alike(name) in self._taken:
            number = max(2, number + 1)
            name = shortened(stem, f"-{number}{ending}", self._most)
        self._numbers[alike(first)] = number
        self._taken.add(alike(name))
        return name


def shortened(stem: str, ending: str, most: int = MOST_BYTES) -> str:
    """A name in at most so many bytes: of a longer one its beginning, a hash of all of it, and its ending.

    The same stem always becomes the same name, and two different ones do not meet.
    """
    if _length(stem + ending) <= most:
        return stem + ending
    tail = f"-{hashlib.sha256(_encoded(stem)).hexdigest()[:DIGITS]}{ending}"
    room = most - _length(tail)
    for place, letter in enumerate(stem):
        room -= _length(letter)
        if room < 0:
            return stem[:place] + tail
    return stem + tail


def portable(stem: str) -> str:
    """A stem that every computer takes: "_" for letters that some forbid, and before a name that is a device's."""
    text = unicodedata.normalize("NFC", stem)
    text = "".join("_" if letter in FORBIDDEN or not letter.isprintable() else letter for letter in text)
    text = text.strip(" ").rstrip(". ") or "_"
    return f"_{text}" if _is_device(text) else text


def named_after(*parts: str, ending: str) -> str:
    """A portable name that says of what a thing is made: "china-temple_harvest-sun_studio.png"."""
    words = (re.sub(r"[\s_]+", "-", portable(part)).strip("-")[:MOST_LETTERS].strip("-") for part in parts)
    return shortened(portable("_".join(filter(None, words)) or "painting"), ending, PORTABLE_BYTES)


def is_portable(name: str) -> bool:
    """Whether every computer takes the name as it is."""
    return (
        bool(name)
        and name.isprintable()
        and not set(name) & FORBIDDEN
        and not name.endswith((".", " "))
        and not _is_device(name)
        and _length(name) <= PORTABLE_BYTES
    )


def alike(name: str) -> str:
    """Reduce a name to what macOS or Windows tell names apart by: neither capitals nor how an accent is written."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def longest_in(folder: Path) -> int:
    """Bytes of the longest name that a folder takes, or the first one above it that is there."""
    for place in (folder, *folder.absolute().parents):
        try:
            return min(MOST_BYTES, os.pathconf(place, "PC_NAME_MAX"))
        except (OSError, ValueError, AttributeError):  # not there; a system that does not say
            continue
    return MOST_BYTES


def _is_device(name: str) -> bool:
    return name.split(".")[0].strip().lower() in DEVICES


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # names of disks may hold bytes that are no letters


def _length(text: str) -> int:
    return len(_encoded(text))
