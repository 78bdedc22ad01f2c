"""Measures total variation: how much neighbouring pixels differ."""

import torch
from torch import Tensor


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    """Compute each pixel's difference to its right (…, H, W-1) and lower (…, H-1, W) neighbour."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def _with_edges_repeated(image: Tensor) -> Tensor:
    """Repeat the outermost pixels, (…, H + 2, W + 2); torch's own padding has a gradient that differs on GPUs."""
    for axis in (-2, -1):
        last = image.shape[axis] - 1
        image = torch.cat([image.narrow(axis, 0, 1), image, image.narrow(axis, last, 1)], axis)
    return image


def absolute_variation(image: Tensor) -> Tensor:
    """Σ |dx| + |dy|: favours flat areas with sharp borders. Source: neural-style-pt, Gordić."""
    right, down = _differences(image)
    return right.abs().sum() + down.abs().sum()


def square_variation(image: Tensor) -> Tensor:
    """½ Σ dx² + dy² over pixels that have both neighbours. Source: Johnson's neural-style."""
    right, down = _differences(image)
    return (right[..., :-1, :].square().sum() + down[..., :, :-1].square().sum()) / 2


def nine_point_variation(image: Tensor) -> Tensor:
    """Compute the mean squared difference to all eight neighbours: the same in every direction and at every size.

    Source: crowsonkb/style-transfer-pytorch, 2·[dx²/3 + dy²/3 + d₄₅²/12 + d₁₃₅²/12] with the edge repeated.
    """
    padded = _with_edges_repeated(image)
    right, down = _differences(padded)
    rising = padded[..., 1:, 1:] - padded[..., :-1, :-1]
    falling = padded[..., 1:, :-1] - padded[..., :-1, 1:]
    straight = right.square().mean() + down.square().mean()
    return 2 * (straight / 3 + (rising.square().mean() + falling.square().mean()) / 12)


# All of image (1, 3, H, W) in [0, 1]; systems that count 0..255 have that in their weight.
TOTAL_VARIATIONS = {
    "nine point": nine_point_variation,
    "squares": square_variation,
    "absolute": absolute_variation,
}
