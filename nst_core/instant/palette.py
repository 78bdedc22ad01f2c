"""Says as plain data in which styles images are painted, and how: any machine can make who paints so of it."""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from nst_core.devices import Compute, choose_compute
from nst_core.instant.any_style import Paints
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.instant.refine import refined
from nst_core.steps import Steps, finish
from nst_core.transfer.color import COLORS
from nst_core.universal.painter import UniversalPainter


class Numbers(NamedTuple):
    """A trained network."""

    styles: tuple[str, ...]
    width: int
    arrays: dict[str, np.ndarray]  # its state, float32

    def network(self) -> TransformationNetwork:
        """Make the network, on the CPU."""
        made = TransformationNetwork(self.styles, self.width)
        made.load_state_dict({name: torch.tensor(array) for name, array in self.arrays.items()})
        return made.requires_grad_(False).to(memory_format=torch.channels_last)


class Palette(NamedTuple):
    """Styles that can be blended: those of one network, or of pictures.

    Attributes:
        key: the same where all is the same, and else another.
        network: None for pictures.
        pictures: style -> (1, 3, H, W) uint8, as of `style_picture`.
    """

    key: str
    network: Numbers | None
    pictures: dict[str, np.ndarray]

    def painter(self, compute: Compute) -> Paints:
        """Put the styles on a device, ready to paint."""
        if self.network:
            return Painter([self.network.network()], compute)
        return UniversalPainter({name: torch.tensor(array) for name, array in self.pictures.items()}, compute)


_PALETTES: WeakKeyDictionary[Paints, dict[Hashable, Palette]] = WeakKeyDictionary()  # that were made


def palette_of(painter: Painter | UniversalPainter, weights: Mapping[str, float]) -> Palette:
    """Write down what a painter needs for some styles; raises as its `recipe`."""
    made = _PALETTES.setdefault(painter, {})
    if isinstance(painter, UniversalPainter):
        names = tuple(painter.recipe(weights))
        if names not in made:
            pictures = {name: painter.pictures[name].numpy() for name in names}
            made[names] = Palette(_key([], pictures), None, pictures)
        return made[names]
    number = painter.networks.index(painter.recipe(weights)[0])  # whichever of its styles: of each network one copy
    if number not in made:
        made[number] = _of_network(painter.given[number])
    return made[number]


def _of_network(given: TransformationNetwork) -> Palette:
    arrays = {name: value.detach().cpu().contiguous().numpy() for name, value in given.state_dict().items()}
    return Palette(_key([*given.styles, str(given.width)], arrays), Numbers(given.styles, given.width, arrays), {})


def _key(words: list[str], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(repr(words).encode())
    for name, array in arrays.items():
        digest.update(repr((name, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class Strokes(NamedTuple):
    """How images are painted in a painter's styles.

    Attributes:
        weights: style -> how much of it.
        strength: 0 for the picture as it is, to 1.
        color: of COLORS, one for which nothing is done before painting.
    """

    weights: Mapping[str, float]
    strength: float = 1.0
    color: str = "style"

    def paint(self, painter: Paints, image: Tensor) -> Steps[Tensor]:
        """Paint an image, (1, 3, H, W) in [0, 1]."""
        painted = yield from painter.steps(image, self.weights, strength=self.strength)
        return COLORS[self.color].after(painted, image)

    def refine(self, painter: Paints, image: Tensor, painted: Tensor, compute: Compute) -> Steps[Tensor]:
        """Go on from a painting, see `refined`; gives the painting itself where there is nothing to refine."""
        made = yield from refined(painter, image, painted, self.weights, self.strength, compute)
        return painted if made is painted else COLORS[self.color].after(made, image)


@dataclass(frozen=True)
class PlainRecipe:
    """Says how images are painted, on a machine that has none of the files; called, it makes what paints them there."""

    palette: Palette
    strokes: Strokes

    def __call__(self) -> Callable[[Tensor], Tensor]:
        painter = self.palette.painter(choose_compute())
        return lambda image: finish(self.strokes.paint(painter, image))


def plain_recipe(painter: Paints, strokes: Strokes) -> PlainRecipe:
    """Write a painter's way of painting down; raises as its `recipe`."""
    if not isinstance(painter, Painter | UniversalPainter):
        raise TypeError(f"{type(painter).__name__} cannot be written down")
    palette = palette_of(painter, strokes.weights)
    wanted = {name: weight for name, weight in strokes.weights.items() if weight}  # no others are sent
    return PlainRecipe(palette, strokes._replace(weights=wanted))
