"""Keeps a style as its feature vectors themselves, from which some are drawn to be compared.

Sums and gradients come the same each time, on a GPU too: its own cumsum and the gradients of its own index_select and
gather add in whatever order its threads come, and what they round differently grows with every step.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# Feature vectors (M, C) as the network gives them, the share (M,) of each, not negative and of sum 1, and where there
# is one, the tap (N, C): it is applied only to what is drawn.
Samples = tuple[Tensor, ...]

EXACT = 2**40  # parts of the sum of shares, counted in whole numbers
SEED = 0  # of what is drawn where no generator is given: the same each time


def all_samples(features: Tensor, tap: Tensor | None = None, share: Tensor | None = None) -> Samples:
    """Give every feature vector of one picture's layer; arguments as of `gram_matrix`, with B = 1."""
    vectors = features[0].flatten(1).T  # (H*W, C): contiguous for channels-last features, and no copy
    shares = equal_shares(len(vectors), features.device) if share is None else share.float().flatten()
    return (vectors, shares) if tap is None else (vectors, shares, tap)


def equal_shares(count: int, device: torch.device) -> Tensor:
    """Give 1 / count so many times, (count,): one number, seen again and again."""
    return torch.full((), 1 / count, device=device).expand(count)


def pool(memories: Sequence[Samples], shares: Sequence[float]) -> Samples:
    """Pool the samples of several styles, each style's counting as much as its share (sum 1)."""
    vectors = torch.cat([memory[0] for memory in memories])
    weights = torch.cat([share * memory[1] for share, memory in zip(shares, memories, strict=True)])
    return vectors, weights, *memories[0][2:]


def no_samples(memory: Samples) -> Samples:
    """Give the samples of features that are all zero."""
    vectors, shares, *tap = memory
    return torch.zeros_like(vectors[:1]), torch.ones_like(shares[:1]), *tap


def source_of_chance(generator: torch.Generator | None) -> torch.Generator:
    """Give the generator itself, or for None one that draws the same each time."""
    return torch.Generator().manual_seed(SEED) if generator is None else generator


def running_sums(shares: Tensor, dim: int) -> Tensor:
    """Sum float32 shares of 0 to 1 along a dimension, each with all before it."""
    return (shares * EXACT).long().cumsum(dim).float() / EXACT


def taken(values: Tensor, chosen: Tensor) -> Tensor:
    """Take the chosen (n,) of values (M, …), maybe some of them more than once."""
    return _Taken.apply(values, chosen)


class _Taken(torch.autograd.Function):
    """index_select, with a gradient that is the same each time."""

    @staticmethod
    def forward(context: Any, values: Tensor, chosen: Tensor) -> Tensor:
        context.save_for_backward(chosen)
        context.shape = values.shape
        return values.index_select(0, chosen)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (chosen,) = context.saved_tensors
        sums = gradient.new_zeros(context.shape)
        if gradient.device.type == "cpu":
            return sums.index_add_(0, chosen, gradient), None
        return sums.index_put_((chosen,), gradient, accumulate=True), None  # which a GPU does in the index' order


def draw(memory: Samples, count: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw at most `count` feature vectors, float32, tapped: all of them where they are that few, else by their shares.

    Returns:
        points (n, N) and how much each counts (n,), of sum 1.
    """
    vectors, shares, *tap = memory
    if len(vectors) > count:
        chosen, shares = positions(shares, count, generator)
        vectors = taken(vectors, chosen)
    return tapped(vectors, *tap), shares.contiguous()


def tapped(vectors: Tensor, tap: Tensor | None = None) -> Tensor:
    """Give feature vectors (n, C) in float32, through a tap (N, C) if there is one."""
    return vectors.float() if tap is None else vectors.float() @ tap.float().T


def positions(shares: Tensor, count: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw at most `count` positions by their shares (M,): all where they are that few.

    Each `count`-th part of the sum of shares gives one, so that a fresh draw never leaves a part of the picture out,
    and a position without share is never drawn.

    Returns:
        chosen (n,), rising, maybe some more than once, and how much each counts (n,), of sum 1.
    """
    total, device = len(shares), shares.device
    if total <= count:
        return torch.arange(total, device=device), shares.contiguous()
    chance = source_of_chance(generator)
    jitter = torch.rand(count, generator=chance, device=chance.device).to(device)
    if shares.stride() == (0,):  # as of `equal_shares`: whole numbers say where, and nothing is summed
        starts = torch.arange(count, device=device) * total
        chosen = ((starts + (jitter * total).long()) // count).clamp(max=total - 1)
    else:
        bounds = running_sums(shares, 0)  # (M,)
        aims = (torch.arange(count, device=device) + jitter) / count * bounds[-1]
        # rounding may aim at the very end, where no position with a share follows
        chosen = torch.searchsorted(bounds, aims, right=True).clamp(max=torch.searchsorted(bounds, bounds[-1]))
    return chosen, torch.full_like(jitter, 1 / count)
