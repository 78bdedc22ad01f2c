"""Trains on a machine of a cluster, for a program on another that has the photographs and keeps what is learned."""

from collections.abc import Generator

from nst_core.devices import Compute, release_freed_memory
from nst_core.engine.worker import Passing
from nst_core.features.photographs import Photographs
from nst_core.instant.decoder_trainer import DecoderRecipe, DecoderTrainer
from nst_core.instant.lesson import begun_nearest
from nst_core.instant.train_decoders import OWN_PAINTINGS, decoder_updates
from nst_core.instant.trainer import Trainer, TrainingProgress, updates
from nst_core.instant.training_parcels import (
    base_in,
    packed_checkpoint,
    packed_progress,
    photographs_in,
    recipe_in,
    styles_in,
    write_checkpoint,
)
from nst_core.transfer.state import State
from nst_core.transfer.steering import Steering


class TrainingErrand:
    """A training; all as of `engine.errands.Errand` and Beginner. The pieces of its order are the photographs."""

    def __init__(self, order: State, pieces: list[State], kept: State | None, compute: Compute):
        self._folder, self._steering = Passing(), Steering()
        self._path = self._folder.path / "training.partial"
        self._header = order.facts["header"]
        self._told: list[TrainingProgress] = []
        photographs, recipe = photographs_in(pieces), recipe_in(order)
        self._trainer: Trainer | DecoderTrainer
        if isinstance(recipe, DecoderRecipe):
            self._trainer = decoders = DecoderTrainer(recipe, compute)
            self._take_up(kept)
            paintings = Photographs.read(OWN_PAINTINGS, recipe.crop, least=2)
            self._steps = decoder_updates(decoders, photographs, paintings, self._steering)
        else:
            base = base_in(order)
            self._trainer = trainer = Trainer(styles_in(order), recipe, compute, base)
            self._take_up(kept)
            self._steps = self._of_styles(trainer, photographs, order)

    def _take_up(self, kept: State | None) -> None:
        if kept:
            write_checkpoint(kept, self._path)
            self._trainer.resume(self._path, self._header)

    def _of_styles(
        self, trainer: Trainer, photographs: Photographs, order: State
    ) -> Generator[TrainingProgress, None, None]:
        base = base_in(order)
        if base and order.facts["looks"] and not trainer.step:
            yield from begun_nearest(trainer, base, photographs, self._steering)
        yield from updates(trainer, photographs, self._steering)

    def __iter__(self) -> "TrainingErrand":
        return self

    def __next__(self) -> TrainingProgress:
        """Make a step."""
        self._told.append(next(self._steps))
        return self._told[-1]

    def news(self) -> State | None:
        """Give what there is to tell of the steps since this was last asked."""
        told, self._told = self._told, []
        return packed_progress(told) if told else None

    def kept(self) -> State:
        """Give a checkpoint."""
        self._trainer.save(self._path, self._header)
        return packed_checkpoint(self._path)

    def stop(self) -> None:
        """End it after the step at hand."""
        self._steering.stop.set()

    def close(self) -> None:
        """Free all."""
        self._steps.close()
        self._folder.delete()
        release_freed_memory()
