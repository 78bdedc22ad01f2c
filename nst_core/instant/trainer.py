"""Trains a transformation network: makes updates and previews, puts it aside and takes it up again."""

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.devices import Compute, computing_on, put_on
from nst_core.errors import ConfigError
from nst_core.features.loading import load_network
from nst_core.features.partial import damaged, put_aside, take_up
from nst_core.features.photographs import Photographs
from nst_core.instant.network import PHOTO, TransformationNetwork, gather
from nst_core.instant.perceptual import PerceptualLoss, TrainingRecipe
from nst_core.instant.shading import grained, shaded
from nst_core.steps import finish
from nst_core.transfer.steering import Steering

CHECKPOINT_STEPS = 250
PREVIEW_STEPS = 5  # for each style that a preview shows
LEAST_PREVIEW_STEPS = 10
PREVIEW_SIDE = 256  # pixels
CLOSEST = 0.6  # window of a crop, of its side
MOST_BEGINNINGS = 16  # styles of a network, as which another may begin
NORM_PACE = 5.0  # of the step size, for scales and shifts: each style's are moved only by crops painted in it
STYLE_DRAW, SHADE_DRAW = 1, 2  # beside seed and step: draws that are not those of the crops


@dataclass(frozen=True)
class TrainingProgress:
    """Tells how far a training is.

    Attributes:
        step, steps: updates made, of how many.
        losses: name -> weighted loss, a mean since the last ones; empty between.
        preview: a held-out picture in every style, and last as it is, (1, 3, H, W) in [0, 1]; None between.
        text: what is being done, where that is not training.
    """

    step: int
    steps: int
    losses: dict[str, float] = field(default_factory=dict)
    preview: Tensor | None = None
    text: str = ""


class Trainer:
    """A network in the making, which can be put aside and taken up again.

    Args:
        style_images: name -> (1, 3, any, any) in [0, 1].
        recipe: all settings.
        compute: device and precision.
        base: a network whose convolutions are taken as they are, so that only the styles' scales and shifts are
            learned; None to learn all. Its width is the one that counts.

    Raises:
        ConfigError: no style, or one called PHOTO; a factor of a style that there is not.
        WeightsError: no weights for the loss.
    """

    def __init__(
        self,
        style_images: dict[str, Tensor],
        recipe: TrainingRecipe,
        compute: Compute,
        base: TransformationNetwork | None = None,
    ):
        if PHOTO in style_images:
            raise ConfigError(f"a style is called {PHOTO!r}, which every network has already; rename its picture")
        self.recipe, self.compute, self.step, self.adds = recipe, compute, 0, base is not None
        network, _ = load_network(recipe.backbone, compute)
        fitted = {name: images.fit(image, recipe.style_size) for name, image in style_images.items()}
        placed = {name: image.to(compute.device) for name, image in fitted.items()}
        self.loss = PerceptualLoss(network, placed, recipe)
        self.painter = put_on(compute.device, _begun([*style_images, PHOTO], recipe, base))
        parameters = list(self.painter.named_parameters())
        for name, value in parameters:
            value.requires_grad_(not self.adds or ".norm." in name)
        convolutions = [value for name, value in parameters if ".norm." not in name]
        norms = {"params": [value for name, value in parameters if ".norm." in name], "pace": NORM_PACE}
        self.adam = torch.optim.Adam([norms] if self.adds else [{"params": convolutions, "pace": 1.0}, norms])

    def update(self, photographs: Photographs) -> dict[str, float]:
        """Make one step; return the losses before it.

        Raises:
            DeviceError: the device's memory is full.
        """
        with computing_on(self.compute):
            return self._update(photographs)

    def _update(self, photographs: Photographs) -> dict[str, float]:
        recipe, self.step = self.recipe, self.step + 1
        crops, seen = (part.to(self.compute.device) for part in self._crops(photographs))
        styles, strengths = (drawn.to(self.compute.device) for drawn in self._drawn())
        for group in self.adam.param_groups:
            group["lr"] = group["pace"] * recipe.step_size * _schedule(self.step, recipe.steps)
        terms = self._terms(crops, seen, styles, strengths)
        self.adam.zero_grad()
        sum(terms.values(), torch.zeros(())).backward()
        if self.adds:  # the photo's scales and shifts are those of the base
            for value in self.adam.param_groups[0]["params"]:
                value.grad[-1] = 0
        self.adam.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    def _terms(self, crops: Tensor, seen: Tensor, styles: Tensor, strengths: Tensor) -> dict[str, Tensor]:
        """The loss of crops that are painted in a style each, so much of it."""
        shares = F.one_hot(styles, len(self.painter.styles)) * strengths[:, None]  # (B, S)
        shares[:, -1] = 1 - strengths  # the photo's
        with torch.autocast(self.compute.device.split(":")[0], self.compute.dtype, enabled=self._mixed):
            unfinished = finish(self.painter.unfinished(seen, shares))
        terms = self.loss(self.painter.finished(unfinished), crops, styles, strengths)
        return terms | {"saturation": self.loss.saturation(unfinished)}

    def _crops(self, photographs: Photographs) -> tuple[Tensor, Tensor]:
        """The crops of this step, and as the network is to see them."""
        recipe = self.recipe
        crops = photographs.crops(recipe.batch, recipe.crop, 0.0, recipe.seed, self.step, closest=CLOSEST)
        generator = self._generator(SHADE_DRAW)
        crops = shaded(crops, recipe.shade_share, generator)
        return crops, grained(crops, generator)

    def _generator(self, draw: int) -> torch.Generator:
        return torch.Generator().manual_seed(hash((self.recipe.seed, self.step, draw)) % 2**63)

    @property
    def _mixed(self) -> bool:
        return self.compute.precision != "fp32"

    def _drawn(self) -> tuple[Tensor, Tensor]:
        """For each crop the number of its style and how much of it is to show, both (B,)."""
        generator = self._generator(STYLE_DRAW)
        styles = torch.randint(len(self.painter.styles) - 1, (self.recipe.batch,), generator=generator)
        kind, strengths = torch.rand(2, self.recipe.batch, generator=generator)
        plain, faint = self.recipe.photo_share, self.recipe.photo_share + self.recipe.faint_share
        return styles, strengths.where(kind < faint, 1.0).where(kind >= plain, 0.0)

    def begin_nearest(self, base: TransformationNetwork, photographs: Photographs) -> Generator[None, None, str]:
        """Begin one style that is added as that style of the base which paints nearest to it already.

        Yields:
            after each that was looked at: whoever leaves off leaves it as it was.

        Returns:
            whose; "" for the mean of all, as which it begins otherwise, if that is nearer.
        """
        began = {"": self.painter.state_dict()}
        for name in base.styles[:-1][:MOST_BEGINNINGS]:
            began[name] = gather([(base, name), (base, PHOTO)], names=self.painter.styles).state_dict()
        began = {name: {key: value.clone() for key, value in state.items()} for name, state in began.items()}
        with computing_on(self.compute):
            crops, seen = (part.to(self.compute.device) for part in self._crops(photographs))
        losses = {}
        try:
            for name, state in began.items():
                with torch.no_grad(), computing_on(self.compute):
                    losses[name] = self._loss_begun_as(state, crops, seen)
                yield
            nearest = min(losses, key=lambda name: losses[name])
        except GeneratorExit:
            nearest = ""
        self.painter.load_state_dict(began[nearest])
        return nearest

    def _loss_begun_as(self, state: dict[str, Tensor], crops: Tensor, seen: Tensor) -> float:
        self.painter.load_state_dict(state)
        styles = torch.zeros(len(crops), dtype=torch.long, device=crops.device)
        terms = self._terms(crops, seen, styles, torch.ones(len(crops), device=crops.device))
        return sum(float(term) for term in terms.values())

    def preview(self, photographs: Photographs) -> Tensor:
        """A held-out photograph in every style, side by side, (1, 3, H, W) in [0, 1]."""
        picture = next(photographs.held_out(PREVIEW_SIDE)).to(self.compute.device)
        with torch.no_grad():
            painted = [self.painter(picture, self.painter.shares_of({name: 1.0})) for name in self.painter.styles]
        return torch.cat(painted, 3).cpu()

    def save(self, path: Path, header: dict[str, str]) -> None:
        """Write all that going on needs.

        Raises:
            OutputError: it cannot be written.
        """
        put_aside(path, header, self.step, state=self.painter.state_dict(), adam=self.adam.state_dict())

    def resume(self, path: Path, header: dict[str, str]) -> None:
        """Go on from where `save` left off.

        Raises:
            WeightsError: the file is damaged, or of another training.
        """
        kept = take_up(path, header, self.compute.device)
        try:
            self.painter.load_state_dict(kept["state"])
            self.adam.load_state_dict(kept["adam"])
            self.step = kept["step"]
        except Exception as error:  # what is there is of other shapes, or is not there
            raise damaged(path) from error


