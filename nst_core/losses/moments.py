"""Compares styles as means and deviations of feature maps.

What is remembered are raw moments, Σ share f and Σ share f fᵀ: those of a blend of styles are blends of theirs.
"""

import torch
from torch import Tensor

from nst_core.losses.averages import mean_and_products, mean_over_positions
from nst_core.losses.gram import gram_matrix, squared_distance

Moments = tuple[Tensor, Tensor]  # (1, N) first and (1, N) or (1, N, N) second raw moments, float32

FEW_POSITIONS = 1024  # of which all is computed in float32
DEVIATION_EPS = 1e-5  # added to variances, as instance normalisation does: a plain picture's gradient stays finite


def mean_vector(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Tensor:
    """Average feature vectors: Σ share f, (1, N) float32; arguments as of `gram_matrix`."""
    mean = mean_over_positions(features) if share is None else (features * share).sum((2, 3))  # (1, C)
    return mean if tap is None else mean @ tap.float().T


def channel_moments(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Moments:
    """Compute mean and mean square of each feature map, (1, N) both; arguments as of `gram_matrix`.

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
    """Compute mean (1, N) and Gram matrix (1, N, N), which together say the covariance; arguments as of the latter.

    Of few positions in float32 whatever the features are, so that a flat cloud remains flat.
    """
    if features[0, 0].numel() <= FEW_POSITIONS:
        features = features.float()
    if share is not None:
        return mean_vector(features, tap, share), gram_matrix(features, tap, share)
    mean, gram = mean_and_products(features.flatten(2).transpose(1, 2))
    if tap is None:
        return mean, gram
    tap = tap.float()
    return mean @ tap.T, tap @ gram @ tap.T
