"""Measures total variation: how much neighbouring pixels differ, of a picture or of some of its rows at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Variation:
    """A measure of total variation, of pictures in [0, 1]; systems that count 0..255 have that in their weight.

    Attributes:
        of_rows: rows (1, 3, n, W) of a picture, the first one's number, the number where they end, and the picture's
            height -> their share: of all of a picture's rows together, its variation. Unless they end with the picture
            the row below is given, too, as the last one's neighbour.
    """

    of_rows: Callable[[Tensor, int, int, int], Tensor]

    def __call__(self, image: Tensor) -> Tensor:
        """Measure a whole picture (1, 3, H, W)."""
        height = image.shape[-2]
        return self.of_rows(image, 0, height, height)


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    """Compute each pixel's difference to its right (…, H, W-1) and lower (…, H-1, W) neighbour."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def _with_edges_repeated(image: Tensor, above: bool, below: bool) -> Tensor:
    """Repeat the outermost columns, and rows where asked; torch's own padding has a gradient that differs on GPUs."""
    for axis, before, after in ((-2, above, below), (-1, True, True)):
        first, last = image.narrow(axis, 0, int(before)), image.narrow(axis, image.shape[axis] - after, int(after))
        image = torch.cat([first, image, last], axis)
    return image


def absolute_variation(rows: Tensor, first: int, end: int, height: int) -> Tensor:
    """Σ |dx| + |dy|: favours flat areas with sharp borders. Source: neural-style-pt, Gordić."""
    right, down = _differences(rows)
    return right[..., : end - first, :].abs().sum() + down.abs().sum()


def square_variation(rows: Tensor, first: int, end: int, height: int) -> Tensor:
    """½ Σ dx² + dy² over pixels that have both neighbours. Source: Johnson's neural-style."""
    right, down = _differences(rows)
    return (right[..., :-1, :].square().sum() + down[..., :, :-1].square().sum()) / 2


def nine_point_variation(rows: Tensor, first: int, end: int, height: int) -> Tensor:
    """Compute the mean squared difference to all eight neighbours: the same in every direction and at every size.

    Source: crowsonkb/style-transfer-pytorch, 2·[dx²/3 + dy²/3 + d₄₅²/12 + d₁₃₅²/12] with the edge repeated.
    """
    padded = _with_edges_repeated(rows, first == 0, end == height)
    own, width, channels = padded.shape[-2] - (end < height), padded.shape[-1], padded.shape[:-2].numel()
    right, down = _differences(padded)
    rising = padded[..., 1:, 1:] - padded[..., :-1, :-1]
    falling = padded[..., 1:, :-1] - padded[..., :-1, 1:]
    # sums first and factors of numbers after, in as few kernels as there can be
    wider = (height + 1) * width / ((height + 2) * (width - 1))
    straight = torch.add(down.square().sum(), right[..., :own, :].square().sum(), alpha=wider)
    across = rising.square().sum() + falling.square().sum()
    return torch.add(straight, across, alpha=width / (4 * (width - 1))) * (2 / (3 * (height + 1) * width * channels))


TOTAL_VARIATIONS = {
    "nine point": Variation(nine_point_variation),
    "squares": Variation(square_variation),
    "absolute": Variation(absolute_variation),
}
