"""Turns the masks that a person paints, where a style applies, into weights of layers' positions and of pixels.

A mask is (1, 1, H, W) in [0, 1]: 1 where the style is to be painted, 0 where not, between them at soft edges.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.errors import ConfigError, ImageError, said
from nst_core.transfer.color import luma

EMPTY = 0.02  # of a position: where a region nowhere weighs as much, it has nothing to say
MAX_RADIUS = 0.25  # of the longer side


def mask_of(image: Tensor) -> Tensor:
    """Read the mask from a picture that a person painted.

    Args:
        image: (1, C, H, W) in [0, 1]. One or three channels: white is painted, black is not, greys are in between.
            Four: a layer of brush strokes in whatever colour, painted wherever it is not wholly transparent.

    Returns:
        (1, 1, H, W) in [0, 1].

    Raises:
        ImageError: another number of channels.
    """
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] not in (1, 3, 4):
        raise ImageError(f"a mask came in the shape {tuple(image.shape)}; use one picture in grey, RGB or RGBA")
    if image.shape[1] == 4:
        return (image[:, 3:] > 0).float()
    return (image if image.shape[1] == 1 else luma(image)).clamp(0, 1)


def mask_of_file(path: Path) -> Tensor:
    """The mask in a picture file, (1, 1, H, W) in [0, 1]: white is painted, black is not, nor is what is transparent.

    Raises:
        ImageError: as `images.load`.
    """
    image = images.load_transparent(path)
    return (luma(image[:, :3]) * image[:, 3:]).clamp(0, 1)


def check_mask(mask: Tensor) -> None:
    """Refuse a mask in which nothing is painted.

    Raises:
        ImageError: nowhere as strong as EMPTY.
    """
    if not mask.max() >= EMPTY:  # so put, NaN is refused as well
        raise ImageError("the mask is empty; paint over the places where the style shall apply")


def fit_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize the mask to a picture or to a layer: each position gets the share of it that is painted.

    Args:
        mask: (1, 1, H, W) in [0, 1].
        size: (height, width).

    Returns:
        (1, 1, height, width) in [0, 1].
    """
    if images.size_of(mask) == tuple(size):
        return mask
    return F.interpolate(mask, tuple(size), mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)


def soften(mask: Tensor, radius: float) -> Tensor:
    """Soften the mask's edges; farther than the radius from an edge nothing changes.

    Args:
        mask: (1, 1, H, W) in [0, 1].
        radius: of the longer side, 0 to MAX_RADIUS; 0 leaves the mask as it is.

    Returns:
        (1, 1, H, W) in [0, 1], a Gaussian blur; what is painted at the picture's border stays so.

    Raises:
        ConfigError: a radius out of range.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise ConfigError(
            f"the mask's softness is {said(radius)}; choose a share of the longer side from 0 to {MAX_RADIUS}"
        )
    if radius == 0:
        return mask
    height, width = images.size_of(mask)
    reach = radius * max(height, width)  # pixels
    # a product for each axis: torchvision's blur takes both at once, so its cost grows with the radius squared
    softened = _blur(height, reach) @ mask.cpu().double() @ _blur(width, reach).T
    return softened.float().clamp(0, 1).to(mask.device)


def _blur(length: int, reach: float) -> Tensor:
    """(length, length): each position's weighted mean of those within reach; in float64, so that 1 stays just 1."""
    positions = torch.arange(length, dtype=torch.float64)
    offsets = positions[:, None] - positions
    weights = torch.exp(-(offsets**2) / (2 * (reach / 3) ** 2)) * (offsets.abs() <= reach)  # 3 deviations in reach
    return weights / weights.sum(1, keepdim=True)


def regions(masks: Sequence[Tensor], styles: int) -> list[Tensor]:
    """Tell which part of the picture belongs to which style.

    Args:
        masks: one (1, 1, H, W) in [0, 1] for each style, or for each but the last, which then gets the rest.
        styles: how many styles there are.

    Returns:
        a mask for each style, all of the first one's size, their sum at most 1 everywhere: where masks overlap they
        share the place; exactly 1 if the last style gets the rest.

    Raises:
        ConfigError: too few or too many masks.
    """
    if not masks or len(masks) not in (styles, styles - 1):
        raise ConfigError(
            f"there are {len(masks)} masks for {styles} styles; paint one for each style, or for each but the last, "
            "which then gets the rest"
        )
    size = images.size_of(masks[0])
    stack = torch.cat([fit_mask(mask, size) for mask in masks])  # (masks, 1, H, W)
    total = stack.sum(0, keepdim=True)  # (1, 1, H, W)
    found = list((stack / total.clamp(min=1)).split(1))
    return found if len(found) == styles else [*found, (1 - total).clamp(min=0)]


def shares(mask: Tensor, size: tuple[int, int]) -> Tensor | None:
    """Compute how much each position of a layer counts in its region's statistics.

    Weighted so, Σ share · f fᵀ is the Gram matrix of the region alone; for a mask of 1 everywhere it is gram_matrix.

    Args:
        mask: a region, (1, 1, H, W) in [0, 1].
        size: the layer's (H', W').

    Returns:
        (1, 1, H', W') in [0, 1], sum 1, proportional to the mask; None where the region is EMPTY at this layer, which
        is then to be skipped.

    Source: Gatys et al. (2017), section 4.1. Their guides T multiply the features and have ΣT² = 1: these are T².
    At soft edges T² is in proportion to the mask; with them, T is.
    """
    fitted = fit_mask(mask, size)
    return fitted / fitted.sum() if fitted.max() >= EMPTY else None


@torch.no_grad()
def keep_unpainted(painted: Tensor, content: Tensor, mask: Tensor) -> Tensor:
    """Show the painted picture where the mask is, the content's own pixels elsewhere, blended at soft edges.

    Args:
        painted: (1, 3, H, W) in [0, 1].
        content: (1, 3, any, any) in [0, 1], resized to the painted picture.
        mask: (1, 1, any, any) in [0, 1], resized too.

    Returns:
        (1, 3, H, W); bit for bit the content where the mask is 0 and the painted picture where it is 1.
    """
    size, device = images.size_of(painted), painted.device
    return torch.lerp(images.resize(content, size).to(device), painted, fit_mask(mask, size).to(device))
