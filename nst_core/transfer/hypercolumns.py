"""Looks at pictures in hypercolumns: what a network sees at a place, in several layers at once.

Source: Kolkin et al. (2022), "Neural Neighbor Style Transfer", section 3.2.
"""

from collections.abc import Callable
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.features.checkpoint import PRE
from nst_core.transfer.ladder import MOST_OFFERED
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.pieces import even_places

SHORTER = 4  # sides of a map of columns are a quarter of the picture's,
BLOCK = 3  # as are those of this block of the network


class ColumnLooks(StyleTransferObjective):
    """A StyleTransferObjective that sees its style layers in columns, one for every SHORTER × SHORTER pixels."""

    def part(
        self, layer: str, features: Tensor, size: tuple[int, int], *, wrap: bool = False, halo: tuple[int, int] = (0, 0)
    ) -> Tensor:
        """Give a layer's part of columns, (1, k, n, w), before it is divided by its channels.

        Args:
            layer: of the network.
            features: (1, k, rows, W) there.
            size: (n, w) of the columns, at most.
            wrap: whether the picture is a tile.
            halo: rows of the features above and below, which belong to other columns.
        """
        block, (height, width) = int(layer[4]), size
        if block < BLOCK:
            features = F.avg_pool2d(features, 2 ** (BLOCK - block), ceil_mode=True)
        above, below = halo
        for _ in range(block - BLOCK):
            features = doubled(doubled(features, 2, wrap=wrap and not any(halo)), 3, wrap=wrap)[..., :width]
            above, below = 2 * above, 2 * below
        features = features[:, :, above : features.shape[2] - below][:, :, :height]
        return self.measured(layer, features)

    def widths(self) -> list[int]:
        """List how many numbers of a column each layer has."""
        taps = [(layer, self.network.tap(layer)) for layer in self.style_layers]
        weights = [self.network.get_buffer(f"{layer.removesuffix(PRE)}_weight") for layer, _ in taps]
        return [len(weight if tap is None else tap) for (_, tap), weight in zip(taps, weights, strict=True)]

    def show_parts(self, image: Tensor, see: Callable[[str, Tensor, int], None], *, wrap: bool = False) -> None:
        """Look at an image (1, 3, H, W), and show each layer's part of its columns, (1, k, n, w), and its first row."""
        features, size = self.features(image, self.style_layers, wrap=wrap), size_of_columns(image)
        for layer in self.style_layers:
            see(layer, self.part(layer, features.pop(layer), size, wrap=wrap), 0)

    def offered(self, style: int, turn: int, share: float) -> Tensor:
        """Look at a style in a turn: its columns (n, C), evenly chosen where its share is smaller.

        And where there are more than MOST_OFFERED, so that the search grows with the picture, not with its square.
        """
        image = torch.rot90(self.style_images[style], turn, (2, 3)).contiguous()
        height, width = size_of_columns(image)
        count = height * width
        chosen = even_places(count, max(1, round(count * min(share, MOST_OFFERED / count)))).to(image.device)
        dtype = self.network.get_buffer("conv1_1_weight").dtype
        found = torch.empty(len(chosen), sum(self.widths()), dtype=dtype, device=image.device)
        places = dict(zip(self.style_layers, found.split(self.widths(), 1), strict=True))

        def see(layer: str, part: Tensor, first: int) -> None:
            begun, end = first * width, (first + part.shape[2]) * width
            own = slice(*torch.searchsorted(chosen, chosen.new_tensor([begun, end])).tolist())
            columns = part[0].flatten(1).T.index_select(0, chosen[own] - begun)
            torch.div(columns, self._channels(layer), out=places[layer][own])

        self.show_parts(image, see)
        return found

    def in_dimensions(self, image: Tensor, dimensions: Tensor | None, mean: Tensor) -> Tensor:
        """Look at an image (1, 3, H, W): how far its columns are from a mean (C,) in dimensions (C, d), (h·w, d)."""
        height, width = size_of_columns(image)
        count = len(mean) if dimensions is None else dimensions.shape[1]
        found = torch.zeros(height * width, count, device=image.device)
        begins = dict(zip(self.style_layers, accumulate(self.widths(), initial=0), strict=False))

        def see(layer: str, part: Tensor, first: int) -> None:
            own = slice(begins[layer], begins[layer] + part.shape[1])
            columns = part[0].flatten(1).T / self._channels(layer) - mean[own]
            rows = slice(first * width, (first + part.shape[2]) * width)
            if dimensions is None:
                found[rows, own] = columns
            else:
                found[rows] += columns.to(dimensions.dtype) @ dimensions[own]

        self.show_parts(image, see, wrap=self.config.wrap)
        return found


def size_of_columns(image: Tensor) -> tuple[int, int]:
    """(h, w) of the columns of an image (1, 3, H, W)."""
    height, width = images.size_of(image)
    return -(-height // SHORTER), -(-width // SHORTER)


def doubled(features: Tensor, axis: int, *, wrap: bool = False) -> Tensor:
    """Make features (1, k, h, w) twice as long along an axis, linearly between neighbours.

    By parts rather than by torch's own, whose gradient differs from time to time on a GPU.
    """
    count = features.shape[axis]
    first, last = features.narrow(axis, 0, 1), features.narrow(axis, count - 1, 1)
    before = torch.cat([last if wrap else first, features.narrow(axis, 0, count - 1)], axis)
    after = torch.cat([features.narrow(axis, 1, count - 1), first if wrap else last], axis)
    pair = torch.lerp(features, before, 0.25), torch.lerp(features, after, 0.25)
    return torch.stack(pair, axis + 1).flatten(axis, axis + 1)
