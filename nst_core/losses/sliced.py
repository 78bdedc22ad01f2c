"""Compares styles as distributions of feature vectors, by their projections on many lines."""

import torch
from torch import Tensor

from nst_core.losses.samples import Samples, draw, running_sums, source_of_chance, taken

SLICED_POINTS = 2048  # positions of a layer at most
SLICED_DIRECTIONS = 64  # at most; never more than feature maps


def sliced_distance(memory: Samples, target: Samples, generator: torch.Generator | None = None) -> Tensor:
    """N times the mean squared difference of sorted projections: 0 only where feature vectors are distributed alike.

    The factor N makes a cloud moved by Δ cost |Δ|², as the Wasserstein distance has it, whatever the number of maps.

    Args:
        memory, target: `all_samples` of the painted and the style's features.
        generator: chooses positions and directions, fresh at each call; None for the same each time.

    Source: Heitz et al. (2021), "A Sliced Wasserstein Loss for Neural Texture Synthesis", who take all
    positions and N directions, and repeat the smaller picture's values rather than look their quantiles up.
    """
    chance = source_of_chance(generator)
    points, weights = draw(memory, SLICED_POINTS, chance)
    target_points, target_weights = draw(target, SLICED_POINTS, chance)
    channels = points.shape[1]
    directions = torch.randn(min(channels, SLICED_DIRECTIONS), channels, generator=chance, device=chance.device)
    directions = torch.nn.functional.normalize(directions).to(points.device)
    levels = max(len(points), len(target_points))
    projected = _quantiles(directions @ points.T, weights, levels)
    return channels * (projected - _quantiles(directions @ target_points.T, target_weights, levels)).square().mean()


def _quantiles(values: Tensor, weights: Tensor, levels: int) -> Tensor:
    """Find the values (D, n) below which equally many parts of the weights (n,) lie, in rising order, (D, levels).

    As many levels as equal weights give the sorted values.
    """
    ordered, order = values.sort(1)
    if levels == values.shape[1] and bool((weights == weights[0]).all()):
        return ordered
    bounds = running_sums(weights[order], 1)  # (D, n)
    middles = (torch.arange(levels, device=values.device) + 0.5) / levels * bounds[:, -1:]
    count, lines = values.shape[1], torch.arange(len(values), device=values.device)[:, None]
    chosen = lines * count + torch.searchsorted(bounds, middles).clamp(max=count - 1)  # of all lines' values in one row
    return taken(ordered.flatten(), chosen.flatten()).view(len(values), levels)
