"""Trains decoders: photographs -> a file of decoders for the style of any picture."""

import json
from collections.abc import Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.features import weights
from nst_core.features.photographs import Photographs, Reading
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.instant.decoder_trainer import DecoderRecipe, DecoderTrainer
from nst_core.instant.trainer import TrainingProgress
from nst_core.outputs import check_network
from nst_core.transfer.steering import Steering
from nst_core.universal.decoders import save_decoders

OWN_PAINTINGS = ASSETS / "styles"
CHECKPOINT_STEPS = 100
REPORT_STEPS = 50


def train_decoders(
    folder: Path, output: Path, recipe: DecoderRecipe, compute: Compute, steering: Steering | None = None
) -> Generator[TrainingProgress, None, None]:
    """Write decoders that turn Lite's features into pictures, whatever cloud these were moved onto.

    Interrupted, it goes on from "OUTPUT.partial" when called again in the same way.

    Args:
        folder: photographs; one in 20 is held out for previews. Broken files are skipped and named.
        output: the safetensors file to write.
        recipe: all settings.
        compute: device and precision.
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
    trainer = DecoderTrainer(recipe, compute)
    header = {
        "made by": "python -m nst_core train --decoders",
        "network": f"Lite, sha256 {weights.require(BUNDLED_BACKBONE).sha256()}",
        "images": f"{photographs.summary}; {paintings.summary}",
        "recipe": json.dumps(asdict(recipe)),
    }
    partial = output.with_name(output.name + ".partial")
    if partial.is_file():
        trainer.resume(partial, header)
        yield TrainingProgress(trainer.step, recipe.steps, text=f"going on from {partial}")
    else:
        yield TrainingProgress(0, recipe.steps, text="fitting decoders in closed form")
        trainer.begin(photographs)
    sums: dict[str, float] = {}
    while trainer.step < recipe.steps and not (steering and steering.stop.is_set()):
        for level, loss in trainer.update(photographs, paintings).items():
            sums[level] = sums.get(level, 0.0) + loss
        if trainer.step % CHECKPOINT_STEPS == 0:
            trainer.save(partial, header)
        if trainer.step % REPORT_STEPS and trainer.step < recipe.steps:
            yield TrainingProgress(trainer.step, recipe.steps)
            continue
        means = {level: total / ((trainer.step - 1) % REPORT_STEPS + 1) for level, total in sums.items()}
        sums = {}
        yield TrainingProgress(trainer.step, recipe.steps, means, trainer.preview(photographs))
    save_decoders(trainer.decoders, output, header | {"steps": str(trainer.step), "date": date.today().isoformat()})
    partial.unlink(missing_ok=True)
    yield TrainingProgress(trainer.step, recipe.steps, text=f"wrote {output}")