def _begun(styles: list[str], recipe: TrainingRecipe, base: TransformationNetwork | None) -> TransformationNetwork:
    """A new network; with a base, one whose every style begins as the mean of the base's."""
    if base is None:
        with torch.random.fork_rng([]):
            torch.manual_seed(recipe.seed)
            return TransformationNetwork(styles, recipe.width)
    begun = gather([(base, base.styles[0])] * (len(styles) - 1) + [(base, PHOTO)], names=styles)
    for (name, value), old in zip(begun.named_parameters(), base.parameters(), strict=True):
        if ".norm." in name:
            value.data[:-1] = old.data[:-1].mean(0)  # the photo is the last
    return begun


def _schedule(step: int, steps: int) -> float:
    """Give the share of the step size: whole at first, half a cosine down to a tenth."""
    return 0.1 + 0.9 * (1 + math.cos(math.pi * step / steps)) / 2


def updates(
    trainer: Trainer,
    photographs: Photographs,
    steering: Steering | None,
    partial: Path | None = None,
    header: dict[str, str] | None = None,
) -> Generator[TrainingProgress, None, None]:
    """Make what is left of a training, a TrainingProgress after every step.

    Args:
        trainer: which it is of.
        photographs: what it paints.
        steering: ends it when its stop is set.
        partial: where checkpoints go and where one may be to go on from; None for none.
        header: of the checkpoints, which one that is there has to have.

    Raises:
        OutputError: a checkpoint cannot be written; the one before it stays.
        WeightsError: the checkpoint is damaged or of another training.
    """
    steps, count, header = trainer.recipe.steps, 0, header or {}
    sums: dict[str, float] = {}
    if partial and partial.is_file():
        trainer.resume(partial, header)
        yield TrainingProgress(trainer.step, steps, text=f"going on from {partial}")
    every = max(LEAST_PREVIEW_STEPS, PREVIEW_STEPS * len(trainer.painter.styles))
    while trainer.step < steps and not (steering and steering.stop.is_set()):
        for name, loss in trainer.update(photographs).items():
            sums[name] = sums.get(name, 0.0) + loss
        count += 1
        if partial and trainer.step % CHECKPOINT_STEPS == 0:
            trainer.save(partial, header)
        if trainer.step % every == 0 or trainer.step == steps:
            means = {name: value / count for name, value in sums.items()}
            sums, count = {}, 0
            yield TrainingProgress(trainer.step, steps, means, trainer.preview(photographs))
        else:
            yield TrainingProgress(trainer.step, steps)
