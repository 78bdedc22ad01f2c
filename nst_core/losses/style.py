"""Lists the style losses: what each remembers of a style, and how far two memories are apart.

Every Gram-based system of the field is one formula with other coefficients,

    loss = Σ content + Σ_l style_weight · w_l · STYLE_NORMALIZATIONS[…](N_l, M_l) · ‖G_l − A_l‖² + tv,

where G_l and A_l are the Gram matrices of painted and style picture divided by their number of positions, so that
pictures of different sizes compare. STYLE_NORMALIZATIONS holds the coefficients by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nst_core.losses.gram import gram_matrix, squared_distance
from nst_core.losses.kernels import (
    KERNEL_POINTS,
    gaussian_distance,
    gaussian_target,
    polynomial_distance,
    with_offset,
)
from nst_core.losses.moments import channel_moments, deviation_distance, joint_moments, mean_vector
from nst_core.losses.neighbours import NEIGHBOUR_POINTS, neighbour_distance, neighbours
from nst_core.losses.samples import all_samples, draw, no_samples, pool
from nst_core.losses.sliced import SLICED_POINTS, sliced_distance
from nst_core.losses.wasserstein import gaussian_cloud, joint_distance, joint_target, wasserstein_distance

# A tensor or a tuple of tensors. Any, as each loss has a form of its own, which none but its own functions look into.
Memory = Any

SMALLEST_MAGNITUDE = 1e-12  # what a black style's distances are divided by


def mix(memories: Sequence[Memory], shares: Sequence[float]) -> Memory:
    """Blend memories by their weighted sum: right for all that is a mean over positions."""
    if isinstance(memories[0], Tensor):
        return sum(share * memory for share, memory in zip(shares, memories, strict=True))
    return tuple(mix(parts, shares) for parts in zip(*memories, strict=True))


def zeros(memory: Memory) -> Memory:
    """Make the mean over positions of features that are all zero."""
    return torch.zeros_like(memory) if isinstance(memory, Tensor) else tuple(map(torch.zeros_like, memory))


def unchanged(memory: Memory) -> Memory:
    """Leave the memory as it is."""
    return memory


@dataclass(frozen=True)
class StyleLoss:
    """A style as what is remembered of a layer's features, and how far two memories are apart.

        target = loss.prepare(loss.blend([loss.statistics(style, tap, share) for style in styles], shares))
        painted = loss.drawn(loss.statistics(painted, tap, share), generator)
        distance = loss.distance(painted, target, generator)

    Attributes:
        title: for menus.
        source: the paper.
        statistics: features (1, C, H, W), tap (N, C) or None, share (1, 1, H, W) or None -> memory, as `gram_matrix`
            has them. What is drawn from keeps the features' precision, all else is float32.
        distance: memory, prepared target, generator or None -> float32 scalar. Only losses that draw use the generator;
            without one they draw the same each time.
        blend: memories of several styles and their shares, of sum 1 -> one memory.
        prepare: memory of the target -> what `distance` wants of it, made once.
        nothing: a memory -> that of features which are all zero.
        points: positions of a painted picture, at most, of which the loss draws anew at each look; 0: all are counted.
        chained: whether a distance, of first and second moments, is many small products one after another, beside which
            a GPU can do much.
    """

    title: str
    source: str
    statistics: Callable[[Tensor, Tensor | None, Tensor | None], Memory]
    distance: Callable[[Memory, Memory, torch.Generator | None], Tensor]
    blend: Callable[[Sequence[Memory], Sequence[float]], Memory] = mix
    prepare: Callable[[Memory], Memory] = unchanged
    nothing: Callable[[Memory], Memory] = zeros
    points: int = 0
    chained: bool = False

    def drawn(self, memory: Memory, generator: torch.Generator | None) -> Memory:
        """Draw from a painted picture's memory what is compared: of one that is counted whole, itself."""
        return draw(memory, self.points, generator) if self.points else memory


