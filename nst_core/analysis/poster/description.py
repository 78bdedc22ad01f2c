"""Describes a figure in words and numbers, for JSON: what it is, how it was made and what came out."""

import math
from collections.abc import Mapping
from typing import Any

from nst_core.analysis.figure import Chart, Figure, Moment, Part


def describe(figure: Figure, settings: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
    """Describe the figure without its pictures, as plain values."""
    return {
        "figure": figure.name,
        "settings": plain_values(settings),
        "title": figure.title,
        "see": figure.see,
        "equation": figure.equation,
        "source": figure.source,
        "rows": list(moment.rows),
        "columns": list(moment.columns),
        "parts": [describe_part(part) for part in moment.parts],
        "charts": [describe_chart(chart) for chart in moment.charts],
        "tables": [
            {"title": table.title, "heads": list(table.heads), "rows": [list(row) for row in table.rows]}
            for table in moment.tables
        ],
        "findings": list(moment.findings),
        "notes": list(moment.notes),
    }


def describe_part(part: Part) -> dict[str, Any]:
    """Describe a part without its picture."""
    return {
        "row": part.row,
        "column": part.column,
        "label": part.label,
        "caption": part.caption,
        "done": part.done,
        "facts": plain_values(part.facts),
        "record": part.record.to_dict() if part.record else None,
    }


def describe_chart(chart: Chart) -> dict[str, Any]:
    """Describe a chart with all its points."""
    return {
        "title": chart.title,
        "x": chart.x,
        "logarithmic": chart.logarithmic,
        "lines": {name: plain_values(points) for name, points in chart.lines.items()},
    }


def settings_line(figure: Figure, settings: Mapping[str, Any]) -> str:
    """Write all settings as the command line takes them: "size=160  ratios=1e-5, 1e-4"."""
    return "   ".join(f"{option.name}={option.text(settings[option.name])}" for option in figure.options)


def plain_values(value: Any) -> Any:
    """Make a value fit for JSON: lists for tuples, None for numbers that are none, text for what is neither."""
    if isinstance(value, Mapping):
        return {str(name): plain_values(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain_values(each) for each in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
