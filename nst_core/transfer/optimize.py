"""The loop: start + objective -> Frames. It knows pixels and losses, no network and no paper."""

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nst_core.errors import NSTError

FIRST_STEP = 0.005  # of the pixel range, mean over the picture
MAX_RECOVERIES = 10  # halvings of the step, to a thousandth

Objective = Callable[[Tensor], dict[str, Tensor]]
Advance = Callable[[], None]  # moves the canvas one step along its gradient


@dataclass(frozen=True)
class Frame:
    """One moment of a run.

    Attributes:
        step: updates made so far; 0 is the start itself.
        image: (1, 3, H, W) on the run's device. A picture being optimised may leave [0, 1] a little; `images` clips it.
        losses: name -> weighted loss of this very image; their sum is the objective.
        note: what a person should know of this step, mostly "".
    """

    step: int
    image: Tensor
    losses: dict[str, float]
    note: str = ""

    @property
    def total(self) -> float:
        """The objective of this image."""
        return math.fsum(self.losses.values())


@dataclass
class Controls:
    """What may change while a run goes on; read once per step."""

    stop: threading.Event = field(default_factory=threading.Event)


def lbfgs(canvas: Tensor, *, step_size: float, history: int, **_: object) -> Advance:
    """Limited-memory BFGS without line search, one update a call.

    n calls equal one run of n iterations. Two things differ from torch's own defaults, both because its thresholds are
    not free of scale: gradients are scaled to a mean of 1, so that no curvature pair is dropped when losses are tiny,
    and the first step moves pixels by FIRST_STEP rather than by a millionth, which bf16 could not see.

    Source: Liu & Nocedal (1989), algorithm 2.1, as torch.optim.LBFGS.
    """
    optimizer = torch.optim.LBFGS(
        [canvas], lr=step_size, max_iter=1, history_size=history, tolerance_grad=-1, tolerance_change=-1
    )
    scale = None

    def advance() -> None:
        nonlocal scale
        first = scale is None
        if first:
            mean = canvas.grad.abs().mean().item()
            scale = 1 / mean if mean > 0 else 1.0
        canvas.grad.mul_(scale)
        # torch divides the first step by the gradient's sum, which is the number of values here
        optimizer.param_groups[0]["lr"] = step_size * FIRST_STEP * canvas.numel() if first else step_size
        optimizer.step(lambda: 0.0)  # the gradient is there already; the loss itself steers nothing

    return advance


def adam(canvas: Tensor, *, step_size: float, betas: tuple[float, float], **_: object) -> Advance:
    """Adam: each pixel moves by about the step size. Source: Kingma & Ba (2015), algorithm 1."""
    optimizer = torch.optim.Adam([canvas], lr=step_size, betas=betas)
    return lambda: optimizer.step()


OPTIMIZERS: dict[str, Callable[..., Advance]] = {"lbfgs": lbfgs, "adam": adam}

# What an optimiser starts from where nothing else is said; Adam's is Crowson's, of the pixel range.
STEP_SIZES = {"lbfgs": 1.0, "adam": 0.02}


def optimize(
    objective: Objective,
    start: Tensor,
    *,
    steps: int,
    optimizer: str = "lbfgs",
    step_size: float = 1.0,
    history: int = 10,
    betas: tuple[float, float] = (0.9, 0.999),
    clamp: bool = False,
    controls: Controls | None = None,
) -> Iterator[Frame]:
    """Lower the objective by changing the picture's pixels, and show every step.

    A loss that is not finite takes the run back to the last good picture with half the step; the next frame says so.

    Args:
        objective: image (1, 3, H, W) -> name -> weighted scalar.
        start: (1, 3, H, W); stays as it is.
        steps: updates to make; steps + 1 frames come, the first of which is the start.
        optimizer: one of OPTIMIZERS.
        step_size: L-BFGS: of its own step; Adam: of the pixel range.
        history: steps that L-BFGS remembers.
        betas: decay of Adam's two moments.
        clamp: keep pixels in [0, 1] after every update.
        controls: its stop ends the run after the frame at hand.

    Yields:
        Frame 0 … steps, each with the losses of its own image.

    Raises:
        NSTError: the loss is not finite at the start, or stays so after MAX_RECOVERIES smaller steps.
    """
    controls = controls or Controls()
    canvas = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)

    def make_advance() -> Advance:
        return OPTIMIZERS[optimizer](canvas, step_size=step_size, history=history, betas=betas)

    def update() -> None:
        advance()
        if clamp:
            with torch.no_grad():
                canvas.clamp_(0, 1)

    advance = make_advance()
    recoveries, note = 0, ""
    good = canvas.detach().clone()
    for step in range(steps + 1):
        losses = _evaluate(objective, canvas, gradient=step < steps)
        while not all(map(math.isfinite, losses.values())):
            if step == 0 or recoveries == MAX_RECOVERIES:
                raise NSTError(_not_finite(step, losses))
            recoveries, step_size = recoveries + 1, step_size / 2
            note = f"the loss was not finite at step {step}; went back to step {step - 1} with step size {step_size:g}"
            with torch.no_grad():
                canvas.copy_(good)
            advance = make_advance()
            _evaluate(objective, canvas, gradient=True)
            update()
            losses = _evaluate(objective, canvas, gradient=step < steps)
        good = canvas.detach().clone()
        yield Frame(step, good, losses, note)
        note = ""
        if controls.stop.is_set():
            return
        if step < steps:
            update()


def _evaluate(objective: Objective, canvas: Tensor, *, gradient: bool) -> dict[str, float]:
    """The losses of the canvas, and its gradient in canvas.grad."""
    with torch.set_grad_enabled(gradient):
        terms = objective(canvas)
        values = torch.stack(list(terms.values()))
        if gradient:
            canvas.grad = None
            values.sum().backward()
    return dict(zip(terms, values.tolist(), strict=True))  # the device is waited for once


def _not_finite(step: int, losses: dict[str, float]) -> str:
    terms = ", ".join(name for name, value in losses.items() if not math.isfinite(value))
    return (
        f"the loss is not a finite number at step {step} ({terms}); "
        "lower the weights or the step size, or compute in fp32 (NST_PRECISION=fp32)"
    )
