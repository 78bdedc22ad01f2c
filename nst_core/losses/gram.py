"""Gram matrices: which textures occur in a picture, not where."""

import torch
from torch import Tensor

GRAM_PIECES = 16
GRAM_PIECE_POSITIONS = 192  # at least: many small products are slower than few


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
    def forward(context, flat: Tensor) -> Tensor:
        context.save_for_backward(flat)
        return mean_products(flat)

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = (gradient + gradient.transpose(1, 2)) / flat.shape[1]  # (B, C, C)
        return flat @ symmetric.to(flat.dtype)


def mean_products(flat: Tensor) -> Tensor:
    """XᵀX / M of X (B, M, C), (B, C, C) float32.

    In bf16, products of GRAM_PIECES equal parts of the positions are summed in float32: two to eight times as fast as
    all in float32 where the hardware multiplies in bf16, and off by some 0.04 %, a quarter of what one product would
    be. The gradient is as exact as the features are.
    """
    if flat.dtype == torch.float32:
        return flat.transpose(1, 2) @ flat / flat.shape[1]
    batch, positions, channels = flat.shape
    pieces = max(1, min(GRAM_PIECES, positions // GRAM_PIECE_POSITIONS))
    even = positions // pieces * pieces
    parts = flat[:, :even].reshape(batch * pieces, -1, channels)
    gram = (parts.transpose(1, 2) @ parts).float().view(batch, pieces, channels, channels).sum(1)
    rest = flat[:, even:].float()
    return (gram + rest.transpose(1, 2) @ rest) / positions


def squared_distance(memory: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sum of squared differences, a scalar; nothing about it is random."""
    return (memory - target).square().sum()
