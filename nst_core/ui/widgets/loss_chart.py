"""Charts the losses of a run, staying small however long it goes on.

Our own SVG rather than gradio's LinePlot, each update of which takes a quarter of a second of browser time from a
painting on the same machine.
"""

from typing import Any

from nst_core.analysis.poster.chart import COLORS, CONTENT_COLOR, TOTAL_COLOR
from nst_core.analysis.series import Series
from nst_core.transfer.optimize import Frame
from nst_core.ui.widgets.charts import legend_html, plot_html


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
        lines = {term: points for term, points in self.series.lines.items() if term in losses}
        colors = _colors(list(losses))
        plot = plot_html(lines, colors, logarithmic=True, label=f"Losses up to step {step}, on a logarithmic axis")
        told = f"<figcaption>weighted losses at step {step}{legend_html(losses, colors)}</figcaption>" if plot else ""
        return f'<figure class="chart" data-run="{run}">{plot}{told}</figure>'


def _colors(terms: list[str]) -> dict[str, str]:
    inner = iter(COLORS * (1 + len(terms) // len(COLORS)))
    content = {term: CONTENT_COLOR for term in terms if term.split()[0] == "content"}
    fixed = content | {"total": TOTAL_COLOR}
    return {term: fixed.get(term) or next(inner) for term in terms}
