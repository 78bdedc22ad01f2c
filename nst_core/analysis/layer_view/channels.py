"""Reads a Gram matrix: which channels of a layer are active, occur together, belong side by side."""

import numpy as np
from torch import Tensor

SMALLEST_ENERGY = 1e-12  # of a channel that never answers


def cosines(gram: Tensor) -> np.ndarray:
    """Measure how much two channels occur together, whatever their strength: Gᵢⱼ / √(Gᵢᵢ Gⱼⱼ).

    Args:
        gram: (C, C).

    Returns:
        (C, C) float64, 1 on the diagonal, 0 for a channel that never answers, which occurs with none.
    """
    products = gram.detach().cpu().numpy().astype(np.float64)
    lengths = np.sqrt(np.diag(products).clip(SMALLEST_ENERGY))
    found = products / lengths[:, None] / lengths
    silent = np.diag(products) <= SMALLEST_ENERGY
    found[silent] = found[:, silent] = 0.0
    np.fill_diagonal(found, 1.0)
    return found


def channel_order(gram: Tensor) -> np.ndarray:
    """Put the channels in an order in which those that occur together stand side by side.

    Groups grow from pairs, the two most alike on average first (average linkage on `cosines`); of the four ways to put
    two groups in a row, the one with the most alike neighbours where they meet.

    Args:
        gram: (C, C); of several pictures to compare, the same one for all.

    Returns:
        (C,) permutation: number in the row -> channel.

    Source: Eisen et al. (1998), "Cluster analysis and display of genome-wide expression patterns", who leave the ends
    where they fall. Leading eigenvectors show less of the blocks.
    """
    alike = cosines(gram)
    between, sizes = alike.copy(), np.ones(len(alike))
    np.fill_diagonal(between, -np.inf)
    groups = {channel: [channel] for channel in range(len(alike))}
    while len(groups) > 1:
        kept, gone = divmod(int(between.argmax()), len(alike))
        groups[kept] = _joined(groups[kept], groups.pop(gone), alike)
        mean = (sizes[kept] * between[kept] + sizes[gone] * between[gone]) / (sizes[kept] + sizes[gone])
        sizes[kept] += sizes[gone]
        between[kept] = between[:, kept] = mean
        between[gone] = between[:, gone] = -np.inf
        between[kept, kept] = -np.inf
    return np.array(next(iter(groups.values())))


def _joined(left: list[int], right: list[int], alike: np.ndarray) -> list[int]:
    """Two groups in a row, either of them turned round if that brings more alike channels together."""
    ways = [(one, other) for one in (left, left[::-1]) for other in (right, right[::-1])]
    one, other = max(ways, key=lambda way: alike[way[0][-1], way[1][0]])
    return one + other


def most_active(gram: Tensor, count: int) -> list[int]:
    """Choose the channels with the largest entries on the diagonal, strongest first.

    Args:
        gram: (C, C).
        count: how many; fewer where there are fewer channels.
    """
    return np.argsort(-gram.detach().diagonal().cpu().numpy(), kind="stable")[:count].tolist()


def strongest_pairs(gram: Tensor, count: int) -> list[tuple[int, int]]:
    """Choose the pairs of different channels that occur together most, strongest first, no channel twice.

    By `cosines` among the more active half of the channels: by the entries themselves the most active channels would
    win with any other, and by cosines among all, channels that answer at one spot alone.

    Args:
        gram: (C, C).
        count: how many pairs; fewer where there are too few channels.
    """
    alike = cosines(gram)
    outside = np.ones(len(alike), dtype=bool)
    outside[most_active(gram, (len(alike) + 1) // 2)] = False
    alike[outside] = alike[:, outside] = -np.inf
    alike[np.tril_indices(len(alike))] = -np.inf
    pairs: list[tuple[int, int]] = []
    while len(pairs) < count and np.isfinite(alike.max()):
        pair = divmod(int(alike.argmax()), len(alike))
        pairs.append(pair)
        alike[list(pair)] = alike[:, list(pair)] = -np.inf
    return pairs
