"""Cuts maps into strips of rows, and puts together what strips give of the rows that they look at."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor


class _Rows(torch.autograd.Function):
    """Some rows of features; torch's own gradient of a slice loses the channels-last layout, and a sixth of a step."""

    @staticmethod
    def forward(context: Any, features: Tensor, first: int, end: int) -> Tensor:
        context.shape, context.rows = features.shape, slice(first, end)
        return features[:, :, first:end]

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        whole = torch.empty(
            context.shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last
        ).zero_()
        whole[:, :, context.rows] = gradient
        return whole, None, None


@dataclass(frozen=True)
class Strip:
    """Rows first … end - 1 of a block, and top … bottom - 1 with which they are looked at."""

    first: int
    end: int
    top: int
    bottom: int
    beyond: int  # rows that the map below gives to either side of these
    wrap: bool
    halo: tuple[int, int] = (0, 0)

    def shown(self, features: Tensor) -> Tensor:
        """Give the strip's own rows of features, and its halo; a view."""
        above, below = self.halo
        return _Rows.apply(features, self.first - above - self.top, self.end + below - self.top)

    def own(self, features: Tensor) -> Tensor:
        """Give the strip's own rows of features of what it is looked at with; a view."""
        return _Rows.apply(features, self.first - self.top, self.end - self.top)

    def rows_of(self, below: Tensor) -> Tensor:
        """Give what it is looked at with of a map (1, C, H, W)."""
        pieces = [below[:, :, first:end] for first, end in self._pieces(below.shape[2])]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, 2)

    def edges(self, height: int) -> tuple[int, int]:
        """Give the first row of a map of that height, and the one after the last, that `rows_of` it gives."""
        return max(0, self.top - self.beyond), min(height, self.bottom + self.beyond)

    def add_to(self, gradient: Tensor, found: Tensor) -> None:
        """Add what was found of those rows, (1, C, n, W), to the gradient of the whole map."""
        at = 0
        for first, end in self._pieces(gradient.shape[2]):
            gradient[:, :, first:end] += found[:, :, at : at + end - first]
            at += end - first

    def _pieces(self, height: int) -> Iterator[tuple[int, int]]:
        """List rows, (first, end): in one piece, or of a tile, beyond whose edges it begins again, in several."""
        first, end = self.top - self.beyond, self.bottom + self.beyond
        if not self.wrap:
            yield self.edges(height)
            return
        while first < end:
            piece = min(height - first % height, end - first)
            yield first % height, first % height + piece
            first += piece


def write_over(gradient: Tensor, strips: Iterable[Strip], pull: Callable[[Strip], Tensor]) -> None:
    """Write what strips pull at a map, added up where they overlap, to a tensor (1, C, H, W) that may be that map.

    Args:
        gradient: of which rows are written when no further strip looks at them.
        strips: from above to below, of no tile.
        pull: gives what a strip pulls at the rows that it is looked at with.
    """
    height, cut = gradient.shape[2], [*strips]
    written, waiting = 0, gradient[:, :, :0]  # of the rows from there on, what was pulled so far
    for strip, ahead in zip_longest(cut, cut[1:]):
        found = pull(strip)
        found[:, :, : waiting.shape[2]] += waiting
        until = ahead.edges(height)[0] if ahead else height
        gradient[:, :, written:until] = found[:, :, : until - written]
        written, waiting = until, found[:, :, until - written :]
