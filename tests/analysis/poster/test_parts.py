"""Pictures in their places: what stands beside them."""

import pytest

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
