"""Paints a figure's cells, a step at a time: one cell by itself, or several in one pass of the network."""

import math
import time
from collections.abc import Sequence
from typing import Protocol

import torch

from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.devices import Compute, computing_on
from nst_core.transfer.descent import leapt
from nst_core.transfer.optimize import Frame
from nst_core.transfer.optimizers import Optimizer
from nst_core.transfer.run import Run
from nst_core.transfer.scales import optimizer_of
from nst_core.transfer.stylize import stylize
from nst_core.transfer.together import terms_together

NOT_FINITE = "the loss is not a finite number at step {}; lower the weights, or compute in fp32 (NST_PRECISION=fp32)"


class Painter(Protocol):
    """Paints one cell or several."""

    @property
    def growths(self) -> Sequence[FigureGrowth]:
        """Tell how far each of them is."""

    def advance(self) -> bool:
        """Make one step for each of them; False when there was none to make."""

    def close(self) -> None:
        """Free what it holds."""


class Single:
    """One cell, of any settings; checks them and the pictures."""

    def __init__(self, cell: FigureCell, compute: Compute):
        self.growths = [FigureGrowth(cell)]
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


class BatchMember:
    """One of several cells that pass the network together: its canvas and what moves it."""

    def __init__(self, growth: FigureGrowth, run: Run):
        self.growth, self.run, config = growth, run, run.config
        self.objective, start = run.laid_out()
        self.canvas = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
        self.optimizer: Optimizer = optimizer_of(config)
        self.optimizer.begin(self.canvas)
        self.losses: dict[str, float] = {}
        self.good, self.before = self.canvas.detach().clone(), math.inf  # the last frame's picture, its loss

    @property
    def next_step(self) -> int:
        """The step that the canvas is at, before it is taken."""
        return self.growth.step + 1 if self.growth.history else 0

    def take(self, seconds: float) -> None:
        """Keep the canvas and its losses as a frame, which took so many seconds."""
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
        """Put the last frame's picture back, to take a short step from there."""
        self.optimizer.forget()
        with torch.no_grad():
            self.canvas.copy_(self.good)

    def move(self) -> None:
        """Move the canvas by one update."""
        self.optimizer.advance()
        if self.run.config.clamp:
            with torch.no_grad():
                self.canvas.clamp_(0, 1)


class Batch:
    """Cells that pass the network together; one whose loss is not finite ends, and the others go on."""

    def __init__(self, painters: Sequence[Single], compute: Compute):
        self.compute = compute
        self.growths = [painter.growths[0] for painter in painters]
        self.runs = [painter.run for painter in painters]
        self.members: list[BatchMember] | None = None  # none before the first step: laying out takes a while

    def advance(self) -> bool:
        began = time.perf_counter()
        if self.members is None:
            with computing_on(self.compute):
                self.members = [BatchMember(growth, run) for growth, run in zip(self.growths, self.runs, strict=True)]
        elif not self.members:
            return False
        else:
            for member in self.members:
                member.move()
        self._evaluate(self.members)
        if back := [member for member in self.members if member.has_leapt]:
            for member in back:
                member.go_back()
            self._evaluate(back)
            for member in back:
                member.move()
            self._evaluate(back)
        self._end_the_infinite(self.members)
        seconds = (time.perf_counter() - began) / max(1, len(self.members))
        for member in list(self.members):
            member.take(seconds)
            if member.growth.step == member.run.steps:
                member.growth.finish(member.run.record())
                self.members.remove(member)
        return True

    def _evaluate(self, members: Sequence[BatchMember]) -> None:
        """Compute the losses of these canvases, and their gradients."""
        with computing_on(self.compute):
            terms = terms_together([member.objective for member in members], [member.canvas for member in members])
            values = torch.stack([value for own in terms for value in own.values()])
            for member in members:
                member.canvas.grad = None
            values.sum().backward()
        numbers = iter(values.tolist())  # the device is waited for once
        for member, own in zip(members, terms, strict=True):
            member.losses = {name: next(numbers) for name in own}

    def _end_the_infinite(self, members: list[BatchMember]) -> None:
        """End those whose losses are not finite."""
        for member in list(members):
            if not all(map(math.isfinite, member.losses.values())):
                member.growth.problem = NOT_FINITE.format(member.next_step)
                members.remove(member)

    def close(self) -> None:
        self.members = []
        for run in self.runs:
            run.close()
