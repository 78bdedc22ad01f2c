"""Finds which pixels one position of a layer sees, and draws them."""

from typing import NamedTuple

import torch
from torch import Tensor

from nst_core import images
from nst_core.features.vgg import VGG

SHADE = 0.45  # of the light that is left outside a frame
FRAME = (1.0, 0.85, 0.1)  # the frame's colour
SEEN = 0.99  # quantile of what is drawn as white; few pixels matter most


class Window(NamedTuple):
    """Pixels of a picture: rows top … bottom - 1, columns left … right - 1."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        """Count the pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    def of(self, image: Tensor) -> Tensor:
        """Cut it out of an image (1, C, H, W)."""
        return image[..., self.top : self.bottom, self.left : self.right]


class Receptive(NamedTuple):
    """What every position of a layer sees.

    Attributes:
        side: of the square of pixels, inner edges of the picture apart.
        step: pixels from a position to the next.
    """

    side: int
    step: int

    def window(self, row: int, column: int, size: tuple[int, int]) -> Window:
        """Give what the position at a row and column sees of a picture (height, width)."""
        ends = []
        for place, most in zip((row, column), size, strict=True):
            first = place * self.step + (self.step - self.side) // 2
            ends += [max(0, first), min(most, first + self.side)]
        return Window(*ends)


def receptive(network: VGG, layer: str) -> Receptive:
    """Go through a network up to a layer: a filter of 3×3 sees two positions more, pooling one, and doubles the step.

    Source: Araujo, Norris & Sim (2019), "Computing receptive fields of convolutional neural networks", eq. 1.
    """
    side = step = 1
    for name, _ in network.plan:
        if name.startswith("pool"):
            side, step = side + step, 2 * step
        else:
            side += 2 * step
        if name == layer:
            break
    return Receptive(side, step)


def framed(image: Tensor, window: Window) -> Tensor:
    """Draw an image (1, 3, H, W) dark but for a window, which has a frame."""
    drawn = SHADE * image
    window.of(drawn)[:] = window.of(image)
    colour = torch.tensor(FRAME, device=image.device).view(1, 3, 1, 1)
    width = max(1, round(max(images.size_of(image)) / 128))
    for edge in (
        window._replace(bottom=window.top + width),
        window._replace(top=max(0, window.bottom - width)),
        window._replace(right=window.left + width),
        window._replace(left=max(0, window.right - width)),
    ):
        edge.of(drawn)[:] = colour
    return drawn


def pull_of(network: VGG, image: Tensor, layer: str, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Look at an image, and how each of its pixels would move what one position answers.

    Args:
        image: (1, 3, H, W) in [0, 1].
        layer: of the network.
        place: row and column of the position.

    Returns:
        the layer's feature maps (C, h, w); |∂ Σ_c F_c / ∂x| there, its channels added up, (1, 1, H, W).

    Source: Luo et al. (2016), "Understanding the effective receptive field".
    """
    row, column = place
    with torch.enable_grad():
        canvas = image.detach().clone().requires_grad_(True)
        maps = network(canvas, [layer], bare=True)[layer][0].float()
        (pull,) = torch.autograd.grad(maps[:, row, column].sum(), canvas)
    return maps.detach(), pull.detach().float().abs().sum(1, keepdim=True)


def lit(weights: Tensor) -> Tensor:
    """Draw how much pixels count, weights (1, 1, H, W) of 0 or more, in grey (1, 3, H, W): black 0, white the most."""
    counted = weights[weights > 0]
    top = float(counted.quantile(SEEN)) if 0 < len(counted) < 2**24 else float(weights.max())
    return (weights / max(top, 1e-12)).clamp(0, 1).sqrt().expand(-1, 3, -1, -1)
