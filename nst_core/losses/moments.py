"""Styles as means and deviations of feature maps.

What is remembered are raw moments, Σ share f and Σ share f fᵀ: those of a blend of styles are blends of theirs.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core.losses.gram import gram_matrix, mean_products, squared_distance

Moments = tuple[Tensor, Tensor]  # (1, N) first and (1, N) or (1, N, N) second raw moments, float32

MEAN_PIECE = 256  # positions
FEW_POSITIONS = 1024
DEVIATION_EPS = 1e-5  # added to variances, as instance normalisation does: a plain picture's gradient stays finite


def mean_vector(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Tensor:
    """The average feature vector, Σ share f, (1, N) float32; arguments as of `gram_matrix`."""
    mean = _Mean.apply(features) if share is None else (features * share).sum((2, 3))  # (1, C)
    return mean if tap is None else mean @ tap.float().T


class _Mean(torch.autograd.Function):
    """Mean over positions of features (B, C, H, W); its gradient is one vector at every position: nothing to write."""

    @staticmethod
    def forward(context: Any, features: Tensor) -> Tensor:
        context.like = features.shape, features.dtype
        return _mean(features.flatten(2).transpose(1, 2))

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        shape, dtype = context.like
        return (gradient / (shape[2] * shape[3])).to(dtype)[:, :, None, None].expand(shape)


def _mean(flat: Tensor) -> Tensor:
    """The mean (B, C) float32 of X (B, M, C).

    In bf16, products with ones of MEAN_PIECE positions each are summed in float32, ten times as fast as converting all.
    """
    batch, positions, channels = flat.shape
    if flat.dtype == torch.float32:
        return flat.new_ones(positions) @ flat / positions
    even = positions // MEAN_PIECE * MEAN_PIECE
    parts = flat[:, :even].reshape(batch, -1, MEAN_PIECE, channels)
    return ((flat.new_ones(MEAN_PIECE) @ parts).float().sum(1) + flat[:, even:].float().sum(1)) / positions


def channel_moments(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Moments:
    """Mean and mean square of each feature map, (1, N) both; arguments as of `gram_matrix`.

    The mean squares are a Gram matrix's diagonal: the whole of it is made faster than the squares of every feature.
    """
    mean, gram = joint_moments(features, tap, share)
    return mean, gram.diagonal(dim1=1, dim2=2)


def deviation_distance(memory: Moments, target: Moments, generator: torch.Generator | None = None) -> Tensor:
    """Squared differences of each feature map's mean and standard deviation, summed.

    Source: Li et al. (2017), "Demystifying Neural Style Transfer", who divide by the number of maps, and Huang &
    Belongie (2017), who take the roots of both sums.
    """
    return squared_distance(memory[0], target[0]) + squared_distance(_deviation(memory), _deviation(target))


def _deviation(moments: Moments) -> Tensor:
    first, second = moments
    return ((second - first.square()).clamp(min=0) + DEVIATION_EPS).sqrt()  # (1, N)


def joint_moments(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Moments:
    """The mean (1, N) and the Gram matrix (1, N, N), which together say the covariance; arguments as of the latter.

    Of few positions in float32 whatever the features are, so that a flat cloud remains flat.
    """
    if features[0, 0].numel() <= FEW_POSITIONS:
        features = features.float()
    if share is not None:
        return mean_vector(features, tap, share), gram_matrix(features, tap, share)
    mean, gram = _Joint.apply(features.flatten(2).transpose(1, 2))
    return (mean, gram) if tap is None else (mean @ tap.float().T, tap.float() @ gram @ tap.float().T)


class _Joint(torch.autograd.Function):
    """Mean and mean products of X (B, M, C), whose two gradients are one product with a bias: nothing to add up."""

    @staticmethod
    def forward(context: Any, flat: Tensor) -> tuple[Tensor, Tensor]:
        context.save_for_backward(flat)
        return _mean(flat), mean_products(flat)

    @staticmethod
    def backward(context: Any, mean_gradient: Tensor, gram_gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = ((gram_gradient + gram_gradient.transpose(1, 2)) / flat.shape[1]).to(flat.dtype)
        bias = (mean_gradient / flat.shape[1]).to(flat.dtype)
        parts = [F.linear(x, weight, shift) for x, weight, shift in zip(flat, symmetric, bias, strict=True)]
        return parts[0][None] if len(parts) == 1 else torch.stack(parts)
