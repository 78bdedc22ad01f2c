"""Turns the pictures of a painting into frames: scale by scale, steered with every step."""

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, release_freed_memory
from nst_core.errors import ConfigError, DeviceError, WeightsError, said
from nst_core.features.checkpoint import Checkpoint, Flaw, title_of
from nst_core.features.loading import load_network
from nst_core.features.vgg import VGG
from nst_core.transfer.color import COLORS
from nst_core.transfer.columns import ColumnsObjective, SplitObjective
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import is_count
from nst_core.transfer.ladder import Scale, content_share
from nst_core.transfer.masks import fit_mask
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import OF_FRAME, Frame, Stage, is_frame
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.sources import Sources, kept_sources
from nst_core.transfer.starts import STARTS, StartMaterial
from nst_core.transfer.state import State
from nst_core.transfer.strips import StripwiseObjective
from nst_core.transfer.tile import as_tile

Value = TypeVar("Value")

PAINTED = ("image", "quick")  # starts that are paintings, so that the first scale looks at them as at one


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
        if self.newest is None:
            return replace(_one(self._begin(1, None, wanted).next()), note=self.sources.note)
        if not (self.newest.settled and self.number < len(self.scales)):
            frame = _one(self.stage).next(self._steer(wanted))
            if frame:
                return frame
        stage = self._begin(self.number + 1, self.newest.pixels, wanted)
        stage.next()  # the picture that was shown last, at this scale
        return _one(stage.next())

    def _begin(self, number: int, canvas: Tensor | None, wanted: StyleTransferConfig) -> Stage:
        """Begin a scale from a picture (1, 3, any, any), or from the start."""
        objective, made = self._at_scale(number), self.newest.step if self.newest else 0
        size = images.size_of(objective.content_image)
        canvas = self._start(objective) if canvas is None else images.resize(canvas, size, wrap=self.config.wrap)
        self._steer(wanted)
        objective.begin(canvas, coarsest=number == 1 and self.config.start not in PAINTED)
        return self._staged(canvas, made)

    def _at_scale(self, number: int) -> StyleTransferObjective:
        """Make ready what a scale is painted with, but for its canvas."""
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        if number == len(self.scales):
            self.sources.free(for_last=True)
        self.stage, self.objective, self.number = None, None, number  # not beside what takes their place
        self.objective = self._objective(network, self.scales[number - 1])
        self.optimizer = self.optimizer or OPTIMIZERS[self.config.optimizer](
            step_size=self.config.step_size,
            history=self.config.history,
            history_precision=self.config.history_precision,
            betas=self.config.adam_betas,
        )
        return self.objective

    def _staged(self, canvas: Tensor, made: int) -> Stage:
        """Put a canvas (1, 3, H, W) on the scale that is ready."""
        if isinstance(self.objective, StripwiseObjective):
            release_freed_memory()  # what smaller scales left lies in pieces that are too small for this one
        self.stage = Stage(
            _one(self.objective),
            canvas,
            steps=None if self.number == len(self.scales) else self.scales[self.number - 1].steps,
            optimizer=_one(self.optimizer),
            clamp=self.config.clamp,
            averaging=self.config.averaging,
            tolerance=self.config.tolerance,
            made=made,
            scale=(self.number, len(self.scales)),
        )
        return self.stage

    def free(self) -> None:
        """Let go of what only a painting that goes on needs."""
        self.stage = self.objective = self.optimizer = None

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
        if (chance := state.tensors.get("chance")) is not None:
            if chance.shape != self._chance_at_first(objective).shape:
                raise DeviceError("this painting draws by chance on a device of another kind; go on there (NST_DEVICE)")
            try:
                objective.generator.set_state(chance)
            except (RuntimeError, TypeError):
                raise Flaw("its chance is none") from None

    def _chance_at_first(self, objective: StyleTransferObjective) -> Tensor:
        return torch.Generator(objective.generator.device).manual_seed(self.config.seed).get_state()

    def _objective(self, network: VGG, scale: Scale) -> StyleTransferObjective:
        device, sources, size = self.compute.device, self.sources, scale.size
        content_image = sources.content_at(size).to(device)
        own_size = images.size_of(content_image)
        styles = [image.to(device) for image in sources.styles_at(size)]
        regions = [fit_mask(region, own_size).to(device) for region in sources.regions]
        kind: type[StyleTransferObjective] = StyleTransferObjective
        if self.config.column_share:
            kind = ColumnsObjective if scale.columns else SplitObjective
        elif own_size[0] * own_size[1] > sources.whole_pixels:
            kind = StripwiseObjective
        return kind(network, content_image, styles, self.config, regions, content_share=content_share(self.config))

    def _start(self, objective: StyleTransferObjective) -> Tensor:
        material = StartMaterial(
            content_image=objective.content_image,
            style_images=objective.style_images,
            start_image=self.sources.start_image,
            noise_deviation=self.config.noise_deviation,
            seed=self.config.seed,
            compute=self.compute,
            blend=self.config.blend,
            style_scale=self.config.style_scale,
            regions=objective.regions,
        )
        start = STARTS[self.config.start](material)
        if self.config.wrap and self.config.start in ("style", "image", "quick"):  # content and noise are tiles
            start = as_tile(start)
        return start.to(self.compute.device)

    def _steer(self, wanted: StyleTransferConfig) -> bool:
        """Weigh by these settings from here on; whether anything changed."""
        if wanted is self.config:
            return False
        _one(self.objective).steer(wanted)
        self.config = wanted
        return True

    def laid_out(self) -> tuple[StyleTransferObjective, Tensor]:
        """Give the objective and the start (1, 3, H, W) at the full size, for those who move the pixels themselves."""
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        objective = self._objective(network, Scale(self.config.size, self.config.steps))
        return objective, self._start(objective)

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


def check_weights(checkpoint: Checkpoint, state: State) -> None:
    """Refuse to go on with other weights than a painting was begun with.

    Raises:
        WeightsError: they are others.
    """
    if checkpoint.sha256() != state.facts.get("weights"):
        raise WeightsError(
            f"this painting was begun with another file of {title_of(checkpoint.backbone)} than {checkpoint.path}; put "
            "that one in its place (NST_WEIGHTS), or start another painting from its picture"
        )


def _one(value: Value | None) -> Value:
    """Give what is there while a painting paints."""
    if value is None:
        raise ValueError("this painting has not begun, or is at rest")
    return value
