"""Charts and tables as pictures."""

import math

import numpy as np
import pytest
from PIL import Image, ImageColor

from nst_core.analysis.figure import Chart, Table
from nst_core.analysis.poster.chart import COLORS, MOST_TICKS, colors_of, draw_chart, points_of, ticks, written
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.table import draw_table

OWN = Lettering()


def drawn(lines, logarithmic=True, width=600, title="loss") -> Image.Image | None:
    chart = Chart(title, "step", lines, logarithmic)
    return draw_chart(chart, colors_of([chart]), width, 20, OWN)


def of_color(picture: Image.Image, color: str) -> tuple[np.ndarray, np.ndarray]:
    """(ys, xs) of the pixels that have a colour."""
    near = np.abs(np.asarray(picture).astype(int) - ImageColor.getrgb(color)).max(-1) < 12
    return np.nonzero(near)


def axes_only(picture: Image.Image) -> Image.Image:
    """Without the legend below."""
    return picture.crop((0, 0, picture.width, picture.height - 60))


@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_falling_line_falls(logarithmic):
    picture = drawn({"a": [(0, 100.0), (10, 1.0)]}, logarithmic)
    ys, xs = of_color(axes_only(picture), COLORS[0])
    left, right = xs < np.percentile(xs, 20), xs > np.percentile(xs, 80)
    assert ys[left].mean() < ys[right].mean() - 100


def test_equal_factors_are_equal_ways_on_a_logarithmic_axis():
    picture = drawn({"a": [(0, 1000.0), (1, 100.0), (2, 10.0)]})
    ys, xs = of_color(axes_only(picture), COLORS[0])
    middle = np.abs(xs - (xs.min() + xs.max()) / 2) < 3
    assert ys[middle].mean() == pytest.approx((ys.min() + ys.max()) / 2, abs=6)


def test_every_line_has_a_colour_and_stands_in_the_legend():
    lines = {f"line {number}": [(0, 10.0 + number), (5, 1.0 + number)] for number in range(len(COLORS))}
    picture = drawn(lines)
    assert len(set(colors_of([Chart("", "", lines)]).values())) == len(COLORS)
    for color in COLORS:
        assert len(of_color(picture, color)[0]) > 50


def test_two_lines_of_one_colour_are_told_apart():
    flat = {f"{number}": [(0, 2.0**number), (9, 2.0**number)] for number in range(len(COLORS) + 1)}
    picture = np.asarray(axes_only(drawn(flat, width=1200)))
    column = np.abs(picture[:, 600].astype(int) - ImageColor.getrgb(COLORS[0])).max(-1) < 12
    rows = np.nonzero(column)[0]
    runs = np.split(rows, np.nonzero(np.diff(rows) > 1)[0] + 1)
    assert len(runs) == 3  # a full line, and two edges of a hollow one


def test_one_line_has_one_colour_in_all_charts():
    one, other = Chart("", "", {"a": (), "b": ()}), Chart("", "", {"b": (), "c": ()})
    assert colors_of([one, other]) == {"a": COLORS[0], "b": COLORS[1], "c": COLORS[2]}


def test_what_has_no_place_on_an_axis_is_left_out():
    points = [(0, 1.0), (1, 0.0), (2, math.nan), (3, math.inf), (4, 100.0)]
    assert points_of(points, True) == [(0, 0.0), (4, 2.0)]
    assert points_of(points, False) == [(0, 1.0), (1, 0.0), (4, 100.0)]


@pytest.mark.parametrize("lines", [{}, {"a": []}, {"a": [(0, 0.0)]}, {"a": [(0, math.nan)]}])
def test_a_chart_without_a_point_is_none(lines):
    assert drawn(lines) is None


@pytest.mark.parametrize("point", [(0, 1.0), (0, 3.7), (7, 1e-30), (0.001, 1e30), (-3, 2.0)])
@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_point_alone_is_seen(point, logarithmic):
    picture = drawn({"a": [point], "none yet": []}, logarithmic)
    assert len(of_color(axes_only(picture), COLORS[0])[0]) > 10


@pytest.mark.parametrize("extent", [(0, 1), (0, 7), (-3, 2), (0, 500), (0, 0.0004), (-12, 10), (0, 1e9), (2.5, 2.6)])
def test_ticks_are_few_and_round_and_inside(extent):
    low, high = extent
    found = ticks(low, high)
    assert 2 <= len(found) <= MOST_TICKS
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    assert all(len(f"{tick:e}".split("e")[0].strip("-").rstrip("0.").replace(".", "")) <= 3 for tick in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (25.0, "25"),
        (1.0512, "1.05"),
        (0.0125, "0.0125"),
        (25_449.0, "25,400"),
        (2.59e-5, "2.6 × 10⁻⁵"),
        (1e-4, "10⁻⁴"),
        (-3e12, "-3 × 10¹²"),
        (999_999.0, "1,000,000"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_written_as_people_read_them(value, text):
    assert written(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize("value", [1.07, 1.0725, 2.595e-5, 123_456.0, 8.25e11])
def test_an_axis_tells_every_digit_it_is_asked_for(value):
    assert written(value, 12).replace("\u00a0", " ") in {"1.07", "1.0725", "2.595 × 10⁻⁵", "123,456", "8.25 × 10¹¹"}


def test_long_names_make_the_legend_higher_not_wider():
    names = {f"a line with a long name, number {number}": [(0, 1.0), (1, 2.0)] for number in range(6)}
    few, many = drawn({"a": [(0, 1.0), (1, 2.0)]}), drawn(names)
    assert many.width == few.width and many.height > few.height + 2 * 20


TABLE = Table(
    "What it costs", ("term", "formula"), (("content", "½ Σ (F − P)² " * 8), ("style", "short")), ("", "style")
)


@pytest.mark.parametrize("width", [300, 900])
def test_a_table_is_as_wide_as_it_may_be_and_wraps_its_texts(width):
    picture = draw_table(TABLE, {}, width, 20, OWN)
    assert picture.width == width
    pixels = np.asarray(picture)
    assert (pixels[:, -6:].min(-1) > 200).all()  # no letter is cut off
    assert picture.height > (4 if width > 500 else 6) * 20


def test_a_row_has_the_colour_of_its_line():
    plain, marked = (draw_table(TABLE, colors, 600, 20, OWN) for colors in ({}, {"style": COLORS[3]}))
    assert len(of_color(plain, COLORS[3])[0]) == 0 < len(of_color(marked, COLORS[3])[0])
    assert of_color(marked, COLORS[3])[0].min() > marked.height / 2
