"""Turns tensors into bytes some rows at a time, lest a large picture be there several times over.

On the CPU in numpy, as torch would start threads of its own for it, beside those that may be painting: with more of
them than cores, they all go to sleep between any two operations, and painting takes twice as long.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

STRIP_NUMBERS = 2**22  # turned at a time


def strips(image: Tensor, depth: type[np.unsignedinteger] = np.uint8) -> Iterator[tuple[int, np.ndarray]]:
    """Give image (1, C, H, W), clipped to [0, 1], some rows at a time: the first row's number, and (n, W, C) integers.

    Args:
        image: on any device.
        depth: of the integers, whose largest is white.
    """
    pixels, white = image.detach()[0], np.iinfo(depth).max  # (C, H, W)
    rows = max(1, STRIP_NUMBERS // max(1, pixels.shape[0] * pixels.shape[2]))
    for top in range(0, pixels.shape[1], rows):
        strip = pixels[:, top : top + rows].cpu().numpy().clip(0, 1) * np.float32(white)
        yield top, np.ascontiguousarray(strip.round().astype(depth).transpose(1, 2, 0))


def to_bytes(image: Tensor) -> np.ndarray:
    """image (1, C, H, W), clipped to [0, 1], as (H, W, C) uint8 on the CPU."""
    _, channels, height, width = image.shape
    made = np.empty((height, width, channels), np.uint8)
    for top, strip in strips(image):
        made[top : top + len(strip)] = strip
    return made


def shrunk(image: Tensor, max_side: int) -> Tensor:
    """Average blocks of an image that is twice max_side or longer, on its device: to once to twice that side.

    Of so large a picture only what is shown is brought from a GPU, and turned into bytes.

    Args:
        image: (1, C, H, W).
        max_side: pixels.
    """
    by = max(image.shape[2:]) // max_side
    if by < 2:
        return image
    if image.device.type != "cpu":
        return F.avg_pool2d(image.detach(), by)
    pixels = image.detach().numpy()
    _, channels, height, width = pixels.shape
    made = np.empty((1, channels, height // by, width // by), np.float32)
    for row in range(height // by):
        blocks = pixels[:, :, row * by : (row + 1) * by, : width // by * by]
        made[:, :, row] = blocks.reshape(1, channels, by, width // by, by).mean((2, 4))
    return torch.from_numpy(made)
