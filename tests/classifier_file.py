"""A checkpoint of VGG-19 whole whose answers are known: red pictures show one thing, all others another."""

import math
from pathlib import Path

import torch

from nst_core.features.checkpoint import CLASSIFIER, expected_shapes

RED, OTHER = 948, 497  # numbers of categories, which torchvision calls:
RED_LABEL, OTHER_LABEL = "Granny Smith", "church"


def known_state() -> dict[str, torch.Tensor]:
    """Every tensor of the right shape, few numbers: views of single values, which a file holds as such.

    The first layer measures how much redder than blue a place is, all others take means of what is before them, and
    the last one lets RED grow with it; OTHER has the same share in every picture.
    """
    state = {}
    for name, shape in expected_shapes(CLASSIFIER).items():
        if name.endswith("bias"):
            state[name] = torch.zeros(1).expand(shape)
        else:
            state[name] = torch.full((1,), 1 / math.prod(shape[1:])).expand(shape)
    red_less_blue = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1) / 9
    state["features.0.weight"] = red_less_blue.expand(state["features.0.weight"].shape)
    share = torch.zeros(1000, 1)
    share[RED] = 200.0 / 4096
    state["classifier.6.weight"] = share.expand(1000, 4096)
    constant = torch.zeros(1000)
    constant[OTHER] = 10.0
    state["classifier.6.bias"] = constant
    return state


def save_known(path: Path) -> Path:
    """The file, a few kilobytes, of the kind that torchvision's own is, so that it is read as it lies there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(known_state(), path, _use_new_zipfile_serialization=False)
    return path