STYLE_LOSSES = {
    "gram": StyleLoss(
        title="Gram matrices",
        source="Gatys, Ecker & Bethge (2016)",
        statistics=gram_matrix,
        distance=squared_distance,
    ),
    "moments": StyleLoss(
        title="Means and deviations",
        source="Li et al. (2017); Huang & Belongie (2017)",
        statistics=channel_moments,
        distance=deviation_distance,
    ),
    "wasserstein": StyleLoss(
        title="Wasserstein distance of Gaussians",
        source="Crowson, style-transfer-pytorch",
        statistics=joint_moments,
        distance=wasserstein_distance,
        prepare=gaussian_cloud,
        chained=True,
    ),
    "gram and wasserstein": StyleLoss(
        title="Gram matrices and Wasserstein distance",
        source="Ours: half of each",
        statistics=joint_moments,
        distance=joint_distance,
        prepare=joint_target,
        chained=True,
    ),
    "sliced wasserstein": StyleLoss(
        title="Sliced Wasserstein distance",
        source="Heitz et al. (2021)",
        statistics=all_samples,
        distance=sliced_distance,
        blend=pool,
        nothing=no_samples,
        points=SLICED_POINTS,
    ),
    "mmd linear": StyleLoss(
        title="MMD, linear kernel: means",
        source="Li et al. (2017)",
        statistics=mean_vector,
        distance=squared_distance,
    ),
    "mmd polynomial": StyleLoss(
        title="MMD, polynomial kernel",
        source="Li et al. (2017)",
        statistics=joint_moments,
        distance=polynomial_distance,
        prepare=with_offset,
    ),
    "mmd gaussian": StyleLoss(
        title="MMD, Gaussian kernel",
        source="Li et al. (2017)",
        statistics=all_samples,
        distance=gaussian_distance,
        blend=pool,
        prepare=gaussian_target,
        nothing=no_samples,
        points=KERNEL_POINTS,
    ),
    "nearest neighbours": StyleLoss(
        title="Nearest neighbours",
        source="Kolkin et al. (2022)",
        statistics=all_samples,
        distance=neighbour_distance,
        blend=pool,
        prepare=neighbours,
        nothing=no_samples,
        points=NEIGHBOUR_POINTS,
    ),
}


def magnitude(loss: StyleLoss, target: Memory, prepared: Memory) -> Tensor:
    """Measure how far a target is from a layer that sees nothing, a float32 scalar above 0: for "gram", ‖A‖².

    Args:
        target: a memory, blended but not yet prepared.
        prepared: the same, prepared.
    """
    distance = loss.distance(loss.nothing(target), prepared, None)
    return distance.clamp(min=SMALLEST_MAGNITUDE)


# What each system multiplies ‖G − A‖² with (both Gram matrices divided by their positions): (channels N, positions M,
# magnitude of the target, pixels P of the painted picture).
STYLE_NORMALIZATIONS = {
    # Gatys et al. (2016), eq. 4: 1/(4N²M²) of undivided Gram matrices; also Luo, Chao, Tran & Nguyen
    "paper": lambda channels, positions, magnitude, pixels: 1 / (4 * channels**2),
    # Gram / (N·M), mean of squares: Johnson's neural-style, PyTorch's tutorial, Cheng; and, as mean over G/M divided
    # by N², the paper's authors' own code
    "mean": lambda channels, positions, magnitude, pixels: 1 / channels**4,
    # Gram / (N·M), sum of squares: Gordić; and, as mean over G/M, Gatys' own code on his rescaled network
    "sum": lambda channels, positions, magnitude, pixels: 1 / channels**2,
    # Gram undivided, mean of squares: loops written from scratch
    "undivided": lambda channels, positions, magnitude, pixels: positions**2 / channels**2,
    # 1/(4·3²·P²) of undivided Gram matrices, the picture's own numbers at every layer: Keras' example
    "image": lambda channels, positions, magnitude, pixels: positions**2 / (36 * pixels**2),
    # mean over the channels of what is no sum of squared products: Crowson's Wasserstein distance
    "per channel": lambda channels, positions, magnitude, pixels: 1 / channels,
    # 1 for a picture without any style, at every layer, with every style loss and on every network
    "relative": lambda channels, positions, magnitude, pixels: 1 / magnitude,
}
