"""Paints large pictures strip by strip, as if in one piece: norms are of the whole picture, memory of a strip.

Features at a quarter of the size are kept; those of full and half size, which are most, are computed strip by strip as
often as they are wanted: for each norm's mean and variance, and for the layer above.
"""

from collections.abc import Iterator
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nst_core import images
from nst_core.instant.layers import Convolution, Residual, moments, moments_of_rows
from nst_core.instant.network import TransformationNetwork
from nst_core.steps import Steps

STRIP_AREA = 2**18  # pixels of the picture in a strip, about
LEAST_ROWS = 8  # of a strip, at any scale

Layer = TypeVar("Layer", bound=nn.Module)


class Rows(Protocol):
    """Features that can be asked for row by row."""

    height: int
    width: int
    scale: int  # pixels of the picture to one of its own

    def rows(self, first: int, end: int) -> Tensor:
        """Give rows first … end - 1, (1, C, end - first, W)."""
        ...


class Kept:
    """Features (1, C, H, W) that are there."""

    def __init__(self, features: Tensor, scale: int):
        self.features, self.scale = features, scale
        self.height, self.width = images.size_of(features)

    def rows(self, first: int, end: int) -> Tensor:
        """Give the rows as a view."""
        return self.features[:, :, first:end]


class Computed:
    """A layer's maps, normalised over all of them; computed whenever they are asked for."""

    def __init__(self, layer: Convolution, below: Rows, shares: Tensor, *, relu: bool = True):
        self.layer, self.below, self.shares, self.relu = layer, below, shares, relu
        stride = layer.convolution.stride[0]
        self.height = below.height * layer.enlarge // stride
        self.width = below.width * layer.enlarge // stride
        self.scale = below.scale * stride // layer.enlarge

    def measured(self) -> Steps["Computed"]:
        """Measure mean and variance over all positions, (1, C) each, before any row is asked for; return itself."""
        rows = []
        for first, end in strips(self):
            rows.append(moments_of_rows(self._convolved(first, end)))
            yield
        self.mean, self.variance = moments(torch.cat(rows, 2))
        return self

    def rows(self, first: int, end: int) -> Tensor:
        """Compute the rows anew."""
        made = self.layer.norm.with_moments(self._convolved(first, end), self.shares, self.mean, self.variance)
        return made.relu_() if self.relu else made

    def kept(self) -> Steps[Kept]:
        """Compute all rows, once they are measured, and keep them."""
        yield from self.measured()
        parts = []
        for first, end in strips(self):
            parts.append(self.rows(first, end))
            yield
        return Kept(torch.cat(parts, 2), self.scale)

    def _convolved(self, first: int, end: int) -> Tensor:
        """The layer's convolution alone. What it sees beyond the picture is reflected."""
        layer, stride, enlarge = self.layer, self.layer.convolution.stride[0], self.layer.enlarge
        top, bottom = first * stride - layer.padding, (end - 1) * stride + layer.padding + 1  # rows that it sees
        above, under = max(0, -top), max(0, bottom - self.below.height * enlarge)
        top, bottom = top + above, bottom - under
        low = top // enlarge
        seen = layer.enlarged(self.below.rows(low, -(-bottom // enlarge)))
        seen = seen[:, :, top - low * enlarge : bottom - low * enlarge]
        border = (layer.padding, layer.padding, above, under)
        return layer.convolution(F.pad(seen, border, mode="reflect"))


def strips(features: Rows) -> Iterator[tuple[int, int]]:
    """First row and end of each strip."""
    rows = max(LEAST_ROWS, STRIP_AREA // (features.width * features.scale**2))
    for first in range(0, features.height, rows):
        yield first, min(first + rows, features.height)


def _layers(modules: nn.ModuleList, kind: type[Layer]) -> list[Layer]:
    """List a network's layers, all of which are of a kind, which torch's list does not tell."""
    return [module for module in modules if isinstance(module, kind)]


@torch.no_grad()  # which torch takes up and lays down with each step of a generator
def steps_in_strips(network: TransformationNetwork, image: Tensor, shares: Tensor) -> Steps[Tensor]:
    """Paint as the network's own forward does, but for rounding, a strip of a layer a step.

    Args:
        network: where it is.
        image: (1, 3, H, W) in [0, 1].
        shares: (S,), how much of each style.

    Returns:
        (1, 3, H, W) in [0, 1], float32, on the image's device.
    """
    shares = shares.to(network.device)[None]
    features: Rows = Kept(network.prepared(image), 1)
    *upper, lowest = _layers(network.down, Convolution)
    for layer in upper:
        features = yield from Computed(layer, features, shares).measured()
    kept = yield from Computed(lowest, features, shares).kept()
    for residual in _layers(network.residuals, Residual):
        inner = yield from Computed(residual.first, kept, shares).kept()
        outer = yield from Computed(residual.second, inner, shares, relu=False).measured()
        for first, end in strips(outer):
            kept.rows(first, end).add_(outer.rows(first, end))
            yield
    features = kept
    for layer in _layers(network.up, Convolution):
        features = yield from Computed(layer, features, shares).measured()
    last = yield from Computed(network.last, features, shares, relu=False).measured()
    height, width = images.size_of(image)
    painted = torch.empty(1, 3, last.height, last.width)
    for first, end in strips(last):
        painted[:, :, first:end] = network.finished(last.rows(first, end))
        yield
    return painted[..., :height, :width].to(image.device)
