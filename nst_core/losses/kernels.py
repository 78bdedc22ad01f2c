"""Compares styles as distributions of feature vectors, by maximum mean discrepancy (MMD) with three kernels.

MMD² = E k(x, x') + E k(y, y') − 2 E k(x, y) over all pairs of painted vectors x and style vectors y. For k = xᵀy and
k = (xᵀy + c)² that is a distance of moments, exact and cheap: with c = 0 the Gram matrix's own.

Source: Li, Wang, Liu & Hou (2017), "Demystifying Neural Style Transfer".
"""

import torch
from torch import Tensor

from nst_core.losses.gram import squared_distance
from nst_core.losses.moments import Moments
from nst_core.losses.samples import Samples, draw

KERNEL_POINTS = 1024  # positions of a layer at most: the work is all pairs
SMALLEST_BANDWIDTH = 1e-6  # for a style of one plain colour, whose vectors are all the same


def with_offset(target: Moments) -> tuple[Tensor, Tensor, Tensor]:
    """Add to a target c, its mean ‖y‖²: so the linear and the quadratic part count alike, however large features are.

    Li et al. (2017) leave c open and use 0, which is the Gram matrix.
    """
    mean, gram = target
    return mean, gram, gram[0].trace()


def polynomial_distance(
    memory: Moments, target: tuple[Tensor, Tensor, Tensor], generator: torch.Generator | None = None
) -> Tensor:
    """MMD² with k(x, y) = (xᵀy + c)², which is ‖G − A‖² + 2c |μ − μ_s|².

    Args:
        memory: `joint_moments` of the painted features.
        target: `with_offset` of the style's.
    """
    mean, gram, offset = target
    return squared_distance(memory[1], gram) + 2 * offset * squared_distance(memory[0], mean)


def gaussian_target(target: Samples) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Prepare a target for `gaussian_distance`: points (n, N), weights (n,), the bandwidth σ² and E k(y, y').

    σ² is the mean squared distance of a pair of points, as Li et al. (2017) have it of the pairs that they draw.
    """
    points, weights = draw(target, KERNEL_POINTS, None)
    spread = weights @ points.square().sum(1) - (weights @ points).square().sum()  # tr Σ, half the mean of all pairs
    bandwidth = (2 * spread).clamp(min=SMALLEST_BANDWIDTH)
    return points, weights, bandwidth, _likeness(points, weights, points, weights, bandwidth)


def gaussian_distance(
    memory: Samples, target: tuple[Tensor, Tensor, Tensor, Tensor], generator: torch.Generator | None = None
) -> Tensor:
    """MMD² with k(x, y) = exp(−‖x − y‖² / 2σ²), between 0 and 2, of at most KERNEL_POINTS positions.

    Li et al. (2017) draw pairs and estimate without bias; all pairs of fewer points, pairs with themselves included,
    are never negative and less noisy.

    Args:
        memory: `all_samples` of the painted features.
        target: `gaussian_target` of the style's.
        generator: chooses the positions; None for the same each time.
    """
    points, weights = draw(memory, KERNEL_POINTS, generator)
    target_points, target_weights, bandwidth, target_likeness = target
    own = _likeness(points, weights, points, weights, bandwidth)
    across = _likeness(points, weights, target_points, target_weights, bandwidth)
    return own + target_likeness - 2 * across


def _likeness(points: Tensor, weights: Tensor, others: Tensor, other_weights: Tensor, bandwidth: Tensor) -> Tensor:
    """E k(x, y); −‖x − y‖² / 2σ² of all pairs comes of one product, of vectors with their norms put beside them."""
    points, others = points / bandwidth.sqrt(), others / bandwidth.sqrt()
    halves, other_halves = -points.square().sum(1, keepdim=True) / 2, -others.square().sum(1, keepdim=True) / 2
    left = torch.cat([points, halves, torch.ones_like(halves)], 1)  # (n, N + 2)
    right = torch.cat([others, torch.ones_like(other_halves), other_halves], 1)  # (m, N + 2)
    exponents = (left @ right.T).clamp(max=0)  # (n, m); rounding may leave a vector some distance to itself
    return weights @ exponents.exp() @ other_weights
