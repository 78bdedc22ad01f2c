"""Texts that the program joined are taken apart where the page's script takes them apart."""

import pytest

from nst_core.ui.words.joined import parted, split
from nst_core.ui.words.lookup import Catalogue

KNOWN = Catalogue(
    "de",
    {
        "a dog": "ein Hund",
        "cats": "Katzen",
        ", running": ", rennend",
        "Size": "Größe",
        "red": "rot",
        "pixels of 0 … 255": "Pixel von 0 … 255",
    },
)


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("a dog; cats", "ein Hund; Katzen"),
        ("a dog; what nobody knows", "ein Hund; what nobody knows"),
        ("what nobody knows, a dog", None),
        ("a dog, running", "ein Hund, rennend"),
        ("a dog: conv4_2", "ein Hund: conv4_2"),
        ("a dog (cats)", "ein Hund (Katzen)"),
        ("3. a dog", "3. ein Hund"),
        ("Size red", "Größe rot"),
        ("Size blue", None),
        ("nothing known", None),
        ("a dog; pixels of 0 … 255", "ein Hund; Pixel von 0 … 255"),
    ],
)
def test_parts_that_are_known_are_translated_if_that_makes_sense(english, german):
    assert split(KNOWN, english) == german


def test_of_a_long_list_every_part_is_looked_up():
    assert parted(KNOWN, "a dog; 0.5; nobody") == "ein Hund; 0,5; nobody"
    assert parted(KNOWN, "nobody; nothing") is None and parted(KNOWN, "a dog") is None
