"""Draws what a layer does: matrices as heat, feature maps side by side or over each other, bars."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIDE = 256  # pixels, about, of a drawing's longer side
GAP = 3  # pixels between thumbnails
CLIPPED = 0.995  # quantile of a matrix from which on everything is drawn as strongest

# Dark to bright in steps that look equal, on grey paper and to the colour-blind, too: ten colours of "viridis", by
# Smith & van der Walt (2015), given to the public domain.
VIRIDIS = (
    (68, 1, 84),
    (72, 40, 120),
    (62, 74, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (110, 206, 88),
    (181, 222, 43),
    (253, 231, 37),
)
HEAT = np.array(VIRIDIS) / 255
PAPER, BAR, MARK = np.array((0.11, 0.11, 0.13)), HEAT[5], HEAT[9]


def heat(values: np.ndarray) -> np.ndarray:
    """Choose colours (…, 3) in [0, 1] for values in [0, 1]; those beyond get the ends' colours."""
    places = np.nan_to_num(values).clip(0, 1) * (len(HEAT) - 1)
    below = np.minimum(places.astype(int), len(HEAT) - 2)
    share = (places - below)[..., None]
    return HEAT[below] * (1 - share) + HEAT[below + 1] * share


def peak(matrix: Tensor) -> float:
    """Choose what `heat_map` draws as strongest: the CLIPPED quantile of |entries|, above 0."""
    values = np.abs(matrix.detach().cpu().numpy())
    return max(float(np.quantile(values, CLIPPED)), float(np.finfo(np.float32).tiny))


def heat_map(matrix: Tensor, order: Sequence[int] | np.ndarray, top: float | None = None) -> Tensor:
    """Draw a matrix as an image, dark where an entry is small; by the root of its amount, so that weak ones show, too.

    Args:
        matrix: (C, C), finite; an entry below 0 is drawn as strong as one above.
        order: (C,) number of the row and column -> channel.
        top: what the brightest colour stands for; None: its own `peak`. Give several matrices the same to compare them.

    Returns:
        (1, 3, S, S) in [0, 1], S about SIDE: an entry is a square, or several share a pixel.
    """
    channels = np.asarray(order, dtype=np.intp)
    values = np.abs(matrix.detach().cpu().numpy()).astype(np.float32)[np.ix_(channels, channels)]
    roots = np.sqrt(values / (peak(matrix) if top is None else top)).clip(0, 1)
    if len(roots) > SIDE:
        roots = np.asarray(Image.fromarray(roots).resize((SIDE, SIDE), Image.Resampling.BOX))
    return _image(heat(_enlarged(roots, max(1, round(SIDE / len(roots))))))


def feature_sheet(features: Tensor, channels: Sequence[int], tops: Sequence[float] | None = None) -> Tensor:
    """Feature maps as thumbnails, dark where a channel is silent (or below 0, before ReLU) and bright where it answers.

    Args:
        features: (C, H, W).
        channels: which of them, in the order of reading.
        tops: for each what the brightest colour stands for; None: its own maximum.

    Returns:
        (1, 3, H', W') in [0, 1], about SIDE pixels wide.
    """
    maps = features.detach()[list(channels)].float().cpu().numpy()
    columns = math.ceil(math.sqrt(len(maps)))
    width = max(1, (SIDE - GAP * (columns - 1)) // columns)
    height = max(1, round(width * maps.shape[1] / maps.shape[2]))
    rows = math.ceil(len(maps) / columns)
    sheet = np.empty((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3))
    sheet[:] = PAPER
    for number, values in enumerate(maps):
        top = values.max() if tops is None else tops[number]
        row, column = divmod(number, columns)
        y, x = row * (height + GAP), column * (width + GAP)
        sheet[y : y + height, x : x + width] = heat(_resized(_level(values, top), width, height))
    return _image(sheet)


def overlay(map_a: Tensor, map_b: Tensor, tops: tuple[float, float] | None = None) -> Tensor:
    """Two feature maps over each other: the first magenta, the second green, white where both answer.

    Args:
        map_a, map_b: (H, W); below 0 counts as silent.
        tops: of either, what full colour stands for; None: their own maxima.

    Returns:
        (1, 3, H', W') in [0, 1], its longer side SIDE pixels.
    """
    maps = [values.detach().float().cpu().numpy() for values in (map_a, map_b)]
    tops = tops or tuple(values.max() for values in maps)
    scale = SIDE / max(maps[0].shape)
    height, width = (max(1, round(side * scale)) for side in maps[0].shape)
    first, second = (
        _resized(_level(values, top), width, height).clip(0, 1) for values, top in zip(maps, tops, strict=True)
    )
    return _image(np.stack([first, second, first], -1))


def bars(values: Sequence[float], marks: Sequence[float] = (), top: float | None = None) -> Tensor:
    """Draw numbers as bars side by side, from the ground up.

    Args:
        values: not below 0.
        marks: a level for each that its bar is to reach, drawn as a bright line; none.
        top: the number at the upper edge, beyond which bars are cut; None: the largest of values and marks.

    Returns:
        (1, 3, SIDE / 2, about SIDE) in [0, 1].
    """
    top = max([*values, *marks]) if top is None else top
    height, step = SIDE // 2, max(1, SIDE // len(values))
    levels = np.array([values, marks or values], dtype=float) / max(top, np.finfo(float).tiny)
    filled, marked = (levels.clip(0, 1) * (height - 2)).round().astype(int)
    drawn = np.empty((height, step * len(values), 3))
    drawn[:] = PAPER
    for number, (level, mark) in enumerate(zip(filled, marked, strict=True)):
        x = slice(number * step, (number + 1) * step - (step > 2))
        drawn[height - level :, x] = BAR
        if marks:
            drawn[height - mark - 2 : height - mark, x] = MARK
    return _image(drawn)


def _level(values: np.ndarray, top: float) -> np.ndarray:
    """Scale values (H, W) to shares of the top."""
    return values.astype(np.float32) / max(float(top), 1e-12)


def _resized(values: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))


def _enlarged(values: np.ndarray, times: int) -> np.ndarray:
    return values.repeat(times, 0).repeat(times, 1)


def _image(colors: np.ndarray) -> Tensor:
    """Turn colours (H, W, 3) in [0, 1] into an image (1, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(colors.transpose(2, 0, 1)[None], dtype=np.float32))
