"""The jump: each level's map, as painting in any style makes it, beside the optimiser's walk down the same measure."""

import pytest
import torch

from nst_core import images
from nst_core.analysis.figures.jump import COLUMNS, ROWS, STYLE
from nst_core.assets import ASSETS
from nst_core.universal.decoders import LEVELS
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.analysis.figures.test_laws import made
from tests.runs import CPU


@pytest.fixture(scope="module")
def given():
    names = "photos/china_temple.jpg", "styles/dawn_window.jpg"
    return [images.fit(images.load(ASSETS / name), 64) for name in names]


@pytest.fixture(scope="module")
def last(given):
    return made("jump", given[:1], given[1:], size=64, steps=8)


def test_the_first_row_is_what_the_painter_makes_level_after_level(last, given):
    jumped = [part for part in last.parts if part.row == 0]
    assert [part.facts["level"] for part in jumped] == list(LEVELS)
    size = max(images.size_of(jumped[0].image))
    painter = UniversalPainter({STYLE: style_picture(given[1])}, CPU)
    stages = painter.stages(images.fit(given[0], size), {STYLE: 1.0})
    for part, stage in zip(jumped, stages, strict=True):
        torch.testing.assert_close(part.image, stage, rtol=0, atol=1e-4)


def test_both_rows_get_nearer_to_the_style_and_the_chart_has_them(last):
    walked = [part.facts["loss"] for part in last.parts if part.row == 1]
    assert len(walked) == len(COLUMNS) and walked == sorted(walked, reverse=True)
    (chart,) = last.charts
    photo, jumped = chart.lines[ROWS[1]][0][1], chart.lines[ROWS[0]][0][1]
    assert jumped < photo and walked[-1] < photo
    assert len(chart.lines[ROWS[1]]) == 9 and len(last.findings) == 2


def test_a_walk_of_fewer_steps_than_places_has_as_many_pictures(pictures):
    few = made("jump", pictures[:1], pictures[1:], steps=2)
    assert [part.facts["step"] for part in few.parts if part.row == 1] == [1, 2]
