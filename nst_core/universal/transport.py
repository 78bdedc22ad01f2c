"""Moves one Gaussian cloud of feature vectors onto another in closed form, by the least work."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nst_core.losses.averages import mean_over_positions, mean_products

RIDGE = 1e-3  # of a cloud's mean variance, the least of any direction: what hardly varies is not blown up into grain
FLAT = 1e-5  # of its mean square, added to that: a picture of one colour stays flat, rather than showing rounding
SMALLEST = 1e-12  # for a cloud that is all zero


class Cloud(NamedTuple):
    """A Gaussian cloud of feature vectors.

    Attributes:
        mean: μ, (B, N) float32.
        covariance: Σ, (B, N, N) float32.
    """

    mean: Tensor
    covariance: Tensor

    def on(self, device: torch.device | str) -> "Cloud":
        """Put it on a device."""
        return Cloud(self.mean.to(device), self.covariance.to(device))

    @classmethod
    def of(cls, features: Tensor) -> "Cloud":
        """Measure the cloud of features (B, N, H, W); less their mean, so that bf16 counts small variances right."""
        near = mean_over_positions(features).to(features.dtype)  # in bf16 a little beside it
        centred = features - near[:, :, None, None]
        beside, products = mean_over_positions(centred), mean_products(centred.flatten(2).transpose(1, 2))
        return cls(near.float() + beside, products - beside[:, :, None] * beside[:, None])

    @classmethod
    def joined(cls, clouds: Sequence["Cloud"], shares: Sequence[float]) -> "Cloud":
        """Join the clouds of a picture's parts to that of all, by their shares of its positions, of sum 1."""
        mixed = cls.between(clouds, shares)
        apart = [(share, cloud.mean - mixed.mean) for cloud, share in zip(clouds, shares, strict=True)]
        spread = sum((share * away[:, :, None] * away[:, None] for share, away in apart), torch.zeros(()))
        return cls(mixed.mean, mixed.covariance + spread)

    @classmethod
    def between(cls, clouds: Sequence["Cloud"], shares: Sequence[float]) -> "Cloud":
        """Mix clouds to one between them: mean and covariance by shares of sum 1.

        Not as `joined`: how far the clouds of two styles lie apart is no variety within their mix.
        """
        pairs = list(zip(clouds, shares, strict=True))
        mean = sum((share * cloud.mean for cloud, share in pairs), torch.zeros(()))
        return cls(mean, sum((share * cloud.covariance for cloud, share in pairs), torch.zeros(())))


class Map(NamedTuple):
    """A map of feature vectors, f -> T (f − μ) + b.

    Attributes:
        matrix: T, (B, N, N) float32.
        centre: μ, (B, N) float32.
        goal: b, (B, N) float32.
    """

    matrix: Tensor
    centre: Tensor
    goal: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Map features (B, N, H, W), in their precision and layout."""
        batch, channels, height, width = features.shape
        flat = features.permute(0, 2, 3, 1).reshape(batch, -1, channels)
        near = self.centre.to(flat.dtype)  # in bf16 a little beside it
        beside = (near.float() - self.centre)[:, None] @ self.matrix.mT
        goal = (self.goal[:, None] + beside).to(flat)
        moved = torch.baddbmm(goal, flat - near[:, None], self.matrix.mT.to(flat))
        return moved.view(batch, height, width, channels).permute(0, 3, 1, 2)

    def on(self, device: torch.device | str) -> "Map":
        """Put it on a device."""
        return Map(*(part.to(device) for part in self))

    def part(self, share: float) -> "Map":
        """Go only a share of the way, 0 … 1, each vector on a straight line."""
        identity = torch.eye(self.matrix.shape[-1]).to(self.matrix).expand_as(self.matrix)
        return Map(torch.lerp(identity, self.matrix, share), self.centre, torch.lerp(self.centre, self.goal, share))


def optimal_map(source: Cloud, target: Cloud) -> Map:
    """Compute the map of the least work from one Gaussian cloud onto another.

    T = Σ^-½ (Σ^½ Σ_s Σ^½)^½ Σ^-½ and b = μ_s: of all maps that give a cloud the mean and covariance of the style's the
    one that moves vectors least, which is why the photo stays readable. The `wasserstein` style loss measures this way
    and walks along it step by step; this is the jump to its end.

    Args:
        source: the photo's cloud.
        target: the style's.

    Source: Lu et al. (2019), "A closed-form solution to universal style transfer", eq. 9.
    """
    own, goal = (cloud.covariance.cpu().double() for cloud in (source, target))  # which not every device can
    energy = source.mean.cpu().square().mean(1) + own.diagonal(dim1=1, dim2=2).mean(1)
    values, directions = torch.linalg.eigh(own)
    least = RIDGE * values.clamp(min=0).mean(1) + FLAT * energy + SMALLEST
    roots = torch.maximum(values, least[:, None]).sqrt()[:, None]
    root, inverse = ((directions * scale) @ directions.mT for scale in (roots, 1 / roots))
    values, directions = torch.linalg.eigh(root @ goal @ root)
    middle = (directions * values.clamp(min=0).sqrt()[:, None]) @ directions.mT
    return Map((inverse @ middle @ inverse).float().to(source.mean.device), source.mean, target.mean)
