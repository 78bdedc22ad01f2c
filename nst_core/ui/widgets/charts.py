"""Writes a figure's charts and tables as HTML: every line has a name, and what belongs to it has its colour."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from nst_core.analysis.figure import Chart, Table
from nst_core.analysis.poster.chart import Points, points_of, ticks, vertical_axis, written

MOST_POINTS = 120  # of a line


def chart_html(chart: Chart, colors: Mapping[str, str]) -> str:
    """Write the chart with its title, axes and legend; "" before there is a point."""
    lines = {name: _thinned(points) for name, points in chart.lines.items()}
    title = f"{chart.title}; across: {chart.x}"
    plot = plot_html(lines, colors, logarithmic=chart.logarithmic, label=title)
    legend = legend_html({name: points[-1][1] if points else None for name, points in chart.lines.items()}, colors)
    return f'<figure class="chart"><figcaption>{escape(title)}</figcaption>{plot}{legend}</figure>' if plot else ""


def plot_html(lines: Mapping[str, Points], colors: Mapping[str, str], *, logarithmic: bool, label: str) -> str:
    """Lines between two axes; "" before there is a point.

    Args:
        lines: name -> points (x, y), x from 0.
        colors: name -> its colour.
        logarithmic: whether y is shown as its power of ten; what has none is left out.
        label: what is said of it to those who do not see it.
    """
    drawn = {name: points_of(points, logarithmic) for name, points in lines.items()}
    points = [point for line in drawn.values() for point in line]
    if not points:
        return ""
    width = max(x for x, _ in points) or 1.0
    low, high, heights = vertical_axis([y for _, y in points], logarithmic)
    paths = "".join(
        f'<polyline points="{_path(line, width, low, high)}" style="--term: {colors[name]}"'
        f' data-line="{escape(name, quote=True)}"/>'
        for name, line in drawn.items()
        if line
    )
    room = max(len(text) for _, text in heights)
    return (
        f'<div class="plot" role="img" aria-label="{escape(label, quote=True)}" style="--letters: {room}">'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
        f"{_axis('y', low, high, heights)}"
        f"{_axis('x', 0, width, [(x, f'{x:.9g}') for x in ticks(0, width)])}"
        "</div>"
    )


def legend_html(values: Mapping[str, float | None], colors: Mapping[str, str]) -> str:
    """List lines with their last values, those that have none yet with a dash."""
    entries = "".join(
        f'<li style="--term: {colors[name]}" data-line="{escape(name, quote=True)}"><span>{escape(name)}</span> '
        f"<b>{'–' if value is None else written(value)}</b></li>"
        for name, value in values.items()
    )
    return f'<ul class="legend">{entries}</ul>'


def table_html(table: Table, colors: Mapping[str, str]) -> str:
    """Write the table; a row that belongs to a chart's line has its colour, one of a term lights its lines."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    lines = table.lines or ("",) * len(table.rows)
    rows = "".join(_row(table, row, line, colors) for row, line in zip(table.rows, lines, strict=True))
    return (
        f'<div class="figure-table"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(table: Table, row: tuple[str, ...], line: str, colors: Mapping[str, str]) -> str:
    kinds = (' translate="no"' * table.is_code(column) for column in range(len(row)))
    cells = "".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row, strict=True))
    name = escape(line, quote=True)
    if line not in colors:
        lights = bool(line) and (line == "total" or any(one.startswith(f"{line} ") for one in colors))
        return f'<tr class="of-term" tabindex="0" data-term="{name}">{cells}</tr>' if lights else f"<tr>{cells}</tr>"
    color = colors[line]
    return f'<tr class="lined" tabindex="0" style="--term: {color}" data-line="{name}">{cells}</tr>'


def _thinned(points: Points) -> Points:
    """MOST_POINTS of them or so, with the first and the last."""
    every = max(1, math.ceil(len(points) / MOST_POINTS))
    return [*points[:-1:every], *points[-1:]]


def _path(line: Points, width: float, low: float, high: float) -> str:
    return " ".join(f"{100 * x / width:.1f},{100 * (high - y) / (high - low):.1f}" for x, y in line)


def _axis(name: str, low: float, high: float, ticks: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<span class="{name}" style="--at: {100 * (value - low) / (high - low):.1f}%">{label}</span>'
        for value, label in ticks
    )
