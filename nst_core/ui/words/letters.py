"""Tells letters apart as the patterns of a browser do: two beside each other are a word."""

import unicodedata


def has_word(text: str) -> bool:
    """Whether two letters stand beside each other."""
    return any(one.isalpha() and other.isalpha() for one, other in zip(text, text[1:], strict=False))


def is_capital(letter: str) -> bool:
    """Whether it is a capital letter."""
    return unicodedata.category(letter) == "Lu"
