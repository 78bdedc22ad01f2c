"""Trains a transformation network: styles and photographs -> a file of styles that paint in one pass."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, WeightsError
from nst_core.features.compress import check_output
from nst_core.features.distill import writing
from nst_core.features.photographs import Photographs
from nst_core.features.vgg import load_network
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.perceptual import PerceptualLoss, Recipe
from nst_core.instant.styles import save_network

CHECKPOINT_STEPS = 250
PREVIEW_STEPS = 50
PREVIEW_SIDE = 256  # pixels
STYLE_DRAW = 1  # beside seed and step: draws that are not those of the crops
PHOTO = "photo"  # the style that every network has besides: the picture as it is, which others can be blended with


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        step, steps: updates made, of how many.
        losses: name -> weighted loss, a mean since the last progress.
        preview: held-out pictures beside how they are painted now, (1, 3, H, W) in [0, 1]; None between.
        text: what is being done.
    """

    step: int
    steps: int
    losses: dict[str, float]
    preview: Tensor | None
    text: str


class Trainer:
    """A network in the making, which can be put aside and taken up again.

    Args:
        style_images: name -> (1, 3, any, any) in [0, 1].
        recipe: all settings.
        compute: device and precision.
    """

    def __init__(self, style_images: dict[str, Tensor], recipe: Recipe, compute: Compute):
        if PHOTO in style_images:
            raise ConfigError(f"a style is called {PHOTO!r}, which every network has already; rename its picture")
        self.recipe, self.compute, self.step = recipe, compute, 0
        network, self.checkpoint = load_network(recipe.backbone, compute)
        fitted = {name: images.fit(image, recipe.style_size) for name, image in style_images.items()}
        self.loss = PerceptualLoss(
            network, {name: image.to(compute.device) for name, image in fitted.items()}, recipe
        )  # fmt: skip
        with torch.random.fork_rng([]):
            torch.manual_seed(recipe.seed)
            painter = TransformationNetwork([*style_images, PHOTO], recipe.width)
        self.painter = painter.to(compute.device, memory_format=torch.channels_last)
        self.adam = torch.optim.Adam(self.painter.parameters(), lr=recipe.step_size)

    def update(self, photographs: Photographs) -> dict[str, float]:
        """One step; the losses before it."""
        recipe, self.step = self.recipe, self.step + 1
        crops = photographs.crops(recipe.batch, recipe.crop, 0.0, recipe.seed, self.step).to(self.compute.device)
        styles = self._drawn().to(self.compute.device)
        for group in self.adam.param_groups:
            group["lr"] = recipe.step_size * _schedule(self.step, recipe.steps)
        shares = F.one_hot(styles % len(self.painter.styles), len(self.painter.styles)).float()  # -1 is the last
        with torch.autocast(self.compute.device.split(":")[0], self.compute.dtype, enabled=self._mixed):
            painted = self.painter(crops, shares)
        terms = self.loss(painted, crops, styles)
        self.adam.zero_grad()
        sum(terms.values()).backward()
        self.adam.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    @property
    def _mixed(self) -> bool:
        return self.compute.precision != "fp32"

    def _drawn(self) -> Tensor:
        """The number of each crop's style, (B,): -1 for the photo."""
        generator = torch.Generator().manual_seed(hash((self.recipe.seed, self.step, STYLE_DRAW)) % 2**63)
        styles = torch.randint(len(self.painter.styles) - 1, (self.recipe.batch,), generator=generator)
        plain = torch.rand(self.recipe.batch, generator=generator) < self.recipe.photo_share
        return torch.where(plain, -1, styles)

    def preview(self, photographs: Photographs) -> Tensor:
        """A held-out photograph in every style, side by side, (1, 3, H, W) in [0, 1]."""
        picture = next(photographs.held_out(PREVIEW_SIDE)).to(self.compute.device)
        with torch.no_grad():
            painted = [self.painter(picture, self.painter.shares_of({name: 1.0})) for name in self.painter.styles]
        return torch.cat(painted, 3).cpu()

    def save(self, path: Path, header: dict[str, str]) -> None:
        """Write all that going on needs."""
        kept = {"header": header, "step": self.step, "state": self.painter.state_dict(), "adam": self.adam.state_dict()}
        with writing(path) as aside:
            torch.save(kept, aside)

    def resume(self, path: Path, header: dict[str, str]) -> None:
        """Go on from where `save` left off.

        Raises:
            WeightsError: the file is damaged, or of another training.
        """
        try:
            kept = torch.load(path, map_location=self.compute.device, weights_only=True)
            before = kept["header"]
            for name, value in header.items():
                if before.get(name) != value:
                    raise WeightsError(
                        f"{path} was made with other settings ({name}: {before.get(name)}, now {value}); use the same, "
                        "or delete it to begin anew"
                    )
            self.painter.load_state_dict(kept["state"])
            self.adam.load_state_dict(kept["adam"])
            self.step = kept["step"]
        except WeightsError:
            raise
        except Exception as error:  # a damaged file makes the reader raise almost anything
            raise WeightsError(f"{path} cannot be read to go on from; delete it to begin anew") from error


