"""L-BFGS without a wait: the recursion of its paper, with what is ours, whatever pairs there are."""

import numpy as np
import pytest
import torch

from nst_core.transfer.lbfgs import FIRST_STEP, LBFGS, LONGER, LONGEST_STEP, MOST_LONGER
from tests.transfer.test_optimizers import copy_of, moved, picture, uninterrupted


def made(history: int = 5) -> LBFGS:
    return LBFGS(step_size=1.0, history=history)


class Recursion:
    """Liu & Nocedal (1989), algorithm 2.1, in numpy, with steps that get longer and are held back."""

    def __init__(self, history: int, step_size: float):
        self.history, self.step_size = history, step_size
        self.pairs, self.before, self.longer = [], None, 1.0

    def step(self, gradient: np.ndarray) -> np.ndarray:
        if self.before is None:
            self.scale = 1 / np.abs(gradient).mean()
            self.before = gradient = gradient * self.scale
            self.last = -gradient * FIRST_STEP * self.step_size
            return self.last
        gradient = gradient * self.scale
        s, y = self.last, gradient - self.before
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


@pytest.mark.parametrize("history", [1, 4, 30])
def test_lbfgs_is_the_recursion_whatever_pairs_are_dropped(history):
    """Gradients of no function: of many a pair nothing can be learned."""
    rng, canvas, optimizer = np.random.default_rng(history), picture().detach().double(), made(history)
    optimizer.begin(canvas)
    lengths, dropped, gradient = [], 0, rng.normal(size=canvas.numel())
    for begin in (None, optimizer.forget, lambda: optimizer.restart(0.5)):
        if begin:
            begin()
        oracle = Recursion(history, optimizer.step_size)
        for _ in range(25):  # now shorter than the one before, now longer
            gradient, before = rng.choice([0.6, 1.4]) * gradient + rng.normal(size=gradient.size) / 4, canvas.clone()
            canvas.grad = torch.from_numpy(gradient.reshape(canvas.shape))
            optimizer.advance()
            np.testing.assert_allclose((canvas - before).numpy().ravel(), oracle.step(gradient), rtol=1e-6, atol=1e-9)
            lengths.append(np.abs(oracle.last).mean())
            dropped += oracle.longer > 1
    assert 10 < dropped < 65 and min(lengths) < 0.1 * LONGEST_STEP < max(lengths)


@pytest.mark.parametrize("how", ["forget", "begin"])
def test_lbfgs_begins_anew_with_another_objective_and_another_canvas(how):
    optimizer, canvas = made(), picture()
    optimizer.begin(canvas)
    moved(optimizer, canvas, 5)
    fresh, other = made(), copy_of(canvas)
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
