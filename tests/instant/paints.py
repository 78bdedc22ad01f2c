"""Paint for tests of films, in a module that a new process imports quickly."""

import os
import signal
import zlib

import torch
from torch import Tensor

from nst_core import images
from nst_core.instant.pieces import Paint


def shimmering(image: Tensor) -> Tensor:
    """Paint in other colours, each frame with strokes of its own, of which nothing is known but the frame itself."""
    generator = torch.Generator().manual_seed(zlib.crc32(images.to_bytes(image).tobytes()))
    strokes = torch.rand(1, 3, image.shape[2] // 2, image.shape[3] // 2, generator=generator) - 0.5
    fitted = torch.nn.functional.interpolate(strokes, image.shape[2:], mode="bilinear")
    return (image.flip(1) * 0.8 + 0.1 + 0.5 * fitted).clamp(0, 1)


def shimmer() -> Paint:
    """Make it, as a worker does."""
    return shimmering


def killing() -> Paint:
    """Make paint that ends its process, as the system does where memory is short."""

    def paint(image: Tensor) -> Tensor:
        os.kill(os.getpid(), signal.SIGKILL)
        return image

    return paint
