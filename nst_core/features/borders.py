"""Puts borders around features in which they are mirrored, in the channels-last layout."""

from typing import Any

import torch
from torch import Tensor


class _Border(torch.autograd.Function):
    """Reflected borders in the channels-last layout, as torch's own copies features to the other layout and back."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, border: int) -> Tensor:
        ctx.border = border
        batch, channels, height, width = features.shape
        size = (batch, channels, height + 2 * border, width + 2 * border)
        wide = features.new_empty(size).to(memory_format=torch.channels_last)
        wide[..., border:-border, border:-border] = features
        for inside, outside in _mirrored(wide, border):
            outside.copy_(inside)
        return wide

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        border, gradient = ctx.border, gradient.clone(memory_format=torch.channels_last)
        for inside, outside in reversed(_mirrored(gradient, border)):
            inside.add_(outside)
        return gradient[..., border:-border, border:-border], None


def reflected(features: Tensor, border: int) -> Tensor:
    """Put a border around features, (B, C, H, W) -> (B, C, H + 2·border, W + 2·border), in which they are mirrored."""
    return _Border.apply(features, border)


def _mirrored(wide: Tensor, border: int) -> list[tuple[Tensor, Tensor]]:
    """Views of columns and then rows within the border's reach, each with that on the border which mirrors it."""
    middle, pairs = wide[..., border:-border, :], []
    for offset in range(1, border + 1):
        pairs += [
            (middle[..., edge + step * offset], middle[..., edge - step * offset])
            for edge, step in ((border, 1), (wide.shape[3] - border - 1, -1))
        ]
    for offset in range(1, border + 1):
        pairs += [
            (wide[..., edge + step * offset, :], wide[..., edge - step * offset, :])
            for edge, step in ((border, 1), (wide.shape[2] - border - 1, -1))
        ]
    return pairs
