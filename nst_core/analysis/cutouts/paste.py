"""Pastes a cut-out into another picture: with its seam, and without it by Poisson blending."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.cutout import resized, trimmed
from nst_core.errors import ConfigError, said

# What of the cut-out is kept. Name -> OpenCV's flag.
BLENDS = {
    "normal": cv2.NORMAL_CLONE,  # its gradients
    "mixed": cv2.MIXED_CLONE,  # at each pixel the stronger gradient, its own or the background's
    "monochrome": cv2.MONOCHROME_TRANSFER,  # its gradients without their colours
}

RIM = 3  # pixels that OpenCV takes off a mask all around before it blends
FADE = 0.1  # of the cut-out's longer side, over which what changes around it fades out
MARGIN = RIM + 3  # pixels around the picture: OpenCV ignores a mask's outermost pixel and needs a border around it
LEAST_SIDE = 4  # pixels, of a cut-out in the picture
LEAST_SCALE = 0.02  # of the picture's longer side


class Box(NamedTuple):
    """The rectangle in which a cut-out lies in a picture, pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """Index the rows and columns inside the box."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Placed:
    """A cut-out in a picture.

    Attributes:
        plain: glued on, (1, 3, H, W) in [0, 1].
        blended: its gradients in the picture's light, (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W) in [0, 1], 1 on the cut-out, falling to 0 around it; where it is 0, both are the background
            bit for bit.
        outline: (1, 1, H, W), 1 on the cut-out, 0 elsewhere.
        box: where the cut-out lies.
    """

    plain: Tensor
    blended: Tensor
    mask: Tensor
    outline: Tensor
    box: Box


def place(background: Tensor, cutout: Tensor, *, x: float, y: float, scale: float, blend: str = "normal") -> Placed:
    """Put a cut-out into a picture, once with its seam and once without.

    Args:
        background: (1, 3, H, W) in [0, 1].
        cutout: (1, 4, any, any) in [0, 1]; empty space around it is left out.
        x, y: its centre, as shares of the picture's width and height.
        scale: its longer side, as a share of the picture's longer side.
        blend: one of BLENDS.

    Returns:
        both pictures, of the background's size, on its device.

    Raises:
        ImageError: no cut-out, or an empty one.
        ConfigError: as `box_of`, or an unknown blend.

    Source: Pérez, Gangnet & Blake (2003), Poisson Image Editing, eq. 3, 4 and 9 (12 for "mixed"), as OpenCV's
    seamlessClone solves it: with f = f* at the border of the cut-out's rectangle rather than at its outline, and for
    "mixed" with |∂x − ∂y| for a gradient's strength. What changes around the cut-out fades out here over FADE: cut off
    at the outline, it would leave a ring in the sky.
    """
    if blend not in BLENDS:
        raise ConfigError(f"blend is {said(blend)}; choose one of {', '.join(BLENDS)}")
    cutout = trimmed(cutout)
    box = box_of(images.size_of(background), images.size_of(cutout), x=x, y=y, scale=scale)
    fitted = resized(cutout, (box.height, box.width)).to(background.device)
    layer = background.new_zeros(1, 4, *images.size_of(background))
    layer[..., box.inside[0], box.inside[1]] = fitted
    core = layer[:, 3:] >= min(0.5, fitted[:, 3].max().item())
    mask = _fading(core, max(RIM, FADE * max(box.height, box.width)))
    plain = torch.where(layer[:, 3:] > 0, torch.lerp(background, layer[:, :3], layer[:, 3:]), background)
    cloned = _cloned(background, layer[:, :3], core, BLENDS[blend])
    return Placed(
        plain=plain,
        blended=torch.where(mask > 0, torch.lerp(background, cloned, mask), background),
        mask=torch.maximum(mask, layer[:, 3:]),
        outline=core.float(),
        box=box,
    )


def box_of(background: tuple[int, int], cutout: tuple[int, int], *, x: float, y: float, scale: float) -> Box:
    """Compute the rectangle of pixels that a cut-out takes in a picture.

    Args:
        background, cutout: (height, width), pixels; the cut-out without empty space around it.
        x, y, scale: as `place`.

    Raises:
        ConfigError: it would be larger than the picture, reach beyond it, or be too small to be seen.
    """
    side, longest = scale * max(background), max(cutout)
    height, width = (round(length * side / longest) for length in cutout)
    shown = f"the cut-out is {width}×{height} pixels at scale {scale:g}"
    if min(height, width) < LEAST_SIDE:
        raise ConfigError(f"{shown}, too small to be seen; make it larger: both sides need {LEAST_SIDE} pixels")
    if height > background[0] + 1 or width > background[1] + 1:
        most = min(room * longest / length for room, length in zip(background, cutout, strict=True)) / max(background)
        raise ConfigError(
            f"{shown}, larger than the picture with its {background[1]}×{background[0]}; "
            f"make it smaller: the scale may be {np.floor(most * 1000) / 1000:g} at most"
        )
    height, width = min(height, background[0]), min(width, background[1])
    top, over_top, over_bottom = _kept(y, height, background[0])
    left, over_left, over_right = _kept(x, width, background[1])
    over = {"left": over_left, "right": over_right, "top": over_top, "bottom": over_bottom}
    beyond = [f"{count} pixel{'s' * (count > 1)} at the {side}" for side, count in over.items() if count > 0]
    if beyond:
        raise ConfigError(
            f"the cut-out reaches beyond the picture by {' and '.join(beyond)}; make it smaller or move it"
        )
    return Box(top, left, height, width)


def nearest_spot(
    background: tuple[int, int], cutout: tuple[int, int], *, x: float, y: float, scale: float
) -> tuple[float, float, float]:
    """Find the place nearest to a wanted one at which a cut-out lies within the picture.

    Args:
        background, cutout: as `box_of`.
        x, y, scale: where it is wanted.

    Returns:
        x, y, scale, to four digits.
    """
    sides = [length * max(background) / max(cutout) / room for room, length in zip(background, cutout, strict=True)]
    scale = min(scale, *(1 / side for side in sides))
    half_height, half_width = (side * scale / 2 for side in sides)  # as shares of the picture's own
    y, x = min(max(y, half_height), 1 - half_height), min(max(x, half_width), 1 - half_width)
    return round(x, 4), round(y, 4), round(scale, 4)


def _kept(center: float, length: int, room: int) -> tuple[int, int, int]:
    """Tell where a side begins and by how much it reaches beyond either end; one pixel is rounding and taken back."""
    begin = round(center * room - length / 2)
    before, after = -begin, begin + length - room
    if before == 1 or after == 1:
        return min(max(begin, 0), room - length), 0, 0
    return begin, before, after


def _fading(core: Tensor, reach: float) -> Tensor:
    """(1, 1, H, W) of True and False -> 1 where True, falling to 0 over so many pixels around."""
    apart = cv2.distanceTransform((~core[0, 0]).cpu().numpy().astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = torch.from_numpy(1 - apart / reach).clamp(0, 1)[None, None].to(core.device)
    return near * near * (3 - 2 * near)


def _cloned(background: Tensor, layer: Tensor, core: Tensor, flag: int) -> Tensor:
    """OpenCV's blend of layer (1, 3, H, W) into the background where core (1, 1, H, W) is True.

    OpenCV blends what is RIM pixels inside of the mask, puts the mask's bounding box rather than the source around the
    point it is given, and fails where that touches the border: so the mask is widened by RIM, the cut-out's colours
    carried on into it, and all of it padded.
    """
    pad = (MARGIN,) * 4
    inside = cv2.copyMakeBorder(core[0, 0].cpu().numpy().astype(np.uint8), *pad, cv2.BORDER_CONSTANT, value=0)
    source = cv2.copyMakeBorder(images.to_bytes(layer)[..., ::-1], *pad, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    target = cv2.copyMakeBorder(images.to_bytes(background)[..., ::-1], *pad, cv2.BORDER_REPLICATE)  # OpenCV's BGR
    mask = cv2.dilate(inside, np.ones((3, 3), np.uint8), iterations=RIM) * np.uint8(255)
    left, top, width, height = cv2.boundingRect(mask)
    center = left + width // 2, top + height // 2
    blended = cv2.seamlessClone(_carried_on(source, inside), target, mask, center, flag)
    height, width = images.size_of(background)
    pixels = np.ascontiguousarray(blended[MARGIN : MARGIN + height, MARGIN : MARGIN + width, ::-1], dtype=np.float32)
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None] / np.float32(255)).to(background.device)


def _carried_on(source: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """source (H, W, 3) with, where inside (H, W) is 0, the colour of the nearest pixel where it is 1."""
    _, nearest = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colors = np.zeros((nearest.max() + 1, 3), np.uint8)
    colors[nearest[inside == 1]] = source[inside == 1]
    return colors[nearest]
