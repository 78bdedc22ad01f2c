"""Moves a picture along its gradient: L-BFGS and Adam, one step at a time, from one scale to the next."""

import warnings
from collections.abc import Callable, Hashable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.transfer.json_values import is_count, is_number
from nst_core.transfer.lbfgs import LBFGS
from nst_core.transfer.state import State

# Adam's first steps are not captured, which is as it should be.
warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")


class Optimizer(Protocol):
    """Moves a canvas, (1, 3, H, W) with its gradient in .grad, one update a call."""

    step_size: float
    leaps: bool  # whether a step of its may go far too far, and a shorter one after `forget` be better
    carries: bool  # whether it takes what it learned along to the next scale

    def begin(self, canvas: Tensor) -> None:
        """Take up a canvas; what was learned on one before, of another size, is carried over where it can be."""

    @property
    def kind(self) -> Hashable | None:
        """What of the next update a graph of it would hold fast; None: it is no update like others."""

    def advance(self, move: Callable[[], object] | None = None) -> None:
        """Move the canvas by one update; by what is given rather than by `move`, where that does the same."""

    def move(self) -> None:
        """Do of an update what the device does."""

    def forget(self) -> None:
        """Drop what would mislead from here on, as the objective is another."""

    def restart(self, step_size: float) -> None:
        """Begin anew on the same canvas."""

    def state(self) -> State:
        """Give all that it knows, as it is now."""

    def take_state(self, state: State) -> None:
        """Take what another knew of a canvas like this one's; raises Flaw if it does not fit."""


class Adam:
    """Adam: each pixel moves by about the step size.

    Its two moments go along to the next scale, enlarged like pictures, as crowsonkb/style-transfer-pytorch does.

    Args:
        step_size: of the pixel range.
        betas: decay of the two moments.

    Source: Kingma & Ba (2015), algorithm 1.
    """

    leaps, carries = False, True
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
                "step": torch.tensor(float(updates), device=device if self.torchs.defaults["capturable"] else None),
                "exp_avg": mean,
                "exp_avg_sq": square,
            }

    def forget(self) -> None:
        """Forget nothing: the moments follow the new objective within some steps, and the picture does not jump."""

    def restart(self, step_size: float) -> None:
        self.step_size = step_size
        on_cuda = self.canvas.device.type.startswith("cuda")  # where it counts its steps on the device, for graphs
        self.torchs = torch.optim.Adam([self.canvas], lr=step_size, betas=self.betas, capturable=on_cuda)

    @property
    def kind(self) -> Hashable | None:
        return (id(self.torchs), self.step_size) if self.torchs.state else None

    def advance(self, move: Callable[[], object] | None = None) -> None:
        (move or self.move)()

    def move(self) -> None:
        self.torchs.step()


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"lbfgs": LBFGS, "adam": Adam}

# What an optimiser starts from where nothing else is said; Adam's is Crowson's, of the pixel range.
STEP_SIZES = {"lbfgs": 1.0, "adam": 0.02}
