"""Takes pictures through levels of features: looks at one there, moves what is seen, and makes a picture of it."""

from collections.abc import Iterator
from functools import cache, lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, put_on
from nst_core.features.loading import KEPT
from nst_core.features.vgg import VGG
from nst_core.passes import Passes
from nst_core.steps import Steps
from nst_core.universal.decoders import LEVELS, Decoders, load_decoders
from nst_core.universal.transport import Cloud, Map, optimal_map

WHOLE_AREA = 2**20  # pixels; larger pictures are painted in bands
BAND_AREA = 3 * 2**17  # pixels of one, about
# Pixels; at each level no feature, and no pixel made of one, depends on what is further away.
REACH = {"conv4_1": 96, "conv3_1": 40, "conv2_1": 16, "conv1_1": 8}
MARGINS = {"conv4_1": 40, "conv3_1": 16, "conv2_1": 8, "conv1_1": 0}  # pixels beyond an edge that a level depends on
MULTIPLE = 8  # pixels, of which sides are made whole numbers: three halvings
MOST_SIZES = 8  # of which passes are remembered: pictures of two or three sizes, coarse to fine


class Levels:
    """Networks on a device, shared by all who paint there.

    On a GPU that repeats work by itself, a look and what is made after it are a graph each. Between them the map is
    computed by the CPU, in float64: for that the device is waited for, once a level.

    Args:
        network: Lite.
        decoders: its own.
        device: on which both are.
    """

    def __init__(self, network: VGG, decoders: Decoders, device: torch.device):
        self.network, self.decoders, self.device = network, decoders, device
        self._looks = {level: Passes(partial(self._look, level), device, MOST_SIZES) for level in LEVELS}
        self._makes = {level: Passes(partial(self._make, level), device, MOST_SIZES) for level in LEVELS}

    def cloud(self, picture: Tensor, level: str) -> Cloud:
        """Measure the cloud of a picture's features at a level, all at once; on the CPU."""
        return Cloud.of(self._seen(picture.to(self.device), level, _Band.whole(picture))).on("cpu")

    def move(self, image: Tensor, level: str, goal: Cloud, strength: float) -> Steps[Tensor]:
        """Move an image's features of a level a share of the way to a goal, and make a picture of them.

        Args:
            image: (1, 3, H, W), of sides that are multiples of MULTIPLE.
            level: of LEVELS.
            goal: on the CPU.
            strength: how far, 0 … 1.

        Returns:
            (1, 3, H, W) in [0, 1], on the device.
        """
        bands = list(_bands(image, REACH[level]))
        if len(bands) > 1:
            return (yield from self._in_bands(image, level, goal, strength, bands))
        features, *own = yield from self._looks[level](image)
        yield
        way = optimal_map(Cloud(*own).on("cpu"), goal).part(strength)
        (made,) = yield from self._makes[level](features, *way)
        yield
        return made

    def _look(self, level: str, image: Tensor) -> Steps[tuple[Tensor, ...]]:
        """See a whole image at a level: features, and their cloud."""
        yield from ()
        features = self._seen(image, level, _Band.whole(image))
        return features, *Cloud.of(features)

    def _make(self, level: str, features: Tensor, *way: Tensor) -> Steps[tuple[Tensor, ...]]:
        """Move features by a map, and make a picture of them."""
        yield from ()
        return (self.decoders(level, Map(*way)(features)).clamp(0, 1),)

    def _in_bands(self, image: Tensor, level: str, goal: Cloud, strength: float, bands: list["_Band"]) -> Steps[Tensor]:
        """Do `move` in bands of rows, as if in one piece."""
        image, parts, made = image.to(self.device), [], []
        for band in bands:
            parts.append(Cloud.of(band.cut(self._seen(image, level, band), image)).on("cpu"))
            yield
        shares = [(band.end - band.first) / image.shape[2] for band in bands]
        way = optimal_map(Cloud.joined(parts, shares), goal).part(strength).on(self.device)
        for band in bands:
            moved = way(self._seen(image, level, band))
            made.append(band.cut(self.decoders(level, moved), image).clamp(0, 1))
            yield
        return torch.cat(made, 2)

    def _seen(self, image: Tensor, level: str, band: "_Band") -> Tensor:
        """Compute the features of a band's rows, as if the picture went on, mirrored, beyond its edges.

        What lies there is zeros to most of a network's layers, and moved clouds show that as a frame.
        """
        margin, height = MARGINS[level], image.shape[2]
        above, below = (margin if edge else 0 for edge in (band.top == 0, band.bottom == height))
        rows = image[:, :, band.top : band.bottom]
        mode = "reflect" if margin < min(images.size_of(rows)) else "replicate"
        seen = self.network(F.pad(rows, (margin, margin, above, below), mode=mode), [level], padding="reflect")[level]
        scale = (rows.shape[3] + 2 * margin) // seen.shape[3]
        above, below, beside = above // scale, seen.shape[2] - below // scale, margin // scale
        return seen[:, :, above:below, beside : seen.shape[3] - beside]


class _Band:
    """Rows first … end - 1 of a picture, and those around them that they depend on, top … bottom - 1."""

    def __init__(self, first: int, end: int, height: int, reach: int):
        self.first, self.end = first, end
        self.top, self.bottom = max(0, first - reach), min(height, end + reach)

    @classmethod
    def whole(cls, image: Tensor) -> "_Band":
        """All rows of an image (1, 3, H, W)."""
        return cls(0, image.shape[2], image.shape[2], 0)

    def cut(self, seen: Tensor, image: Tensor) -> Tensor:
        """Take the rows first … end - 1 out of what was made of top … bottom - 1, at whatever scale it is."""
        scale = image.shape[3] // seen.shape[3]
        return seen[:, :, (self.first - self.top) // scale : (self.end - self.top) // scale]


def _bands(image: Tensor, reach: int) -> Iterator[_Band]:
    height, width = images.size_of(image)
    rows = height if height * width <= WHOLE_AREA else max(MULTIPLE, BAND_AREA // width // MULTIPLE * MULTIPLE)
    for first in range(0, height, rows):
        yield _Band(first, min(first + rows, height), height, reach)


@lru_cache(KEPT)
def levels_of(network: VGG, compute: Compute) -> Levels:
    """Give the levels of Lite, which is on a device, with the decoders that come along; once."""
    return Levels(network, _decoders(compute), network.conv1_1_weight.device)


@cache
def _decoders(compute: Compute) -> Decoders:
    """The decoders that come along, on the device, in its precision."""
    return put_on(compute.device, load_decoders(), compute.dtype).to(memory_format=torch.channels_last)
