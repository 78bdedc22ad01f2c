"""A figure's pictures, charts and tables as the page has them."""

import base64
import dataclasses
import io
import math
import re
from html import unescape
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from nst_core.analysis.figure import Chart, Moment, Part, Table
from nst_core.analysis.poster.chart import MOST_TICKS, colors_of
from nst_core.ui.explain import figure_table as module
from nst_core.ui.explain.figure_table import MAX_SIDE, Figures, FigureView
from nst_core.ui.widgets.charts import MOST_POINTS, chart_html, table_html

ODD = "<b>\"5\" > '4' & α</b>"


def picture(seed: int = 0, height: int = 30, width: int = 40) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def moment_of(*parts: Part, rows: int = 2, columns: int = 2, **more) -> Moment:
    return Moment(("",) * rows, ("",) * columns, parts, **more)


def shown(moment: Moment) -> dict:
    return Figures().shows(moment, busy=False)


def opened(uri: str) -> Image.Image:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.fixture
def encoded(monkeypatch) -> list[torch.Tensor]:
    """The images that JPEGs were made of."""
    seen, data_uri = [], module.data_uri
    monkeypatch.setattr(module, "data_uri", lambda image, **more: (seen.append(image), data_uri(image, **more))[1])
    return seen


# Pictures


def test_a_picture_is_encoded_once_as_long_as_it_is_the_same(encoded):
    figures, one, other = Figures(), picture(0), picture(1)
    first = figures.shows(moment_of(Part(0, 0, "a", one), Part(1, 1, "b", other)), busy=True)
    again = figures.shows(moment_of(Part(0, 0, "a", one, "new words", True), Part(1, 1, "b", other)), busy=True)
    assert len(encoded) == 2 and encoded[0] is one and encoded[1] is other
    assert again["rows"][0][0]["picture"] == first["rows"][0][0]["picture"] != first["rows"][1][1]["picture"]
    assert again["rows"][0][0]["caption"] == "new words"


def test_a_picture_that_changed_is_encoded_again(encoded):
    figures, before = Figures(), picture()
    for image in (before, before.clone(), picture(1)):
        now = figures.shows(moment_of(Part(0, 0, "a", image)), busy=True)
    assert len(encoded) == 3 and now == shown(moment_of(Part(0, 0, "a", image))) | {"busy": True}


def test_the_same_picture_at_two_places_is_shown_at_both():
    image = picture()
    rows = shown(moment_of(Part(0, 0, "a", image), Part(1, 0, "b", image)))["rows"]
    assert rows[0][0]["picture"] == rows[1][0]["picture"] != ""


def test_places_without_a_part_are_empty_and_a_part_may_wait_for_its_picture(encoded):
    value = shown(moment_of(Part(0, 1, "a", picture()), Part(1, 0, "b", None), rows=3))
    rows = value["rows"]
    assert [[part is not None for part in row] for row in rows] == [[False, True], [True, False], [False, False]]
    assert rows[1][0]["picture"] == "" and rows[1][0]["aspect"] > 0 and rows[0][1]["picture"] and len(encoded) == 1


def test_a_figure_that_has_only_begun_has_a_column():
    value = shown(Moment((), (), ()))
    assert (value["columns"], value["rows"], value["charts"], value["findings"]) == (1, [], "", "")


@pytest.mark.parametrize(
    ("height", "width", "crisp"), [(30, 40, True), (99, 10, True), (100, 10, False), (500, 800, False)]
)
def test_a_picture_keeps_its_shape_and_small_ones_their_pixels(height, width, crisp):
    part = shown(moment_of(Part(0, 0, "a", picture(0, height, width))))["rows"][0][0]
    assert part["aspect"] == pytest.approx(width / height, abs=1e-3) and part["crisp"] == "crisp" * crisp
    across, down = opened(part["picture"]).size
    assert max(across, down) == min(MAX_SIDE, max(height, width))
    assert across / down == pytest.approx(width / height, rel=0.02)


def test_all_text_is_escaped():
    part = Part(0, 0, ODD, picture(), ODD)
    line, table = Chart(ODD, ODD, {ODD: [(0, 1.0), (2, 3.0)]}), Table(ODD, (ODD,), ((ODD,),), (ODD,))
    moment = Moment((ODD,), (ODD,), (part,), (line,), (table,), findings=(ODD,), notes=(ODD,))
    value = shown(moment)
    (cell,) = value["rows"][0]
    texts = [*value["heads"], *value["sides"], cell["label"], cell["caption"]]
    assert all(unescape(text) == ODD and not set(text) & set("<>") for text in texts)
    assert not set(cell["label"]) & set("\"'")  # it stands in an attribute
    for name in ("charts", "tables", "findings"):
        root = ElementTree.fromstring(f"<div>{value[name]}</div>")
        assert ODD in "".join(root.itertext()) and not any(
            element.tag == "b" and element.text == ODD for element in root
        )
        assert "<b>&" not in value[name] and value[name].count("&lt;b&gt;") >= 1


