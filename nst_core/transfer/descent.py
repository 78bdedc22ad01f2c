"""Takes a picture's pixels down an objective, and back from where it is not finite or leapt."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from nst_core.devices import on_its_way
from nst_core.errors import NSTError
from nst_core.transfer.json_values import is_count, is_number
from nst_core.transfer.optimizers import Optimizer
from nst_core.transfer.state import State

MAX_RECOVERIES = 10  # halvings of the step, to a thousandth
LEAP = 16.0  # times the loss before, from where on a step is taken back

Objective = Callable[[Tensor], dict[str, Tensor]]


def leapt(before: float, losses: Mapping[str, float]) -> bool:
    """Whether losses are so far above the loss before that their picture is no step down but a leap away."""
    return LEAP * before < math.fsum(losses.values()) < math.inf


@dataclass(frozen=True)
class Look:
    """A canvas at one of its steps, and what is known of it, or will be when the device has come to it.

    Attributes:
        picture: (1, 3, H, W), as it was.
        names: of the terms.
        values: waits for their losses, (N,), on the CPU.
        anew: whether they are in another measure than those before, as the objective has changed.
    """

    picture: Tensor
    names: tuple[str, ...]
    values: Callable[[], Tensor]
    anew: bool = False

    @property
    def losses(self) -> dict[str, float]:
        """Name -> weighted loss."""
        return dict(zip(self.names, self.values().tolist(), strict=True))


class Descent:
    """A canvas on its way down, and the way back from a loss that is not finite."""

    def __init__(self, objective: Objective, start: Tensor, optimizer: Optimizer, *, clamp: bool):
        self.objective, self.optimizer, self.clamp = objective, optimizer, clamp
        self.canvas = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
        self.good = self.canvas.detach().clone()  # the last picture whose loss was finite
        self.before = math.inf  # its loss
        self.recoveries = 0
        optimizer.begin(self.canvas)

    def look(self, *, gradient: bool, anew: bool = False) -> Look:
        """Have the losses of the canvas computed, and its gradient in canvas.grad; waits for nothing."""
        with torch.set_grad_enabled(gradient):
            terms = self.objective(self.canvas)
            values = torch.stack(list(terms.values()))
            if gradient:
                self.canvas.grad = None
                values.sum().backward()
        return Look(self.canvas.detach().clone(), tuple(terms), on_its_way(values.detach()), anew)

    def update(self) -> None:
        """Make one step along the gradient that the last look left."""
        self.optimizer.advance(self.move)

    def move(self) -> None:
        """Do of an update what the device does."""
        self.optimizer.move()
        if self.clamp:
            with torch.no_grad():
                self.canvas.clamp_(0, 1)

    def judge(self, look: Look, step: int, *, gradient: bool, may_go_back: bool) -> tuple[dict[str, float], str, bool]:
        """Wait for the losses of a step, whose picture is good then, or go back and make another step.

        Args:
            look: at the canvas after that step; it may have gone on since.
            step: its number.
            gradient: whether one is wanted of the step that is made instead.
            may_go_back: whether there is a picture to go back to.

        Returns:
            the losses, what a person should know of how they came about, and whether the canvas is back at this step.

        Raises:
            NSTError: no way back, or none that helps.
        """
        first, losses, note = look, look.losses, ""
        if may_go_back and self.optimizer.leaps and leapt(self.before, losses):
            look = self._again(gradient, self.optimizer.forget)
            losses = look.losses
        while not all(map(math.isfinite, losses.values())):
            if not may_go_back or self.recoveries == MAX_RECOVERIES:
                raise NSTError(_not_finite(step, losses))
            self.recoveries += 1
            size = self.optimizer.step_size / 2
            note = f"the loss was not finite at step {step}; went back to step {step - 1} with step size {size:g}"
            look = self._again(gradient, partial(self.optimizer.restart, size))
            losses = look.losses
        self.good, self.before = look.picture, math.fsum(losses.values())
        return losses, note, look is not first

    def _again(self, gradient: bool, begin: Callable[[], None]) -> Look:
        """Go back to the last good picture, from which the optimiser begins in this way; the look after a step."""
        begin()
        with torch.no_grad():
            self.canvas.copy_(self.good)
        self.look(gradient=True)
        self.update()
        return self.look(gradient=gradient)

    def state(self) -> State:
        """Give where the canvas is, and the gradient that the next step takes."""
        tensors = {"canvas": self.canvas.detach()}
        if self.canvas.grad is not None:
            tensors["gradient"] = self.canvas.grad
        return State({"loss before": self.before, "recoveries": self.recoveries}, tensors)

    def take_state(self, state: State) -> None:
        """Go on from what another gave, whose canvas this one started with; raises Flaw if it does not fit."""
        self.before, self.recoveries = state.fact("loss before", is_number), state.fact("recoveries", is_count)
        self.canvas.grad = state.tensor("gradient", tuple(self.canvas.shape)).to(self.canvas.device)


def _not_finite(step: int, losses: dict[str, float]) -> str:
    terms = ", ".join(name for name, value in losses.items() if not math.isfinite(value))
    return (
        f"the loss is not a finite number at step {step} ({terms}); "
        "lower the weights or the step size, or compute in fp32 (NST_PRECISION=fp32)"
    )
