"""Styles as means and deviations of feature maps, and as a Gaussian cloud of all of them together.

What is remembered are raw moments, Σ share f and Σ share f fᵀ: those of a blend of styles are blends of theirs.
"""

import math

import torch
from torch import Tensor

from nst_core.losses.gram import gram_matrix, squared_distance

Moments = tuple[Tensor, Tensor]  # (1, N) first and (1, N) or (1, N, N) second raw moments, float32

MEAN_PIECE = 256  # positions
DEVIATION_EPS = 1e-5  # added to variances, as instance normalisation does: a plain picture's gradient stays finite
COVARIANCE_EPS = 1e-4  # added to variances before roots are taken, as Crowson does
COVARIANCE_ROUNDING = 1e-6  # of the whole energy, added too: what float32 may be wrong by, so that roots exist
SMALLEST_RESOLVED = 1e-4  # of the largest: smaller singular values of the coupling are counted too low


def mean_vector(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Tensor:
    """The average feature vector, Σ share f, (1, N) float32; arguments as of `gram_matrix`."""
    mean = _Mean.apply(features) if share is None else (features * share).sum((2, 3))  # (1, C)
    return mean if tap is None else mean @ tap.float().T


class _Mean(torch.autograd.Function):
    """Mean over positions of features (B, C, H, W), whose gradient is one vector at every position: nothing to write.

    In bf16, products with ones of MEAN_PIECE positions each are summed in float32, ten times as fast as converting all.
    """

    @staticmethod
    def forward(context, features: Tensor) -> Tensor:
        context.like = features.shape, features.dtype
        flat = features.flatten(2).transpose(1, 2)  # (B, H*W, C)
        batch, positions, channels = flat.shape
        if features.dtype == torch.float32:
            return flat.new_ones(positions) @ flat / positions
        even = positions // MEAN_PIECE * MEAN_PIECE
        parts = flat[:, :even].reshape(batch, -1, MEAN_PIECE, channels)
        return ((flat.new_ones(MEAN_PIECE) @ parts).float().sum(1) + flat[:, even:].float().sum(1)) / positions

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        shape, dtype = context.like
        return (gradient / (shape[2] * shape[3])).to(dtype)[:, :, None, None].expand(shape)


def channel_moments(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Moments:
    """Mean and mean square of each feature map, (1, N) both; arguments as of `gram_matrix`.

    The mean squares are a Gram matrix's diagonal: the whole of it is made faster than the squares of every feature.
    """
    return mean_vector(features, tap, share), gram_matrix(features, tap, share).diagonal(dim1=1, dim2=2)


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
    """The mean (1, N) and the mean product of each pair of feature maps (1, N, N); arguments as of `gram_matrix`.

    In float32 whatever the features are: small directions of the cloud are differences of large products.
    """
    return mean_vector(features, tap, share), gram_matrix(features.float(), tap, share)


def _covariance(moments: Moments) -> Tensor:
    first, second = moments
    covariance = second[0] - first.T @ first  # (N, N)
    ridge = COVARIANCE_EPS + COVARIANCE_ROUNDING * second[0].trace()
    return covariance + ridge * torch.eye(len(covariance), device=covariance.device)


def gaussian_cloud(target: Moments) -> tuple[Tensor, Tensor, Tensor]:
    """What `wasserstein_distance` wants of a target: its mean (1, N), covariance Σ_s and L_s with L_s L_sᵀ = Σ_s."""
    covariance = _covariance(target)
    return target[0], covariance, _factor(covariance)


def wasserstein_distance(
    memory: Moments, target: tuple[Tensor, Tensor, Tensor], generator: torch.Generator | None = None
) -> Tensor:
    """The work of moving one Gaussian cloud of feature vectors onto another, W₂² = |μ − μ_s|² + tr(Σ + Σ_s − 2 S).

    S is (Σ_s^½ Σ Σ_s^½)^½. Only its trace is needed, and with Σ = L Lᵀ that is the sum of the singular values of LᵀL_s.

    Args:
        memory: `joint_moments` of the painted features.
        target: `gaussian_cloud` of the style's.

    Source: crowsonkb/style-transfer-pytorch, StyleLossW2, who divides by the number of feature maps and takes the root
    itself, by another iteration with less of the small directions.
    """
    mean, covariance, factor = target
    painted = _covariance(memory)
    spread = painted.trace() + covariance.trace() - 2 * _RootTrace.apply(painted, factor)
    return squared_distance(memory[0], mean) + spread


def _factor(covariance: Tensor) -> Tensor:
    """L, lower triangular, with L Lᵀ the covariance (N, N), which is made a little rounder where rounding spoilt it."""
    factor, failed = torch.linalg.cholesky_ex(covariance)
    ridge = COVARIANCE_EPS + COVARIANCE_ROUNDING * covariance.trace()
    while failed and ridge.isfinite():
        ridge = ridge * 10
        factor, failed = torch.linalg.cholesky_ex(covariance + ridge * torch.eye(len(factor), device=factor.device))
    return factor


def _orthogonal_factor(matrix: Tensor) -> Tensor:
    """U Vᵀ of a matrix U S Vᵀ (N, N) by products alone; singular values far below the largest come out below 1.

    Source: Chen & Chow (2014), "A stable scaling of Newton-Schulz", whose scaling makes 13 steps do for what takes 27.
    """
    factor = matrix / torch.linalg.matrix_norm(matrix)
    lowest = SMALLEST_RESOLVED  # what the smallest resolved singular value has grown to
    while lowest < 1 - 1e-5:
        scale = math.sqrt(3 / (1 + lowest + lowest**2))
        factor = torch.addmm(factor, factor, factor.T @ factor, beta=1.5 * scale, alpha=-0.5 * scale**3)
        lowest = 0.5 * scale * lowest * (3 - (scale * lowest) ** 2)
    return factor


class _RootTrace(torch.autograd.Function):
    """tr (L_sᵀ Σ L_s)^½ of Σ and L_s (N, N), with its gradient in Σ, ½ L_s (L_sᵀ Σ L_s)^-½ L_sᵀ, and none in L_s.

    With Σ = L Lᵀ and Q the orthogonal factor of LᵀL_s, they are tr QᵀLᵀL_s and ½ L⁻ᵀ Q L_sᵀ: no root is inverted, and
    directions that hardly exist get less gradient rather than one that explodes.
    """

    @staticmethod
    def forward(context, covariance: Tensor, target_factor: Tensor) -> Tensor:
        factor = _factor(covariance)
        coupling = factor.T @ target_factor
        orthogonal = _orthogonal_factor(coupling)
        context.save_for_backward(factor, orthogonal, target_factor)
        return (orthogonal * coupling).sum()

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None]:
        factor, orthogonal, target_factor = context.saved_tensors
        half = torch.linalg.solve_triangular(factor.T, orthogonal @ target_factor.T, upper=True)
        return gradient * (half + half.T) / 4, None
