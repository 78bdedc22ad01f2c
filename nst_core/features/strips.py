"""Looks at a picture of any size in strips: what a network sees of it and its gradient, exactly, in little memory.

Between two poolings a network sees no farther than it has convolutions there, so a strip of such a block wants only one
to four rows more than its own to be right. Kept of a picture are the poolings' outputs alone, a fifteenth of all that
is seen. The way up looks without gradients; the way down looks at each strip again, takes the gradient through it, and
writes it over the output that it was found in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.devices import release_freed_memory
from nst_core.features.checkpoint import PRE
from nst_core.features.rows import Strip, write_over
from nst_core.features.vgg import POOLINGS, VGG, WRAPPED, Features
from nst_core.images import size_of

STRIP_NUMBERS = 2**21  # of a layer in a strip: more take more memory, fewer more time, for the rows around
LEAST_ROWS = 16  # of a strip, however wide; a multiple of 4, as poolings halve it, and columns have a quarter
LARGE_MAP = 2**25  # bytes of a map, beyond which what was left on a CPU is given back before a block looks at it
MOST_KEPT = 2**28  # bytes of the first pooling's output, beyond which it is made again on the way down


@dataclass(frozen=True)
class Place:
    """Rows first … end - 1 of a layer of size (height, width)."""

    first: int
    end: int
    size: tuple[int, int]
    halo: tuple[int, int] = (0, 0)  # further rows above and below that are shown with them

    def of(self, whole: Tensor) -> Tensor:
        """Give these rows of the whole layer (…, H, W); a view."""
        return whole[..., self.first : self.end, :]

    def own(self, features: Tensor) -> Tensor:
        """Give the rows themselves of features (…, n, W) that are shown with their halo; a view."""
        above, below = self.halo
        return features[..., above : features.shape[-2] - below, :]


# What is done with a layer's features (1, C, rows, W) in their place: on the way up nothing is asked for, on the way
# down the share of a loss that they make, if they do.
Seen = Callable[[str, Tensor, Place], None]
Pulled = Callable[[str, Tensor, Place], Tensor | None]


class Strips:
    """A network that looks at one picture in strips; arguments as of VGG.

    Args:
        halo: number of a block -> rows above and below a strip's own that are shown with it, where there are any.
    """

    def __init__(
        self,
        network: VGG,
        layers: Iterable[str],
        *,
        pooling: str = "max",
        padding: str = "zeros",
        normalization: str = "imagenet",
        wrap: bool = False,
        halo: Mapping[int, int] = MappingProxyType({}),
    ):
        wanted = set(layers)
        self.network, self.padding, self.normalization, self.wrap = network, padding, normalization, wrap
        deepest = max((layer.removesuffix(PRE) for layer in wanted), default="")
        groups: list[list[str]] = [[]]
        for name in [name for name, _ in network.plan if name <= deepest or name.startswith("pool")]:
            groups.append([]) if name.startswith("pool") else groups[-1].append(name)
        self.blocks = [
            _Block(network, names, wanted, pooling, wrap, halo.get(number, 0))
            for number, names in enumerate(groups, 1)
            if names
        ]

    def up(self, image: Tensor, seen: Seen, *, keep: bool = False) -> list[Tensor]:
        """Look at image (1, 3, H, W), without gradients, and show each layer strip by strip.

        Args:
            image: in [0, 1].
            seen: is given the features of the layers that were asked for, bare.
            keep: whether `down` follows.

        Returns:
            what it wants: the image and the poolings' outputs, an empty one for what is made again; else nothing.
        """
        maps: list[Tensor] = []
        below: Tensor | None = image.detach()
        for block in self.blocks:
            if below is None:
                break
            above = self._look(block, below, seen)
            again = len(maps) == 1 and below.nbytes > MOST_KEPT
            maps += [below.new_empty(0) if again else below] * keep
            below = above
        return maps

    @torch.no_grad()
    def _look(self, block: "_Block", below: Tensor, seen: Seen) -> Tensor | None:
        """Show a block's layers, strip by strip, and give what is pooled of the last; None of the deepest block."""
        above, size = None, size_of(below)
        _give_back(below)
        for strip in block.strips(size):
            features, last = block(self._enter(block, strip.rows_of(below), strip, size[0]))
            for layer, found in features.items():
                seen(layer, strip.shown(found), Place(strip.first, strip.end, size, strip.halo))
            if block is not self.blocks[-1]:
                pooled = block.pooled(strip.own(last))
                above = _empty(pooled, size) if above is None else above
                above[:, :, strip.first // 2 : strip.first // 2 + pooled.shape[2]] = pooled
        return above

    def down(self, maps: list[Tensor], pulled: Pulled) -> Tensor:
        """Compute the gradient of a loss in the picture, (1, 3, H, W) float32.

        Args:
            maps: of `up`; it is emptied meanwhile.
            pulled: gives what a layer's strip adds to the loss; None for nothing. Called within autograd.
        """
        from_above: Tensor | None = None
        while maps:
            block, below = self.blocks[len(maps) - 1], maps.pop()
            if not below.numel() and (again := self._look(self.blocks[0], maps[0], lambda *strip: None)) is not None:
                below = again
                del again  # so that nothing but what follows holds it
            from_above = self._gradient(block, below, from_above, pulled, over=bool(maps))
        if from_above is None:
            raise ValueError("there are no maps; look at a picture first")
        return from_above

    def _gradient(
        self, block: "_Block", below: Tensor, from_above: Tensor | None, pulled: Pulled, *, over: bool
    ) -> Tensor:
        """Compute the gradient in a map (1, C, H, W); over: in its place, as nobody else wants it."""
        _give_back(below)
        strips, pull = block.strips(size_of(below)), partial(self._pull, block, below, from_above, pulled)
        if self.wrap:  # whose first strip looks at the last rows, too
            gradient = torch.zeros_like(below)
            for strip in strips:
                strip.add_to(gradient, pull(strip))
            return gradient
        gradient = below if over else torch.empty_like(below)
        write_over(gradient, strips, pull)
        return gradient

    def _pull(
        self, block: "_Block", below: Tensor, from_above: Tensor | None, pulled: Pulled, strip: "Strip"
    ) -> Tensor:
        """Compute what a strip pulls at the rows of the map below, (1, C, H, W), that it is looked at with."""
        size, roots, slopes = size_of(below), [], []
        with torch.enable_grad():
            part = strip.rows_of(below).detach().requires_grad_(True)
            features, last = block(self._enter(block, part, strip, size[0]))
            for layer, found in features.items():
                share = pulled(layer, strip.shown(found), Place(strip.first, strip.end, size, strip.halo))
                if share is not None:
                    roots.append(share)
                    slopes.append(torch.ones_like(share))
            if from_above is not None:
                pooled = block.pooled(strip.own(last))
                roots.append(pooled)
                slopes.append(from_above[:, :, strip.first // 2 : strip.first // 2 + pooled.shape[2]])
            gradient = torch.autograd.grad(roots, part, slopes, allow_unused=True)[0] if roots else None
            return torch.zeros_like(part) if gradient is None else gradient

    def _enter(self, block: "_Block", part: Tensor, strip: "Strip", height: int) -> Tensor:
        """Prepare a strip of the picture for the first block, whose first convolution has its edges with it."""
        if block is not self.blocks[0]:
            return part
        entered = self.network.enter(part, self.padding, self.normalization, wrap=self.wrap)
        if self.wrap:
            return entered[:, :, 1:-1, 1:-1]
        above, below = int(strip.top > 0), int(strip.bottom < height)  # rows that stand for others of the picture
        return entered[:, :, above : entered.shape[2] - below]


class _Block:
    """The convolutions between two poolings."""

    def __init__(self, network: VGG, names: list[str], wanted: set[str], pooling: str, wrap: bool, halo: int):
        self.network, self.names, self.pooling, self.wrap, self.halo = network, names, pooling, wrap, halo
        self.wanted = {layer for layer in wanted if layer.removesuffix(PRE) in names}
        self.entered = names[0] == "conv1_1" and not wrap  # its input has its edges around it already
        self.channels = max(network.get_buffer(f"{name}_weight").shape[0] for name in names)
        # the maximum of rectified values is the rectified maximum, as in VGG
        self.rectified = names[-1] in wanted or pooling != "max"

    def __call__(self, x: Tensor) -> tuple[Features, Tensor]:
        """Compute the wanted layers' features and the last layer, as `pooled` takes it."""
        features: Features = {}
        for name in self.names:
            weight, bias = (self.network.get_buffer(f"{name}_{part}") for part in ("weight", "bias"))
            if self.wrap:
                x = F.conv2d(F.pad(x, (1, 1, 0, 0), mode=WRAPPED), weight, bias, padding=(1, 0))
            else:
                x = F.conv2d(x, weight, bias, padding=0 if name == "conv1_1" else 1)
            if name + PRE in self.wanted:
                features[name + PRE] = x
            if self.rectified or name != self.names[-1]:
                x = F.relu(x) if name + PRE in self.wanted else F.relu_(x)
            if name in self.wanted:
                features[name] = x
        return features, x

    def pooled(self, last: Tensor) -> Tensor:
        """Pool rows of the last layer, of which the first has an even number."""
        pooled = POOLINGS[self.pooling](last)
        return pooled if self.rectified else F.relu_(pooled)

    def strips(self, size: tuple[int, int]) -> Iterator[Strip]:
        """Cut the block's maps of size (height, width) into strips."""
        height, width = size
        rows = max(LEAST_ROWS, STRIP_NUMBERS // (self.channels * width) // 4 * 4)
        margin = len(self.names) - self.entered + self.halo
        for first, end in pairwise([*range(0, height, rows), height]):
            top, bottom = first - margin, end + margin
            halo = self.halo, self.halo
            if not self.wrap:
                top, bottom = max(0, top), min(height, bottom)
                halo = min(self.halo, first), min(self.halo, height - end)
            yield Strip(first, end, top, bottom, int(self.entered), self.wrap, halo)


def _give_back(below: Tensor) -> None:
    """Give the system what was left on a CPU before a large map is looked at, beside which it would be there."""
    if below.device.type == "cpu" and below.nbytes > LARGE_MAP:
        release_freed_memory()


def _empty(pooled: Tensor, size: tuple[int, int]) -> Tensor:
    """Make room for all of a pooling's output, of which some rows are given, (1, C, n, ⌈W/2⌉)."""
    shape = 1, pooled.shape[1], -(-size[0] // 2), pooled.shape[3]
    return torch.empty(shape, dtype=pooled.dtype, device=pooled.device, memory_format=torch.channels_last)
