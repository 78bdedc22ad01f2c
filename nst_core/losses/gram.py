"""Gram matrices: which textures occur in a picture, not where."""

from typing import Any

import torch
from torch import Tensor

# In bf16, positions are cut into pieces of few lengths, and these taken together in few numbers: oneDNN compiles a
# kernel for each shape of a product that it meets, and never forgets one, so that a server that painted pictures of
# many shapes would take more and more memory.
PIECE_LENGTHS = (64, 4096)  # positions, the shortest and the longest piece
MOST_PIECES = 32  # about so many of the longest length: the sums of more are more exact, of fewer faster
TOGETHER = (16, 8, 4, 2, 1)  # pieces in one product


def gram_matrix(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Tensor:
    """Correlations between feature maps: which textures occur, not where.

    Args:
        features: activations of one layer, (B, C, H, W).
        tap: T (N, C) to give the Gram matrix of T f for each feature vector f, as T G Tᵀ: T f itself is never made.
        share: how much each position counts, (1, 1, H, W), not negative, sum 1; None for 1 / (H * W) each.

    Returns:
        Σ share f fᵀ, (B, C, C), or (B, N, N) through a tap; symmetric, float32.

    Source: Gatys et al. (2016), eq. 3, who divide by H * W in the loss (eq. 4) instead; shares are the squared guides
    of Gatys et al. (2017), eq. 5.
    """
    flat = features.flatten(2).transpose(1, 2)  # (B, H*W, C): contiguous for channels-last features
    if share is None:
        gram = _Gram.apply(flat)
    else:
        peak = share.max()  # roots of share / peak are exact in bf16 where a region is in or out
        root = (share / peak).sqrt().flatten(2).transpose(1, 2)  # (1, H*W, 1)
        gram = _Gram.apply(flat * root.to(flat.dtype)) * (peak * flat.shape[1])
    return gram if tap is None else tap.float() @ gram @ tap.float().T


class _Gram(torch.autograd.Function):
    """`mean_products`, with the gradient X (D + Dᵀ) / M in one product rather than two and a sum."""

    @staticmethod
    def forward(context: Any, flat: Tensor) -> Tensor:
        context.save_for_backward(flat)
        return mean_products(flat)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = (gradient + gradient.transpose(1, 2)) / flat.shape[1]  # (B, C, C)
        if flat.dtype == torch.float32:
            return flat @ symmetric
        slope, (pieces, rest) = torch.empty_like(flat), pieces_of(flat.shape[1])
        for first, count, length in pieces:
            parts = _parts(flat, first, count, length)  # (B * count, length, C)
            turned = symmetric.to(flat.dtype).repeat_interleave(count, 0)
            slope[:, first : first + count * length] = torch.bmm(parts, turned).view(len(flat), count * length, -1)
        slope[:, rest:] = flat[:, rest:].float() @ symmetric
        return slope


def mean_products(flat: Tensor) -> Tensor:
    """XᵀX / M of X (B, M, C), (B, C, C) float32.

    In bf16, products of pieces of the positions are summed in float32: two to eight times as fast as all in float32
    where the hardware multiplies in bf16, and off by some 0.04 %, a quarter of what one product would be. The gradient
    is as exact as the features are.
    """
    if flat.dtype == torch.float32:
        return flat.transpose(1, 2) @ flat / flat.shape[1]
    batch, positions, channels = flat.shape
    pieces, rest = pieces_of(positions)
    left = flat[:, rest:].float()
    gram = left.transpose(1, 2) @ left
    for first, count, length in pieces:
        parts = _parts(flat, first, count, length)
        products = torch.bmm(parts.transpose(1, 2), parts).float()  # (B * count, C, C)
        gram += products.view(batch, count, channels, channels).sum(1)
    return gram / positions


def pieces_of(positions: int) -> tuple[list[tuple[int, int, int]], int]:
    """How positions are cut: (first position, pieces, positions of each), and where what is too short begins."""
    length, longest = PIECE_LENGTHS
    while length < longest and MOST_PIECES * length <= positions:
        length *= 2
    pieces, first = [], 0
    for count in TOGETHER:
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
    """Pieces of flat (B, M, C), (B * count, length, C)."""
    return flat[:, first : first + count * length].reshape(len(flat) * count, length, flat.shape[2])


def squared_distance(memory: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sum of squared differences, a scalar; nothing about it is random."""
    return (memory - target).square().sum()
