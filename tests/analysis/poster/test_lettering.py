"""What words on pictures are written with."""

import ast

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster.lettering import Lettering, best_lettering, plain
from nst_core.assets import ASSETS

ROOT = ASSETS.parent
OWN = Lettering()  # Pillow's own font
LETTERINGS = {"own": OWN, "best": best_lettering()}


def texts() -> set[str]:
    """Every text that the figures are written with, wherever it stands."""
    files = [*(ROOT / "nst_core" / "analysis").rglob("*.py"), *(ROOT / "nst_core" / "transfer").rglob("*.py")]
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