def _schedule(step: int, steps: int) -> float:
    """The share of the step size: whole at first, half a cosine down to a tenth."""
    return 0.1 + 0.9 * (1 + math.cos(math.pi * step / steps)) / 2


def train(
    style_images: dict[str, Tensor], folder: Path, output: Path, recipe: Recipe, compute: Compute
) -> Iterator[Progress]:
    """Write a network that paints in some styles.

    Interrupted, it goes on from "OUTPUT.partial" when called again in the same way, and comes to the same network.

    Args:
        style_images: name -> (1, 3, any, any) in [0, 1].
        folder: photographs; one in 20 is held out for previews. Broken files are skipped and named.
        output: the safetensors file to write.
        recipe: all settings.
        compute: device and precision.

    Raises:
        ImageError: fewer than 20 pictures in the folder.
        ConfigError: no style, or a name that is taken.
        WeightsError: no weights for the loss; the output cannot be written; "OUTPUT.partial" is damaged or of another
            training.
    """
    check_output(output)
    yield Progress(0, recipe.steps, {}, None, f"reading the pictures of {folder}")
    photographs = Photographs.read(folder, smallest=recipe.crop)
    if photographs.skipped:
        yield Progress(0, recipe.steps, {}, None, f"skipped {'; '.join(photographs.skipped)}")
    trainer = Trainer(style_images, recipe, compute)
    header = {
        "made by": "python -m nst_core train",
        "images": photographs.summary,
        "recipe": json.dumps(asdict(recipe)),
        "styles": json.dumps(trainer.painter.styles),
        "style pictures": _digest(style_images),
    }
    partial = output.with_name(output.name + ".partial")
    if partial.is_file():
        trainer.resume(partial, header)
        yield Progress(trainer.step, recipe.steps, {}, None, f"going on from {partial}")
    sums: dict[str, float] = {}
    while trainer.step < recipe.steps:
        for name, loss in trainer.update(photographs).items():
            sums[name] = sums.get(name, 0.0) + loss
        if trainer.step % CHECKPOINT_STEPS == 0:
            trainer.save(partial, header)
        if trainer.step % PREVIEW_STEPS == 0 or trainer.step == recipe.steps:
            count = (trainer.step - 1) % PREVIEW_STEPS + 1
            means = {name: value / count for name, value in sums.items()}
            sums = {}
            yield Progress(trainer.step, recipe.steps, means, trainer.preview(photographs), "training")
    save_network(trainer.painter, output, {**header, "date": date.today().isoformat()})
    partial.unlink(missing_ok=True)
    yield Progress(recipe.steps, recipe.steps, {}, None, f"wrote {output}")


def _digest(style_images: dict[str, Tensor]) -> str:
    """A hash of the pictures, so that a training does not go on with others of the same names."""
    digest = hashlib.sha256()
    for image in style_images.values():
        digest.update(images.to_bytes(image).tobytes())
    return digest.hexdigest()[:12]
