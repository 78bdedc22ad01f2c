"""Compares styles as Gaussian clouds of feature vectors, by the work of moving one cloud onto another."""

import math
from typing import Any

import torch
from torch import Tensor

from nst_core.losses.gram import squared_distance
from nst_core.losses.moments import Moments

Cloud = tuple[Tensor, Tensor, Tensor]  # see `gaussian_cloud`
Joint = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # see `joint_target`

SMALLEST_VARIANCE = 1e-12  # that roots are divided by
FLAT = 1e-4  # of the largest variance: directions of a style's cloud that vary less are left out
COVARIANCE_EPS = 1e-4  # added to variances where a root is by products, as Crowson adds to all
COVARIANCE_ROUNDING = 1e-6  # of the whole energy, added, too: what float32 may be wrong by
RIDGE = 10.0  # times both: with less, rounding left VGG-19's conv4_1 and conv5_1 without a Cholesky factor (measured)
SMALLEST_RESOLVED = 1e-4  # of the largest: smaller singular values of the coupling are counted too low


def _covariance(moments: Moments) -> Tensor:
    first, second = moments
    return torch.addmm(second[0], first.T, first, alpha=-1)  # (N, N)


def gaussian_cloud(target: Moments) -> Cloud:
    """Prepare a target for `wasserstein_distance`: its mean (1, N), tr Σ_s, and L_s (N, r) with L_s L_sᵀ = Σ_s.

    r counts the directions that the cloud has: no more than its positions, and none of those that hardly exist.
    """
    covariance = _covariance(target).cpu()  # this is done once, and not every device can
    if not covariance.isfinite().all():  # so is no distance from it, which is the optimiser's matter
        return target[0], target[0].sum() * torch.nan, torch.zeros_like(target[0]).T
    values, directions = _eigen(covariance)
    rank = max(1, int((values > values[-1] * FLAT).sum()))  # of a plain style, one direction without length
    factor = directions[:, -rank:] * values[-rank:].clamp(min=0).sqrt()
    return target[0], values.sum().to(target[0].device), factor.to(target[0].device)


def _eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, rising, and directions of a symmetric matrix; in float64 where float32 does not converge.

    Many equal values, as of a plain style, can be too much for it: it says so, or on some processors finds NaN.
    """
    try:
        values, directions = torch.linalg.eigh(matrix)
        if values.isfinite().all() and directions.isfinite().all():
            return values, directions
    except torch.linalg.LinAlgError:
        pass
    values, directions = torch.linalg.eigh(matrix.double())
    return values.to(matrix.dtype), directions.to(matrix.dtype)


def wasserstein_distance(memory: Moments, target: Cloud, generator: torch.Generator | None = None) -> Tensor:
    """Compute the work of moving one Gaussian cloud of features onto another, W₂² = |μ − μ_s|² + tr(Σ + Σ_s − 2 S).

    S is (Σ_s^½ Σ Σ_s^½)^½. Only its trace is needed, and with Σ = L Lᵀ that is the sum of the singular values of LᵀL_s.

    Args:
        memory: `joint_moments` of the painted features.
        target: `gaussian_cloud` of the style's.

    Source: crowsonkb/style-transfer-pytorch, StyleLossW2, who divides by the number of feature maps and takes the root
    itself, by another iteration with less of the small directions.
    """
    return _Work.apply(*memory, *target)


def joint_target(target: Moments) -> Joint:
    """Prepare a target for `joint_distance`: its `gaussian_cloud`, its Gram matrix, and W₂²'s factor."""
    cloud = mean, size, _ = gaussian_cloud(target)
    work = mean.square().sum() + size  # of moving a picture without style there
    return *cloud, target[1], target[1].square().sum() / work.clamp(min=COVARIANCE_EPS)


def joint_distance(memory: Moments, target: Joint, generator: torch.Generator | None = None) -> Tensor:
    """Add half ‖G − A‖² and half W₂², this so scaled that of a picture without style both are ‖A‖².

    The Gram matrix counts what is strong, the Wasserstein distance every direction of the cloud: together they are
    nearly as near in the first measure as it alone, without its grain, and with the style's large strokes.

    Args:
        memory: `joint_moments` of the painted features.
        target: `joint_target` of the style's.

    Source: ours, chosen by looking.
    """
    mean, size, factor, gram, scale = target
    return (squared_distance(memory[1], gram) + scale * wasserstein_distance(memory, (mean, size, factor))) / 2


