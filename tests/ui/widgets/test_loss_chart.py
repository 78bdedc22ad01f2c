"""The loss chart: what it keeps of a run and what it draws."""

import re

import numpy as np
import pytest
import torch
from PIL import ImageColor

from nst_core.analysis.poster.chart import COLORS, MOST_TICKS
from nst_core.analysis.series import MOST_POINTS
from nst_core.transfer.optimize import Frame
from nst_core.transfer.terms import TV_TERM
from nst_core.ui.widgets.loss_chart import FIXED_COLORS, LossHistory


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
    colors = dict(re.findall(r'<li style="--term: ([^"]+)" data-line="([^"]*)"', html))
    assert sorted(colors.values()) == ["content conv4_2", "style conv1_1", "total", "total variation"]


# Machado et al. 2009: what linear RGB becomes for people without one kind of cones
VISIONS = {
    "all": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no long": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no middle": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no short": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0178, 0.1095, 0.8727]]  # over white's
GROUNDS = {"light": "#ffffff", "dark": "#1e293b"}


def linear(color: str) -> np.ndarray:
    values = np.array(ImageColor.getrgb(color)) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    x, y, z = np.cbrt(np.clip(TO_XYZ @ np.clip(rgb, 0, 1), 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISIONS)
def test_the_total_variation_is_told_apart_from_every_other_line_by_people_of_every_vision(vision):
    others = [*COLORS[:5], FIXED_COLORS["content"], *("#1e293b", "#f1f5f9")]  # the total's, on either ground
    seen = [lab(VISIONS[vision] @ linear(color)) for color in (FIXED_COLORS[TV_TERM], *others)]
    assert min(np.linalg.norm(seen[0] - other) for other in seen[1:]) > 12


@pytest.mark.parametrize("ground", GROUNDS)
def test_lines_stand_out_from_their_ground(ground):
    light = linear(GROUNDS[ground]) @ TO_XYZ[1]
    for color in (*COLORS[:5], FIXED_COLORS["content"], FIXED_COLORS[TV_TERM]):
        bright, dim = sorted((light, linear(color) @ TO_XYZ[1]), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 3, color
