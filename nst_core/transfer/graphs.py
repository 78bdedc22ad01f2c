"""Makes a descent's steps: one by one, and on a GPU that repeats work by itself, soon as one graph for all of a scale.

Of what is steered, weights are numbers on the device that the graph reads. All else that a step depends on is its kind:
as long as that stays, the graph does; of another kind, steps are made one by one until a new graph is captured.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor

from nst_core import graphs
from nst_core.devices import free_memory, on_its_way, release_freed_memory
from nst_core.transfer.beside import TermsBeside
from nst_core.transfer.columns import ColumnsObjective
from nst_core.transfer.config import STEERABLE
from nst_core.transfer.descent import Descent, Look, Objective
from nst_core.transfer.lbfgs import gradient_of
from nst_core.transfer.objective import Number, StyleTransferObjective, now

WARM_STEPS = 2  # of a kind that are made one by one before it is captured: what is made once is made then
MOST_NUMBERS = 256  # of a step
WEIGHTS = ("content_weight", "style_weight", "tv_weight", "layer_weights")  # settings that multiply terms, and no more

NOT_CAPTURED = "this GPU could not repeat steps as one graph, so they are launched one by one: the same picture, slower"
NO_ROOM = "there was no memory to repeat steps as one graph, so they are launched one by one: the same picture, slower"


def kind_of(objective: Objective) -> Hashable | None:
    """Tell what of an objective a graph would hold fast; None: its steps are made one by one.

    Such are those in strips, which are long enough to hide their launches; of losses that draw anew each time; and by
    columns while they are searched for.
    """
    if not isinstance(objective, StyleTransferObjective):
        return None
    config = objective.config
    layers = objective.content_layers, objective.style_layers, config.tv_weight > 0
    if type(objective) is StyleTransferObjective and not objective.style_loss.points:
        return layers, *(getattr(config, name) for name in STEERABLE if name not in WEIGHTS)
    if type(objective) is ColumnsObjective and objective.pending is None and not objective.in_haste:
        # weights move columns' goals, too
        return layers, objective.searches, *(getattr(config, name) for name in STEERABLE if name != "tv_weight")
    return None


class Numbers:
    """What a graph multiplies losses with: numbers on the device, which steering can change."""

    def __init__(self, device: torch.device):
        self.there = torch.ones(MOST_NUMBERS, device=device)
        self.told: list[Number] = []

    def __call__(self, number: Number) -> Tensor:
        """Give the place of a number, in the order in which a graph asks for them."""
        self.told.append(number)
        return self.there[len(self.told) - 1]

    def tell(self) -> None:
        """Have all as they are now; by launches, as a copy would have to be waited for."""
        for place, number in enumerate(self.told):
            self.there[place].fill_(number())


class Steps:
    """Makes the steps of a descent.

    A graph takes the gradient from a place of its own, and leaves the next one there. Whoever looks without it, as on
    the way back from a leap, leaves another.
    """

    def __init__(self, descent: Descent):
        self.descent, self.device = descent, descent.canvas.device
        self.may_repeat = graphs.repeats(self.device)
        self.note = ""  # what a person should know of how steps are made
        self.kind: Hashable | None = None
        self.made = 0  # of that kind, one by one
        self.repeated: _Repeated | None = None

    def next(self, *, gradient: bool = True, anew: bool = False) -> Look:
        """Make one step along the gradient that the last look left, and look again; arguments as of `Descent.look`."""
        kind = self._kind() if self.may_repeat and gradient else None
        if kind is None:
            return self._alone(gradient=gradient, anew=anew)
        if kind != self.kind:
            self.kind, self.made, self.repeated = kind, 0, None
            self.coming = graphs.CudaGraph(self.device)
        if self.repeated is None and self.made < WARM_STEPS:
            self.made += 1
            with _beside(cast(StyleTransferObjective, self.descent.objective), self.device):
                look = self.coming.warm(lambda: self._alone(anew=anew))
            self.names = look.names
            return look
        self.repeated = self.repeated or self._captured()
        return self.repeated.next(anew) if self.repeated else self._alone(anew=anew)

    def take_note(self) -> str:
        """Give the note, once."""
        note, self.note = self.note, ""
        return note

    def _kind(self) -> Hashable | None:
        own = kind_of(self.descent.objective), self.descent.optimizer.kind
        return None if None in own else own

    def _alone(self, *, gradient: bool = True, anew: bool) -> Look:
        self.descent.update()
        return self.descent.look(gradient=gradient, anew=anew)

    def _captured(self) -> "_Repeated | None":
        """Capture a step; where that fails, no more is tried."""
        free, made = free_memory(str(self.device)), None
        objective = cast(StyleTransferObjective, self.descent.objective)  # no other has a kind
        try:
            made = _Repeated(self.descent, objective, self.coming, self.names)
        except RuntimeError as error:  # of torch's
            self.note = NO_ROOM if isinstance(error, torch.OutOfMemoryError) else NOT_CAPTURED
        else:
            left = free_memory(str(self.device))
            if left >= free - left:  # steps that are made one by one take as much beside it
                return made
            self.note = NO_ROOM
        self.may_repeat = False
        del made, self.coming
        release_freed_memory()
        return None


@contextmanager
def _beside(objective: StyleTransferObjective, device: torch.device) -> Iterator[None]:
    """Let terms that take long and leave the device idle be computed beside the rest, where a step is noted."""
    objective.beside = TermsBeside(device)
    try:
        yield
    finally:
        objective.beside = None


class _Repeated:
    """A step of a descent as a graph.

    Args:
        descent: whose step is next.
        objective: its own.
        graph: to be captured.
        names: of its terms.
    """

    def __init__(
        self, descent: Descent, objective: StyleTransferObjective, graph: graphs.CudaGraph, names: tuple[str, ...]
    ):
        self.descent, self.objective, self.graph, self.names = descent, objective, graph, names
        self.gradient = torch.empty_like(descent.canvas)
        self.numbers, self.config = Numbers(descent.canvas.device), objective.config
        self._put_gradient()
        objective.told = self.numbers
        try:
            with _beside(objective, self.gradient.device):
                self.values = graph.capture(self._work)
        finally:
            objective.told = now
        self.numbers.tell()

    def next(self, anew: bool) -> Look:
        """Make a step."""
        self._put_gradient()
        if self.objective.config is not self.config:
            self.config = self.objective.config
            self.numbers.tell()
        self.descent.optimizer.advance(self.graph.replay)
        return Look(self.descent.canvas.detach().clone(), self.names, on_its_way(self.values), anew)

    def _work(self) -> Tensor:
        """Do what is repeated; the terms' values, (N,)."""
        self.descent.move()
        terms = self.descent.objective(self.descent.canvas)
        values = torch.stack(list(terms.values()))
        (slope,) = torch.autograd.grad(values.sum(), self.descent.canvas)
        self.gradient.copy_(slope)
        return values.detach()

    def _put_gradient(self) -> None:
        """Have the gradient where it is read."""
        if self.descent.canvas.grad is not self.gradient:
            self.gradient.copy_(gradient_of(self.descent.canvas))
            self.descent.canvas.grad = self.gradient
