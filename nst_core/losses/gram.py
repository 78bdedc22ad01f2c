"""Computes Gram matrices: which textures occur in a picture, not where."""

import torch
from torch import Tensor

from nst_core.losses.averages import mean_products


def gram_matrix(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Tensor:
    """Correlate feature maps with each other: which textures occur, not where.

    Args:
        features: activations of one layer, (B, C, H, W).
        tap: T (N, C) to give the Gram matrix of T f for each feature vector f, as T G Tᵀ: T f itself is never made.
        share: how much each position counts, (1, 1, H, W), not negative, sum 1; None for 1 / (H * W) each.

    Returns:
        Σ share f fᵀ, (B, C, C), or (B, N, N) through a tap; symmetric, float32.

    Source: Gatys et al. (2016), eq. 3, who divide by H * W in the loss (eq. 4) instead; shares are the squared guides
    of Gatys et al. (2017), eq. 5.
    """
    flat = features.flatten(2).transpose(1, 2)  # X (B, M, C), M = H * W: contiguous for channels-last features
    if share is None:
        gram = mean_products(flat)  # XᵀX / M
    else:
        peak = share.max()  # roots of share / peak are exact in bf16 where a region is in or out
        root = (share / peak).sqrt().flatten(2).transpose(1, 2)  # (1, M, 1)
        gram = mean_products(flat * root.to(flat.dtype)) * (peak * flat.shape[1])
    if tap is None:
        return gram
    tap = tap.float()
    return tap @ gram @ tap.T


def squared_distance(memory: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Sum squared differences, a scalar; nothing about it is random."""
    return (memory - target).square().sum()
