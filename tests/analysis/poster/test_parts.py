"""Pictures in their places: what stands beside them."""

import pytest
import torch

from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.poster.lettering import best_lettering
from nst_core.analysis.poster.parts import draw_parts
from nst_core.analysis.poster.placed import lines_on


@pytest.mark.parametrize("width", [1760, 2280])
def test_no_word_of_a_row_label_is_cut(width):
    rows = ("Merkmalskarten", "Kanäle 41 und 113")
    parts = tuple(Part(row, column, "", None) for row in (0, 1) for column in (0, 1, 2))
    lines = [line.text for line in lines_on(draw_parts(Moment(rows, ("a", "b", "c"), parts), width, best_lettering()))]
    assert "Merkmalskarten" in lines
    assert " ".join(lines).endswith("Kanäle 41 und 113")


def test_pictures_are_as_wide_as_a_height_allows_and_letters_no_smaller_than_is_needed():
    parts = tuple(
        Part(row, column, "", torch.zeros(1, 3, 30, 20), "some words on it") for row in (0, 1, 2) for column in (0, 1)
    )
    moment, letters = Moment(("", "", ""), ("a", "b"), parts), best_lettering()
    free, low = draw_parts(moment, 1760, letters), draw_parts(moment, 1760, letters, 800)
    assert free.height > 2000 and 700 < low.height <= 800 and low.width == 1760
    sizes = {line.size for line in lines_on(low)}
    assert len(sizes) == 1 and 22 <= min(sizes) <= max(line.size for line in lines_on(free))
