"""A figure's charts and tables as HTML: every line has a name, and what belongs to it has its colour."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from nst_core.analysis.figure import Chart, Table
from nst_core.analysis.poster.chart import SUPERSCRIPTS, Points, points_of, ticks

MOST_POINTS = 120  # of a line


def chart_html(chart: Chart, colors: Mapping[str, str]) -> str:
    """The chart with its title, axes and legend; "" before there is a point."""
    lines = {name: points_of(_thinned(points), chart.logarithmic) for name, points in chart.lines.items()}
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    width = max(x for x, _ in points) or 1.0
    low, high = min(y for _, y in points), max(y for _, y in points)
    if chart.logarithmic:
        low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    else:
        low, high = min(0.0, low), high if high > low else low + 1
    drawn = "".join(
        f'<polyline points="{_path(line, width, low, high)}" style="--term: {colors[name]}"'
        f' data-line="{escape(name, quote=True)}"/>'
        for name, line in lines.items()
        if line
    )
    legend = "".join(
        f'<li style="--term: {colors[name]}" data-line="{escape(name, quote=True)}"><span>{escape(name)}</span> '
        f"<b>{points[-1][1] if points else 0:.3g}</b></li>"
        for name, points in chart.lines.items()
    )
    title = f"{chart.title}; across: {chart.x}"
    labels = [(y, _power(y) if chart.logarithmic else f"{y:g}") for y in ticks(low, high)]
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<div class="plot" role="img" aria-label="{escape(title, quote=True)}">'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
        f"{_axis('y', low, high, labels)}"
        f"{_axis('x', 0, width, [(x, f'{x:g}') for x in ticks(0, width)])}"
        "</div>"
        f'<ul class="legend">{legend}</ul></figure>'
    )


def table_html(table: Table, colors: Mapping[str, str]) -> str:
    """The table; a row that belongs to a chart's line has its colour."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    lines = table.lines or ("",) * len(table.rows)
    rows = "".join(_row(row, line, colors) for row, line in zip(table.rows, lines, strict=True))
    return (
        f'<div class="figure-table"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(row: tuple[str, ...], line: str, colors: Mapping[str, str]) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in row)
    if line not in colors:
        return f"<tr>{cells}</tr>"
    return f'<tr class="lined" style="--term: {colors[line]}" data-line="{escape(line, quote=True)}">{cells}</tr>'


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


def _power(exponent: float) -> str:
    return "10" + f"{exponent:g}".translate(SUPERSCRIPTS) if exponent == round(exponent) else ""
