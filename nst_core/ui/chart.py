"""The losses of a run as a chart that stays small however long it goes on."""

from html import escape
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from nst_core.transfer.optimize import Frame

CHART_POINTS = 100  # for each line

# One colour a term, told apart on light and dark ground; the content and the total stand out.
COLORS = ("#2f9e6e", "#3b82c4", "#8b5cf6", "#d9579b", "#d97706", "#6b8e23", "#0ea5b7", "#a16207", "#be4bdb")
CONTENT_COLOR, TOTAL_COLOR = "#e03131", "#868e96"


class LossHistory:
    """The losses so far, thinned so that a chart of any run stays small."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, dict[str, float]]] = []
        self.every = 1

    def add(self, frame: Frame) -> None:
        """Keep a frame's losses if it is one of each `every`."""
        if frame.step % self.every == 0:
            self.frames.append((frame.step, {**frame.losses, "total": frame.total}))
        if len(self.frames) > CHART_POINTS:
            self.every *= 2
            self.frames = [kept for kept in self.frames if kept[0] % self.every == 0]

    def chart(self) -> tuple[Any, str]:
        """The chart's update, and its legend as HTML, which wraps on a narrow page as the chart's own does not."""
        terms = list(self.frames[0][1])
        inner = iter(COLORS * (1 + len(terms) // len(COLORS)))
        fixed = {"total": TOTAL_COLOR, "content": CONTENT_COLOR}
        colors = {term: fixed.get(term.split()[0]) or next(inner) for term in terms}
        legend = "".join(f'<span style="--term: {colors[term]}">{escape(term)}</span>' for term in terms)
        plot = gr.LinePlot(value=self.table(), color_map=colors, colors_in_legend=[], visible=True)
        return plot, f'<div class="legend">{legend}</div>'

    def table(self) -> pd.DataFrame:
        """Columns step, loss (log₁₀) and term. A loss of 0 has no place on a log axis and is empty."""
        rows = [(step, loss or np.nan, term) for step, losses in self.frames for term, loss in losses.items()]
        table = pd.DataFrame(rows, columns=["step", "loss", "term"])
        return table.assign(loss=np.log10(table["loss"].astype(float)).round(4))
