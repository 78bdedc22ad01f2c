"""Runs of a moment, for tests."""

import torch

from nst_core.devices import Compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.stylize import stylize

CPU = Compute(device="cpu", precision="fp32")
SHALLOW = {
    "content_layers": ("conv2_1",),
    "style_layers": ("conv1_1", "conv2_1"),
    "style_weight": 1e5,
    "steps": 3,
    "size": 32,
}


def small(**settings) -> StyleTransferConfig:
    """A run of a moment."""
    return StyleTransferConfig(**SHALLOW | settings)


def result(pictures, config, **given) -> torch.Tensor:
    """The last picture of a run."""
    return [frame.image for frame in stylize(*pictures, config, **{"compute": CPU} | given)][-1]


def left_half() -> torch.Tensor:
    """A mask, (1, 1, 30, 40)."""
    mask = torch.zeros(1, 1, 30, 40)
    mask[..., :20] = 1
    return mask


LADDER = {"size": 48, "smallest_scale": 24, "steps": 7}  # 24, 34, 48
