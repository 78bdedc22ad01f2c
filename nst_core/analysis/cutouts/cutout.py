"""Makes cut-outs: parts of one picture, transparent around, to stand in another.

A cut-out is (1, 4, H, W) in [0, 1]: sRGB, not multiplied by the fourth channel, which says how much of each pixel
belongs to it.
"""

from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.errors import ImageError, named
from nst_core.transfer.masks import fit_mask

VISIBLE = 0.02  # of a pixel: what belongs to it less is as good as transparent


def load_cutout(source: str | Path | BinaryIO) -> Tensor:
    """Read a cut-out from a picture with transparent parts, upright and without the empty space around it.

    Args:
        source: a file's path or an open binary file.

    Returns:
        (1, 4, H, W) in [0, 1].

    Raises:
        ImageError: no picture, one that has no transparent parts, or one in which nothing can be seen.
    """
    name = named(source) if isinstance(source, str | Path) else "the file"
    return visible_part(images.load_transparent(source), name)


def visible_part(cutout: Tensor, name: str) -> Tensor:
    """Trim a picture with transparent parts, (1, 4, H, W) in [0, 1], of the empty space around it; raises as above."""
    if cutout[:, 3].min() > 1 - VISIBLE:
        raise ImageError(
            f"{name} has no transparent parts; paint over what to cut out, or use a PNG with transparency around it"
        )
    return trimmed(cutout)


def cutout_of(image: Tensor, mask: Tensor) -> Tensor:
    """Cut out what a person painted over in a picture.

    Args:
        image: (1, 3, H, W) in [0, 1].
        mask: (1, 1, any, any) in [0, 1], over the image: 1 where it is to be cut out.

    Returns:
        (1, 4, h, w) in [0, 1], no larger than what was painted.

    Raises:
        ImageError: nothing is painted.
    """
    return trimmed(torch.cat([image, fit_mask(mask, images.size_of(image)).to(image.device)], 1))


def check_cutout(cutout: Tensor | None) -> Tensor:
    """Return a cut-out, or refuse what is none.

    Raises:
        ImageError: there is none, it is no single picture with four channels, or nothing of it can be seen.
    """
    if cutout is None:
        raise ImageError("there is no cut-out; drop a PNG with transparency, or paint over a part of a picture")
    if cutout.ndim != 4 or cutout.shape[:2] != (1, 4):
        raise ImageError(
            f"a cut-out came in the shape {tuple(cutout.shape)}; use one picture with red, green, blue and transparency"
        )
    if not cutout[:, 3].max() >= VISIBLE:  # so put, NaN is refused as well
        raise ImageError("the cut-out is empty; paint over what to cut out, or use a PNG that is not all transparent")
    return cutout


def trimmed(cutout: Tensor | None) -> Tensor:
    """Take off a cut-out the rows and columns at its sides in which nothing can be seen.

    Args:
        cutout: (1, 4, H, W) in [0, 1]; None is refused.

    Returns:
        (1, 4, h, w).

    Raises:
        ImageError: as `check_cutout`.
    """
    cutout = check_cutout(cutout)
    seen = cutout[0, 3] >= VISIBLE  # (H, W)
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    return cutout[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].clone()


def resized(cutout: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize the cut-out, its edges free of the colours that lie hidden around it.

    Args:
        cutout: (1, 4, H, W) in [0, 1].
        size: (height, width), pixels.

    Returns:
        (1, 4, height, width) in [0, 1].
    """
    if images.size_of(cutout) == tuple(size):
        return cutout.clone()
    colors, alpha = cutout[:, :3], cutout[:, 3:]
    # not by Lanczos' filter: it overshoots at edges, and alpha, cut off at 1, would leave them too bright
    scaled = F.interpolate(
        torch.cat([colors * alpha, alpha], 1), tuple(size), mode="bilinear", align_corners=False, antialias=True
    ).clamp(0, 1)
    alpha = scaled[:, 3:]
    colors = torch.where(alpha > 0, scaled[:, :3] / alpha.clamp(min=1e-6), 0).clamp(0, 1)
    return torch.cat([colors, alpha], 1)
