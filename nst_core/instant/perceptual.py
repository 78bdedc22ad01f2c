"""Computes the loss that trains a transformation network: how far its paintings are from photographs and styles."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nst_core.errors import ConfigError, listed, said
from nst_core.features.vgg import VGG, nearest_layer, through
from nst_core.losses.gram import gram_matrix

STYLE_LAYERS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
CONTENT_LAYER = "conv3_3"
SATURATED = 2.0  # what the last layer makes, beyond which tanh hardly moves: 0.02 or 0.98 of the pixel range
SATURATION_WEIGHT = 8.0  # of the mean square of what is beyond; at 1 some blots stayed black after 160 steps
PHOTO_WEIGHT = 100.0  # of the mean squared difference of pixels, for crops that are to stay as they are

# Settings that are whole numbers -> the least and the most that they may be; those that are shares, from 0 to 1.
WHOLE_NUMBERS = {
    "seed": (0, 2**32 - 1),
    "width": (4, 128),
    "steps": (1, 1_000_000),
    "batch": (1, 64),
    "crop": (64, 1024),
    "style_size": (64, 1024),
}
SHARES = ("photo_share", "faint_share", "shade_share")


def check_whole_numbers(recipe: object, extents: Mapping[str, tuple[int, int]]) -> None:
    """Refuse settings of a recipe that are no whole numbers, or out of their extents: name -> (least, most).

    Raises:
        ConfigError: for the first of them.
    """
    for name, (low, high) in extents.items():
        value = getattr(recipe, name)
        if type(value) is not int or not low <= value <= high:
            raise ConfigError(f"{name} is {said(value)}; give a whole number from {low} to {high}")


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """All that a training depends on besides its pictures and the device.

    Source: Johnson et al. (2016) for layers, optimiser, batch and size; weights are shares of each picture's own
    magnitude, as in preset `studio`, so that they suit any style and network.
    """

    backbone: str = "lite"
    width: int = 32
    steps: int = 20_000
    batch: int = 4  # crops, each painted in a style drawn for it
    crop: int = 256  # pixels
    style_size: int = 384  # pixels of a style picture's longer side
    step_size: float = 1e-3  # Adam's, falling to a tenth along a cosine
    content_weight: float = 1.0
    style_weight: float = 10.0
    tv_weight: float = 0.05
    style_factors: tuple[tuple[str, float], ...] = ()  # of the style weight, for some styles by name
    photo_share: float = 0.05  # of the crops, which are to stay as they are
    faint_share: float = 0.2  # of the crops, whose style is to show a part, drawn for each
    shade_share: float = 0.3  # of the crops, which get a dark part
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole_numbers(self, WHOLE_NUMBERS)
        for name in ("step_size", "content_weight", "style_weight", "tv_weight", *SHARES):
            value, most = getattr(self, name), 1.0 if name in SHARES else 1e6
            if not isinstance(value, int | float) or not 0 <= value <= most:
                raise ConfigError(f"{name} is {said(value)}; give a number from 0 to {most:g}")
        if any(not 0 <= factor <= 1e3 for _, factor in self.style_factors):
            raise ConfigError(f"the style factors are {said(dict(self.style_factors))}; give numbers from 0 to 1000")


class PerceptualLoss:
    """Measures how far painted crops are from their photographs and styles, as a network sees them.

    Args:
        network: sees the pictures.
        style_images: name -> (1, 3, any, any) in [0, 1], at the size to be looked at.

    Source: Johnson et al. (2016), section 3.2; Gatys et al. (2016).
    """

    def __init__(self, network: VGG, style_images: dict[str, Tensor], recipe: TrainingRecipe):
        self.network, self.recipe = network, recipe
        self.style_layers = [nearest_layer(network.backbone, layer) for layer in STYLE_LAYERS]
        self.content_layer = nearest_layer(network.backbone, CONTENT_LAYER)
        with torch.no_grad():
            grams = [self._grams(network(image, self.style_layers, bare=True)) for image in style_images.values()]
        factors = dict(recipe.style_factors)
        if unknown := factors.keys() - style_images.keys():
            raise ConfigError(f"there is no style {said(min(unknown))} to give a factor; have {listed(style_images)}")
        self.grams = {layer: torch.cat([gram[layer] for gram in grams]) for layer in self.style_layers}  # (S, N, N)
        device = self.grams[self.style_layers[0]].device
        self.factors = torch.tensor([factors.get(name, 1.0) for name in style_images], device=device)  # (S,)

    def _grams(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {layer: gram_matrix(features[layer], self.network.tap(layer)) for layer in self.style_layers}

    def __call__(self, painted: Tensor, crops: Tensor, styles: Tensor, strengths: Tensor) -> dict[str, Tensor]:
        """The weighted terms, means over the crops.

        Args:
            painted, crops: (B, 3, H, W) in [0, 1].
            styles: (B,), the number of each crop's style.
            strengths: (B,) in [0, 1], how much of it is to show; at 0 a crop is to stay as it is.
        """
        recipe = self.recipe
        seen = self.network(painted, [*self.style_layers, self.content_layer], bare=True)
        with torch.no_grad():
            wanted = self._content(self.network(crops, [self.content_layer], bare=True))
        content = _relative(self._content(seen), wanted).mean()
        terms = {"content": recipe.content_weight * content}
        grams, styled = self._grams(seen), strengths * self.factors[styles]
        distances = sum(_relative(grams[name], self.grams[name][styles]) for name in self.style_layers)
        terms["style"] = recipe.style_weight * (distances / len(self.style_layers) * styled).mean()
        terms["total variation"] = recipe.tv_weight * (_variation(painted) * strengths).mean()
        terms["photo"] = PHOTO_WEIGHT * (((painted - crops) ** 2).mean((1, 2, 3)) * (1 - strengths)).mean()
        return terms

    def saturation(self, unfinished: Tensor) -> Tensor:
        """The weighted term for blots: where tanh is flat no other term moves a network that went too far.

        Source: ours; instance norms let a place grow without bound, as Karras et al. (2020), "Analyzing and Improving
        the Image Quality of StyleGAN", found.
        """
        return SATURATION_WEIGHT * (unfinished.float().abs() - SATURATED).clamp(min=0).square().mean()

    def _content(self, features: dict[str, Tensor]) -> Tensor:
        return through(self.network.tap(self.content_layer), features[self.content_layer]).float()


def _relative(values: Tensor, targets: Tensor) -> Tensor:
    """‖v − t‖² / ‖t‖² of each in a batch, (B,)."""
    return (values - targets).flatten(1).square().sum(1) / targets.flatten(1).square().sum(1).clamp(min=1e-12)


def _variation(painted: Tensor) -> Tensor:
    """The mean absolute difference of neighbours, (B,)."""
    across, down = painted.diff(dim=3).abs().mean((1, 2, 3)), painted.diff(dim=2).abs().mean((1, 2, 3))
    return across + down
