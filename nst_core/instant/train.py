"""Trains a transformation network: styles and photographs -> a file of styles that paint in one pass."""

import hashlib
import json
from collections.abc import Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.engine.remote_run import Machines
from nst_core.features.photographs import Photographs, Reading
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.remote_training import RemoteTraining
from nst_core.instant.styles import StyleFile, save_styles, thumbnails
from nst_core.instant.trainer import Trainer, TrainingProgress, updates
from nst_core.outputs import check_network
from nst_core.transfer.steering import Steering


def train(
    style_images: dict[str, Tensor],
    folder: Path,
    output: Path,
    recipe: TrainingRecipe,
    where: Compute | Machines,
    steering: Steering | None = None,
) -> Generator[TrainingProgress, None, None]:
    """Write a network that paints in some styles.

    Interrupted, it goes on from "OUTPUT.partial" when called again in the same way, and comes to the same network.

    Args:
        style_images: name -> (1, 3, any, any) in [0, 1].
        folder: photographs; one in 20 is held out for previews. Broken files are skipped and named.
        output: the safetensors file to write.
        recipe: all settings.
        where: device and precision, or machines that train.
        steering: when its stop is set, the network is written as it is then.

    Raises:
        ImageError: fewer than 20 pictures in the folder.
        ConfigError: no style, or a name that is taken.
        OutputError: the output or "OUTPUT.partial" cannot be written.
        WeightsError: no weights for the loss; "OUTPUT.partial" is damaged or of another training.
    """
    check_network(output)
    reading = Reading(folder, smallest=recipe.crop)
    for text in reading:
        yield TrainingProgress(0, recipe.steps, text=text)
    photographs = reading.photographs
    header = {**header_of(photographs, style_images, recipe), "made by": "python -m nst_core train"}
    partial = output.with_name(output.name + ".partial")
    trainer: Trainer | RemoteTraining
    if isinstance(where, Compute):
        trainer = Trainer(style_images, recipe, where)
        yield from updates(trainer, photographs, steering, partial, header)
    else:
        trainer = RemoteTraining(where, recipe, style_images)
        yield from trainer.updates(photographs, steering, partial, header)
    header |= {"steps": str(trainer.step), "date": date.today().isoformat()}
    save_styles(StyleFile(trainer.painter, thumbnails(trainer.painter), header), output)
    partial.unlink(missing_ok=True)
    yield TrainingProgress(trainer.step, recipe.steps, text=f"wrote {output}")


def header_of(photographs: Photographs, style_images: dict[str, Tensor], recipe: TrainingRecipe) -> dict[str, str]:
    """Write what a training depends on, as text for a file's header."""
    digest = hashlib.sha256()
    for image in style_images.values():
        digest.update(images.to_bytes(image).tobytes())
    return {
        "images": photographs.summary,
        "recipe": json.dumps(asdict(recipe)),
        "style names": json.dumps(list(style_images)),
        "style pictures": digest.hexdigest()[:12],
    }
