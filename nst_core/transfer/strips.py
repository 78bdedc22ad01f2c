"""Measures a painting of any size in strips: the objective's own terms and gradient, in a fifth of its memory or less.

A first look at the strips collects what the style remembers. Of that follow the style's terms, and how they change with
it. A second look, strip by strip, takes these changes back to the pixels.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core.devices import release_freed_memory
from nst_core.features.strips import Place, Strips
from nst_core.features.vgg import WRAPPED, Features
from nst_core.images import size_of
from nst_core.losses.samples import equal_shares
from nst_core.losses.style import Memory
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer.collected import Drawn, Sums
from nst_core.transfer.objective import LossTerms, StyleTarget, StyleTransferObjective, any_of
from nst_core.transfer.terms import TV_TERM, content_term, style_term

KEPT_POINTS = 2**16  # of a layer of a style picture, for a loss that draws: drawn of all, where there are more
VARIATION_NUMBERS = 2**21  # of a picture, whose total variation is measured at a time
LARGE_PICTURE = 2**24  # bytes, beyond which what a step leaves on a CPU is given back


class StripwiseObjective(StyleTransferObjective):
    """A StyleTransferObjective that looks in strips, at the pictures that it compares with, too.

    Exact but for rounding; only of a large style picture, losses that draw have KEPT_POINTS of a layer to draw from.
    """

    def __call__(self, image: Tensor) -> LossTerms:
        """Compute the weighted terms of image (1, 3, H, W), as StyleTransferObjective."""
        _give_back(image)
        look = self.look(image, with_gradient=torch.is_grad_enabled() and image.requires_grad)
        if not look.with_gradient:
            return look.terms
        return dict(zip(look.terms, _Values.apply(image, look).unbind(), strict=True))

    def strips(self, layers: tuple[str, ...], *, wrap: bool = False, halo: Mapping[int, int] | None = None) -> Strips:
        """Look at these layers in strips, as `features` does at all at once; halo: as of Strips."""
        config = self.config
        return Strips(
            self.network,
            layers,
            pooling=config.pooling,
            padding=config.padding,
            normalization=config.normalization,
            wrap=wrap,
            halo=halo or {},
        )

    def look(self, image: Tensor, *, with_gradient: bool) -> "Look":
        """Look at image (1, 3, H, W)."""
        return Look(self, image, with_gradient=with_gradient)

    def content_seen(self, layers: tuple[str, ...]) -> Features:
        """Look at the content at some layers: what the painting is compared with there, in the network's precision."""
        found: Features = {}

        def see(layer: str, features: Tensor, place: Place) -> None:
            measured = self.measured(layer, features)
            if layer not in found:
                found[layer] = measured.new_empty(1, measured.shape[1], *place.size)
            place.of(found[layer]).copy_(measured)

        self.strips(layers, wrap=self.config.wrap).up(self.content_image, see)
        return found

    def style_seen(self, image: Tensor, layers: tuple[str, ...]) -> dict[str, Memory]:
        """Look at a style picture (1, 3, any, any) at some layers, and remember."""
        found = {layer: self._style_collected(layer, image) for layer in layers}
        self.strips(layers).up(image, lambda layer, features, place: found[layer].add(features, place))
        return {layer: one.memory for layer, one in found.items()}

    def _style_collected(self, layer: str, image: Tensor) -> Sums | Drawn:
        tap = self.network.tap(layer)
        if not self.style_loss.points:
            return Sums(self.style_loss, tap, None)
        shares = equal_shares(_positions(size_at(layer, image)), image.device)
        return Drawn(shares, KEPT_POINTS, None, tap, raw=True)

    def collected(self, layer: str, image: Tensor) -> list[tuple[StyleTarget, Sums | Drawn]]:
        """Begin to collect what each target of a layer is compared with, as `style_memories` has it at once."""
        size, tap, loss = size_at(layer, image), self.network.tap(layer), self.style_loss
        found: list[tuple[StyleTarget, Sums | Drawn]] = []
        for target in self.style_targets[layer]:
            share = None if target.region is None else self.share(target.region, size)
            if share is None and target.region is not None:
                continue
            if not loss.points:
                found.append((target, Sums(loss, tap, share)))
                continue
            shares = equal_shares(_positions(size), image.device) if share is None else share.flatten()
            found.append((target, Drawn(shares, loss.points, self.generator, tap)))
        return found

    def content_part(self, layer: str, features: Tensor, place: Place) -> Tensor:
        """Weigh how far a strip of a layer is from the content: its part of the term."""
        target = self.content_targets[layer]
        distance = (self.measured(layer, features).float() - place.of(target).float()).square().sum()
        return self.content_coefficient(layer, target) / target[0, 0].numel() * distance

    def variation_parts(self, image: Tensor) -> Iterator[tuple[Tensor, list[tuple[int, int]], Tensor]]:
        """Cut image (1, 3, H, W) into rows, and weigh the total variation of each such part.

        Yields:
            the rows, in which the part may have a gradient; where they lie in the image, (first, end) piece by piece;
            the part of the term.
        """
        (own_height, width), wrap = size_of(image), int(self.config.wrap)
        height, count = own_height + wrap, max(1, VARIATION_NUMBERS // (3 * width))
        for first, end in pairwise([*range(0, height, count), height]):
            last = min(end + 1, height)  # with the row below
            pieces = [(first, min(last, own_height))] if first < own_height else []
            pieces += [(0, 1)] if last > own_height else []  # of a tile, the first row is below the last one
            rows = torch.cat([image[:, :, a:b].detach() for a, b in pieces], 2).requires_grad_(torch.is_grad_enabled())
            seen = F.pad(rows, (0, 1, 0, 0), mode=WRAPPED) if wrap else rows
            part = TOTAL_VARIATIONS[self.config.total_variation].of_rows(seen, first, end, height)
            yield rows, pieces, self.config.tv_weight * part


class Look:
    """What one look at an image, (1, 3, H, W), finds.

    Attributes:
        terms: as of the objective.
    """

    def __init__(self, objective: StripwiseObjective, image: Tensor, *, with_gradient: bool):
        self.objective, self.image, self.with_gradient = objective, image.detach(), with_gradient
        self.network = self.strips()
        self.terms: LossTerms = {content_term(layer): image.new_zeros(()) for layer in objective.content_layers}
        self.collected = {layer: objective.collected(layer, image) for layer in objective.style_layers}
        self.slopes: dict[str, list[list[Tensor]]] = {}
        self.maps = self.network.up(self.image, self.see, keep=with_gradient)
        self.compare()
        if objective.config.tv_weight > 0:
            with torch.no_grad():
                self.terms[TV_TERM] = torch.stack([part for *_, part in objective.variation_parts(self.image)]).sum()
        any_of(self.terms)

    def strips(self) -> Strips:
        """Give the network that looks."""
        objective = self.objective
        return objective.strips((*objective.content_layers, *objective.style_layers), wrap=objective.config.wrap)

    def compare(self) -> None:
        """Compute the style's terms of what was seen."""
        for layer, found in self.collected.items():
            if found:
                self._compare(layer, found)

    def see(self, layer: str, features: Tensor, place: Place) -> None:
        """Take note of a strip of a layer."""
        if layer in self.objective.content_layers:
            self.terms[content_term(layer)] += self.objective.content_part(layer, features, place)
        for _, one in self.collected.get(layer, ()):
            one.add(features, place)

    def _compare(self, layer: str, found: list[tuple[StyleTarget, Sums | Drawn]]) -> None:
        """Compute a layer's term, and how it changes with what was collected."""
        leaves = [one.leaves() for _, one in found]
        flat = [leaf.requires_grad_(self.with_gradient) for own in leaves for leaf in own]
        with torch.set_grad_enabled(self.with_gradient):
            memories = [(target, one.memory) for target, one in found]
            term = self.objective.style_loss_of(layer, memories, _positions(size_at(layer, self.image)))
        self.terms[style_term(layer)] = term.detach()
        if self.with_gradient:
            slopes = iter(torch.autograd.grad(term, flat))
            self.slopes[layer] = [[next(slopes) for _ in own] for own in leaves]

    def gradient(self, weights: dict[str, Tensor]) -> Tensor:
        """Compute the gradient in the image of the terms' sum, each times its weight; once."""

        def pull(layer: str, features: Tensor, place: Place) -> Tensor | None:
            parts = self.pulls(layer, features, place, weights)
            return torch.stack(parts).sum() if parts else None

        gradient = self.network.down(self.maps, pull)
        if TV_TERM in self.terms:
            with torch.enable_grad():
                for rows, pieces, part in self.objective.variation_parts(self.image):
                    (found,) = torch.autograd.grad(weights[TV_TERM] * part, rows)
                    for (first, end), own in zip(pieces, found.split([b - a for a, b in pieces], 2), strict=True):
                        gradient[:, :, first:end] += own
        _give_back(self.image)
        return gradient

    def pulls(self, layer: str, features: Tensor, place: Place, weights: dict[str, Tensor]) -> list[Tensor]:
        """List what a strip of a layer adds to the terms, each times its weight."""
        parts = []
        if layer in self.objective.content_layers:
            part = self.objective.content_part(layer, features, place)
            parts.append(weights[content_term(layer)] * part)
        for (_, one), slopes in zip(self.collected.get(layer, ()), self.slopes.get(layer, ()), strict=True):
            if (pulled := one.pull(features, place, slopes)) is not None:
                parts.append(weights[style_term(layer)] * pulled)
        return parts


class _Values(torch.autograd.Function):
    """The terms of a look, (n,), with their gradient in the image."""

    @staticmethod
    def forward(context: Any, image: Tensor, look: Look) -> Tensor:
        context.look = look
        return torch.stack(list(look.terms.values()))

    @staticmethod
    def backward(context: Any, weights: Tensor) -> tuple[Tensor, None]:
        look: Look = context.look
        return look.gradient(dict(zip(look.terms, weights.unbind(), strict=True))), None


def _give_back(image: Tensor) -> None:
    """Give the system what a step of a large picture left on a CPU: in pieces, it would lie beside what comes next."""
    if image.device.type == "cpu" and image.nbytes > LARGE_PICTURE:
        release_freed_memory()


def size_at(layer: str, image: Tensor) -> tuple[int, int]:
    """(height, width) of a layer that looks at an image (1, 3, H, W)."""
    scale = 2 ** (int(layer[4]) - 1)
    height, width = size_of(image)
    return -(-height // scale), -(-width // scale)


def _positions(size: tuple[int, int]) -> int:
    return size[0] * size[1]
