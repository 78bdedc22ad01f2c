"""Runs the loop, start + objective -> Frames: it knows pixels and losses, no network and no paper."""

import math
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from nst_core.devices import steps_ahead
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.descent import Descent, Look, Objective
from nst_core.transfer.graphs import Steps
from nst_core.transfer.json_values import (
    are_losses,
    are_numbers,
    are_texts,
    is_count,
    is_number,
    is_size,
    is_switch,
    is_text,
)
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.state import State

PLATEAU_STEPS = 20


@dataclass(frozen=True)
class Frame:
    """One moment of a run.

    Attributes:
        step: updates made so far, over all scales; 0 is the start itself.
        pixels: (1, 3, H, W) on the run's device, as painted. A picture being optimised may leave [0, 1] a little;
            `images` clips it.
        losses: name -> weighted loss of this very image, their sum is the objective; with averaging, of the newest
            picture that went into it.
        note: what a person should know of this step, mostly "".
        scale: the number of its scale, of how many.
        settled: whether steps gain too little to go on.
        finish: what is painted -> what is shown of it, in other colours; None: the same.
    """

    step: int
    pixels: Tensor
    losses: dict[str, float]
    note: str = ""
    scale: tuple[int, int] = (1, 1)
    settled: bool = False
    finish: Callable[[Tensor], Tensor] | None = None

    @cached_property
    def image(self) -> Tensor:
        """The image (1, 3, H, W) as it is shown; made when somebody asks first, as most frames are never seen."""
        return self.pixels if self.finish is None else self.finish(self.pixels)

    @property
    def total(self) -> float:
        """The objective of this image."""
        return math.fsum(self.losses.values())


# Fields of a frame that are kept beside its picture -> whether a value of JSON is one.
OF_FRAME: dict[str, Callable[[Any], bool]] = {
    "step": is_count,
    "losses": are_losses,
    "note": is_text,
    "scale": is_size,
    "settled": is_switch,
}


