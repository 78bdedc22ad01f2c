"""Averages over positions, fast: mean vector and mean products of X (B, M, C), and the gradients of both.

They are X.mean(1) and XᵀX / M, to which tests hold them; formulas stand in `gram.py` and `moments.py`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# In bf16, positions are cut into pieces of few lengths, and these taken together in few numbers: oneDNN compiles a
# kernel for each shape of a product that it meets, and never forgets one, so that a server that painted pictures of
# many shapes would take more and more memory.
PIECE_LENGTHS = (64, 4096)  # positions, the shortest and the longest piece
MOST_PIECES = 32  # about so many of the longest length: the sums of more are more exact, of fewer faster
TOGETHER = (16, 8, 4, 2, 1)  # pieces in one product
TOGETHER_ON_GPUS = tuple(range(64, 0, -1))  # which compile nothing, and where a product less is a launch less
MEAN_PIECE = 256  # positions


def mean_products(flat: Tensor) -> Tensor:
    """Average the products of each two channels of X (B, M, C) over positions, XᵀX / M: (B, C, C) float32.

    In bf16, products of pieces of the positions are summed in float32: two to eight times as fast as all in float32
    where the hardware multiplies in bf16, and off by some 0.04 %, a quarter of what one product would be. The gradient
    is as exact as the features are.
    """
    return _Products.apply(flat)


def mean_over_positions(features: Tensor) -> Tensor:
    """Average features (B, C, H, W) over positions: (B, C) float32.

    In bf16, products with ones of MEAN_PIECE positions each are summed in float32, ten times as fast as converting all.
    """
    return _Mean.apply(features)


def mean_and_products(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Average X (B, M, C) and its products: (B, C) and (B, C, C), whose gradients together cost what one does."""
    return _Joint.apply(flat)


class _Products(torch.autograd.Function):
    """`mean_products`, with the gradient X (D + Dᵀ) / M in one product rather than two and a sum."""

    @staticmethod
    def forward(context: Any, flat: Tensor) -> Tensor:
        context.save_for_backward(flat)
        return _products(flat)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = (gradient + gradient.transpose(1, 2)) / flat.shape[1]  # (B, C, C)
        if flat.dtype == torch.float32:
            return flat @ symmetric
        slope, (pieces, rest) = torch.empty_like(flat), pieces_of(flat.shape[1], flat.device.type)
        for first, count, length in pieces:
            parts = _parts(flat, first, count, length)  # (B * count, length, C)
            turned = symmetric.to(flat.dtype).repeat_interleave(count, 0)
            slope[:, first : first + count * length] = torch.bmm(parts, turned).view(len(flat), count * length, -1)
        slope[:, rest:] = flat[:, rest:].float() @ symmetric
        return slope


class _Mean(torch.autograd.Function):
    """Mean over positions of features (B, C, H, W); its gradient is one vector at every position: nothing to write."""

    @staticmethod
    def forward(context: Any, features: Tensor) -> Tensor:
        context.like = features.shape, features.dtype
        return _mean(features.flatten(2).transpose(1, 2))

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        shape, dtype = context.like
        return (gradient / (shape[2] * shape[3])).to(dtype)[:, :, None, None].expand(shape)


class _Joint(torch.autograd.Function):
    """Mean and mean products of X (B, M, C), whose two gradients are one product with a bias: nothing to add up."""

    @staticmethod
    def forward(context: Any, flat: Tensor) -> tuple[Tensor, Tensor]:
        context.save_for_backward(flat)
        return _mean(flat), _products(flat)

    @staticmethod
    def backward(context: Any, mean_gradient: Tensor, gram_gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = ((gram_gradient + gram_gradient.transpose(1, 2)) / flat.shape[1]).to(flat.dtype)
        bias = (mean_gradient / flat.shape[1]).to(flat.dtype)
        parts = [F.linear(x, weight, shift) for x, weight, shift in zip(flat, symmetric, bias, strict=True)]
        return parts[0][None] if len(parts) == 1 else torch.stack(parts)


def _products(flat: Tensor) -> Tensor:
    if flat.dtype == torch.float32:
        return flat.transpose(1, 2) @ flat / flat.shape[1]
    batch, positions, channels = flat.shape
    pieces, rest = pieces_of(positions, flat.device.type)
    left = flat[:, rest:].float()
    gram = left.transpose(1, 2) @ left
    for first, count, length in pieces:
        parts = _parts(flat, first, count, length)
        products = torch.bmm(parts.transpose(1, 2), parts).float()  # (B * count, C, C)
        gram += products.view(batch, count, channels, channels).sum(1)
    return gram / positions


def _mean(flat: Tensor) -> Tensor:
    batch, positions, channels = flat.shape
    if flat.dtype == torch.float32:
        return flat.new_ones(positions) @ flat / positions
    even = positions // MEAN_PIECE * MEAN_PIECE
    parts = flat[:, :even].reshape(batch, -1, MEAN_PIECE, channels)
    return ((flat.new_ones(MEAN_PIECE) @ parts).float().sum(1) + flat[:, even:].float().sum(1)) / positions


def pieces_of(positions: int, device: str = "cpu") -> tuple[list[tuple[int, int, int]], int]:
    """Cut positions into pieces: (first position, pieces, positions of each), and where what is too short begins.

    Args:
        positions: how many.
        device: a device's type, on which they are multiplied.
    """
    length, longest = PIECE_LENGTHS
    while length < longest and MOST_PIECES * length <= positions:
        length *= 2
    pieces, first = [], 0
    for count in TOGETHER if device == "cpu" else TOGETHER_ON_GPUS:
        while positions - first >= count * length:
            pieces.append((first, count, length))
            first += count * length
    while length > PIECE_LENGTHS[0]:
        length //= 2
        if positions - first >= length:
            pieces.append((first, 1, length))
            first += length
    return pieces, first


def _parts(flat: Tensor, first: int, count: int, length: int) -> Tensor:
    """Take pieces of flat (B, M, C) as (B * count, length, C)."""
    return flat[:, first : first + count * length].reshape(len(flat) * count, length, flat.shape[2])
