"""Collects what a style loss remembers of a layer that is looked at in strips: sums, or the vectors that it draws."""

import torch
from torch import Tensor

from nst_core.features.strips import Place
from nst_core.losses.samples import positions, taken, tapped
from nst_core.losses.style import Memory, StyleLoss, mix


class Sums:
    """What is remembered as means over positions: each strip adds its part.

    Args:
        loss: whose statistics are such.
        tap: of the layer, or None.
        share: how much each position counts, (1, 1, H, W) of sum 1; None: all alike.
    """

    def __init__(self, loss: StyleLoss, tap: Tensor | None, share: Tensor | None):
        self.loss, self.tap, self.share = loss, tap, share
        self.memory: Memory = None  # of the strips that were added
        self.counts = None if share is None else (share.amax((0, 1, 3)) > 0).tolist()  # whether a row does

    def add(self, features: Tensor, place: Place) -> None:
        """Add what is remembered of a strip's features (1, C, rows, W)."""
        if (part := self._part(features, place)) is not None:
            self.memory = part if self.memory is None else mix([self.memory, part], [1.0, 1.0])

    def leaves(self) -> list[Tensor]:
        """Give the parts of the memory that features change."""
        return _flat(self.memory)

    def pull(self, features: Tensor, place: Place, slopes: list[Tensor]) -> Tensor | None:
        """Compute a scalar with a loss's gradient in a strip's features, by the loss's gradients in the leaves.

        None where the strip has no say.
        """
        part = self._part(features, place)
        return None if part is None else _inner(_flat(part), slopes)

    def _part(self, features: Tensor, place: Place) -> Memory | None:
        if self.share is None or self.counts is None:
            return mix([self.loss.statistics(features, self.tap, None)], [(place.end - place.first) / place.size[0]])
        if not any(self.counts[place.first : place.end]):
            return None
        return self.loss.statistics(features, self.tap, place.of(self.share))


class Drawn:
    """Vectors at positions that are drawn before the layer is looked at; its methods are those of Sums.

    Args:
        shares: of the layer's positions, (H*W,).
        points: to be drawn, at most.
        generator: as of `positions`.
        tap: of the layer, or None.
        raw: keep vectors as they are, with the tap beside them; else tapped.
    """

    def __init__(
        self, shares: Tensor, points: int, generator: torch.Generator | None, tap: Tensor | None, *, raw: bool = False
    ):
        chosen, self.weights = positions(shares, points, generator)
        self.chosen, self.tap, self.raw = chosen.cpu(), tap, raw  # on the CPU, so that no strip waits for a GPU
        self.parts: list[Tensor] = []

    def add(self, features: Tensor, place: Place) -> None:
        if (part := self._part(features, place)) is not None:
            self.parts.append(part)

    @property
    def memory(self) -> Memory:
        tap = (self.tap,) if self.raw and self.tap is not None else ()
        return self.leaves()[0], self.weights, *tap

    def leaves(self) -> list[Tensor]:
        if len(self.parts) > 1:
            self.parts = [torch.cat(self.parts)]
        return self.parts

    def pull(self, features: Tensor, place: Place, slopes: list[Tensor]) -> Tensor | None:
        part = self._part(features, place)
        if part is None:
            return None
        first, end = self._range(place)
        return _inner([part], [slopes[0][first:end]])

    def _range(self, place: Place) -> tuple[int, int]:
        """Find which of the chosen lie in some rows."""
        edges = torch.tensor([place.first, place.end]) * place.size[1]
        first, end = torch.searchsorted(self.chosen, edges).tolist()
        return first, end

    def _part(self, features: Tensor, place: Place) -> Tensor | None:
        first, end = self._range(place)
        if first == end:
            return None
        chosen = (self.chosen[first:end] - place.first * place.size[1]).to(features.device)
        vectors = taken(features[0].flatten(1).T, chosen)
        return vectors if self.raw else tapped(vectors, self.tap)


def _flat(memory: Memory) -> list[Tensor]:
    return list(memory) if isinstance(memory, tuple) else [memory]


def _inner(parts: list[Tensor], slopes: list[Tensor]) -> Tensor:
    return torch.stack([(part * slope).sum() for part, slope in zip(parts, slopes, strict=True)]).sum()
