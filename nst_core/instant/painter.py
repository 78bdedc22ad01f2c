"""Paints pictures of any size by trained networks: in one pass each, or in two at less than full strength."""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from nst_core import images
from nst_core.devices import Compute, put_on
from nst_core.errors import ConfigError, listed, said, seen
from nst_core.instant.memory import WHOLE_AREA, in_one_piece
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.strips import steps_in_strips
from nst_core.passes import Passes
from nst_core.steps import Steps, finish, on_device

MAX_SIDE = 10_000  # pixels; of what is read to be painted so
GRAIN = 0.015  # deviation, of the pixel range, of the noise that a style has something to begin with on flat ground
GRAIN_SIDE = 1024  # pixels, after which the noise repeats


class Painter:
    """Networks on a device.

    Args:
        networks: on the CPU; they are copied.
        compute: device and precision.

    Attributes:
        given: the networks as they came.
    """

    def __init__(self, networks: Sequence[TransformationNetwork], compute: Compute):
        self.compute, self.given = compute, list(networks)
        self.networks = [_placed(network, compute) for network in networks]
        self._passes = {network: _passes_of(network) for network in self.networks}

    @property
    def styles(self) -> tuple[str, ...]:
        """The names of all styles."""
        return tuple(name for network in self.networks for name in network.styles if name != PHOTO)

    def paint(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Tensor:
        """Paint a picture in a style, or in a blend of several that one network holds.

        Args:
            image: (1, 3, H, W) in [0, 1].
            weights: style -> how much of it; only their ratio matters.
            strength: 0 for the picture as it is, to 1; between them it takes two passes.

        Returns:
            (1, 3, H, W) in [0, 1], on the image's device.

        Raises:
            ConfigError: an unknown style, no weight above 0, a strength out of range, styles of different networks.
            DeviceError: a picture that this machine cannot hold.

        Source: Dumoulin et al. (2017), section 3.2, for blends. Ours: the picture as it is is one more style, so that
        strength is a blend, too; what the network forgets of a picture that it leaves as it is (brightness and
        contrast, which its norms divide by, and detail) is given back, the more the less strength there is; and faint
        noise goes in with the picture, as a norm leaves nothing on flat ground for a style to grow from.
        """
        return finish(self.steps(image, weights, strength=strength))

    def steps(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Steps[Tensor]:
        """`paint`, a layer or a strip of one a step, so that others who paint on the device may come in between."""
        return on_device(self.compute, self._steps(image, weights, strength))

    @torch.no_grad()  # which torch takes up and lays down with each step of a generator
    def _steps(self, image: Tensor, weights: Mapping[str, float], strength: float) -> Steps[Tensor]:
        network, shares = self.recipe(weights, strength)
        if strength == 0:
            return image.clone()
        grained = add_grain(image)
        painted = yield from self._pass(network, grained, shares)
        if strength == 1:
            return painted
        photo = yield from self._pass(network, grained, network.shares_of({PHOTO: 1.0}))
        forgotten = photo.neg_().add_(image)
        return painted.add_(forgotten, alpha=1 - strength).clamp_(0, 1)

    def _pass(self, network: TransformationNetwork, image: Tensor, shares: Tensor) -> Steps[Tensor]:
        """One pass of a network, whole or in strips: on the image's device, and nobody else's."""
        if not in_one_piece(images.size_of(image), network.width, self.compute, WHOLE_AREA):
            return (yield from steps_in_strips(network, image, shares))
        (painted,) = yield from self._passes[network](image, shares)
        return painted.to(image.device)

    def recipe(self, weights: Mapping[str, float], strength: float = 1.0) -> tuple[TransformationNetwork, Tensor]:
        """The network that paints so, and its shares (S,); raises as `paint`."""
        if not 0 <= strength <= 1:
            raise ConfigError(f"strength is {said(strength)}; give a number from 0 to 1")
        for name in weights:
            if name not in self.styles:
                raise ConfigError(f"there is no style {said(name)}; choose of {listed(self.styles)}")
        wanted = {name: weight for name, weight in weights.items() if weight != 0}
        fitting = [network for network in self.networks if wanted.keys() <= set(network.styles)]
        if not fitting:
            raise ConfigError(
                f"{' and '.join(map(seen, list(wanted)[:3]))} are styles of different networks; blend those of one"
            )
        shares = fitting[0].shares_of(wanted) * strength
        shares[fitting[0].styles.index(PHOTO)] += 1 - strength
        return fitting[0], shares


def add_grain(image: Tensor) -> Tensor:
    """Add faint noise to a picture: of the same pixels for every picture, so that a film's does not flicker.

    Args:
        image: (B, 3, H, W) in [0, 1].

    Returns:
        A copy with Gaussian noise of deviation GRAIN, not clamped.
    """
    grained, noise = image.clone(), _noise()
    for rows in grained.split(GRAIN_SIDE, 2):
        for tile in rows.split(GRAIN_SIDE, 3):
            height, width = images.size_of(tile)
            tile += noise[..., :height, :width].to(tile)
    return grained


@lru_cache(1)
def _noise() -> Tensor:
    """Draw the noise of a tile, (1, 3, GRAIN_SIDE, GRAIN_SIDE)."""
    return GRAIN * torch.randn(1, 3, GRAIN_SIDE, GRAIN_SIDE, generator=torch.Generator().manual_seed(0))


def _passes_of(network: TransformationNetwork) -> Passes:
    def work(image: Tensor, shares: Tensor) -> Steps[tuple[Tensor]]:
        return ((yield from network.steps(image, shares)),)

    return Passes(work, network.device)


def _placed(network: TransformationNetwork, compute: Compute) -> TransformationNetwork:
    """A copy on the device, its convolutions in the precision."""
    placed = put_on(compute.device, copy.deepcopy(network).requires_grad_(False))
    for layer in placed.modules():
        if isinstance(layer, nn.Conv2d):
            layer.to(compute.dtype)
    return placed
