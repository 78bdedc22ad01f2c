"""Trains the decoders of all levels together, on photographs as they are and as moved onto the clouds of others."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nst_core import images
from nst_core.devices import Compute, computing_on, put_on
from nst_core.errors import ConfigError
from nst_core.features.loading import load_network
from nst_core.features.partial import damaged, put_aside, take_up
from nst_core.features.photographs import Photographs
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.instant.perceptual import check_whole_numbers
from nst_core.losses.gram import gram_matrix
from nst_core.universal.decoders import LEVELS, Decoders
from nst_core.universal.inverse import inverted
from nst_core.universal.transport import Cloud, optimal_map

# Settings that are whole numbers -> the least and the most that they may be.
WHOLE_NUMBERS = {"fitted_crops": (1, 10_000), "steps": (1, 1_000_000), "batch": (2, 64), "crop": (48, 512)}
FITTED_CROP = 128  # pixels
PREVIEW_SIDE = 256  # pixels
FAINT = 0.1  # of the mean target's square: fainter ones count as if they were so large
MOST_GRADIENT = 10.0  # norm; a longer one is shortened to it


@dataclass(frozen=True, kw_only=True)
class DecoderRecipe:
    """All that a training depends on besides its pictures and the device."""

    fitted_crops: int = 120  # for the closed form
    steps: int = 2_000  # after it
    batch: int = 4  # crops, half of which are moved onto the cloud of another
    crop: int = 192  # pixels
    step_size: float = 5e-4  # Adam's, falling to a twentieth along a cosine
    noisy: float = 0.1  # share of crops with noise on them
    pixel_weight: float = 10.0  # of the mean squared difference of pixels, for crops as they are
    style_weight: float = 0.5  # of Gram matrices' relative distance, for moved ones
    painted: float = 0.25  # share of the crops that are of the painted pictures
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole_numbers(self, WHOLE_NUMBERS)
        if self.crop % 8:
            raise ConfigError(f"crop is {self.crop}; give a multiple of 8")


class DecoderTrainer:
    """Decoders in the making; untrained until `begin` or `resume`.

    Args:
        recipe: all settings.
        compute: device and precision.
    """

    def __init__(self, recipe: DecoderRecipe, compute: Compute):
        self.recipe, self.compute, self.step = recipe, compute, 0
        self.network, _ = load_network(BUNDLED_BACKBONE, compute)
        self.decoders = put_on(compute.device, Decoders()).to(memory_format=torch.channels_last)
        self.adam = torch.optim.Adam(self.decoders.parameters())

    def begin(self, photographs: Photographs) -> None:
        """Begin with decoders in closed form."""
        recipe = self.recipe
        crops = photographs.crops(recipe.fitted_crops, FITTED_CROP, recipe.noisy, recipe.seed, 0)
        network, _ = load_network(BUNDLED_BACKBONE, Compute(device="cpu", precision="fp32"))
        self.decoders.load_state_dict(inverted(network, crops, recipe.seed).state_dict())

    def update(self, photographs: Photographs, paintings: Photographs) -> dict[str, float]:
        """Make one step; return the losses of the levels before it."""
        with computing_on(self.compute):
            return self._update(photographs, paintings)

    def _update(self, photographs: Photographs, paintings: Photographs) -> dict[str, float]:
        recipe, self.step = self.recipe, self.step + 1
        for group in self.adam.param_groups:
            group["lr"] = recipe.step_size * _schedule(self.step, recipe.steps)
        painted = round(recipe.painted * recipe.batch)
        given = (recipe.crop, recipe.noisy, recipe.seed, self.step)
        crops = photographs.crops(recipe.batch - painted, *given)
        if painted:
            crops = torch.cat([crops, paintings.crops(painted, *given)]).roll(self.step, 0)
        crops = crops.to(self.compute.device)
        with torch.no_grad():
            seen = self.network(crops, LEVELS, padding="reflect")
        losses = {}
        self.adam.zero_grad()
        for level in LEVELS:
            loss = self._loss(level, crops, seen)
            loss.backward()
            losses[level] = float(loss.detach())
        nn.utils.clip_grad_norm_(self.decoders.parameters(), MOST_GRADIENT)
        self.adam.step()
        return losses

    def _loss(self, level: str, crops: Tensor, seen: dict[str, Tensor]) -> Tensor:
        recipe, half, mixed = self.recipe, len(crops) // 2, self.compute.precision != "fp32"
        with torch.no_grad():
            clouds = Cloud.of(seen[level])
            own, others = (Cloud(*(part.roll(by, 0)[half:] for part in clouds)) for by in (0, 1))
            moved = optimal_map(own, others)(seen[level][half:])
            wanted = torch.cat([seen[level][:half], moved])
        with torch.autocast(crops.device.type, self.compute.dtype, enabled=mixed):
            made = self.decoders(level, wanted)
        below = [layer for layer in LEVELS if layer <= level]
        again = self.network(made, below, padding="reflect")
        loss = recipe.pixel_weight * (made[:half] - crops[:half]).square().mean()
        loss = loss + _relative(again[level], wanted).mean()
        for layer in below:
            if layer != level:
                loss = loss + _relative(again[layer][:half], seen[layer][:half]).mean() / len(below)
            goal = gram_matrix(seen[layer]).roll(1, 0)[half:]
            distance = _relative(gram_matrix(again[layer][half:]), goal).mean()
            loss = loss + recipe.style_weight * distance / len(below)
        return loss

    def preview(self, photographs: Photographs) -> Tensor:
        """A held-out photograph beside what each level's decoder makes of its features, (1, 3, H, W) in [0, 1]."""
        picture = next(photographs.held_out(PREVIEW_SIDE)).to(self.compute.device)
        height, width = (side // 8 * 8 for side in images.size_of(picture))
        picture = picture[..., :height, :width]
        with torch.no_grad():
            seen = self.network(picture, LEVELS, padding="reflect")
            made = [self.decoders(level, seen[level].float()).clamp(0, 1) for level in LEVELS]
        return torch.cat([picture, *made], 3).cpu()

    def save(self, path: Path, header: dict[str, str]) -> None:
        """Write all that going on needs.

        Raises:
            OutputError: it cannot be written.
        """
        put_aside(path, header, self.step, state=self.decoders.state_dict(), adam=self.adam.state_dict())

    def resume(self, path: Path, header: dict[str, str]) -> None:
        """Go on from where `save` left off.

        Raises:
            WeightsError: the file is damaged, or of another training.
        """
        kept = take_up(path, header, self.compute.device)
        try:
            self.decoders.load_state_dict(kept["state"])
            self.adam.load_state_dict(kept["adam"])
            self.step = kept["step"]
        except Exception as error:  # what is there is of other shapes, or is not there
            raise damaged(path) from error


def _relative(values: Tensor, targets: Tensor) -> Tensor:
    """‖v − t‖² / ‖t‖² of each in a batch, (B,); of targets that are nearly nothing, such as black, of their mean's."""
    sizes = _square(targets)
    return _square(values - targets) / sizes.clamp(min=FAINT * float(sizes.mean()))


def _square(values: Tensor) -> Tensor:
    """‖v‖² of each in a batch, (B,) float32; features keep their layout and precision."""
    axes = tuple(range(1, values.ndim))
    return torch.linalg.vector_norm(values, dim=axes, dtype=torch.float32).square()


def _schedule(step: int, steps: int) -> float:
    """Give the share of the step size: rising over 50 steps, then half a cosine down to a twentieth."""
    return min(1.0, step / 50) * (0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2)
