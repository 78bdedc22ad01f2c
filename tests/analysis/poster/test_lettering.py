"""What words on pictures are written with."""

import ast
from itertools import groupby
from unicodedata import name

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster import lettering as module
from nst_core.analysis.poster.lettering import (
    CHINESE,
    LETTERS,
    MATHEMATICAL,
    Lettering,
    best_lettering,
    lettering_for,
    plain,
)
from nst_core.assets import ASSETS
from tests.ui.words.catalogue import catalogue

ROOT = ASSETS.parent
OWN = Lettering()  # Pillow's own font
LETTERINGS = {"own": OWN, "best": best_lettering()}


def texts() -> set[str]:
    """Every text that the figures are written with, wherever it stands."""
    files = [*(ROOT / "nst_core" / "analysis").rglob("*.py"), *(ROOT / "nst_core" / "transfer").rglob("*.py")]
    files = [file for file in files if file.name != "lettering.py"]  # which lists other languages' letters
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_letter_of_the_figures_has_a_plain_name():
    """None that is only left out, nor one by which two would be alike."""
    letters = {letter for text in texts() for letter in text if not letter.isascii() and letter.isprintable()}
    assert len(letters) > 30
    names = {letter: plain(letter) for letter in letters}
    assert all(name.isascii() and "?" not in name and name.strip() for name in names.values()), names
    greek = [name for letter, name in names.items() if "α" <= letter <= "ω"]
    assert len(greek) == len(set(greek)) > 4


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("lettering", LETTERINGS.values(), ids=LETTERINGS)
def test_nothing_of_a_figure_is_written_in_letters_that_the_font_lacks(name, lettering):
    figure = FIGURES[name]
    for text in (figure.title, figure.see, figure.equation, figure.source):
        written = lettering.written(text)
        assert all(map(lettering.has, written)) and "?" not in written


@pytest.mark.parametrize(
    ("formula", "typed"),
    [
        ("½ Σᵢⱼ (Fᵢⱼ − Pᵢⱼ)²", "1/2 Sum_ij (F_ij - P_ij)^2"),
        ("1/(4·N²·M²)", "1/(4*N^2*M^2)"),
        ("10⁻⁴", "10^-4"),
        ("xᵢy", "x_i y"),
        ("2αL + β·w₁₂", "2 alpha L + beta*w_12"),
        ("αβ", "alpha beta"),
        ("α/β", "alpha/beta"),
        ("F Fᵀ", "F F^T"),
        ("∬_Ω |∇f|² on ∂Ω", "double integral_Omega |grad f|^2 on d Omega"),
        ("x ← √v", "x <- sqrt v"),
        ("Pérez, Gordić", "Perez, Gordic"),
        ("A–C", "A-C"),
        ("2½", "2 1/2"),
        ("", ""),
        ("海", "?"),
    ],
)
def test_formulas_are_typed_as_people_type_them(formula, typed):
    assert plain(formula) == typed


def test_a_text_that_the_font_has_stays_as_it_is():
    assert OWN.written("plain words, 1e-3") == "plain words, 1e-3"


@pytest.mark.parametrize("width", [60, 150, 400])
@pytest.mark.parametrize("lettering", LETTERINGS.values(), ids=LETTERINGS)
def test_lines_are_no_wider_than_they_may_be_and_lose_nothing(lettering, width):
    text = "several words and a_very_long_one_that_no_line_holds and α/β\nits own line"
    lines = lettering.wrapped(text, 20, width)
    assert all(lettering.font(20).getlength(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == lettering.written(text).replace(" ", "").replace("\n", "")
    assert not any("line" in line and "β" in line for line in lines)


def test_words_stay_whole_where_they_fit():
    assert OWN.wrapped("one two three", 20, OWN.font(20).getlength("one two")) == ["one two", "three"]
    assert OWN.wrapped("", 20, 100) == [""]


# Other languages


class OfTwo(Lettering):
    """Two fonts, of which the second has what lies beyond ASCII."""

    def runs(self, text, size):
        pieces = groupby(text, str.isascii)
        return [("".join(letters), self.font(size if plainly else size * 2)) for plainly, letters in pieces]


def test_a_line_in_two_fonts_is_as_wide_as_its_pieces_and_they_stand_beside_each_other():
    two = OfTwo()
    assert two.length("ab\xe9cd", 20) == OWN.length("ab", 20) + OWN.length("\xe9", 40) + OWN.length("cd", 20)
    drawn = []

    class Recorder:
        def text(self, at, piece, fill, font, anchor):
            drawn.append((at[0], piece))

    two.put(Recorder(), (100, 50), "ab\xe9", 20, side="r")
    assert [piece for _, piece in drawn] == ["ab", "\xe9"]
    assert drawn[1][0] - drawn[0][0] == OWN.length("ab", 20)
    assert drawn[1][0] + OWN.length("\xe9", 40) == pytest.approx(100)


def test_chinese_is_cut_between_letters_but_not_before_a_stop():
    class Square(Lettering):
        def written(self, text):
            return text

        def length(self, text, size):
            return size * len(text)

    lines = Square().wrapped("内容与风格，（一）conv4_2 是", 10, 50)
    assert lines == ["内容与风", "格，（一）", "conv4", "_2 是"]
    assert Square().wrapped("a b\xa0c d", 10, 40) == ["a", "b\xa0c", "d"]


@pytest.fixture
def fonts(monkeypatch):
    """Fonts that are here, by name -> the letters that they have; None is Pillow's own."""

    def set_to(here: dict[str | None, str]) -> None:
        monkeypatch.setattr(module, "_is_here", lambda file: file in here)
        monkeypatch.setattr(module, "_has", lambda file, letter: letter in here[file])
        best_lettering.cache_clear()
        lettering_for.cache_clear()

    yield set_to
    monkeypatch.undo()
    best_lettering.cache_clear()
    lettering_for.cache_clear()


def test_a_language_is_written_with_the_font_of_formulas_where_that_has_its_letters(fonts):
    fonts({MATHEMATICAL[0]: module.PROOF + LETTERS["de"], None: ""})
    assert lettering_for("de") == lettering_for("en") == Lettering(MATHEMATICAL[0])


def test_letters_that_it_lacks_are_of_another_font_that_has_them_all(fonts):
    fonts({MATHEMATICAL[0]: module.PROOF, CHINESE[0]: LETTERS["zh"][1:], CHINESE[3]: LETTERS["zh"], None: ""})
    assert lettering_for("zh") == Lettering(MATHEMATICAL[0], CHINESE[3])


def test_without_a_font_that_has_its_letters_a_language_is_not_written(fonts):
    fonts({MATHEMATICAL[0]: module.PROOF, None: ""})
    assert lettering_for("zh") is None and lettering_for("de") is None and lettering_for("en") is not None
    assert lettering_for("xx") == best_lettering()  # a language that nobody knows


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_the_catalogues_letters_are_those_that_a_font_is_asked_for(language):
    marks = {letter for text in catalogue(language).values() for letter in str(text) if letter.isalpha()}
    accented = {letter for letter in marks if not letter.isascii() and "LATIN SMALL" in name(letter)}
    assert {letter for letter in accented if letter in "äöüßáéíóúñàâçèêëîïôùûœ"} <= set(LETTERS[language]) | set("é")
