"""Knows whether a class paints here, and what its pupils call themselves."""

import os

LONGEST_NAME = 40  # characters


def class_key() -> str:
    """Give the teacher's password, by NST_CLASS_KEY; "": no class paints here."""
    return os.environ.get("NST_CLASS_KEY", "")


def written_name(text: object) -> str:
    """Write a name in one line of LONGEST_NAME characters at most, without what no letter shows."""
    letters = "".join(letter if letter.isprintable() else " " for letter in str(text or ""))
    return " ".join(letters.split())[:LONGEST_NAME].strip()
