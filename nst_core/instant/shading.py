"""Makes crops for training like what is painted: with grain, and some of them with ground that is nearly black."""

import math

import torch
from torch import Tensor

from nst_core.instant.painter import GRAIN

DARKEST, LIGHTEST = 0.0, 0.25  # of its light, that a shadow leaves
SOFTEST = 0.3  # width of a shadow's edge, of a crop's half side


def shaded(crops: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Lay a shadow over a part of some crops: photographs have few, and a network paints blots where it knows none.

    To darken a whole crop would do nothing, as instance norms take its brightness and contrast out.

    Args:
        crops: (B, 3, H, W) in [0, 1].
        share: of the crops, that get one.
        generator: draws which, where and how dark.

    Returns:
        (B, 3, H, W) in [0, 1], not the same tensor.
    """
    across = torch.linspace(-1, 1, crops.shape[3])
    down = torch.linspace(-1, 1, crops.shape[2])[:, None]
    made = crops.clone()
    for crop in made:
        chance, turn, place, softness, depth = torch.rand(5, generator=generator).tolist()
        if chance < share:
            along = math.cos(2 * math.pi * turn) * across + math.sin(2 * math.pi * turn) * down  # (H, W)
            light = ((along - (place - 0.5)) / (SOFTEST * softness + 0.01)).sigmoid()
            least = DARKEST + (LIGHTEST - DARKEST) * depth
            crop *= (least + (1 - least) * light).to(crop)
    return made


def grained(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Add what `painter.add_grain` adds to a picture, elsewhere in each crop; (B, 3, H, W), not clamped."""
    return crops + GRAIN * torch.randn(crops.shape, generator=generator).to(crops)
