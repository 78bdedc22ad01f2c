"""Makes a narrower network in closed form: keeps some of a teacher's channels, and fits the rest by least squares."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.features.vgg import POOLINGS, VGG

ROWS = 120_000  # equations of a least-squares fit; positions are drawn at random where there are more
RIDGE = 1e-4  # of the mean square of the unknowns' factors: keeps fits with little data from running wild
RECTIFIED_FITS = 4  # times that a convolution is fitted anew, less and less to what ReLU hides


@dataclass(frozen=True)
class Refit:
    """One layer of the student, made."""

    layer: str  # "conv3_1"
    weight: Tensor  # (k, k of the layer before, 3, 3)
    bias: Tensor  # (k,)
    tap: Tensor  # (C, k): the student's features -> the teacher's


def refit(teacher: VGG, widths: dict[str, int], crops: Tensor, seed: int = 0) -> Iterator[Refit]:
    """Make a narrower network layer by layer, each from the teacher's and from the student's own layer before.

    Channels are chosen greedily, so that those chosen explain the most of all the teacher's after ReLU. The
    convolution is fitted by least squares to the teacher's values of the chosen channels before ReLU, and the tap
    to all of the teacher's channels after it.

    Args:
        teacher: float32.
        widths: layer -> number of channels k, for every layer to be made, shallow to deep.
        crops: (B, 3, H, W) in [0, 1].
        seed: of the positions that are drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    student = seen = teacher.enter(crops, "zeros", "imagenet")
    for name, _ in teacher.plan:
        if name.startswith("pool"):
            student, seen = POOLINGS["max"](student), POOLINGS["max"](seen)
            continue
        if name not in widths:
            return
        padding = 0 if name == "conv1_1" else 1
        before = F.conv2d(
            seen, teacher.get_buffer(f"{name}_weight"), teacher.get_buffer(f"{name}_bias"), padding=padding
        )
        seen = before.relu()
        chosen = choose_channels(_second_moment(seen), widths[name])
        weight, bias = fit_convolution(student, before[:, chosen], padding, generator)
        student = F.conv2d(student, weight, bias, padding=padding).relu()
        yield Refit(name, weight, bias, _fit_tap(student, seen, generator))


def choose_channels(second_moment: Tensor, count: int) -> list[int]:
    """Greedily the channels from which all others follow best by linear regression.

    Args:
        second_moment: E[f fᵀ] of all channels, (C, C).
        count: how many; all of them keep their order.

    Source: forward selection, by pivoted Cholesky factorisation.
    """
    if count >= len(second_moment):
        return list(range(len(second_moment)))
    residual = second_moment.double().clone()
    chosen: list[int] = []
    smallest = 1e-9 * residual.diagonal().max()
    for _ in range(count):
        explained = residual.square().sum(0) / residual.diagonal().clamp(min=smallest)
        explained[chosen] = -1
        best = int(explained.argmax())
        chosen.append(best)
        residual -= torch.outer(residual[best], residual[best]) / residual[best, best].clamp(min=smallest)
    return chosen


def least_squares(moments: Tensor, products: Tensor) -> Tensor:
    """W (n, m) for which X W is nearest to Y, from XᵀX (n, n) and XᵀY (n, m), with a little ridge."""
    return torch.cholesky_solve(products, _factor(moments))


def _factor(moments: Tensor) -> Tensor:
    ridge = RIDGE * moments.diagonal().mean() * torch.eye(len(moments), dtype=moments.dtype)
    return torch.linalg.cholesky(moments + ridge)


def _second_moment(features: Tensor) -> Tensor:
    flat = features.movedim(1, 0).flatten(1)  # (C, B*H*W)
    return flat @ flat.T / flat.shape[1]


def fit_convolution(
    features: Tensor, target: Tensor, padding: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Fit the 3×3 convolution (k, n, 3, 3) with bias (k,) that makes target (B, k, H, W) of features (B, n, H', W')."""
    patches, values = _patches(features, target, padding, generator)
    factor, wanted = _factor((patches.T @ patches).double()), values
    for _ in range(RECTIFIED_FITS):
        solution = torch.cholesky_solve((patches.T @ wanted).double(), factor).float()  # (9n + 1, k)
        # where the teacher is below zero, anything below zero is as good
        wanted = torch.where(values < 0, (patches @ solution).clamp(max=0), values)
    return solution[:-1].T.reshape(-1, features.shape[1], 3, 3).contiguous(), solution[-1].contiguous()


def _patches(features: Tensor, target: Tensor, padding: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """3×3 patches with a constant 1, (R, 9n + 1), and what they become, (R, k), at random positions."""
    share = min(1.0, ROWS / (target.shape[0] * target[0, 0].numel()))
    patches, values = [], []
    for picture, wanted in zip(features, target, strict=True):
        columns, rows = F.unfold(picture[None], 3, padding=padding)[0].T, wanted.flatten(1).T
        drawn = torch.rand(len(rows), generator=generator) < share
        patches.append(F.pad(columns[drawn], (0, 1), value=1.0))
        values.append(rows[drawn])
    return torch.cat(patches), torch.cat(values)


def _fit_tap(features: Tensor, target: Tensor, generator: torch.Generator) -> Tensor:
    """T (C, k) for which T f is nearest to target; features (B, k, H, W), target (B, C, H, W)."""
    drawn = torch.randperm(features.shape[0] * features[0, 0].numel(), generator=generator)[: 4 * ROWS]
    flat, wanted = (values.movedim(1, -1).flatten(0, -2)[drawn] for values in (features, target))  # (R, k), (R, C)
    return least_squares((flat.T @ flat).double(), (flat.T @ wanted).double()).T.float().contiguous()
