"""Paints images as one recipe says, which is plain data: any process can make the same brush of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nst_core.devices import choose_compute
from nst_core.errors import ConfigError
from nst_core.instant.any_style import painter_of
from nst_core.instant.catalogue import Catalogue, open_styles
from nst_core.instant.refine import refined
from nst_core.steps import finish
from nst_core.transfer.color import COLORS


@dataclass(frozen=True)
class BrushRecipe:
    """Says how images are painted; called, it makes the brush, on the device of the thread that calls.

    Attributes:
        shares: names of styles, or paths of pictures -> how much of each.
        strength: 0 for the picture as it is, to 1.
        color: of COLORS, one for which nothing is done before painting.
        styles: a file of trained styles; None for those that come along.
    """

    shares: Mapping[str, float]
    strength: float = 1.0
    color: str = "style"
    styles: Path | None = None

    def __call__(self) -> "InstantBrush":
        return InstantBrush(self, open_styles(self.styles))


class InstantBrush:
    """Paints an image as its recipe says; wrong ones are refused as it is made.

    Args:
        recipe: of which styles, and how.
        catalogue: the trained styles.

    Raises:
        ConfigError: no style, an unknown one, a strength out of range.
        ImageError: a style that is a file, but no picture.
    """

    def __init__(self, recipe: BrushRecipe, catalogue: Catalogue):
        if not recipe.shares:
            known = ", ".join(catalogue.styles)
            raise ConfigError(f"no style is named; choose of {known}, or name a picture, by --style")
        self.recipe, self.compute = recipe, choose_compute()
        self.painter, self.weights = painter_of(recipe.shares, catalogue, self.compute)
        self.strength, self.color = recipe.strength, recipe.color
        self.painter.recipe(self.weights, self.strength)

    def __call__(self, image: Tensor) -> Tensor:
        painted = self.painter.paint(image, self.weights, strength=self.strength)
        return COLORS[self.color].after(painted, image)

    def picture(self, image: Tensor) -> Tensor:
        """Paint a picture that stands still, which is refined."""
        quick = self(image)
        steps = refined(self.painter, image, quick, self.weights, self.strength, self.compute)
        painted = finish(steps)
        return quick if painted is quick else COLORS[self.color].after(painted, image)
