"""Measures how far features are from the content picture's, with the factors of papers and programs."""

import torch
from torch import Tensor

MOST_SQUARED = 2**24  # numbers at a time
# What each system multiplies `content_loss` with: (channels N, positions M, the target's own distance from black).
CONTENT_NORMALIZATIONS = {
    # ½ Σ (F − P)², Gatys et al. (2016), eq. 1: grows with the picture
    "half sum": lambda channels, positions, magnitude: positions / 2,
    "mean": lambda channels, positions, magnitude: 1 / channels,
    # half of that, as Gatys' own code of those years has means beside eq. 4's quarter (DeepTextures, meanfm_mse_loss)
    "half mean": lambda channels, positions, magnitude: 1 / (2 * channels),
    # 1 for a picture that shows nothing of the content, at every layer and on every network
    "relative": lambda channels, positions, magnitude: 1 / magnitude,
}


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Measure how far a layer's features are from the content picture's.

    Args:
        features, target: (B, C, H, W).

    Returns:
        squared distance of the C-vectors, mean over positions, a float32 scalar: it is theirs whatever axes they are
        seen along, so narrower networks measure it, too.

    Source: Gatys et al. (2016), eq. 1, up to CONTENT_NORMALIZATIONS.
    """
    return (features.float() - target).square().sum() / (features.shape[0] * features[0, 0].numel())


def content_magnitude(target: Tensor) -> Tensor:
    """Measure how far a layer's features (B, C, H, W) of the content picture are from nothing, as content_loss does.

    Rows are squared some at a time, since beside a poster's features there is no room for as much again.
    """
    rows = max(1, MOST_SQUARED * target.shape[2] // target.numel())
    squares = [some.float().square().sum() for some in target.split(rows, dim=2)]
    return torch.stack(squares).sum() / (target.shape[0] * target[0, 0].numel())
