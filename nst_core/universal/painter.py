"""Paints pictures in the style of any others, in one pass for each level of features, coarse to fine."""

import math
from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, free_memory
from nst_core.errors import ConfigError, DeviceError, listed, said
from nst_core.features.loading import load_network
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.steps import Steps, finish, on_device
from nst_core.universal.decoders import LEVELS
from nst_core.universal.levels import MULTIPLE, levels_of
from nst_core.universal.transport import Cloud

STYLE_SIDES = (128, 1024)  # pixels; a style is looked at in the size of what is painted, but within these
COARSEST = 128  # pixels, the least of the longer side at which painting begins
CARRIED = 0.3  # of a coarser painting in what the next one begins from, the photo being the rest
MOST_CLOUDS = 64  # kept, the newest: a style of one size takes 0.4 MB

# Bytes, as measured and a little more: of a pixel of a picture, and of the band at hand, by precision.
PIXEL_BYTES = 120
WORK_BYTES = {"fp32": 12e8, "bf16": 7e8}

Clouds = dict[str, Cloud]  # level -> the cloud there


def scales(size: tuple[int, int]) -> list[int]:
    """List the longer sides at which a picture (height, width) is painted, small to large, each half of the next."""
    shorter, longer = sorted(size)
    sides = [longer]
    while sides[0] // 2 >= COARSEST and shorter * (sides[0] // 2) >= images.MIN_SIDE * longer:
        sides.insert(0, sides[0] // 2)
    return sides


class UniversalPainter:
    """Pictures of styles on a device, ready to paint.

    Args:
        pictures: style -> its picture, as `style_picture` gives it.
        compute: device and precision.
        style_scale: size in which styles are looked at, of what is painted; the smaller, the smaller the strokes.

    Source: Li et al. (2017), "Universal style transfer via feature transforms", for decoders that know no style and for
    going through the levels coarse to fine; Lu et al. (2019) for the map of each, see `transport.py`.
    """

    def __init__(self, pictures: Mapping[str, Tensor], compute: Compute, style_scale: float = 1.0):
        self.pictures, self.compute, self.style_scale = dict(pictures), compute, style_scale
        network, _ = load_network(BUNDLED_BACKBONE, compute)
        self._levels = levels_of(network, compute)
        self._clouds: OrderedDict[tuple[str, int], Clouds] = OrderedDict()

    @property
    def styles(self) -> tuple[str, ...]:
        """The names of all styles."""
        return tuple(self.pictures)

    def recipe(self, weights: Mapping[str, float], strength: float = 1.0) -> dict[str, float]:
        """Tell how much of each style is painted, of sum 1.

        Raises:
            ConfigError: an unknown style, no weight above 0, a strength out of range.
        """
        if not 0 <= strength <= 1:
            raise ConfigError(f"strength is {said(strength)}; give a number from 0 to 1")
        for name in weights:
            if name not in self.pictures:
                raise ConfigError(f"there is no style {said(name)}; choose of {listed(self.styles)}")
        total = sum(weights.values())
        if not all(weight >= 0 for weight in weights.values()) or not 0 < total < float("inf"):
            raise ConfigError("all styles weigh nothing, or one less; give one of them a weight above 0")
        return {name: weight / total for name, weight in weights.items() if weight}

    def paint(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Tensor:
        """Paint a picture in a style, or in one between several.

        Args:
            image: (1, 3, H, W) in [0, 1].
            weights: style -> how much of it; only their ratio matters.
            strength: 0 for the picture as it is, to 1; between them it takes two passes.

        Returns:
            (1, 3, H, W) in [0, 1], on the image's device.

        Raises:
            ConfigError: as `recipe`.
            DeviceError: a picture that this machine cannot hold.
        """
        return finish(self.steps(image, weights, strength=strength))

    def stages(self, image: Tensor, weights: Mapping[str, float]) -> list[Tensor]:
        """List what `paint` makes at full strength: after each of LEVELS a picture, the last of them the painting."""

        @torch.no_grad()
        def steps() -> Steps[list[Tensor]]:
            goal = yield from self._goal(image, self.recipe(weights))
            return (yield from self._passes(image, goal, 1.0, every=True))

        return finish(on_device(self.compute, steps()))

    def steps(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Steps[Tensor]:
        """`paint`, a level or a band of one a step, so that others who paint on the device may come in between."""
        return on_device(self.compute, self._steps(image, weights, strength))

    @torch.no_grad()  # which torch takes up and lays down with each step of a generator
    def _steps(self, image: Tensor, weights: Mapping[str, float], strength: float) -> Steps[Tensor]:
        shares = self.recipe(weights, strength)
        if strength == 0:
            return image.clone()
        self._check_memory(images.size_of(image))
        painted = yield from self._coarse_to_fine(image, shares, strength)
        if strength < 1:  # what the decoders lose of a picture that they leave as it is
            kept = yield from self._coarse_to_fine(image, shares, 0.0)
            painted = (painted + (1 - strength) * (image.to(kept) - kept)).clamp(0, 1)
        return painted.to(image.device)

    def _coarse_to_fine(self, image: Tensor, shares: Mapping[str, float], strength: float) -> Steps[Tensor]:
        """Paint an image small first, and go on at twice the size from the photo and some of what was painted.

        Of a small picture, levels see large parts: strokes grow large, and on flat ground, too.
        """
        painted: Tensor | None = None
        for side in scales(images.size_of(image)):
            photo = image if side == max(images.size_of(image)) else images.fit(image, side)
            photo = photo.to(self.compute.device)
            goal = yield from self._goal(photo, shares)
            if painted is not None:
                photo = torch.lerp(photo, images.resize(painted, images.size_of(photo)), CARRIED)
            (painted,) = yield from self._passes(photo, goal, strength)
        return image if painted is None else painted

    def _check_memory(self, size: tuple[int, int]) -> None:
        """Refuse a picture (height, width) that this machine cannot hold."""
        (height, width), free = size, free_memory(self.compute.device)
        held = WORK_BYTES[self.compute.precision] + PIXEL_BYTES * height * width
        if held <= free:
            return
        side = int(
            max(size) * (max(0, free - WORK_BYTES[self.compute.precision]) / PIXEL_BYTES / height / width) ** 0.5
        )
        remedy = f"choose a size of at most {side // 16 * 16}" if side >= images.MIN_SIDE else "close other programs"
        raise DeviceError(
            f"painting {width}×{height} pixels in a picture's style takes about {held / 2**30:.1f} GB, and "
            f"{self.compute.name} has {free / 2**30:.1f} GB free; {remedy}"
        )

    def _goal(self, image: Tensor, shares: Mapping[str, float]) -> Steps[Clouds]:
        """Find the clouds between some styles, looked at in the size of an image, times the scale of styles."""
        longer = round(max(images.size_of(image)) * self.style_scale)
        side = min(max(longer, STYLE_SIDES[0]), STYLE_SIDES[1])
        clouds = []
        for name in shares:
            clouds.append((yield from self._looked_at(name, side)))
        return {level: Cloud.between([cloud[level] for cloud in clouds], list(shares.values())) for level in LEVELS}

    def _looked_at(self, name: str, side: int) -> Steps[Clouds]:
        """Measure the clouds of a style's picture, whose longer side is made so long, once."""
        if (name, side) not in self._clouds:
            picture = self.pictures[name].float() / 255
            picture = _whole(images.fit(picture, max(side, least_side(picture)))).to(self.compute.device)
            self._clouds[name, side] = {level: self._levels.cloud(picture, level) for level in LEVELS}
            yield
        self._clouds.move_to_end((name, side))
        while len(self._clouds) > MOST_CLOUDS:
            self._clouds.popitem(last=False)
        return self._clouds[name, side]

    def _passes(self, image: Tensor, goal: Clouds, strength: float, *, every: bool = False) -> Steps[list[Tensor]]:
        """Take an image through all levels, each a share of the way to a style's clouds: the last picture, or every."""
        height, width = images.size_of(image)
        picture, made = _whole(image).to(self.compute.device), list[Tensor]()
        for level in LEVELS:
            picture = yield from self._levels.move(picture, level, goal[level], strength)
            made = [*made, picture] if every else [picture]
        return [picture[..., :height, :width] for picture in made]


def _whole(image: Tensor) -> Tensor:
    """An image whose sides are whole multiples of MULTIPLE, its last row and column repeated."""
    height, width = images.size_of(image)
    return F.pad(image, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")


def style_picture(image: Tensor) -> Tensor:
    """Keep as much of a style's picture (1, 3, H, W) in [0, 1] as is looked at: (1, 3, H', W') uint8."""
    side = min(max(images.size_of(image)), max(STYLE_SIDES[1], least_side(image)))
    return (images.fit(image, side) * 255).round().to(torch.uint8)


def least_side(image: Tensor) -> int:
    """Tell how long the longer side of a picture has to be for the shorter one to be as long as any must be, pixels."""
    shorter, longer = sorted(images.size_of(image))
    return math.ceil(images.MIN_SIDE * longer / shorter)