def is_frame(value: Any) -> bool:
    """Whether a value of JSON tells of a frame, or of none."""
    if not isinstance(value, dict):
        return value is None
    return value.keys() == OF_FRAME.keys() and all(kind(value[name]) for name, kind in OF_FRAME.items())


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

    Yields:
        Frame made … made + steps, each with the losses of its own image.

    Raises:
        NSTError: the loss is not finite at the start, or stays so after MAX_RECOVERIES smaller steps.
    """
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer](step_size=step_size, history=history, betas=betas)
    stage = Stage(
        objective,
        start,
        steps=steps,
        optimizer=optimizer,
        clamp=clamp,
        averaging=averaging,
        tolerance=tolerance,
        made=made,
        scale=scale,
    )
    changed: bool | None = False
    while frame := stage.next(bool(changed)):
        changed = yield frame


class Stage:
    """One picture on its way down, which can be kept between two steps; `optimize` says what the arguments are."""

    def __init__(
        self,
        objective: Objective,
        start: Tensor,
        *,
        steps: int | None,
        optimizer: Optimizer,
        clamp: bool,
        averaging: float,
        tolerance: float,
        made: int = 0,
        scale: tuple[int, int] = (1, 1),
    ):
        self.steps, self.begun_at, self.scale = steps, made, scale
        self.optimizer, self.tolerance = optimizer, tolerance
        self.descent, self.average = Descent(objective, start, optimizer, clamp=clamp), Average(averaging)
        self.step, self.plateau = Steps(self.descent), Plateau(tolerance)
        self.made: int | None = None  # updates that were shown; None before the first frame
        # What an optimiser takes along to the next scale it shall not have learned behind that one's end.
        exact = optimizer.carries and tolerance > 0 and steps is not None
        self.most_ahead = 0 if exact else steps_ahead(start.device)
        self.ahead: deque[Look] = deque()  # at steps that were not shown yet

    def next(self, changed: bool = False) -> Frame | None:
        """Make the next frame, the first of which is the start; None after the last.

        Args:
            changed: whether the objective has changed since the last frame.
        """
        if self.made is not None and self.made == self.steps:
            return None
        if self.made is None:
            self.made = 0
            self.ahead.append(self.descent.look(gradient=self.steps != 0))
        else:
            self._go_ahead(self.made, changed)
            self.made += 1
        step, look = self.begun_at + self.made, self.ahead.popleft()
        if look.anew:  # losses before are in another measure
            self.descent.before, self.plateau = math.inf, Plateau(self.tolerance)
        losses, note, back = self.descent.judge(look, step, gradient=self.made != self.steps, may_go_back=self.made > 0)
        if back:
            self.ahead.clear()
        note = "; ".join(filter(None, (note, self.step.take_note())))
        painted, settled = self.average.of(self.descent.good), self.plateau.reached(math.fsum(losses.values()))
        return Frame(step, painted, losses, note, self.scale, settled)

    def _go_ahead(self, shown: int, changed: bool) -> None:
        """Make the next step, and where the device is to have work meanwhile, some more."""
        while len(self.ahead) <= self.most_ahead and shown + len(self.ahead) != self.steps:
            last = shown + len(self.ahead) + 1 == self.steps
            self.ahead.append(self.step.next(gradient=not last, anew=changed))
            if changed:
                self.optimizer.forget()
            changed = False

    def state(self) -> State:
        """Give what it knows after a frame, and what its optimiser does."""
        facts = {"begun at": self.begun_at, "made": self.made, "best losses": self.plateau.best}
        average = State({"average's weight": self.average.weight})
        if self.average.sum is not None:
            average.tensors["average"] = self.average.sum
        return State(facts) | average | self._state_ahead() | self.descent.state() | self.optimizer.state()

    def _state_ahead(self) -> State:
        """Give what was not shown yet, and the last good picture, which the canvas is no longer."""
        facts = {"ahead": [{"terms": list(look.names), "anew": look.anew} for look in self.ahead]}
        tensors = {f"picture {number}": look.picture for number, look in enumerate(self.ahead)}
        tensors |= {f"losses {number}": look.values() for number, look in enumerate(self.ahead)}
        return State(facts, tensors | {"good": self.descent.good} if tensors else {})

    def _take_ahead(self, state: State) -> None:
        """Take what another gave as `_state_ahead`; raises Flaw if it does not fit."""
        shape, device = tuple(self.descent.canvas.shape), self.descent.canvas.device
        for number, told in enumerate(state.fact("ahead", _are_ahead)):
            picture = state.tensor(f"picture {number}", shape).to(device)
            losses = state.tensor(f"losses {number}", (len(told["terms"]),))
            self.ahead.append(Look(picture, tuple(told["terms"]), losses.cpu, told["anew"]))
        if self.ahead:
            self.descent.good = state.tensor("good", shape).to(device)

    def take_state(self, state: State) -> None:
        """Go on from what another gave, whose canvas this one started with.

        Raises:
            Flaw: it does not fit.
        """
        self.begun_at, self.made = state.fact("begun at", is_count), state.fact("made", is_count)
        if self.steps is not None and self.made > self.steps:
            raise Flaw("it made more steps than its scale has")
        self.plateau.best = state.fact("best losses", are_numbers)
        if self.average.decay:
            canvas = self.descent.canvas
            self.average.sum = state.tensor("average", tuple(canvas.shape)).to(canvas.device)
            self.average.weight = state.fact("average's weight", lambda value: is_number(value) and value > 0)
        self.descent.take_state(state)
        self._take_ahead(state)
        self.optimizer.take_state(state)


def _are_ahead(value: Any) -> bool:
    """Whether a value of JSON tells of looks: what their terms are called, and whether they are in another measure."""
    if not isinstance(value, list):
        return False
    tables = (told for told in value if isinstance(told, dict) and told.keys() == {"terms", "anew"})
    return len(value) == sum(are_texts(told["terms"]) and is_switch(told["anew"]) for told in tables)


class Plateau:
    """Whether a run still gets anywhere: its best loss against that of PLATEAU_STEPS before.

    Args:
        tolerance: the relative gain that is enough; 0 for always.
    """

    def __init__(self, tolerance: float):
        self.tolerance = tolerance
        self.best: list[float] = []  # so far, at each of the last steps

    def reached(self, loss: float) -> bool:
        """True when this loss and those before it gain too little."""
        self.best = [*self.best[-PLATEAU_STEPS:], min([loss, *self.best[-1:]])]
        if self.tolerance == 0 or len(self.best) <= PLATEAU_STEPS:
            return False
        before = self.best[0]
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
