"""Tells letters apart as the patterns of a browser do: two beside each other are a word."""

import re
import unicodedata


def has_word(text: str) -> bool:
    """Whether two letters stand beside each other."""
    return any(one.isalpha() and other.isalpha() for one, other in zip(text, text[1:], strict=False))


def is_spoken(text: str) -> bool:
    """Whether there is a word that is no name of a layer's kind: "conv1_1"."""
    return has_word(re.sub(r"\S*_\S*", "", text))


def is_capital(letter: str) -> bool:
    """Whether it is a capital letter."""
    return unicodedata.category(letter) == "Lu"
