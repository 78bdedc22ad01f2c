"""Moves a picture along its gradient: L-BFGS and Adam, one step at a time, from one scale to the next."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.transfer.json_values import is_count, is_number
from nst_core.transfer.state import State, Tensors, checked

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

    def state(self) -> State:
        """Give all that it knows, as it is now."""

    def take_state(self, state: State) -> None:
        """Take what another knew of a canvas like this one's; raises Flaw if it does not fit."""


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
        self.scale: float | None = None  # of gradients, from the first step on
        self.pairs_made = 0  # curvature pairs, of which the last are remembered

    def begin(self, canvas: Tensor) -> None:
        self.canvas = canvas
        self.forget()

    def state(self) -> State:
        memory = self.torchs.state[self.canvas]
        facts = {
            "step size": self.step_size,
            "gradient scale": self.scale,
            "longer": self.longer,
            "pairs made": self.pairs_made,
        }
        if not memory:
            return State(facts | {"updates": 0})
        tensors = {"direction": memory["d"], "gradient before": memory["prev_flat_grad"]}
        for name in ("t", "H_diag"):  # a number or a tensor, which round differently
            (tensors if isinstance(memory[name], Tensor) else facts)[name] = memory[name]
        changes, steps = memory["old_dirs"], memory["old_stps"]
        if changes:
            tensors["ro"] = torch.stack(memory["ro"])
        lasting: dict[str, Callable[[], Tensors]] = {
            _pair(self.pairs_made - len(changes) + number): partial(_named_pair, change, step)
            for number, (change, step) in enumerate(zip(changes, steps, strict=True))
        }
        return State(facts | {"updates": memory["n_iter"], "pairs": len(changes)}, tensors, lasting)

    def take_state(self, state: State) -> None:
        self.step_size = state.fact("step size", is_number)
        self.forget()
        self.scale = state.fact("gradient scale", lambda value: value is None or is_number(value))
        self.longer = state.fact("longer", is_number)
        self.pairs_made = state.fact("pairs made", is_count)
        updates = state.fact("updates", is_count)
        if updates == 0:
            return
        size, device = (self.canvas.numel(),), self.canvas.device
        count = state.fact("pairs", lambda value: is_count(value) and value <= min(self.history, self.pairs_made))
        pairs = [state.lasting_tensors(_pair(number)) for number in range(self.pairs_made - count, self.pairs_made)]
        ro = state.tensor("ro", (count,)).to(device) if count else torch.empty(0)
        single = {
            name: state.tensor(name, ()).to(device) if name in state.tensors else state.fact(name, is_number)
            for name in ("t", "H_diag")
        }
        self.torchs.state[self.canvas].update(
            func_evals=updates,
            n_iter=updates,
            d=state.tensor("direction", size).to(device),
            prev_flat_grad=state.tensor("gradient before", size).to(device),
            prev_loss=0.0,
            old_dirs=[checked(pair, "change", size).to(device) for pair in pairs],
            old_stps=[checked(pair, "step", size).to(device) for pair in pairs],
            ro=[one.clone() for one in ro],
            **single,
        )

    def forget(self) -> None:
        self.scale = None
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
        newest = self._newest_change()
        self.torchs.step(lambda: 0.0)  # the gradient is there already; the loss itself steers nothing
        self.pairs_made += self._newest_change() is not newest
        self._hold_back()

    def _newest_change(self) -> Tensor | None:
        return (self.torchs.state[self.canvas].get("old_dirs") or [None])[-1]

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

    def state(self) -> State:
        memory = self.torchs.state[self.canvas]
        facts = {"step size": self.step_size, "updates": int(memory["step"]) if memory else 0}
        return State(facts, {"mean": memory["exp_avg"], "square": memory["exp_avg_sq"]} if memory else {})

    def take_state(self, state: State) -> None:
        self.restart(state.fact("step size", is_number))
        if updates := state.fact("updates", is_count):
            shape, device = tuple(self.canvas.shape), self.canvas.device
            mean, square = (state.tensor(name, shape).to(device) for name in ("mean", "square"))
            self.torchs.state[self.canvas] = {
                "step": torch.tensor(float(updates)),
                "exp_avg": mean,
                "exp_avg_sq": square,
            }

    def forget(self) -> None:
        """Forget nothing: the moments follow the new objective within some steps, and the picture does not jump."""

    def restart(self, step_size: float) -> None:
        self.step_size = step_size
        self.torchs = torch.optim.Adam([self.canvas], lr=step_size, betas=self.betas)

    def advance(self) -> None:
        self.torchs.step()


def _pair(number: int) -> str:
    """Name a curvature pair, by its number among all that a painting's L-BFGS made."""
    return f"pair-{number}"


def _named_pair(change: Tensor, step: Tensor) -> Tensors:
    return {"change": change, "step": step}


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