def _orthogonal_factor(matrix: Tensor) -> Tensor:
    """U Vᵀ of a matrix U S Vᵀ (N, N) by products alone; singular values far below the largest come out below 1.

    Source: Chen & Chow (2014), "A stable scaling of Newton-Schulz", whose scaling makes 13 steps do for what takes 27.
    """
    factor = matrix / torch.linalg.matrix_norm(matrix).clamp(min=SMALLEST_VARIANCE)
    lowest = SMALLEST_RESOLVED  # what the smallest resolved singular value has grown to
    while lowest < 1 - 1e-5:
        scale = math.sqrt(3 / (1 + lowest + lowest**2))
        factor = torch.addmm(factor, factor, factor.T @ factor, beta=1.5 * scale, alpha=-0.5 * scale**3)
        lowest = 0.5 * scale * lowest * (3 - (scale * lowest) ** 2)
    return factor


class _Work(torch.autograd.Function):
    """W₂² of a cloud's moments, mean (1, N) and second (1, N, N), and a `Cloud`, with its gradients in the former.

    With the slope P = ½ L_s (L_sᵀ Σ L_s)^-½ L_sᵀ of tr S, they are I − 2 P in the second moment, and 2 (μ − μ_s) − 2 (I
    − 2 P) μ in the mean, as Σ has − μ μᵀ. Directions that hardly exist get less gradient rather than one that explodes.
    """

    @staticmethod
    def forward(context: Any, mean: Tensor, second: Tensor, style_mean: Tensor, size: Tensor, factor: Tensor) -> Tensor:
        away, covariance = mean - style_mean, _covariance((mean, second))
        total = covariance.trace()
        way = _by_eigenvalues if covariance.device.type == "cpu" else _by_products
        trace, slope = way(covariance, factor)
        spread = torch.sub(total + size, trace, alpha=2)
        slope = slope * -2
        slope.diagonal().add_(1)
        slope *= spread > 0  # of equal clouds, rounding may leave less
        context.save_for_backward(2 * torch.addmm(away, mean, slope, alpha=-1), slope[None])
        return away.square().sum() + spread.clamp(min=0)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_mean, of_second = context.saved_tensors
        return gradient * of_mean, gradient * of_second, None, None, None


def _by_eigenvalues(covariance: Tensor, target_factor: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the trace of the root and its slope; on a CPU two to three times as fast as by products."""
    if not covariance.any() or not target_factor.any():  # a cloud that is a point
        return covariance.new_zeros(()), torch.zeros_like(covariance)
    product = target_factor.T @ covariance @ target_factor
    if not product.isfinite().all():  # a loss that is not finite is the optimiser's matter
        return product.sum() * torch.nan, torch.zeros_like(covariance)
    values, directions = _eigen(product)
    roots = values.clamp(min=0).sqrt()
    inverse = roots / values.clamp(min=max(values[-1].item() * SMALLEST_RESOLVED**2, SMALLEST_VARIANCE))
    directions = target_factor @ directions
    return roots.sum(), (directions * inverse / 2) @ directions.T


def _by_products(covariance: Tensor, target_factor: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the same by products of matrices, which GPUs do fast, and without a look at a number.

    With Σ = L Lᵀ and Q the orthogonal factor of LᵀL_s, they are tr QᵀLᵀL_s and ½ L⁻ᵀ Q L_sᵀ: no root is inverted. Σ is
    always made a little rounder, whether rounding spoilt it or not: to find out would be to wait, and the slope would
    jump where one step finds that it was and the next that it was not.
    """
    total = covariance.trace()
    covariance = covariance.clone()
    covariance.diagonal().add_(RIDGE * (COVARIANCE_EPS + COVARIANCE_ROUNDING * total))
    factor, _ = torch.linalg.cholesky_ex(covariance)
    coupling = factor.T @ target_factor
    orthogonal = _orthogonal_factor(coupling)
    half = torch.linalg.solve_triangular(factor.T, orthogonal @ target_factor.T, upper=True)
    trace = (orthogonal * coupling).sum().masked_fill(total == 0, 0)  # of a cloud that is a point
    return trace, (half + half.T) / 4
