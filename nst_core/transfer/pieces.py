"""Searches styles for the columns that are most like those of a picture, in parts, so that a search can be stopped.

Many columns are searched in the DIMENSIONS in which the style's differ most, where more than four of five of those
found are the very ones, and the others as near but for a thousandth; that takes a quarter of the time.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from nst_core.losses.neighbours import most_alike, pointing

DIMENSIONS = 256  # in which columns are searched
EXACT_PAIRS = 2**28  # of a column and one that is offered, up to which they are compared in all dimensions
SAMPLE = 2048  # columns of a style, by which these are chosen
PART = 4096  # columns that are searched for at a time
SEED = 0  # of what the dimensions are begun with: the same each time


def dimensions_of(columns: Tensor, mean: Tensor) -> Tensor:
    """Choose orthonormal dimensions (C, d) in which columns (n, C) differ most from their mean (C,) float32.

    Source: Halko, Martinsson & Tropp (2011), "Finding structure with randomness", algorithm 4.4 with one round.
    """
    some = columns.index_select(0, even_places(len(columns), min(SAMPLE, len(columns))).to(columns.device))
    rows = pointing(some, mean, torch.float32)
    start = rows.T
    if len(rows) > DIMENSIONS:
        chance = torch.randn(len(rows), DIMENSIONS, generator=torch.Generator().manual_seed(SEED))
        start = rows.T @ (rows @ _orthonormal(rows.T @ chance.to(rows.device)))
    return _orthonormal(start).to(columns.dtype)


def _orthonormal(columns: Tensor) -> Tensor:
    """Give an orthonormal basis of columns (C, d); found on the CPU, as not every device can."""
    return torch.linalg.qr(columns.cpu())[0].to(columns.device)


def even_places(count: int, chosen: int) -> Tensor:
    """Choose places among so many, evenly: (chosen,)."""
    return torch.arange(chosen) * count // chosen


class Search:
    """Finds for each of some columns the most alike of all that are offered, one set after another.

    Args:
        asked: (m, d), in the dimensions, from their own mean.
        dimensions: (C, d); None for all, with d = C.
        mean: (C,) float32, of what is offered.

    Attributes:
        columns: (n, C), those that were found.
        chosen: (m,), the number of each one's among them.
        places: (m, 2), number of the set that it is from, and of the column in it.
    """

    def __init__(self, asked: Tensor, dimensions: Tensor | None, mean: Tensor, dtype: torch.dtype):
        self.asked = pointing(asked, asked.new_zeros(asked.shape[1]), dtype)
        self.dimensions, self.mean = dimensions, mean
        self.best = torch.full((len(asked),), -torch.inf, device=asked.device)
        self.columns = torch.zeros(0, len(mean), dtype=dtype, device=asked.device)
        self.chosen = torch.zeros(len(asked), dtype=torch.int64, device=asked.device)
        self.places = torch.zeros(len(asked), 2, dtype=torch.int64, device=asked.device)

    def offer(self, number: int, columns: Tensor) -> Iterator[float]:
        """Search a set of columns (n, C) with that number; yields the share of it that is done after each part."""
        offered = pointing(columns, self.mean, columns.dtype)
        if self.dimensions is not None:
            offered = offered @ self.dimensions
        found: list[tuple[Tensor, Tensor]] = []
        for part in self.asked.split(PART):
            found.append(most_alike(part, offered))
            yield min(1.0, len(found) * PART / len(self.asked))
        alike, there = (torch.cat(values) for values in zip(*found, strict=True))
        nearer = alike > self.best
        self.best = torch.maximum(self.best, alike)
        self.places[nearer] = torch.stack((torch.full_like(there, number), there), 1)[nearer]
        used, order = there[nearer].unique(return_inverse=True)
        self.chosen[nearer] = len(self.columns) + order
        self.columns = torch.cat([self.columns, columns.index_select(0, used)])
        used, self.chosen = self.chosen.unique(return_inverse=True)  # without those that nearer ones replaced
        self.columns = self.columns.index_select(0, used)
