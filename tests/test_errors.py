"""What a user gave, put into a message: short, on one line, and never made whole on the way."""

import time

import pytest

from nst_core.errors import MOST_LISTED, MOST_SAID, listed, named, said

ODD = {
    "a long text": "a" * 10_000,
    "a long text of lines": "\n" * 10_000,
    "halves of letters": "\ud800" * 10_000,
    "many bytes": b"\x00" * 10_000_000,
    "a long number": -(10**5_000),
    "a tuple of long numbers": (10**5_000, 10**5_000),
    "a long list": ["x" * 1_000] * 1_000_000,
    "lists in lists": [[[[["x" * 100] * 9] * 9] * 9] * 9] * 9,
    "a table": {"x" * 1_000: list(range(1_000_000))},
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_is_said_of_any_value_is_short_and_on_one_line(value):
    began = time.perf_counter()
    text = said(value)
    assert len(text) <= MOST_SAID and text.isprintable()
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize("value", ["waves", "a\nb", "“ö”", 3, 1e-30, True, None, float("nan"), (0.5, 1.0), ["a"], ()])
def test_a_short_value_is_said_as_python_writes_it(value):
    assert said(value) == repr(value)


def test_of_a_long_text_it_is_said_how_it_begins_and_ends():
    text = said("from " + "a" * 1_000 + " to")
    assert text.startswith("'from aaa") and "…" in text and text.endswith("aaa to'")


def test_a_file_is_named_without_its_folders_and_with_its_ending():
    assert named("/home/someone/cat.png") == "cat.png"
    long = named("/home/someone/" + "ä" * 200 + ".png")
    assert len(long) <= MOST_SAID and long.endswith("ä.png") and "someone" not in long
    assert named("two\nlines\x1b[31m\udc80.png") == "two?lines?[31m?.png"


def test_a_list_says_how_many_names_it_leaves_out():
    assert listed(["gram", "wasserstein"]) == "gram, wasserstein"
    text = listed("n" * number for number in range(1_000))
    assert len(text) <= MOST_LISTED + 20 and text.endswith(" more")
    told = text[: text.index(" and ")].split(", ")
    assert text.endswith(f" and {1_000 - len(told)} more")
