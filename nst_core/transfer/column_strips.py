"""Measures a painting of any size by columns, in strips: the same terms and gradient in a fraction of the memory.

Of the columns of all strips two numbers a layer are kept at each place, the square of its part's length and how far it
goes along its goal. Of these follow the terms, and how they change with each, which a second look takes to the pixels.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from nst_core.features.strips import Place, Strips
from nst_core.transfer.columns import ColumnsObjective, SplitObjective
from nst_core.transfer.hypercolumns import BLOCK, size_of_columns
from nst_core.transfer.objective import LossTerms, StyleTransferObjective
from nst_core.transfer.strips import Look, StripwiseObjective

HALO = {4: 1, 5: 1}  # rows that a strip of a block wants beside its own: those between which columns lie


class StripwiseColumnsObjective(ColumnsObjective, StripwiseObjective):
    """A ColumnsObjective that looks in strips, at all pictures; exact but for rounding."""

    chosen: Tensor  # (h, w), number of the one that is a place's goal

    def look(self, image: Tensor, *, with_gradient: bool) -> Look:
        """Look at image (1, 3, H, W)."""
        return _ColumnsLook(self, image, with_gradient=with_gradient)

    def show_parts(self, image: Tensor, see: Callable[[str, Tensor, int], None], *, wrap: bool = False) -> None:
        """Look at an image (1, 3, H, W), and show each layer's part of its columns, strip by strip."""
        size = size_of_columns(image)

        def see_strip(layer: str, features: Tensor, place: Place) -> None:
            see(layer, *self.strip_of_part(layer, features, place, size, wrap=wrap))

        self.strips(self.style_layers, wrap=wrap, halo=HALO).up(image, see_strip)

    def strip_of_part(
        self, layer: str, features: Tensor, place: Place, size: tuple[int, int], *, wrap: bool
    ) -> tuple[Tensor, int]:
        """Give what a strip of a layer makes of columns of size (h, w): (1, k, n, w), and their first row."""
        first = place.first * 2 ** max(0, int(layer[4]) - BLOCK) // 2 ** max(0, BLOCK - int(layer[4]))
        rest = size[0] - first, size[1]
        return self.part(layer, features, rest, wrap=wrap, halo=place.halo), first

    def goal(self, layer: str, first: int, rows: int) -> Tensor:
        """Give a layer's part of the goals of some rows, (1, k, rows, w)."""
        chosen = self.chosen[first : first + rows]
        goals = self.goals[layer].index_select(0, chosen.flatten())
        return goals.view(1, *chosen.shape, -1).permute(0, 3, 1, 2)

    def _keep_goals(self, units: Tensor, chosen: Tensor, size: tuple[int, int]) -> None:
        self.chosen = chosen.view(size)
        self.goals = dict(zip(self.style_layers, units.split(self.widths(), 1), strict=True))


class StripwiseSplitObjective(StripwiseColumnsObjective, SplitObjective):
    """A SplitObjective that looks in strips, at all pictures."""


class _ColumnsLook(Look):
    """What one look at an image finds of its columns, too."""

    objective: StripwiseColumnsObjective

    def __init__(self, objective: StripwiseColumnsObjective, image: Tensor, *, with_gradient: bool):
        self.size = size_of_columns(image)
        self.compared = {
            layer: (image.new_zeros(1, *self.size), image.new_zeros(1, *self.size)) for layer in objective.goals
        }
        self.column_slopes: dict[str, tuple[Tensor, ...]] = {}
        super().__init__(objective, image, with_gradient=with_gradient)

    def strips(self) -> Strips:
        """Give the network that looks."""
        objective = self.objective
        layers = (*objective.content_layers, *objective.style_layers)
        return objective.strips(layers, wrap=objective.config.wrap, halo=HALO)

    def _compared(self, layer: str, features: Tensor, place: Place) -> tuple[tuple[Tensor, Tensor], slice]:
        objective = self.objective
        part, first = objective.strip_of_part(layer, features, place, self.size, wrap=objective.config.wrap)
        return objective.compared(layer, part, first), slice(first, first + part.shape[2])

    def see(self, layer: str, features: Tensor, place: Place) -> None:
        """Take note of a strip of a layer."""
        super().see(layer, place.own(features), place)
        if layer in self.compared:
            found, rows = self._compared(layer, features, place)
            for whole, some in zip(self.compared[layer], found, strict=True):
                whole[:, rows] = some

    def compare(self) -> None:
        """Compute the style's terms of what was seen."""
        super().compare()
        with torch.no_grad():
            for name, term in self.objective.apart(self.compared).items():
                self.terms[name] = self.terms[name] + term if name in self.terms else term

    def gradient(self, weights: dict[str, Tensor]) -> Tensor:
        """Compute the gradient in the image of the terms' sum, each times its weight; once."""
        leaves = {
            layer: (square.requires_grad_(), along.requires_grad_()) for layer, (square, along) in self.compared.items()
        }
        with torch.enable_grad():
            terms: LossTerms = self.objective.apart(leaves)
            if terms:
                total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
                slopes = iter(torch.autograd.grad(total, [one for own in leaves.values() for one in own]))
                self.column_slopes = {layer: (next(slopes), next(slopes)) for layer in leaves}
        self.compared = {}
        return super().gradient(weights)

    def pulls(self, layer: str, features: Tensor, place: Place, weights: dict[str, Tensor]) -> list[Tensor]:
        """List what a strip of a layer adds to the terms, each times its weight."""
        parts = super().pulls(layer, place.own(features), place, weights)
        if layer in self.column_slopes:
            found, rows = self._compared(layer, features, place)
            slopes = self.column_slopes[layer]
            parts += [(slope[:, rows] * some).sum() for slope, some in zip(slopes, found, strict=True)]
        return parts


def kind_of(columns: bool | None, *, in_strips: bool) -> type[StyleTransferObjective]:
    """Choose an objective: by columns, then by layers, too (False), or not by columns at all (None)."""
    if columns is None:
        return StripwiseObjective if in_strips else StyleTransferObjective
    if in_strips:
        return StripwiseColumnsObjective if columns else StripwiseSplitObjective
    return ColumnsObjective if columns else SplitObjective
