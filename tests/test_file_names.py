"""Names of files: whatever they are made of, they fit, they differ on every computer, and they stay the same."""

import random
import unicodedata
from pathlib import Path

import pytest

from nst_core.file_names import (
    MOST_BYTES,
    PORTABLE_BYTES,
    Names,
    alike,
    is_portable,
    longest_in,
    portable,
    shortened,
)

LETTERS = [
    "a",
    "B",
    "ß",
    "é",
    "e\u0301",
    "Å",
    "İ",
    "ﬁ",
    "日",
    "🎨",
    ".",
    " ",
    "-",
    "2",
    ":",
    "?",
    "/",
    "\n",
    "\udcff",
    "\u202e",
]
STEMS = ["CON", "nul.png", "com1 ", "aux.tar", "LPT¹", "", ".", "..", " ", "a.", "a ", " a", ".hidden", "con", "Prn.x"]


def stems(seed: int, count: int = 60) -> list[str]:
    """Made names, many of which are alike or too long."""
    draw = random.Random(seed)
    made = ["".join(draw.choices(LETTERS, k=draw.choice((1, 1, 2, 3, 60, 120, 300)))) for _ in range(count)]
    long = "x" * draw.randrange(240, 260)
    return [*made, *STEMS, *(letter * 3 for letter in LETTERS), *(f"{long}{number}" for number in range(9)), *made[:20]]


def bytes_of(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("ending", [".png", "", "-0.5.mp4"])
@pytest.mark.parametrize("seed", range(8))
def test_names_in_one_place_fit_and_no_computer_takes_two_for_one(seed, ending):
    most = random.Random(seed).choice((40, 143, MOST_BYTES))
    names, given = Names(most), stems(seed)
    made = [names.free(stem, ending) for stem in given]
    assert all(bytes_of(name) <= most and name.endswith(ending) for name in made)
    assert len({alike(name) for name in made}) == len(made)
    taken: set[str] = set()
    for stem, name in zip(given, made, strict=True):
        whole = stem + ending
        assert bytes_of(whole) > most or alike(whole) in taken or name == whole
        taken.add(alike(name))


@pytest.mark.parametrize("seed", range(8))
def test_names_that_travel_are_taken_by_every_computer(seed):
    names = Names(PORTABLE_BYTES)
    for stem in stems(seed):
        name = names.free(portable(stem), ".png")
        assert is_portable(name) and name.encode("utf-8") and not set(name) & set('<>:"/\\|?*')
        assert portable(portable(stem)) == portable(stem)


def test_what_every_computer_takes_travels_as_it_is():
    for stem in ("photo", "Ferien 2024 (3)", "日本", "console", "a.b.c", "🎨"):
        assert portable(stem) == stem and is_portable(stem)
    assert portable("e\u0301") == "é"


@pytest.mark.parametrize(
    "name", ["CON", "con.txt", "Aux .png", "com9", "a:b", "a.", "a ", "", "tab\t", "a/b", "x" * 201]
)
def test_what_some_computer_does_not_take_is_known(name):
    assert not is_portable(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [("IMG.png", "img.PNG"), ("é", "e\u0301"), ("É", "e\u0301"), ("Straße", "STRASSE"), ("Å", "\u212b")],
)
def test_names_that_macos_or_windows_take_for_one_are_alike(one, other):
    assert alike(one) == alike(other)
    names = Names()
    assert names.free(one) == one and names.free(other) != other


def test_numbers_are_given_in_turn_and_pass_over_what_is_taken():
    names = Names()
    assert [names.free(stem, ".png") for stem in ("cat-2", "cat", "CAT", "Cat")] == [
        "cat-2.png", "cat.png", "CAT-3.png", "Cat-4.png",
    ]  # fmt: skip


def test_a_long_name_is_shortened_to_the_same_whatever_is_beside_it():
    long = "ä" * 200
    name = shortened(long, ".png")
    assert name == shortened(long, ".png") == Names().free(long, ".png")
    assert name != shortened(long + "b", ".png") and name.startswith("ä" * 100) and bytes_of(name) <= MOST_BYTES
    assert unicodedata.normalize("NFC", name) == name and shortened("cat", ".png") == "cat.png"


def test_the_longest_name_can_be_written_and_a_longer_one_cannot(tmp_path):
    most = longest_in(tmp_path / "not" / "yet")
    (tmp_path / shortened("🎨" * 100, ".png", most)).touch()
    (tmp_path / ("x" * most)).touch()
    with pytest.raises(OSError):
        (tmp_path / ("x" * (most + 1))).touch()
    assert longest_in(Path("a/relative/path")) <= MOST_BYTES
