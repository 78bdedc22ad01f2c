"""Defines the decoders that turn Lite's features back into pictures, one for each level."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F

from nst_core.assets import ASSETS
from nst_core.errors import WeightsError, named
from nst_core.features.borders import reflected
from nst_core.features.checkpoint import plan
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.files import writing

LEVELS = ("conv4_1", "conv3_1", "conv2_1", "conv1_1")  # coarse to fine
ENLARGE = "enlarge"
BUNDLED = ASSETS / "weights" / "lite_decoders.safetensors"


def shape_of(level: str) -> list[tuple[int, int] | str]:
    """List a decoder's parts, deep to shallow: (channels before, after) of a convolution, or ENLARGE.

    Lite's own, mirrored: 256 → 144 → 64 → 32 → 3 from conv4_1 on.
    """
    parts: list[tuple[int, int] | str] = []
    before = 3
    for name, _, channels in plan(BUNDLED_BACKBONE):
        parts.append(ENLARGE if name.startswith("pool") else (channels, before))
        before = channels
        if name == level:
            return parts[::-1]
    raise ValueError(f"{level} is no layer of Lite")


class Decoder(nn.Module):
    """Features of one level -> picture.

    Convolutions over reflected borders with ReLU between; pixels are repeated before a convolution, which leaves no
    checkerboard.

    Args:
        level: of LEVELS.

    Source: Li et al. (2017), "Universal style transfer via feature transforms", section 3.1.
    """

    def __init__(self, level: str):
        super().__init__()
        self.parts = shape_of(level)
        pairs = [part for part in self.parts if not isinstance(part, str)]
        self.stack = [nn.Conv2d(before, after, 3) for before, after in pairs]  # the same, which torch's list hides
        self.convolutions = nn.ModuleList(self.stack)

    def forward(self, features: Tensor) -> Tensor:
        """Turn features (B, C, H, W) into a picture (B, 3, s·H, s·W), not clamped."""
        convolutions = iter(self.stack)
        left = len(self.stack)
        for part in self.parts:
            if part == ENLARGE:
                features = F.interpolate(features, scale_factor=2, mode="nearest")
                continue
            left -= 1
            features = next(convolutions)(reflected(features, 1))
            if left:
                features = F.relu_(features)
        return features


class Decoders(nn.Module):
    """The decoders of all levels."""

    def __init__(self) -> None:
        super().__init__()
        self.of = {level: Decoder(level) for level in LEVELS}
        self.levels = nn.ModuleDict(self.of)

    def forward(self, level: str, features: Tensor) -> Tensor:
        """Turn a level's features into a picture, float32 in about [0, 1]."""
        return self.of[level](features).float()


def load_decoders(path: Path = BUNDLED) -> Decoders:
    """Read a file of decoders.

    Raises:
        WeightsError: no such file, or not a whole file of decoders.
    """
    try:
        state = load_file(path)
    except FileNotFoundError:
        raise WeightsError(
            f"there is no file {named(path)}; get this program anew, or name a file of decoders"
        ) from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{named(path)} cannot be read as decoders ({error}); get it anew") from None
    with torch.device("meta"):
        decoders = Decoders()
    wanted = {name: tuple(value.shape) for name, value in decoders.state_dict().items()}
    if {name: tuple(value.shape) for name, value in state.items()} != wanted:
        raise WeightsError(f"{named(path)} holds other tensors than decoders do; get it anew")
    if not all(value.is_floating_point() and value.isfinite().all() for value in state.values()):
        raise WeightsError(f"{named(path)} holds what are no finite numbers; get it anew")
    decoders.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return decoders.requires_grad_(False)


def save_decoders(decoders: Decoders, path: Path, header: dict[str, str]) -> None:
    """Write a file of decoders, in half precision; the header says how they were made.

    Raises:
        OutputError: it cannot be written.
    """
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in decoders.state_dict().items()}
    with writing(path) as aside:
        aside.write_bytes(save(tensors, header))
