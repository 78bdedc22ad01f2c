"""Makes tiles of pictures, which can be laid side by side, as opposite edges meet."""

import torch
from torch import Tensor

from nst_core import images

STEP = 16  # pixels of a tile's sides, which the network halves four times before conv5_1
BAND = 1 / 16  # of a side, along each edge, in which a tile becomes what lies at the opposite edge, mirrored


def fit_tile(image: Tensor, size: int, rule: str = "longest side") -> Tensor:
    """Make a tile of an image, as `images.fit` fits it but for a few pixels of its sides.

    Args:
        image: (1, 3, H, W) in [0, 1].
        size: pixels.
        rule: one of SIZE_RULES.

    Returns:
        (1, 3, H', W') in [0, 1], H' and W' multiples of STEP.

    Raises:
        ConfigError: as `images.fitted_size`.
    """
    height, width = images.fitted_size(images.size_of(image), size, rule)
    return as_tile(images.cover(image, (_whole(height), _whole(width))))


def as_tile(image: Tensor) -> Tensor:
    """Let opposite edges of an image (1, 3, H, W) meet: colours everywhere, shapes in a band along them."""
    return mirrored(periodic(image))


def periodic(image: Tensor) -> Tensor:
    """Take from an image (1, 3, H, W) what jumps between its opposite edges.

    What is taken is smooth, and least of all in the middle.

    Source: Moisan (2011), "Periodic plus smooth image decomposition", whose periodic part this is, clipped to [0, 1].
    """
    rows, columns = torch.zeros_like(image), torch.zeros_like(image)
    rows[..., 0, :] = image[..., -1, :] - image[..., 0, :]
    rows[..., -1, :] = -rows[..., 0, :]
    columns[..., :, 0] = image[..., :, -1] - image[..., :, 0]
    columns[..., :, -1] = -columns[..., :, 0]
    height, width = images.size_of(image)
    down = torch.fft.fftfreq(height, device=image.device)[:, None]  # (H, 1), cycles per pixel
    across = torch.fft.rfftfreq(width, device=image.device)  # (W / 2 + 1,)
    laplacian = 2 * torch.cos(2 * torch.pi * down) + 2 * torch.cos(2 * torch.pi * across) - 4
    laplacian[0, 0] = 1  # the mean, of which nothing is taken
    smooth = torch.fft.rfft2(rows + columns) / laplacian
    smooth[..., 0, 0] = 0
    return (image - torch.fft.irfft2(smooth, s=(height, width))).clamp(0, 1)


def mirrored(image: Tensor) -> Tensor:
    """Blend an image (1, 3, H, W) with its mirror image in a BAND along each edge; on the edge both count alike."""
    for axis in (2, 3):
        places = torch.arange(image.shape[axis], device=image.device) + 0.5  # pixels
        way = torch.minimum(places, image.shape[axis] - places) / (BAND * image.shape[axis])
        share = (1 + torch.cos(torch.pi * way.clamp(max=1))) / 4  # 1/2 at the edge, 0 from the band's end on
        image = torch.lerp(image, image.flip(axis), share[:, None] if axis == 2 else share)
    return image


def _whole(side: int) -> int:
    return max(1, round(side / STEP)) * STEP