def test_findings_come_before_notes():
    value = shown(moment_of(findings=("found", "too"), notes=("odd",)))
    assert [(p.text, p.get("class")) for p in ElementTree.fromstring(f"<div>{value['findings']}</div>")] == [
        ("found", ""),
        ("too", ""),
        ("odd", "note"),
    ]


@pytest.mark.parametrize(("rows", "sided"), [(("", ""), False), (("", "b"), True)])
def test_a_side_without_words_takes_no_room(rows, sided):
    assert shown(Moment(rows, ("a",), ()))["sided"] is sided


def test_the_view_takes_a_figure_or_nothing_and_tells_of_a_click():
    value = shown(moment_of(Part(0, 0, "a", picture())))
    assert FigureView(value).value == value and FigureView().value is None and callable(FigureView().look)


# Charts


def chart(logarithmic: bool = True, **lines) -> Chart:
    return Chart("loss", "step", lines, logarithmic)


def drawn(made: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart_html(made, colors_of([made])))


def points_of(root: ElementTree.Element) -> dict[str, list[tuple[float, float]]]:
    """line -> its points, percent of the width from the left and of the height from the top."""
    return {
        line.get("data-line"): [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in root.iter("polyline")
    }


def legend_of(root: ElementTree.Element) -> dict[str, str]:
    """line -> its last value."""
    return {item.get("data-line"): item.find("b").text for item in root.iter("li")}


def ticks_of(root: ElementTree.Element, axis: str) -> list[tuple[float, str]]:
    """(percent of the axis, what it says)."""
    marks = [span for span in root.iter("span") if span.get("class") == axis]
    return [(float(mark.get("style").removeprefix("--at: ").removesuffix("%")), mark.text or "") for mark in marks]


def test_points_lie_where_their_logarithms_do():
    root = drawn(chart(a=[(0, 1000.0), (5, 100.0), (10, 10.0)]))
    assert points_of(root) == {"a": [(0, 0), (50, 50), (100, 100)]} and legend_of(root) == {"a": "10"}
    assert [(at, text) for at, text in ticks_of(root, "y") if text] == [(0, "10¹"), (50, "10²"), (100, "10³")]


def test_points_of_an_even_axis_lie_where_they_are_above_0():
    root = drawn(chart(False, a=[(0, 20.0), (10, 80.0)], b=[(4, 0.0)]))
    assert points_of(root) == {"a": [(0, 75), (100, 0)], "b": [(40, 100)]}
    assert [text for _, text in ticks_of(root, "y")] == ["0", "20", "40", "60", "80"]


def test_a_line_of_zeros_on_a_logarithmic_axis_has_no_point_but_a_place_in_the_legend():
    root = drawn(chart(zero=[(0, 0.0), (9, 0.0)], a=[(0, 2.0), (9, 1.0)]))
    assert list(points_of(root)) == ["a"] and legend_of(root) == {"zero": "0", "a": "1"}


def test_a_line_without_a_point_yet_has_no_number_in_the_legend():
    assert legend_of(drawn(chart(a=[(0, 2.0), (9, 1.0)], later=[])))["later"] == "–"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_what_a_logarithmic_axis_has_no_place_for_is_left_out(bad):
    assert points_of(drawn(chart(a=[(0, 100.0), (5, bad), (10, 10.0)]))) == {"a": [(0, 0), (100, 100)]}


@pytest.mark.parametrize("lines", [{}, {"a": []}, {"a": [(0, 0.0)], "b": [(1, math.nan)]}])
def test_there_is_no_chart_before_there_is_a_point(lines):
    assert chart_html(chart(**lines), colors_of([chart(**lines)])) == ""


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize("line", [[(0, 5.0)], [(0, 5.0), (7, 5.0)], [(0, 1.0)], [(0, 1e-30), (3, 1e-30)], [(2, 1e9)]])
def test_a_line_without_extent_is_drawn_all_the_same(logarithmic, line):
    root = drawn(chart(logarithmic, a=line))
    assert all(0 <= value <= 100 for point in points_of(root)["a"] for value in point)


@pytest.mark.parametrize("count", [1, 2, MOST_POINTS, MOST_POINTS + 1, MOST_POINTS + 2, 1000, 12345])
def test_a_line_of_many_points_is_thinned_and_keeps_its_ends(count):
    line = [(step, 10.0 ** (3 - step / count)) for step in range(count)]
    points = points_of(drawn(chart(a=line, ends=[line[0], line[-1]])))
    assert points["a"][0] == points["ends"][0] and points["a"][-1] == points["ends"][-1]
    assert min(count, MOST_POINTS // 2) <= len(points["a"]) <= MOST_POINTS + 1
    assert points["a"] == sorted(points["a"])


def extents() -> list[tuple[float, float]]:
    """(low, high) of many orders of magnitude."""
    chance = torch.Generator().manual_seed(5)
    spread = (10 ** (12 * torch.rand(200, generator=chance, dtype=torch.float64) - 5)).tolist()
    return [(value / 3, value) for value in spread] + [
        (1.0, value) for value in (2.0, 3, 5, 6, 7, 10, 30, 60, 100, 500)
    ]


@pytest.mark.parametrize("logarithmic", [True, False])
def test_ticks_are_round_few_and_within_the_axis(logarithmic):
    for low, high in extents():
        root = drawn(chart(logarithmic, a=[(0, low), (high, high)]))
        for axis in "xy":
            ticks = ticks_of(root, axis)
            assert 2 <= len(ticks) <= MOST_TICKS and all(0 <= at <= 100 for at, _ in ticks), (low, high)
            even = axis == "x" or not logarithmic
            values = [number(text) for _, text in ticks]
            places = values if even else [math.log10(value) for value in values]
            shares = [at / (ticks[-1][0] - ticks[0][0]) for at, _ in ticks]
            wanted = [place / (places[-1] - places[0]) for place in places]
            off = [(at - shares[0]) - (place - wanted[0]) for at, place in zip(shares, wanted, strict=True)]
            assert max(map(abs, off)) < 0.01, (low, high)
            if even:
                assert values[0] == 0 and f"{values[1]:.0e}"[0] in "125" and values[1] == float(f"{values[1]:.0e}")


def number(text: str) -> float:
    """What a label says."""
    plain = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    if match := re.fullmatch(r"(?:(.*)\u00a0×\u00a0)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        return float(f"{match[1] or 1}e{match[2].translate(plain)}")
    return float(text.replace(",", ""))


@pytest.mark.parametrize("scale", [1e-7, 1e-5, 0.02, 1, 340, 2e5, 1e9])
@pytest.mark.parametrize("factor", [1.002, 1.06, 2.5, 8])
def test_lines_within_a_power_of_ten_fill_a_logarithmic_axis_whose_labels_say_where_they_are(scale, factor):
    root = drawn(chart(a=[(0, factor * scale), (4, scale)]))
    (_, top), (_, bottom) = points_of(root)["a"]
    assert top < 10 and bottom > 90
    ticks = ticks_of(root, "y")
    decades = math.log10(factor) / (bottom - top)  # in a percent
    assert 2 <= len(ticks) <= MOST_TICKS
    for at, text in ticks:
        assert math.log10(number(text) / scale) == pytest.approx((at - 100 + bottom) * decades, abs=0.15 * decades)


@pytest.mark.parametrize("magnitudes", [1, 2, 7, 12, 40, 300])
def test_a_logarithmic_axis_is_marked_in_powers_of_ten(magnitudes):
    texts = [text for _, text in ticks_of(drawn(chart(a=[(0, 1.0), (1, 10.0**-magnitudes)])), "y") if text]
    assert len(texts) >= 2 and texts[-1] == "10⁰" and all(text.startswith("10") for text in texts)


def test_a_line_has_one_colour_in_every_chart_and_its_row():
    first, second = chart(a=[(0, 1.0)], b=[(0, 1.0)]), chart(c=[(0, 1.0)], b=[(0, 2.0)], a=[(0, 0.0)])
    colors = colors_of([first, second])
    assert list(colors) == ["a", "b", "c"] and len(set(colors.values())) == 3
    for made in (first, second):
        root = ElementTree.fromstring(chart_html(made, colors))
        for element in root.iter():
            if line := element.get("data-line"):
                assert element.get("style") == f"--term: {colors[line]}"
        assert legend_of(root).keys() == made.lines.keys()
    table = Table("", ("x",), (("1",), ("2",)), ("c", "b"))
    rows = ElementTree.fromstring(table_html(table, colors)).iter("tr")
    assert [row.get("style") for row in rows][1:] == [f"--term: {colors['c']}", f"--term: {colors['b']}"]


def test_there_are_colours_for_any_number_of_lines():
    many = chart(**{f"line {number}": [(0, number + 1.0)] for number in range(60)})
    assert len(points_of(drawn(many))) == 60


# Tables


def test_a_table_has_all_its_cells_and_rows_belong_to_lines():
    table = Table("terms", ("name", "now"), (("a", "1"), ("b", "2"), ("total", "3")), ("a", "unknown", ""))
    root = ElementTree.fromstring(table_html(table, {"a": "#123456"}))
    assert root.find(".//caption").text == "terms" and [head.text for head in root.iter("th")] == ["name", "now"]
    _, *rows = root.iter("tr")
    assert [[cell.text for cell in row] for row in rows] == [list(row) for row in table.rows]
    assert [row.get("data-line") for row in rows] == ["a", None, None]
    assert rows[0].get("class") == "lined" and "#123456" in rows[0].get("style")


def test_a_table_may_belong_to_no_line_but_not_to_some():
    table = Table("", ("x",), (("1",), ("2",)))
    assert "data-line" not in table_html(table, {"1": "red"})
    with pytest.raises(ValueError):
        table_html(dataclasses.replace(table, lines=("1",)), {})
