"""Trains decoders: photographs -> a file of decoders for the style of any picture."""

import json
from collections.abc import Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.engine.remote_run import Machines
from nst_core.features import weights
from nst_core.features.photographs import Photographs, Reading
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.instant.decoder_trainer import DecoderRecipe, DecoderTrainer
from nst_core.instant.remote_training import RemoteTraining
from nst_core.instant.trainer import TrainingProgress
from nst_core.outputs import check_network
from nst_core.transfer.steering import Steering
from nst_core.universal.decoders import save_decoders

OWN_PAINTINGS = ASSETS / "styles"
CHECKPOINT_STEPS = 100
REPORT_STEPS = 50


def train_decoders(
    folder: Path, output: Path, recipe: DecoderRecipe, where: Compute | Machines, steering: Steering | None = None
) -> Generator[TrainingProgress, None, None]:
    """Write decoders that turn Lite's features into pictures, whatever cloud these were moved onto.

    Interrupted, it goes on from "OUTPUT.partial" when called again in the same way.

    Args:
        folder: photographs; one in 20 is held out for previews. Broken files are skipped and named.
        output: the safetensors file to write.
        recipe: all settings.
        where: device and precision, or machines that train.
        steering: when its stop is set, the decoders are written as they are then.

    Raises:
        ImageError: fewer than 20 pictures in the folder.
        OutputError: the output or "OUTPUT.partial" cannot be written.
        WeightsError: "OUTPUT.partial" is damaged or of another training.
    """
    check_network(output)
    reading = Reading(folder, smallest=recipe.crop)
    for text in reading:
        yield TrainingProgress(0, recipe.steps, text=text)
    photographs, paintings = reading.photographs, Photographs.read(OWN_PAINTINGS, recipe.crop, least=2)
    header = {
        "made by": "python -m nst_core train --decoders",
        "network": f"Lite, sha256 {weights.require(BUNDLED_BACKBONE).sha256()}",
        "images": f"{photographs.summary}; {paintings.summary}",
        "recipe": json.dumps(asdict(recipe)),
    }
    partial = output.with_name(output.name + ".partial")
    trainer: DecoderTrainer | RemoteTraining
    if isinstance(where, Compute):
        trainer = DecoderTrainer(recipe, where)
        yield from decoder_updates(trainer, photographs, paintings, steering, partial, header)
    else:
        trainer = RemoteTraining(where, recipe)
        yield from trainer.updates(photographs, steering, partial, header)
    save_decoders(trainer.decoders, output, header | {"steps": str(trainer.step), "date": date.today().isoformat()})
    partial.unlink(missing_ok=True)
    yield TrainingProgress(trainer.step, recipe.steps, text=f"wrote {output}")


def decoder_updates(
    trainer: DecoderTrainer,
    photographs: Photographs,
    paintings: Photographs,
    steering: Steering | None,
    partial: Path | None = None,
    header: dict[str, str] | None = None,
) -> Generator[TrainingProgress, None, None]:
    """Make what is left of a training, or all of it if it was not taken up; otherwise as `trainer.updates`."""
    steps, header = trainer.recipe.steps, header or {}
    if partial and partial.is_file():
        trainer.resume(partial, header)
        yield TrainingProgress(trainer.step, steps, text=f"going on from {partial}")
    elif not trainer.step:
        yield TrainingProgress(0, steps, text="fitting decoders in closed form")
        trainer.begin(photographs)
    sums: dict[str, float] = {}
    count = 0
    while trainer.step < steps and not (steering and steering.stop.is_set()):
        for level, loss in trainer.update(photographs, paintings).items():
            sums[level] = sums.get(level, 0.0) + loss
        count += 1
        if partial and trainer.step % CHECKPOINT_STEPS == 0:
            trainer.save(partial, header)
        if trainer.step % REPORT_STEPS and trainer.step < steps:
            yield TrainingProgress(trainer.step, steps)
            continue
        means = {level: total / count for level, total in sums.items()}
        sums, count = {}, 0
        yield TrainingProgress(trainer.step, steps, means, trainer.preview(photographs))
