"""L-BFGS without a wait: the recursion of its paper, with what is ours, whatever pairs there are."""

import numpy as np
import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import PRECISIONS, Compute
from nst_core.transfer import lbfgs as module
from nst_core.transfer.lbfgs import FIRST_STEP, LBFGS, LONGER, LONGEST_STEP, MOST_LONGER
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.memory import tensor_peak
from tests.transfer.test_optimizers import copy_of, moved, picture, slope, uninterrupted


def made(history: int = 5, precision: str = "fp32") -> LBFGS:
    return LBFGS(step_size=1.0, history=history, history_precision=precision)


class Recursion:
    """Liu & Nocedal (1989), algorithm 2.1, in numpy, with steps that get longer and are held back; of rounded pairs."""

    def __init__(self, history: int, step_size: float, precision: str):
        self.history, self.step_size, self.rounded = history, step_size, precision == "bf16"
        self.pairs, self.before, self.longer = [], None, 1.0

    def round(self, values: np.ndarray) -> np.ndarray:
        return torch.from_numpy(values).bfloat16().double().numpy() if self.rounded else values

    def step(self, gradient: np.ndarray) -> np.ndarray:
        if self.before is None:
            self.scale = 1 / np.abs(gradient).mean()
            self.before = gradient = gradient * self.scale
            self.last = -gradient * FIRST_STEP * self.step_size
            return self.last
        gradient = gradient * self.scale
        s, y = (self.round(values) for values in (self.last, gradient - self.before))
        self.before = gradient
        if s @ y > 1e-10:
            self.pairs = [*self.pairs, (s, y)][-self.history :]
        self.longer = min(MOST_LONGER, LONGER * self.longer) if s @ y <= 0 else 1.0
        q, coefficients = gradient.copy(), []
        for s, y in reversed(self.pairs):
            coefficients.append(s @ q / (y @ s))
            q -= coefficients[-1] * y
        for s, y in self.pairs[-1:]:
            q *= (y @ s) / (y @ y)
        for (s, y), coefficient in zip(self.pairs, reversed(coefficients), strict=True):
            q += s * (coefficient - y @ q / (y @ s))
        move = -q * self.step_size * self.longer * (1 if self.pairs else FIRST_STEP)
        self.last = move * min(1, LONGEST_STEP / np.abs(move).mean())
        return self.last


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("history", [1, 4, 30])
def test_lbfgs_is_the_recursion_whatever_pairs_are_dropped(monkeypatch, history, precision):
    """Gradients of no function: of many a pair nothing can be learned."""
    monkeypatch.setattr(module, "PART", 50)  # of 144 numbers
    rng, canvas, optimizer = np.random.default_rng(history), picture().detach().double(), made(history, precision)
    optimizer.begin(canvas)
    lengths, dropped, gradient = [], 0, rng.normal(size=canvas.numel())
    for begin in (None, optimizer.forget, lambda: optimizer.restart(0.5)):
        if begin:
            begin()
        oracle = Recursion(history, optimizer.step_size, precision)
        for _ in range(25):  # now shorter than the one before, now longer
            gradient, before = rng.choice([0.6, 1.4]) * gradient + rng.normal(size=gradient.size) / 4, canvas.clone()
            canvas.grad = torch.from_numpy(gradient.reshape(canvas.shape))
            optimizer.advance()
            np.testing.assert_allclose((canvas - before).numpy().ravel(), oracle.step(gradient), rtol=1e-6, atol=1e-9)
            lengths.append(np.abs(oracle.last).mean())
            dropped += oracle.longer > 1
    assert 10 < dropped < 65 and min(lengths) < 0.1 * LONGEST_STEP < max(lengths)


def test_a_history_in_bf16_takes_half_the_memory_between_steps_and_no_more_within(monkeypatch):
    monkeypatch.setattr(module, "PART", 200)  # of 12288 numbers
    held, peaks = {}, {}
    for precision in PRECISIONS:
        optimizer, canvas = made(10, precision), picture(64, 64)
        optimizer.begin(canvas)
        moved(optimizer, canvas, 12)
        slope(canvas)
        held[precision] = optimizer.pairs.nbytes
        peaks[precision] = tensor_peak(optimizer.advance)
    assert held["bf16"] == held["fp32"] / 2 and held["fp32"] == 2 * 11 * canvas.nbytes
    assert peaks["bf16"] < 1.2 * peaks["fp32"] < 6 * canvas.nbytes, peaks


def test_by_a_history_in_bf16_a_painting_comes_as_near():
    content, style = (images.load(ASSETS / name) for name in ("photos/coffee.jpg", "styles/harvest_sun.jpg"))
    last = {}
    for precision in PRECISIONS:
        config = PRESETS["lab"].config.on("lite").changed(size=64, steps=30, history_precision=precision)
        *_, frame = stylize(content, style, config, compute=Compute(device="cpu", precision="fp32"))
        last[precision] = frame.total
    assert last["fp32"] != last["bf16"] < 1.05 * last["fp32"]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("how", ["forget", "begin"])
def test_lbfgs_begins_anew_with_another_objective_and_another_canvas(how, precision):
    optimizer, canvas = made(precision=precision), picture()
    optimizer.begin(canvas)
    moved(optimizer, canvas, 5)
    fresh, other = made(precision=precision), copy_of(canvas)
    fresh.begin(other)
    canvas = canvas if how == "forget" else copy_of(canvas)
    optimizer.forget() if how == "forget" else optimizer.begin(canvas)
    before = canvas.detach().clone()
    for step, (one, two) in enumerate(zip(moved(optimizer, canvas, 4), moved(fresh, other, 4), strict=True)):
        assert torch.equal(one, two)
        if step == 0:
            assert (one - before).abs().mean().item() == pytest.approx(FIRST_STEP, rel=1e-4)


def test_lbfgs_goes_on_with_what_it_remembers():
    plain = uninterrupted("lbfgs", 8)
    optimizer, canvas = made(), picture()
    optimizer.begin(canvas)
    first = moved(optimizer, canvas, 5)
    optimizer.forget()
    second = moved(optimizer, canvas, 3)
    assert torch.equal(first[-1], plain[4]) and not torch.equal(second[-1], plain[-1])  # forgetting shows


def test_lbfgs_stays_where_nothing_pulls():
    optimizer, canvas = made(), picture()
    optimizer.begin(canvas)
    before = canvas.detach().clone()
    for _ in range(3):
        canvas.grad = torch.zeros_like(canvas)
        optimizer.advance()
    assert torch.equal(canvas.detach(), before)
