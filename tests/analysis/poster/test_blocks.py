"""Words as pictures."""

import numpy as np
import pytest

from nst_core.analysis.poster.blocks import SPACE, draw_bullets, draw_formula, draw_text, stacked
from nst_core.analysis.poster.lettering import Lettering, best_lettering

LETTERINGS = {"own": Lettering(), "best": best_lettering()}


def ink(block) -> np.ndarray:
    """(H, W): how dark each pixel is, 0 to 255."""
    return 255 - np.asarray(block.convert("L")).astype(int)


def rows(block) -> tuple[int, int]:
    """The first and the last row with ink."""
    found = np.nonzero(ink(block).max(1) > 60)[0]
    return found.min(), found.max()


@pytest.mark.parametrize("lettering", LETTERINGS.values(), ids=LETTERINGS)
def test_an_index_is_small_and_stands_below_the_line_a_power_above(lettering):
    plain, lowered, raised = (draw_formula(text, 400, 60, lettering) for text in ("x x", "x_x", "x^X"))
    assert rows(lowered)[0] == rows(plain)[0] and rows(lowered)[1] > rows(plain)[1] + 5
    assert rows(raised)[0] < rows(plain)[0] - 5
    assert ink(lowered).sum() < 0.95 * ink(plain).sum()


@pytest.mark.parametrize("lettering", LETTERINGS.values(), ids=LETTERINGS)
def test_indices_look_alike_however_they_are_typed(lettering):
    one, other = (draw_formula(text, 400, 60, lettering) for text in ("F_ij^2", "Fᵢⱼ²"))
    assert one.tobytes() == other.tobytes()


def test_a_formula_without_indices_is_a_text():
    given = ("a + b = c\nd", 400, 40, LETTERINGS["own"])
    assert draw_formula(*given).tobytes() == draw_text(*given).tobytes()


@pytest.mark.parametrize("lettering", LETTERINGS.values(), ids=LETTERINGS)
def test_no_line_of_a_formula_touches_the_next_or_the_side(lettering):
    for text in ("L_style = Σ_l w_l E_l", "(Fᵢⱼ − Pᵢⱼ)²", "min_f ∬_Ω |∇f − v|²", "W_gq^2"):
        one, two = (ink(draw_formula(lines, 700, 50, lettering)) for lines in (text, f"{text}\n{text}"))
        np.testing.assert_array_equal(two[: len(one)], one)
        assert one[:1].max() == 0 and one[:, -1].max() == 0


@pytest.mark.parametrize("draw", [draw_text, draw_formula, lambda text, *given: draw_bullets([text], *given)])
def test_more_words_make_a_block_higher_not_wider(draw):
    few, many = (draw("words and more of them " * times, 500, 30, LETTERINGS["own"]) for times in (1, 9))
    assert few.width == many.width == 500 and many.height > 3 * few.height
    assert ink(many)[:, -1].max() == 0


def test_nothing_said_is_no_block():
    assert draw_text("", 500, 30, LETTERINGS["own"]) is None
    assert draw_bullets([], 500, 30, LETTERINGS["own"]) is None


def test_blocks_stand_below_each_other_within_the_margin():
    blocks = [draw_text(text, 300, 30, LETTERINGS["own"]) for text in ("one", "two\nlines")]
    paper = stacked(blocks, 50)
    assert paper.size == (400, sum(block.height for block in blocks) + SPACE + 100)
    assert paper.crop((50, 50, 350, 50 + blocks[0].height)).tobytes() == blocks[0].tobytes()
    assert paper.crop((50, paper.height - 50 - blocks[1].height, 350, paper.height - 50)).tobytes() == (
        blocks[1].tobytes()
    )
