"""Names of files: whatever they are made of, they fit, they differ on every computer, and they stay the same."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.file_names import (
    MOST_BYTES,
    PORTABLE_BYTES,
    Names,
    alike,
    is_portable,
    longest_in,
    named_after,
    portable,
    shortened,
)

LETTERS = "aBße\u0301éÅİﬁ日🎨. -2:?/\n\udcff\u202e"
STEMS = ["CON", "nul.png", "com1 ", "aux.tar", "LPT¹", "", ".", "..", " ", "a.", "a ", " a", ".hidden", "con", "Prn.x"]


LONG = [f"{'x' * length}{number}" for length in (38, 141, 199, 250, 255) for number in range(3)]
letters = st.sampled_from(LETTERS) | st.characters()  # halves of letters among them, as disks have bytes that are none
names = st.text(letters, max_size=12) | st.sampled_from(STEMS + LONG)
stems = names | st.builds(lambda text, times: text * times, names, st.sampled_from([2, 40, 300]))


def bytes_of(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


@given(st.lists(stems, max_size=30), st.sampled_from([".png", "", "-0.5.mp4"]), st.sampled_from([40, 143, MOST_BYTES]))
def test_names_in_one_place_fit_and_no_computer_takes_two_for_one(given_stems, ending, most):
    place, taken = Names(most), set[str]()
    for stem in [*given_stems, *given_stems[:3]]:
        name, whole = place.free(stem, ending), stem + ending
        assert bytes_of(name) <= most and name.endswith(ending) and alike(name) not in taken
        assert name == whole or bytes_of(whole) > most or alike(whole) in taken
        taken.add(alike(name))
        for form in ("NFC", "NFD"):
            assert alike(unicodedata.normalize(form, name)) == alike(name) == alike(alike(name))


@given(st.lists(stems, max_size=20))
def test_names_that_travel_are_taken_by_every_computer(given_stems):
    place = Names(PORTABLE_BYTES)
    for stem in given_stems:
        name = place.free(portable(stem), ".png")
        assert is_portable(name) and name.encode("utf-8") and not set(name) & set('<>:"/\\|?*')
        assert portable(portable(stem)) == portable(stem)
        assert is_portable(shortened(portable(stem), "", PORTABLE_BYTES))


@given(st.lists(stems, min_size=1, max_size=4))
def test_a_name_of_what_a_thing_is_made_of_travels(parts):
    name = named_after(*parts, ending=".png")
    assert is_portable(name) and name.endswith(".png") and bytes_of(name) <= PORTABLE_BYTES


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
        "cat-2.png",
        "cat.png",
        "CAT-3.png",
        "Cat-4.png",
    ]


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
