"""Paints large pictures strip by strip, as if in one piece: norms are of the whole picture, memory of a strip.

Features at a quarter of the size are kept; those of full and half size, which are most, are computed strip by strip as
often as they are wanted: for each norm's mean and variance, and for the layer above.
"""

from collections.abc import Iterator
from math import inf
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.instant.layers import REACH, Convolution, Residual, layers_of, moments, moments_of_rows
from nst_core.instant.network import UNBOUNDED_BLOCKS, TransformationNetwork
from nst_core.steps import Steps

STRIP_AREA = 2**18  # pixels of the picture in a strip, about
LEAST_ROWS = 8  # of a strip, at any scale


Moments = tuple[Tensor, Tensor]  # mean and variance over all positions, (1, C) each


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
    """A layer's maps, normalised over all of them; computed whenever they are asked for.

    Args:
        layer, below, shares: of what.
        relu: whether a ReLU follows.
        known: mean and variance by which they are normalised; None for their own, to be measured before any row.
        reach: deviations at which they are bounded.
    """

    def __init__(
        self,
        layer: Convolution,
        below: Rows,
        shares: Tensor,
        *,
        relu: bool = True,
        known: Moments | None = None,
        reach: float = inf,
    ):
        self.layer, self.below, self.shares, self.relu, self.reach = layer, below, shares, relu, reach
        self._known = known
        stride = layer.convolution.stride[0]
        self.height = below.height * layer.enlarge // stride
        self.width = below.width * layer.enlarge // stride
        self.scale = below.scale * stride // layer.enlarge

    @property
    def known(self) -> Moments:
        """Give the mean and variance, (1, C) each."""
        if self._known is None:
            raise ValueError("these maps are not measured yet")
        return self._known

    def measured(self) -> Steps["Computed"]:
        """Measure mean and variance over all positions; return itself."""
        rows = []
        for first, end in strips(self):
            rows.append(moments_of_rows(self._convolved(first, end)))
            yield
        self._known = moments(torch.cat(rows, 2))
        return self

    def beside(self, below: Rows) -> "Computed":
        """Give the layer's maps of bounded features, by the mean and variance of these; see layers.py."""
        return Computed(self.layer, below, self.shares, relu=self.relu, known=self.known)

    def rows(self, first: int, end: int) -> Tensor:
        """Compute the rows anew."""
        made = self.layer.norm.with_moments(self._convolved(first, end), self.shares, *self.known, self.reach)
        return made.relu_() if self.relu else made

    def kept(self) -> Steps[Kept]:
        """Compute all rows, which are measured, and keep them."""
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


def _through(residual: Residual, kept: Kept, bounded: Kept | None, shares: Tensor) -> Steps[None]:
    """Put features through a block, in place, and bounded ones beside them."""
    first = yield from Computed(residual.first, kept, shares).measured()
    known = yield from _add(residual.second, (yield from first.kept()), kept, shares)
    if bounded is not None:
        apart = yield from first.beside(bounded).kept()
        yield from _add(residual.second, apart, bounded, shares, known, REACH)


def _add(
    layer: Convolution, below: Rows, to: Kept, shares: Tensor, known: Moments | None = None, reach: float = inf
) -> Steps[Moments]:
    """Add maps to features in place, by the mean and variance that are known, else by their own, and give these."""
    made = Computed(layer, below, shares, relu=False, known=known, reach=reach)
    if known is None:
        yield from made.measured()
    for first, end in strips(made):
        to.rows(first, end).add_(made.rows(first, end))
        yield
    return made.known


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
    *upper, lowest = layers_of(network.down, Convolution)
    for layer in upper:
        features = yield from Computed(layer, features, shares).measured()
    kept = yield from (yield from Computed(lowest, features, shares).measured()).kept()
    bounded = None
    for number, residual in enumerate(layers_of(network.residuals, Residual)):
        if number == UNBOUNDED_BLOCKS:
            bounded = Kept(kept.features.clone(), kept.scale)
        yield from _through(residual, kept, bounded, shares)
    features = kept
    beside: Rows = bounded or kept
    for layer in layers_of(network.up, Convolution):
        features = yield from Computed(layer, features, shares).measured()
        beside = features.beside(beside)
    last = (yield from Computed(network.last, features, shares, relu=False).measured()).beside(beside)
    height, width = images.size_of(image)
    painted = torch.empty(1, 3, last.height, last.width)
    for first, end in strips(last):
        painted[:, :, first:end] = network.finished(last.rows(first, end))
        yield
    return painted[..., :height, :width].to(image.device)
