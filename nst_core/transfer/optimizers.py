"""Moves a picture along its gradient: L-BFGS and Adam, one step at a time, from one scale to the next."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

FIRST_STEP = 0.005  # of the pixel range, mean over the picture
LONGEST_STEP = 0.1  # the same; L-BFGS' model of the loss says nothing of pictures that far away
LONGER = 1.5  # each step than the one before, while the loss curves downwards
MOST_LONGER = 64.0


class Optimizer(Protocol):
    """Moves a canvas, (1, 3, H, W) with its gradient in .grad, one update a call."""

    step_size: float
    leaps: bool  # whether a step of its may go far too far, and a shorter one after `forget` be better

    def begin(self, canvas: Tensor) -> None:
        """Take up a canvas; what was learned on one before, of another size, is carried over where it can be."""

    def advance(self) -> None:
        """Move the canvas by one update."""

    def forget(self) -> None:
        """Drop what would mislead from here on, as the objective is another."""

    def restart(self, step_size: float) -> None:
        """Begin anew on the same canvas."""

    def rest(self, path: Path) -> None:
        """Write what is large of the optimiser's memory into a new file, until `wake`."""

    def wake(self) -> None:
        """Read back what `rest` wrote, if it did; raises OSError if that is gone."""


class LBFGS:
    """Limited-memory BFGS without line search.

    n calls equal one run of n iterations. Two things differ from torch's own defaults, both because its thresholds are
    not free of scale: gradients are scaled to a mean of 1, so that no curvature pair is dropped when losses are tiny,
    and the first step moves pixels by FIRST_STEP rather than by a millionth, which bf16 could not see. Two more stand
    in for the line search, which would look at several pictures a step. Where the loss curves downwards along the last
    step, as about noise that lacks what the style has, no curvature pair can be made of it, and steps would stay as
    short as the first: they get LONGER. And no step moves pixels by more than LONGEST_STEP, where it would leap away.

    Curvature belongs to one objective at one size, so a new scale and a changed objective begin with an empty memory.

    Args:
        step_size: of its own step.
        history: steps that it remembers.

    Source: Liu & Nocedal (1989), algorithm 2.1, as torch.optim.LBFGS.
    """

    leaps = True

    def __init__(self, *, step_size: float, history: int, **_: object):
        self.step_size, self.history = step_size, history
        self.resting: Path | None = None  # the file that holds what it knows

    def begin(self, canvas: Tensor) -> None:
        self.canvas = canvas
        self.forget()

    def rest(self, path: Path) -> None:
        torch.save(dict(self.torchs.state[self.canvas]), path)
        self.torchs.state[self.canvas].clear()
        self.resting = path

    def wake(self) -> None:
        if self.resting:
            self.torchs.state[self.canvas].update(torch.load(self.resting, weights_only=True))
            self.resting.unlink(missing_ok=True)
            self.resting = None

    def forget(self) -> None:
        self.scale: float | None = None  # of gradients, from the first step on
        self.longer = 1.0
        self.torchs = torch.optim.LBFGS(
            [self.canvas], lr=1.0, max_iter=1, history_size=self.history, tolerance_grad=-1, tolerance_change=-1
        )

    def restart(self, step_size: float) -> None:
        self.step_size = step_size
        self.forget()

    def advance(self) -> None:
        gradient, first = gradient_of(self.canvas), self.scale is None
        if self.scale is None:
            mean = gradient.abs().mean().item()
            self.scale = 1 / mean if mean > 0 else 1.0
        gradient.mul_(self.scale)
        down = self._curves_down(gradient)
        self.longer = min(MOST_LONGER, LONGER * self.longer) if down else 1.0
        share = self.longer
        if first:  # torch divides this step by the gradient's sum, which is the number of values here
            share *= FIRST_STEP * self.canvas.numel()
        elif down and not self.torchs.state[self.canvas]["old_dirs"]:  # nothing learned yet of how far to go
            share *= FIRST_STEP
        self.torchs.param_groups[0]["lr"] = self.step_size * share
        self.torchs.step(lambda: 0.0)  # the gradient is there already; the loss itself steers nothing
        self._hold_back()

    def _curves_down(self, gradient: Tensor) -> bool:
        """Whether the last step went against the gradient's change along it: torch drops such a pair."""
        state = self.torchs.state[self.canvas]
        if "prev_flat_grad" not in state:
            return False
        change = gradient.flatten() - state["prev_flat_grad"]
        return bool(change @ state["d"] <= 0)

    def _hold_back(self) -> None:
        """Take back what of the last step was too long, in torch's memory of it, too."""
        state = self.torchs.state[self.canvas]
        length = float(state["d"].abs().mean() * state["t"])
        if length > LONGEST_STEP:
            kept = LONGEST_STEP / length
            with torch.no_grad():
                self.canvas.add_(state["d"].view_as(self.canvas), alpha=-(1 - kept) * state["t"])
            state["t"] = kept * state["t"]


class Adam:
    """Adam: each pixel moves by about the step size.

    Its two moments go along to the next scale, enlarged like pictures, as crowsonkb/style-transfer-pytorch does.

    Args:
        step_size: of the pixel range.
        betas: decay of the two moments.

    Source: Kingma & Ba (2015), algorithm 1.
    """

    leaps = False
    torchs: torch.optim.Adam

    def __init__(self, *, step_size: float, betas: tuple[float, float], **_: object):
        self.step_size, self.betas = step_size, betas

    def begin(self, canvas: Tensor) -> None:
        before = self.torchs.state_dict()["state"].get(0) if hasattr(self, "torchs") else None
        self.canvas = canvas
        self.restart(self.step_size)
        if before:
            size = canvas.shape[2:]
            mean = F.interpolate(before["exp_avg"], size, mode="bicubic")
            square = F.interpolate(before["exp_avg_sq"], size, mode="bilinear")  # bicubic could fall below zero
            self.torchs.state[canvas] = {"step": before["step"], "exp_avg": mean, "exp_avg_sq": square}

    def rest(self, path: Path) -> None:
        """Keep both moments in memory, as they are small."""

    def wake(self) -> None:
        """Do nothing, as `rest` wrote nothing."""

    def forget(self) -> None:
        """Forget nothing: the moments follow the new objective within some steps, and the picture does not jump."""

    def restart(self, step_size: float) -> None:
        self.step_size = step_size
        self.torchs = torch.optim.Adam([self.canvas], lr=step_size, betas=self.betas)

    def advance(self) -> None:
        self.torchs.step()


def gradient_of(canvas: Tensor) -> Tensor:
    """Give the gradient that was left at a canvas.

    Raises:
        ValueError: none was.
    """
    if canvas.grad is None:
        raise ValueError("there is no gradient to go along; evaluate the loss first")
    return canvas.grad


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"lbfgs": LBFGS, "adam": Adam}

# What an optimiser starts from where nothing else is said; Adam's is Crowson's, of the pixel range.
STEP_SIZES = {"lbfgs": 1.0, "adam": 0.02}
