"""The loss chart: what it keeps of a run and what it draws."""

import re

import pytest
import torch

from nst_core.analysis.poster.chart import MOST_TICKS
from nst_core.analysis.series import MOST_POINTS
from nst_core.transfer.optimize import Frame
from nst_core.ui.widgets.loss_chart import LossHistory


def frame(step: int, **losses: float) -> Frame:
    return Frame(step, torch.zeros(1, 3, 2, 2), losses)


def history_of(*frames: Frame) -> LossHistory:
    history = LossHistory()
    for each in frames:
        history.add(each)
    return history


def test_lines_are_logarithms_of_every_term_and_the_total():
    html = history_of(frame(0, content=0.0, style=100.0), frame(1, content=10.0, style=990.0)).html()
    assert dict(re.findall(r'points="([^"]*)"[^>]*data-line="(\w+)"', html)) == {
        "100.0,100.0": "content",  # a loss of 0 has no logarithm
        "0.0,50.0 100.0,0.2": "style",
        "0.0,50.0 100.0,0.0": "total",
    }


def test_the_chart_of_a_long_run_stays_small_and_spans_it():
    html = history_of(*(frame(step, style=1.0 + step) for step in range(5000))).html()
    places = [point.split(",")[0] for point in re.search(r'points="([^"]*)"', html)[1].split()]
    assert MOST_POINTS / 2 <= len(places) <= MOST_POINTS + 1 and (places[0], places[-1]) == ("0.0", "100.0")


def test_a_line_runs_from_the_first_step_on_the_left_to_the_last_on_the_right_and_falls_with_its_loss():
    drawn = re.search(r'points="([^"]*)"', history_of(frame(0, style=1000.0), frame(10, style=1.0)).html()).group(1)
    assert drawn == "0.0,0.0 100.0,100.0"


def test_the_axes_name_powers_of_ten_and_steps():
    html = history_of(frame(0, style=1000.0), frame(10, style=0.1)).html()
    assert re.findall(r'class="y"[^>]*>([^<]*)<', html) == ["10⁻¹", "10⁰", "10¹", "10²", "10³"]
    assert re.findall(r'class="x"[^>]*>([^<]*)<', html) == ["0", "2", "4", "6", "8", "10"]


@pytest.mark.parametrize("last", [1, 7, 60, 299, 12_345, 100_000])
def test_axes_never_crowd(last):
    html = history_of(frame(0, style=1e12), frame(last, style=1e-9)).html()
    for axis in "xy":
        assert 2 <= html.count(f'class="{axis}"') <= MOST_TICKS


def test_the_legend_says_the_last_losses():
    html = history_of(
        frame(0, **{"content conv4_2": 1.0, "style conv1_1": 1.0}), frame(3, **{"content conv4_2": 25.0})
    ).html()
    assert "weighted losses at step 3" in html
    assert "<span>content conv4_2</span> <b>25</b>" in html


@pytest.mark.parametrize("value", [0.0, float("inf"), float("nan")])
def test_losses_without_a_logarithm_draw_nothing_and_break_nothing(value):
    assert "polyline" not in history_of(frame(0, style=value)).html()


def test_terms_are_told_apart_by_their_colours():
    html = history_of(frame(0, **{"content conv4_2": 1.0, "style conv1_1": 1.0, "total variation": 1.0})).html()
    colors = dict(re.findall(r'<li style="--term: (#\w+)" data-line="([^"]*)"', html))
    assert sorted(colors.values()) == ["content conv4_2", "style conv1_1", "total", "total variation"]
