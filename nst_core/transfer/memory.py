"""Estimates the memory that a painting takes, before it begins."""

from nst_core import images
from nst_core.devices import Compute, free_memory
from nst_core.errors import DeviceError
from nst_core.transfer.config import StyleTransferConfig

# Peak bytes for each pixel painted, as tests/benchmarks/memory.py saw them and a little more.
BYTES_PER_PIXEL = {"fp32": 4000, "bf16": 2800}
BACKBONE_SHARE = {"lite": 0.68}  # of these for a network that is narrower than VGG-19
TILE_SHARE = 1.4  # of these for a tile, whose every map is kept once more with its edges around it
CANVAS_BYTES = 12  # of a pixel: three float32 numbers
OWN_CANVASES = 6  # of a painting besides its history: canvas, gradient, content, and what the optimiser moves by
STYLE_SHARE = 0.4  # of these for a pixel of the style picture, which is looked at once and without gradients


def held_between_steps(size: tuple[int, int], config: StyleTransferConfig) -> int:
    """Count the bytes that a painting of that size (height, width) holds while others have their turns."""
    height, width = size
    return height * width * CANVAS_BYTES * (2 * config.history + OWN_CANVASES)


def check_memory(
    content_size: tuple[int, int],
    style_size: tuple[int, int],
    config: StyleTransferConfig,
    compute: Compute,
    *,
    together: int = 1,
    beside: int = 0,
) -> None:
    """Refuse a size that this machine cannot hold, before it tries.

    Args:
        content_size, style_size: (height, width) of the pictures as they would be used.
        config: the size that made them so, and the network.
        together: paintings of that size in one pass of the network.
        beside: further ones, which wait for their turn with what their optimisers remember.

    Raises:
        DeviceError: with a size that fits.
    """
    (height, width), (style_height, style_width) = content_size, style_size
    pixels = max(together * height * width, STYLE_SHARE * style_height * style_width)
    needed = pixels * BYTES_PER_PIXEL[compute.precision] * BACKBONE_SHARE.get(config.backbone, 1.0)
    needed *= TILE_SHARE if config.wrap else 1
    needed += beside * held_between_steps(content_size, config)
    free = free_memory(compute.device)
    if needed <= free:
        return
    fitting = int(config.size * (free / needed) ** 0.5) // 16 * 16
    remedy = f"choose a size of at most {fitting}" if fitting >= images.MIN_SIDE else "close other programs"
    count = f"{together + beside} pictures of " if together + beside > 1 else ""
    raise DeviceError(
        f"painting {count}{width}×{height} pixels in a {style_width}×{style_height} style takes about "
        f"{needed / 2**30:.1f} GB, and {compute.name} has {free / 2**30:.1f} GB free; {remedy}"
    )
