"""Has a network trained on another machine: its photographs are sent there once, checkpoints come back."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from torch import Tensor

from nst_core.engine.errands import networks_here
from nst_core.engine.remote_errand import Order, RemoteErrand
from nst_core.engine.remote_run import Machines
from nst_core.engine.worker import Passing
from nst_core.errors import ConfigError, DeviceError
from nst_core.features.partial import damaged, take_up
from nst_core.features.photographs import Photographs
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.trainer import TrainingProgress
from nst_core.instant.training_parcels import (
    Recipe,
    filled,
    packed_checkpoint,
    packed_order,
    photograph_pieces,
    progress_in,
    write_checkpoint,
)
from nst_core.transfer.state import Tensors
from nst_core.transfer.steering import Steering
from nst_core.universal.decoders import Decoders


class RemoteTraining:
    """A training that machines make; here are its photographs and, in a file, its last checkpoint.

    Args:
        machines: that it may be made on.
        recipe: all settings; a DecoderRecipe trains decoders.
        style_images: name -> (1, 3, any, any) in [0, 1]; none for decoders.
        base: a network whose convolutions are taken as they are.
        looks: whether it begins as the base's style that paints nearest.

    Attributes:
        step: of what is learned; 0 until `updates` has ended.
        notes: which machines were lost, and what ended it early.
    """

    def __init__(
        self,
        machines: Machines,
        recipe: Recipe,
        style_images: dict[str, Tensor] | None = None,
        base: TransformationNetwork | None = None,
        *,
        looks: bool = False,
    ):
        self.machines, self.recipe, self.style_images, self.base = machines, recipe, style_images or {}, base
        self.looks, self.step, self.notes = looks, 0, tuple[str, ...]()
        self._learned: Tensors = {}

    def updates(
        self,
        photographs: Photographs,
        steering: Steering | None,
        partial: Path | None = None,
        header: dict[str, str] | None = None,
    ) -> Generator[TrainingProgress, None, None]:
        """Make what is left of the training; arguments and errors as of `trainer.updates`, and of a RemoteErrand.

        A checkpoint comes every few seconds of computing. If a machine is lost, another goes on from the last. Without
        machines it ends as if stopped there, with a note, where there is no file to go on from.
        """
        folder, header = Passing(), header or {}
        path = partial or folder.path / "training.partial"
        kept, shown, sent = None, -1, 0
        if path.is_file():
            shown = take_up(path, header)["step"]
            kept = packed_checkpoint(path)
            yield self._told(shown, f"going on from {partial}")
        state = packed_order(self.recipe, self.style_images, self.base, header, looks=self.looks)
        networks = networks_here(getattr(self.recipe, "backbone", BUNDLED_BACKBONE))
        order = Order("training", state, networks, lambda: photograph_pieces(photographs))
        errand = RemoteErrand(self.machines, order, steering, kept)
        try:
            for news in errand:
                if errand.kept is not kept and (kept := errand.kept):
                    write_checkpoint(kept, path)
                if errand.lost:
                    yield self._told(max(0, shown), self._loss(errand, max(0, shown)))
                if errand.sent > sent:
                    yield self._told(max(0, shown), f"photographs are sent: {errand.sent / 1e6:.0f} MB")
                sent = errand.sent
                for progress in progress_in(news, self.recipe.steps) if news else ():
                    if progress.step > shown or (progress.text and progress.step == shown):
                        shown = progress.step
                        yield progress
        except DeviceError as error:
            if partial or not kept:  # else it goes on from the file, or there is nothing
                raise
            self.notes += (str(error),)
        finally:
            errand.close()
        self._take_in(path, header)

    def _told(self, step: int, text: str) -> TrainingProgress:
        return TrainingProgress(step, self.recipe.steps, text=text)

    def _loss(self, errand: RemoteErrand, step: int) -> str:
        """Say in a line what became of the machines that were lost."""
        names = ", ".join(errand.lost)
        errand.lost.clear()
        note = f"{names} was lost at step {step}: another machine goes on from the start"
        if errand.kept:
            note = f"{names} was lost at step {step}: another machine goes on from the last checkpoint"
        self.notes += (note,)
        return note

    def _take_in(self, path: Path, header: dict[str, str]) -> None:
        if not path.is_file():
            raise ConfigError("stopped before the first step; nothing was learned")
        kept = take_up(path, header)
        try:
            self._learned, self.step = kept["state"], kept["step"]
        except KeyError:
            raise damaged(path) from None

    @property
    def painter(self) -> TransformationNetwork:
        """Give the network that was learned, on the CPU."""
        width: Any = self.base.width if self.base else getattr(self.recipe, "width", None)
        return filled([*self.style_images, PHOTO], width, self._learned)

    @property
    def decoders(self) -> Decoders:
        """Give the decoders that were learned, on the CPU."""
        decoders = Decoders()
        decoders.load_state_dict(self._learned)
        return decoders
