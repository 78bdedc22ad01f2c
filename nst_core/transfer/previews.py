"""Makes small JPEGs of pictures on any device, of which no more is copied to the CPU than they show."""

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.devices import on_its_way

Shown = Tensor | Callable[[], Tensor]  # a picture (1, 3, H, W), or what gives it when it is wanted


def picture_of(shown: Shown) -> Tensor:
    """Give the picture itself."""
    return shown if isinstance(shown, Tensor) else shown()


def encode_preview(image: Tensor, *, max_side: int, quality: int = 85) -> bytes:
    """Encode image (1, 3 or 4, H, W) over white as a JPEG of at most max_side pixels; waits for the device."""
    if image.device.type == "cpu":
        return images.encode_jpeg(image, quality=quality, max_side=max_side)
    pixels: np.ndarray = on_its_way(_small(images.over_white(image), max_side))().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@torch.no_grad()
def _small(image: Tensor, max_side: int) -> Tensor:
    """Shrink image (1, 3, H, W) to at most max_side pixels, (H', W', 3) uint8, where it is."""
    height, width = images.size_of(image)
    if (share := max_side / max(height, width)) < 1:
        size = max(1, round(height * share)), max(1, round(width * share))
        image = F.interpolate(image, size, mode="bilinear", antialias=True)
    return (image[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
