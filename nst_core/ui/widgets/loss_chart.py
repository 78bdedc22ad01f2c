"""The losses of a run as a chart that stays small however long it goes on.

Our own SVG rather than gradio's LinePlot, each update of which takes a quarter of a second of browser time from a
painting on the same machine.
"""

import math
from html import escape

from nst_core.analysis.poster.chart import COLORS, CONTENT_COLOR, SUPERSCRIPTS, TOTAL_COLOR
from nst_core.transfer.optimize import Frame

CHART_POINTS = 100  # for each line
MOST_TICKS = 6  # on either axis


class LossHistory:
    """The losses so far, thinned so that a chart of any run stays small."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, dict[str, float]]] = []
        self.last: tuple[int, dict[str, float]] = (0, {})
        self.every = 1

    def add(self, frame: Frame) -> None:
        """Keep a frame's losses if it is one of each `every`."""
        self.note(frame.step, {**frame.losses, "total": frame.total})

    def note(self, step: int, losses: dict[str, float]) -> None:
        """Keep a step's losses if it is one of each `every`."""
        self.last = (step, losses)
        if step % self.every == 0:
            self.frames.append(self.last)
        if len(self.frames) > CHART_POINTS:
            self.every *= 2
            self.frames = [kept for kept in self.frames if kept[0] % self.every == 0]

    def lines(self) -> dict[str, list[tuple[int, float]]]:
        """term -> (step, log₁₀ of its loss), to the last step; a loss of 0 has no logarithm and no point."""
        frames = self.frames if self.last in self.frames else [*self.frames, self.last]
        return {
            term: [(step, math.log10(losses[term])) for step, losses in frames if 0 < losses[term] < math.inf]
            for term in self.last[1]
        }

    def html(self, run: str = "") -> str:
        """The chart: a line for each term over a logarithmic axis, and a legend with the losses of the last step.

        Args:
            run: the token of a run that goes on, whose preview may replace this chart.
        """
        lines = self.lines()
        points = [point for line in lines.values() for point in line]
        if not points:
            return f'<figure class="chart" data-run="{run}"></figure>'
        width = max(1, max(step for step, _ in points))
        low, high = math.floor(min(y for _, y in points)), math.ceil(max(y for _, y in points))
        high = max(high, low + 1)
        colors = _colors(list(lines))
        drawn = "".join(
            f'<polyline points="{_points(line, width, low, high)}" style="--term: {colors[term]}"/>'
            for term, line in lines.items()
        )
        step, losses = self.last
        legend = "".join(
            f'<li style="--term: {colors[term]}"><span>{escape(term)}</span> <b>{value:.3g}</b></li>'
            for term, value in losses.items()
        )
        return (
            f'<figure class="chart" data-run="{run}">'
            f'<div class="plot" role="img" aria-label="Losses up to step {step}, on a logarithmic axis">'
            f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
            f"{_axis('y', low, high - low, [(y, _power(y)) for y in _ticks(low, high)])}"
            f"{_axis('x', 0, width, [(x, str(x)) for x in _ticks(0, width)])}</div>"
            f'<figcaption>weighted losses at step {step}<ul class="legend">{legend}</ul></figcaption></figure>'
        )


def _colors(terms: list[str]) -> dict[str, str]:
    inner = iter(COLORS * (1 + len(terms) // len(COLORS)))
    fixed = {"total": TOTAL_COLOR, "content": CONTENT_COLOR}
    return {term: fixed.get(term.split()[0]) or next(inner) for term in terms}


def _points(line: list[tuple[int, float]], width: int, low: int, high: int) -> str:
    return " ".join(f"{100 * x / width:.1f},{100 * (high - y) / (high - low):.1f}" for x, y in line)


def _ticks(low: int, high: int) -> list[int]:
    """Whole, round numbers from low to high, at most MOST_TICKS."""
    steps = (unit * 10**power for power in range(9) for unit in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step < MOST_TICKS)
    return list(range(-(-low // step) * step, high + 1, step))


def _axis(name: str, low: int, extent: int, ticks: list[tuple[int, str]]) -> str:
    """Labels at their shares of the axis."""
    return "".join(
        f'<span class="{name}" style="--at: {100 * (value - low) / extent:.1f}%">{label}</span>'
        for value, label in ticks
    )


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(SUPERSCRIPTS)
