"""Estimates the memory that one pass of a trained network takes, before it begins."""

from nst_core import images
from nst_core.devices import Compute, free_memory
from nst_core.errors import DeviceError

WHOLE_AREA = 2**20  # pixels; larger pictures are painted in strips
JOHNSONS_WIDTH = 32  # channels of the network that was measured; a wider one takes as much more

# Peak bytes by precision, as measured and a little more: of a pixel of a picture painted in one piece; of the strip at
# hand; and of a pixel of all strips, which is the features at a quarter of the size while they are joined.
WHOLE_BYTES = {"fp32": 1720, "bf16": 1025}
STRIP_BYTES = {"fp32": 400e6, "bf16": 250e6}
KEPT_BYTES = {"fp32": 195, "bf16": 115}


def in_one_piece(size: tuple[int, int], width: int, compute: Compute, whole_area: int = WHOLE_AREA) -> bool:
    """Whether to paint a picture in one piece rather than in strips: it is small, and there is the memory.

    Args:
        size: (height, width) of the picture, pixels.
        width: of the network, channels.
        compute: device and precision.
        whole_area: pixels; larger pictures are painted in strips.

    Raises:
        DeviceError: this machine cannot hold it in strips either; with a size that fits.
    """
    (height, across), precision = size, compute.precision
    pixels, free, wider = height * across, free_memory(compute.device), max(1.0, width / JOHNSONS_WIDTH)
    whole = wider * WHOLE_BYTES[precision] * pixels
    if pixels <= whole_area and whole <= free:
        return True
    strips = wider * (STRIP_BYTES[precision] + KEPT_BYTES[precision] * pixels)
    if strips <= free:
        return False
    fitting_pixels = max(
        free / wider / WHOLE_BYTES[precision], (free / wider - STRIP_BYTES[precision]) / KEPT_BYTES[precision]
    )
    side = int(max(size) * (fitting_pixels / pixels) ** 0.5) // 16 * 16
    remedy = f"choose a size of at most {side}" if side >= images.MIN_SIDE else "close other programs"
    raise DeviceError(
        f"painting {across}×{height} pixels in one pass takes about {min(whole, strips) / 2**30:.1f} GB, and "
        f"{compute.name} has {free / 2**30:.1f} GB free; {remedy}"
    )
