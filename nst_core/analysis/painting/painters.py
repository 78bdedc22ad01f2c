"""Who paints a figure's cells, a step at a time: one cell by itself, or several that pass the network together."""

import math
import time
from collections.abc import Sequence
from typing import Protocol

import torch

from nst_core.analysis.painting.cells import Cell, Growth
from nst_core.devices import Compute
from nst_core.transfer.memory import painting_on
from nst_core.transfer.optimize import Frame, leapt
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.transfer.together import terms_together

NOT_FINITE = "the loss is not a finite number at step {}; lower the weights, or compute in fp32 (NST_PRECISION=fp32)"


class Hand(Protocol):
    """Paints one cell or several."""

    growths: Sequence[Growth]

    def advance(self) -> bool:
        """One step for each of them; False when there was none to make."""

    def close(self) -> None:
        """Free what it holds."""


class Alone:
    """One cell, of any settings; checks them and the pictures."""

    def __init__(self, cell: Cell, compute: Compute):
        self.growths = [Growth(cell)]
        self.run = stylize(cell.content_image, cell.style_image, cell.config, compute=compute)

    def advance(self) -> bool:
        (growth,) = self.growths
        frame = next(self.run, None)
        if frame is None:
            growth.finish(self.run.record())
            return False
        growth.note(frame, self.run.seconds)
        return True

    def close(self) -> None:
        self.run.close()


class Mate:
    """One of several cells that pass the network together: its canvas and what moves it."""

    def __init__(self, growth: Growth, run: Run):
        self.growth, self.run, config = growth, run, run.config
        self.objective, start = run.laid_out()
        self.canvas = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
        self.optimizer: Optimizer = OPTIMIZERS[config.optimizer](
            step_size=config.step_size, history=config.history, betas=config.adam_betas
        )
        self.optimizer.begin(self.canvas)
        self.losses: dict[str, float] = {}
        self.good, self.before = self.canvas.detach().clone(), math.inf  # the last frame's picture, its loss

    @property
    def next_step(self) -> int:
        """The step that the canvas is at, before it is taken."""
        return self.growth.step + 1 if self.growth.history else 0

    def take(self, seconds: float) -> None:
        """The canvas and its losses are a frame, which took so long."""
        self.good = self.canvas.detach().clone()
        frame = Frame(self.next_step, self.good, self.losses)
        self.before = frame.total
        self.run.take(frame, seconds)
        self.growth.note(frame, self.run.seconds)

    @property
    def has_leapt(self) -> bool:
        """Whether the canvas is to go back, as `optimize` would have it."""
        return self.optimizer.leaps and leapt(self.before, self.losses)

    def go_back(self) -> None:
        """To the last frame's picture, to take a short step from there."""
        self.optimizer.forget()
        with torch.no_grad():
            self.canvas.copy_(self.good)

    def move(self) -> None:
        """One update."""
        self.optimizer.advance()
        if self.run.config.clamp:
            with torch.no_grad():
                self.canvas.clamp_(0, 1)


class Crew:
    """Cells that pass the network together; one whose loss is not finite ends, and the others go on."""

    def __init__(self, hands: Sequence[Alone], compute: Compute):
        self.compute = compute
        self.growths = [hand.growths[0] for hand in hands]
        self.runs = [hand.run for hand in hands]
        self.mates: list[Mate] | None = None  # none before the first step: laying out takes a while

    def advance(self) -> bool:
        began = time.perf_counter()
        if self.mates is None:
            with painting_on(self.compute):
                self.mates = [Mate(growth, run) for growth, run in zip(self.growths, self.runs, strict=True)]
        elif not self.mates:
            return False
        else:
            for mate in self.mates:
                mate.move()
        self._evaluate(self.mates)
        if back := [mate for mate in self.mates if mate.has_leapt]:
            for mate in back:
                mate.go_back()
            self._evaluate(back)
            for mate in back:
                mate.move()
            self._evaluate(back)
        self._end_the_infinite()
        seconds = (time.perf_counter() - began) / max(1, len(self.mates))
        for mate in list(self.mates):
            mate.take(seconds)
            if mate.growth.step == mate.run.steps:
                mate.growth.finish(mate.run.record())
                self.mates.remove(mate)
        return True

    def _evaluate(self, mates: Sequence[Mate]) -> None:
        """The losses of these canvases, and their gradients."""
        with painting_on(self.compute):
            terms = terms_together([mate.objective for mate in mates], [mate.canvas for mate in mates])
            values = torch.stack([value for own in terms for value in own.values()])
            for mate in mates:
                mate.canvas.grad = None
            values.sum().backward()
        numbers = iter(values.tolist())  # the device is waited for once
        for mate, own in zip(mates, terms, strict=True):
            mate.losses = {name: next(numbers) for name in own}

    def _end_the_infinite(self) -> None:
        """Those whose losses are not finite end here."""
        for mate in list(self.mates):
            if not all(map(math.isfinite, mate.losses.values())):
                mate.growth.problem = NOT_FINITE.format(mate.next_step)
                self.mates.remove(mate)

    def close(self) -> None:
        self.mates = []
        for run in self.runs:
            run.close()
