"""Compares feature vectors with those of a style that are most like them.

Like are vectors that point the same way from the mean of their own set: a picture's contrast and its mean colour, which
are to become the style's, do not decide what of the style a place is given.

Source: Kolkin, Kucera, Paris, Sýkora, Shechtman & Shakhnarovich (2022), "Neural Neighbor Style Transfer".
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core.losses.samples import Samples, draw

NEIGHBOUR_POINTS = 1024  # positions of a painted layer, at most, that are matched at a time
CANDIDATES = 4096  # of a style's layer, at most: their 64×64
ASKED, OFFERED = 512, 4096  # vectors in one product, at most
BARRED = -4.0  # below any cosine

# Candidates (n, N); where they point (n, N), in the search's precision; BARRED for those without share (n,).
Neighbours = tuple[Tensor, Tensor, Tensor]


@torch.no_grad()
def pointing(vectors: Tensor, mean: Tensor, dtype: torch.dtype) -> Tensor:
    """Find where vectors (n, N) point from a mean (N,) float32: length 1, or 0 for the mean itself."""
    found = torch.empty_like(vectors, dtype=dtype)
    for part, place in zip(vectors.split(OFFERED), found.split(OFFERED), strict=True):
        place.copy_(F.normalize(part - mean, dim=1))
    return found


def mean_of(vectors: Tensor, weights: Tensor) -> Tensor:
    """Average vectors (n, N) by their weights (n,) float32, of sum 1: (N,) float32."""
    parts = zip(vectors.split(OFFERED), weights.split(OFFERED), strict=True)
    return torch.stack([weight @ part.float() for part, weight in parts]).sum(0)


def most_alike(
    asked: Tensor, offered: Tensor, barred: Tensor | None = None, mean: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Find for each vector the one that has the largest inner product with it, some at a time.

    Args:
        asked: (m, N).
        offered: (n, N), of the same precision.
        barred: (n,), added to the products; None for nothing.
        mean: (N,) float32, from which what is offered is to point; None where it does.

    Returns:
        (m,) float32, the product, and (m,), the number of the offered vector: the first of several.
    """
    barred = asked.new_zeros(len(offered)) if barred is None else barred.to(asked.dtype)
    best = asked.new_full((len(asked),), 2 * BARRED, dtype=torch.float32)
    found = torch.zeros(len(asked), dtype=torch.int64, device=asked.device)
    height, width = together(len(asked), ASKED), together(len(offered), OFFERED)
    *rows, last = asked.split(height)
    rows.append(F.pad(last, (0, 0, 0, height - len(last))))
    for first in range(0, len(offered), width):
        spare = max(0, first + width - len(offered))
        some = offered[first : first + width]
        some = some if mean is None else pointing(some, mean, asked.dtype)
        part = F.pad(some, (0, 0, 0, spare)).T
        bias = F.pad(barred[first : first + width], (0, spare), value=BARRED)[None]
        values, numbers = zip(*(torch.addmm(bias, row, part).max(1) for row in rows), strict=True)
        value, number = torch.cat(values)[: len(asked)].float(), torch.cat(numbers)[: len(asked)]
        found = torch.where(value > best, number + first, found)
        best = torch.maximum(best, value)
    return best, found


def together(count: int, most: int) -> int:
    """Choose how many vectors are in one product: a power of two, as oneDNN never forgets a shape that it met in bf16.

    Args:
        count: vectors that there are.
        most: a power of two.
    """
    return min(most, 1 << max(0, count - 1).bit_length())


def neighbours(target: Samples) -> Neighbours:
    """Prepare a target for `neighbour_distance`: at most CANDIDATES of its vectors.

    First stands one of the mean's length: a vector that points nowhere, as of a plain picture, is compared with that.
    """
    points, weights = draw(target, CANDIDATES, None)
    barred = torch.where(weights > 0, 0.0, BARRED)
    lengths = points.square().sum(1)
    usual = (lengths - weights @ lengths).abs() - barred * lengths.max()
    first = usual.argmin()[None]
    points, barred = torch.cat([points.index_select(0, first), points]), torch.cat([barred.new_zeros(1), barred])
    dtype = target[0].dtype
    return points.to(dtype), pointing(points, weights @ points[1:], dtype), barred


def neighbour_distance(memory: Samples, target: Neighbours, generator: torch.Generator | None = None) -> Tensor:
    """Mean squared distance of feature vectors to the style's that are most like them, found anew at each call.

    Args:
        memory: `all_samples` of the painted features, of which NEIGHBOUR_POINTS are matched at most.
        target: `neighbours` of the style's.
        generator: chooses the positions; None for the same each time.

    Source: Kolkin et al. (2022), section 3.4, "feature splitting", who take the cosine distance itself, which says
    nothing of how strong features are: with their distance, contrast and colours need no repair afterwards.
    """
    points, weights = draw(memory, NEIGHBOUR_POINTS, generator)
    candidates, directions, barred = target
    with torch.no_grad():
        asked = pointing(points, weights @ points, directions.dtype)
        _, found = most_alike(asked, directions, barred)
    return weights @ (points - candidates.index_select(0, found).float()).square().sum(1)
