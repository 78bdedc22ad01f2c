"""Turns the pictures of a painting into frames: scale by scale, steered with every step."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, release_freed_memory
from nst_core.errors import ConfigError, said
from nst_core.features.checkpoint import Checkpoint
from nst_core.features.loading import load_network
from nst_core.features.vgg import VGG
from nst_core.transfer.color import COLORS
from nst_core.transfer.columns import ColumnsObjective
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import is_count, is_switch
from nst_core.transfer.ladder import Scale
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import OF_FRAME, Frame, Stage, is_frame
from nst_core.transfer.optimizers import Optimizer
from nst_core.transfer.scales import Coming, coming, objective_at, optimizer_of
from nst_core.transfer.sources import Sources, kept_sources
from nst_core.transfer.state import State, check_weights, take_chance
from nst_core.transfer.strips import StripwiseObjective

Value = TypeVar("Value")


class Painting:
    """The pictures, settings and network of a painting, by which `frames` paints.

    Args:
        sources: the pictures.
        config: all settings.
        checkpoint: of the network.
        compute: where it runs.

    Attributes:
        config: the settings by which it is painted now.
        styles: how many style pictures there are.
        newest: the last frame.
        optimizer: while it paints.
    """

    def __init__(self, sources: Sources, config: StyleTransferConfig, *, checkpoint: Checkpoint, compute: Compute):
        self.sources, self.config, self.checkpoint, self.compute = sources, config, checkpoint, compute
        self.styles = len(sources.styles)
        self.number = 0  # of the scale that is being painted, from 1
        self.newest: Frame | None = None
        self.stage: Stage | None = None
        self.objective: StyleTransferObjective | None = None
        self.optimizer: Optimizer | None = None
        self._coming: Coming | None = None  # the scale that comes next
        self._changed = False  # what is measured, since the last frame
        self._prepared = False  # whether the next frame waits for nothing

    @property
    def scales(self) -> list[Scale]:
        """Sizes and steps, small to large."""
        return self.sources.scales

    @property
    def content_image(self) -> Tensor:
        """The content, (1, 3, H, W), as large as the result; over white if it is transparent."""
        return self.sources.content_image

    @property
    def style_image(self) -> Tensor:
        """The first style, (1, 3, H', W'), as it is looked at beside that."""
        return self.sources.style_image

    def frames(self) -> Generator[Frame | None, StyleTransferConfig, None]:
        """Paint every scale in turn, the last without end; what is sent are the settings for the next step.

        It begins where the painting is, so that one whose state was taken goes on.

        Yields:
            None, for the first settings to be sent; then frames.
        """
        wanted = yield None
        try:
            while True:
                self.newest = replace(self._next(wanted), finish=self.finish)
                wanted = yield self.newest
        finally:
            self.free()

    def _next(self, wanted: StyleTransferConfig) -> Frame:
        if not self._prepared:
            for _ in self.prepare(wanted):
                pass
        self._prepared = False
        changed, self._changed = self._changed, False
        if not self._coming:
            return _one(_one(self.stage).next(changed))
        note, before = "" if self.newest else self.sources.note, self.newest
        stage = self._begin(self._coming, before.step if before else 0, wanted)
        first = _one(stage.next())
        return _one(stage.next()) if before else replace(first, note=note)  # else the picture that was shown last

    def prepare(self, wanted: StyleTransferConfig, *, haste: bool = False) -> Iterator[float]:
        """Do what the next frame, of these settings, waits for, in parts; yields the share that is done after each.

        Whoever leaves it unfinished finds the painting as it was after its last frame.

        Args:
            wanted: settings.
            haste: do as little as will do for a first frame.
        """
        if self._coming is None:
            if self.newest and not self.stage:  # it was closed, or goes on elsewhere
                return
            number = self._number_next()
            if number == self.number and self.objective:
                self._changed = self._steer(wanted) or self._changed or self.objective.in_haste
                yield from self.objective.prepare()
                self._prepared = True
                return
            self._coming = self._made_ready(number)
        objective = self._coming.objective
        if objective.config is not wanted:
            objective.steer(wanted)
        yield from objective.prepare(haste=haste)
        self._prepared = True

    @property
    def is_between(self) -> bool:
        """Whether a scale is let go of and the next one not there: only one more frame brings what can be kept."""
        return self._coming is not None and self.stage is None

    def _number_next(self) -> int:
        """Give the number of the scale of the next frame."""
        if self.newest is None:
            return 1
        over = self.newest.settled or _one(self.stage).made == _one(self.stage).steps
        return self.number + int(over and self.number < len(self.scales))

    def _made_ready(self, number: int) -> Coming:
        """Make a scale ready, but for what its objective has to prepare; by columns, beside the one before."""
        if isinstance(self.objective, ColumnsObjective):
            self.objective.let_go()
        else:
            self.stage, self.objective = None, None  # not beside what takes their place
            if number == len(self.scales):
                self.sources.free(for_last=True)
        scale, before = self.scales[number - 1], self.newest.pixels if self.newest else None
        return coming(self.sources, self.config, self._network(), scale, compute=self.compute, before=before)

    def _begin(self, coming: Coming, made: int, wanted: StyleTransferConfig) -> Stage:
        """Begin a scale that is prepared, after so many steps."""
        self._coming, self.config, self.number = None, wanted, self.number + 1
        if self.number == len(self.scales):
            self.sources.free(for_last=True)
        self.objective, self.stage = coming.objective, None
        return self._staged(coming.canvas, made)

    def _network(self) -> VGG:
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        return network

    def _at_scale(self, number: int) -> StyleTransferObjective:
        """Make ready what a scale is painted with, but for its canvas."""
        if number == len(self.scales):
            self.sources.free(for_last=True)
        self.stage, self.objective, self.number = None, None, number  # not beside what takes their place
        self.objective = objective_at(self.sources, self.config, self._network(), self.scales[number - 1], self.compute)
        return self.objective

    def _staged(self, canvas: Tensor, made: int) -> Stage:
        """Put a canvas (1, 3, H, W) on the scale that is ready."""
        if isinstance(self.objective, StripwiseObjective):
            release_freed_memory()  # what smaller scales left lies in pieces that are too small for this one
        self.optimizer = self.optimizer or optimizer_of(self.config)
        self.stage = Stage(
            _one(self.objective),
            canvas,
            steps=None if self.number == len(self.scales) else self.scales[self.number - 1].steps,
            optimizer=self.optimizer,
            clamp=self.config.clamp,
            averaging=self.config.averaging,
            tolerance=self.config.tolerance,
            made=made,
            scale=(self.number, len(self.scales)),
        )
        return self.stage

    def free(self) -> None:
        """Let go of what only a painting that goes on needs."""
        self.stage = self.objective = self.optimizer = self._coming = None
        self._changed = self._prepared = False

    def rest(self) -> None:
        """Let go of what `take_state` brings back."""
        self.free()
        self.sources.free()

    def state(self) -> State:
        """Give what it needs to show its last frame, in `take_frame`, and to go on from there, in `take_state`."""
        made_by = {"weights": self.checkpoint.sha256(), "precision": self.compute.precision, "scale": self.number}
        state = self.sources.state() | self.shown() | State(made_by)
        if self.stage is None or self.objective is None:
            return state
        if not torch.equal(chance := self.objective.generator.get_state(), self._chance_at_first(self.objective)):
            state.tensors["chance"] = chance
        if self._changed or self.objective.in_haste:
            state.facts["changed"] = True
        return state | self.stage.state() | self.objective.state(self.number)

    def shown(self) -> State:
        """Give the settings and the last frame, for `take_frame`."""
        frame = self.newest
        told = frame and {name: getattr(frame, name) for name in OF_FRAME}
        return State({"config": self.config.to_dict(), "frame": told}, {"picture": frame.pixels} if frame else {})

    def take_frame(self, state: State) -> None:
        """Show the last frame of a painting that was kept.

        Raises:
            Flaw: it does not fit.
        """
        told = state.fact("frame", is_frame)
        if told is not None:
            pixels = state.picture("picture").to(self.compute.device)
            scale = told["scale"][0], told["scale"][1]
            self.newest = Frame(**told | {"scale": scale, "pixels": pixels, "finish": self.finish})

    def take_state(self, state: State) -> None:
        """Go on from a painting that was kept, maybe this one; the last frame and the settings stay.

        Raises:
            Flaw: it does not fit.
            WeightsError: it was painted with others.
            DeviceError: what it draws by chance can be drawn only on a device of another kind.
        """
        check_weights(self.checkpoint, state)
        self.sources = kept_sources(state, self.config)
        objective = self._at_scale(state.fact("scale", lambda value: is_count(value) and 0 < value <= len(self.scales)))
        canvas = state.tensor("canvas", tuple(objective.content_image.shape)).to(self.compute.device)
        objective.take_state(state, self.number)
        self._staged(canvas, 0).take_state(state)
        self._changed = "changed" in state.facts and state.fact("changed", is_switch)  # since its last frame
        if (chance := state.tensors.get("chance")) is not None:
            take_chance(objective.generator, chance)

    def _chance_at_first(self, objective: StyleTransferObjective) -> Tensor:
        return torch.Generator(objective.generator.device).manual_seed(self.config.seed).get_state()

    def _steer(self, wanted: StyleTransferConfig) -> bool:
        """Weigh by these settings from here on; whether anything changed."""
        if wanted is self.config:
            return False
        _one(self.objective).steer(wanted)
        self.config = wanted
        return True

    def laid_out(self) -> tuple[StyleTransferObjective, Tensor]:
        """Give the objective and the start (1, 3, H, W) at the full size, for those who move the pixels themselves."""
        scale = Scale(self.config.size, self.config.steps, columns=self.config.column_share > 0)
        made = coming(self.sources, self.config, self._network(), scale, compute=self.compute, before=None)
        return made.objective, made.canvas

    @property
    def finish(self) -> Callable[[Tensor], Tensor] | None:
        """How what is painted, (1, 3, H, W), is shown: in its colours, untouched where nothing was to be painted."""
        color, in_part = COLORS[self.config.color], bool(self.config.keep_unpainted and self.sources.regions)
        return partial(self.sources.finished, color, in_part) if in_part or color.looks_at_content else None

    def finished(self, image: Tensor) -> Tensor:
        """Give a picture (1, 3, H, W) of any scale as it is kept: (1, 4, H, W) for a transparent content."""
        alpha = self.sources.alpha
        if alpha is None:
            return image
        return torch.cat([image, images.resize(alpha, images.size_of(image)).to(image.device)], 1)

    def can_recolor(self, color: str) -> bool:
        """Whether a picture can have these colours without being painted anew."""
        return COLORS[color].before is COLORS[self.config.color].before

    def recolor(self, color: str) -> None:
        """Show pictures in other colours from here on.

        Raises:
            ConfigError: colours that the pictures would have to be painted in.
        """
        recolored = self.config.changed(color=color)
        if not self.can_recolor(color):
            raise ConfigError(f"colours {said(color)} have to be painted; run again with them")
        self.config = recolored


def _one(value: Value | None) -> Value:
    """Give what is there while a painting paints."""
    if value is None:
        raise ValueError("this painting has not begun, or is at rest")
    return value
