"""Writes what stands beside a figure: what one sees, and the equation, whose terms light their lines in the chart."""

import re
from html import escape

from nst_core.analysis.figure import in_remarks
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain.examples import example_of

TERM = re.compile(r"L_(total|content|style)\b|total variation")  # of an equation


def words_html(name: str) -> str:
    """Write what one sees in a figure, and the equation behind it."""
    figure = FIGURES[name]
    remarks = [escape(remark) for remark in figure.remarks]
    equation = in_remarks(escape(figure.equation), remarks, '<span class="remark">{}</span>'.format)
    equation = "".join(f"<div>{line}</div>" for line in equation.splitlines())
    equation = TERM.sub(lambda found: _pointing(found, name), equation)
    equation = re.sub(r"_(\w+)", r"<sub>\1</sub>", equation)
    return (
        f'<section class="figure-words"><h2>{escape(figure.title)}</h2><p>{escape(figure.see)}</p>'
        f'<div class="equation">{equation}</div><p class="source">{escape(figure.source)}</p></section>'
    )


def _pointing(found: re.Match[str], name: str) -> str:
    """Make a button of a term that has lines in the figure's charts: pointed at, focused or pressed, it lights them."""
    term, example = found[1] or found[0], example_of(name)
    lines = [line for chart in example.moment.charts for line in chart.lines] if example else []
    if not any(line == term or (term != "total" and line.startswith(f"{term} ")) for line in lines):
        return found[0]
    return (
        f'<button type="button" class="term" data-term="{term}" aria-pressed="false" '
        f'title="Its lines in the chart">{found[0]}</button>'
    )
