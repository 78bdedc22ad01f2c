"""Charts the losses of a run, staying small however long it goes on.

Our own SVG rather than gradio's LinePlot, each update of which takes a quarter of a second of browser time from a
painting on the same machine.
"""

from typing import Any

from nst_core.analysis.poster.chart import COLORS
from nst_core.analysis.series import Series
from nst_core.transfer.optimize import Frame
from nst_core.transfer.terms import TV_TERM
from nst_core.ui.widgets.charts import legend_html, plot_html

# Told apart from COLORS' first five, and from each other, by people of every colour vision; on the page the total is
# thicker, too, and the variation dashed.
FIXED_COLORS = {"content": "#e03131", TV_TERM: "#5e8f47", "total": "var(--body-text-color)"}


class LossHistory:
    """The losses so far: a line for each term, and one for their total."""

    def __init__(self) -> None:
        self.series = Series()
        self.last: tuple[int, dict[str, float]] = (0, {})

    def add(self, frame: Frame) -> None:
        """Note a frame's losses."""
        self.note(frame.step, {**frame.losses, "total": frame.total})

    def note(self, step: int, losses: dict[str, float]) -> None:
        """Note a step's losses."""
        self.last = (step, losses)
        self.series.note(step, losses)

    def to_dict(self) -> dict[str, Any]:
        """Give what was noted as plain values, for `take`."""
        return {"series": self.series.to_dict(), "last": list(self.last)}

    def take(self, noted: dict[str, Any]) -> None:
        """Go on from what another history noted."""
        step, losses = noted["last"]
        self.series.take(noted["series"])
        self.last = (int(step), {str(term): float(loss) for term, loss in losses.items()})

    def html(self, run: str = "") -> str:
        """Write the chart: a line for each term over a logarithmic axis, and a legend with the losses of the last step.

        Args:
            run: the token of a run that goes on, whose preview may replace this chart.
        """
        step, losses = self.last
        every = self.series.lines
        # the total beneath the terms, which it would hide where one is nearly all of it
        lines = {term: every[term] for term in dict.fromkeys(("total", *losses)) if term in losses and term in every}
        colors = _colors(list(losses))
        plot = plot_html(lines, colors, logarithmic=True, label=f"Losses up to step {step}, on a logarithmic axis")
        told = f"<figcaption>weighted losses at step {step}{legend_html(losses, colors)}</figcaption>" if plot else ""
        return f'<figure class="chart" data-run="{run}">{plot}{told}</figure>'


def _colors(terms: list[str]) -> dict[str, str]:
    inner = iter(COLORS * (1 + len(terms) // len(COLORS)))
    fixed = {term: FIXED_COLORS.get(term) or FIXED_COLORS.get(term.split()[0]) for term in terms}
    return {term: fixed[term] or next(inner) for term in terms}
