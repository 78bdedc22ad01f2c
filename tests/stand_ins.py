"""Small stand-ins for what is large, as fixtures and functions, and the devices that there are."""

import errno
import os
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from nst_core.features import weights
from nst_core.features.checkpoint import MEANS, expected_shapes, scale_shapes
from nst_core.features.vgg import VGG
from tests import pretend_gpu  # noqa: F401  # which is to be there before any gradient is computed


def random_state(backbone: str, seed: int = 0, *, scaled: bool = False) -> dict[str, torch.Tensor]:
    """Random tensors in a checkpoint's layout, convolutions scaled after Kaiming, so that deep layers do not fade.

    Scaled, with what takes its features to another scale, too.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in (expected_shapes(backbone) | (scale_shapes(backbone) if scaled else {})).items():
        if name.startswith(MEANS):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif "taps." in name:
            mixed = torch.eye(shape[0]) + torch.randn(shape, generator=generator) / shape[0]
            state[name] = (mixed + mixed.T) / 2
        else:
            deviation = (2 / (shape[1] * 9)) ** 0.5 if name.endswith("weight") else 0.05
            state[name] = torch.randn(shape, generator=generator) * deviation
    return state


@pytest.fixture(scope="session")
def random_vgg() -> dict[str, VGG]:
    """Each backbone with random weights, float32, on the CPU."""
    return {backbone: VGG(backbone, random_state(backbone)) for backbone in weights.ARCHITECTURES}


@pytest.fixture(scope="session")
def random_weights_folder(tmp_path_factory) -> Path:
    """A folder for NST_WEIGHTS with every backbone, random."""
    folder = tmp_path_factory.mktemp("weights")
    for backbone in weights.ARCHITECTURES:
        save_file(random_state(backbone, scaled=True), folder / weights._file_name(backbone))
    return folder


@pytest.fixture
def random_weights(random_weights_folder, monkeypatch) -> Path:
    """NST_WEIGHTS set to random networks."""
    monkeypatch.setenv("NST_WEIGHTS", str(random_weights_folder))
    return random_weights_folder


@pytest.fixture
def full_disk(monkeypatch) -> list[int]:
    """A disk that takes nothing more; the list grows with every try."""
    tries: list[int] = []

    def refuse(descriptor: int) -> None:
        tries.append(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    return tries


@pytest.fixture
def quick_png(monkeypatch) -> None:
    """PNGs of the same pictures, packed in a fraction of the time and less tightly."""
    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda *given, **options: save(*given, compress_level=1, **options))


@pytest.fixture
def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """A small content and style image, (1, 3, 48, 64) and (1, 3, 56, 40)."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 56, 40, generator=generator)


DEVICES = [
    "cpu",
    *(["cuda"] if torch.cuda.is_available() else []),
    *(["mps"] if torch.backends.mps.is_available() else []),
]
