"""Runs the loop, start + objective -> Frames: it knows pixels and losses, no network and no paper."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count

import torch
from torch import Tensor

from nst_core.errors import NSTError
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer

PLATEAU_STEPS = 20
MAX_RECOVERIES = 10  # halvings of the step, to a thousandth
LEAP = 16.0  # times the loss before, from where on a step is taken back

Objective = Callable[[Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Frame:
    """One moment of a run.

    Attributes:
        step: updates made so far, over all scales; 0 is the start itself.
        image: (1, 3, H, W) on the run's device, as it is shown. A picture being optimised may leave [0, 1] a little;
            `images` clips it.
        losses: name -> weighted loss of this very image, their sum is the objective; with averaging, of the newest
            picture that went into it.
        note: what a person should know of this step, mostly "".
        scale: the number of its scale, of how many.
        settled: whether steps gain too little to go on.
        painted: the image as it is painted, before its colours are changed; None: as it is shown.
    """

    step: int
    image: Tensor
    losses: dict[str, float]
    note: str = ""
    scale: tuple[int, int] = (1, 1)
    settled: bool = False
    painted: Tensor | None = None

    @property
    def pixels(self) -> Tensor:
        """The image (1, 3, H, W) as it is painted."""
        return self.image if self.painted is None else self.painted

    @property
    def total(self) -> float:
        """The objective of this image."""
        return math.fsum(self.losses.values())


def optimize(
    objective: Objective,
    start: Tensor,
    *,
    steps: int | None,
    optimizer: str | Optimizer = "lbfgs",
    step_size: float = 1.0,
    history: int = 10,
    betas: tuple[float, float] = (0.9, 0.999),
    clamp: bool = False,
    averaging: float = 0.0,
    tolerance: float = 0.0,
    made: int = 0,
    scale: tuple[int, int] = (1, 1),
    shown: Callable[[Tensor], Tensor] | None = None,
) -> Generator[Frame, bool | None, None]:
    """Lower the objective by changing the picture's pixels, and show every step.

    Whoever takes a frame may send True with the next step: the objective has changed meanwhile.

    A loss that is not finite takes the run back to the last good picture with half the step; the next frame says so. A
    step that leapt is taken back, too, and another taken with no memory, which is a short one: where programs with a
    line search look at several pictures a step, this looks at another only then.

    Args:
        objective: image (1, 3, H, W) -> name -> weighted scalar.
        start: (1, 3, H, W); stays as it is.
        steps: updates to make; steps + 1 frames come, the first of which is the start. None: without end.
        optimizer: one of OPTIMIZERS, or one at work on another scale, whose settings are its own.
        step_size: L-BFGS: of its own step; Adam: of the pixel range.
        history: steps that L-BFGS remembers.
        betas: decay of Adam's two moments.
        clamp: keep pixels in [0, 1] after every update.
        averaging: decay of a running average of the pictures, which frames then show; 0 for none.
        tolerance: relative gain over PLATEAU_STEPS below which frames are settled; 0: none is.
        made: updates made before, on other scales; frames are counted on from there.
        scale: of the frames.
        shown: what is painted (1, 3, H, W) -> what is shown of it; None: the same.

    Yields:
        Frame made … made + steps, each with the losses of its own image.

    Raises:
        NSTError: the loss is not finite at the start, or stays so after MAX_RECOVERIES smaller steps.
    """
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer](step_size=step_size, history=history, betas=betas)
    descent, average = Descent(objective, start, optimizer, clamp=clamp), Average(averaging)
    plateau = Plateau(tolerance)
    changed: bool | None = False
    for step in count() if steps is None else range(steps + 1):
        if changed:  # losses before are in another measure
            optimizer.forget()
            descent.before, plateau = math.inf, Plateau(tolerance)
        losses, note = descent.look(made + step, gradient=step != steps, may_go_back=step > 0)
        painted, settled = average.of(descent.good), plateau.reached(math.fsum(losses.values()))
        image = painted if shown is None else shown(painted)
        changed = yield Frame(made + step, image, losses, note, scale, settled, painted)
        if step != steps:
            descent.update()


def leapt(before: float, losses: Mapping[str, float]) -> bool:
    """Whether losses are so far above the loss before that their picture is no step down but a leap away."""
    return LEAP * before < math.fsum(losses.values()) < math.inf


class Descent:
    """A canvas on its way down, and the way back from a loss that is not finite."""

    def __init__(self, objective: Objective, start: Tensor, optimizer: Optimizer, *, clamp: bool):
        self.objective, self.optimizer, self.clamp = objective, optimizer, clamp
        self.canvas = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
        self.good = self.canvas.detach().clone()  # the last picture whose loss was finite
        self.before = math.inf  # its loss
        self.recoveries = 0
        optimizer.begin(self.canvas)

    def look(self, step: int, *, gradient: bool, may_go_back: bool) -> tuple[dict[str, float], str]:
        """Compute the losses of the canvas, which is good then, and what a person should know of how it got there.

        Raises:
            NSTError: no way back, or none that helps.
        """
        losses, note = self.evaluate(gradient=gradient), ""
        if may_go_back and self.optimizer.leaps and leapt(self.before, losses):
            losses = self._again(gradient, self.optimizer.forget)
        while not all(map(math.isfinite, losses.values())):
            if not may_go_back or self.recoveries == MAX_RECOVERIES:
                raise NSTError(_not_finite(step, losses))
            self.recoveries += 1
            size = self.optimizer.step_size / 2
            note = f"the loss was not finite at step {step}; went back to step {step - 1} with step size {size:g}"
            losses = self._again(gradient, partial(self.optimizer.restart, size))
        self.good, self.before = self.canvas.detach().clone(), math.fsum(losses.values())
        return losses, note

    def _again(self, gradient: bool, begin: Callable[[], None]) -> dict[str, float]:
        """Go back to the last good picture, from which the optimiser begins in this way; the losses after a step."""
        begin()
        with torch.no_grad():
            self.canvas.copy_(self.good)
        self.evaluate(gradient=True)
        self.update()
        return self.evaluate(gradient=gradient)

    def update(self) -> None:
        """Make one step along the gradient that the last evaluation left."""
        self.optimizer.advance()
        if self.clamp:
            with torch.no_grad():
                self.canvas.clamp_(0, 1)

    def evaluate(self, *, gradient: bool) -> dict[str, float]:
        """Compute the losses of the canvas, and its gradient in canvas.grad."""
        with torch.set_grad_enabled(gradient):
            terms = self.objective(self.canvas)
            values = torch.stack(list(terms.values()))
            if gradient:
                self.canvas.grad = None
                values.sum().backward()
        return dict(zip(terms, values.tolist(), strict=True))  # the device is waited for once


class Plateau:
    """Whether a run still gets anywhere: its best loss against that of PLATEAU_STEPS before.

    Args:
        tolerance: the relative gain that is enough; 0 for always.
    """

    def __init__(self, tolerance: float):
        self.tolerance = tolerance
        self.best: list[float] = []  # so far, at each step

    def reached(self, loss: float) -> bool:
        """True when this loss and those before it gain too little."""
        self.best.append(min([loss, *self.best[-1:]]))
        if self.tolerance == 0 or len(self.best) <= PLATEAU_STEPS:
            return False
        before = self.best[-1 - PLATEAU_STEPS]
        return before - self.best[-1] <= self.tolerance * before


class Average:
    """A running average of pictures that has no memory of a time before the first.

    Source: Kingma & Ba (2015), section 3, on what corrects its beginning.
    """

    def __init__(self, decay: float):
        self.decay, self.weight = decay, 0.0
        self.sum: Tensor | None = None

    def of(self, image: Tensor) -> Tensor:
        """Average one more picture (1, 3, H, W); without decay, that picture."""
        if self.decay == 0:
            return image
        new = (1 - self.decay) * image
        self.sum = new if self.sum is None else new + self.decay * self.sum
        self.weight = 1 - self.decay * (1 - self.weight)
        return self.sum / self.weight


def _not_finite(step: int, losses: dict[str, float]) -> str:
    terms = ", ".join(name for name, value in losses.items() if not math.isfinite(value))
    return (
        f"the loss is not a finite number at step {step} ({terms}); "
        "lower the weights or the step size, or compute in fp32 (NST_PRECISION=fp32)"
    )
