"""What tests share: the rule for tests that need VGG-19, and small stand-ins for what is large."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nst_core.features import weights
from nst_core.features.vgg import VGG


def pytest_collection_modifyitems(items):
    """Browser tests last, as Playwright keeps an event loop running; no real weights, no tests that need them."""
    items.sort(key=lambda item: "e2e" in item.keywords)
    if os.environ.get("NST_WEIGHTS"):
        return
    skip = pytest.mark.skip(reason="needs VGG-19's weights: set NST_WEIGHTS to a folder that has them")
    for item in items:
        if "weights" in item.keywords:
            item.add_marker(skip)


def random_state(backbone: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random convolutions in torchvision's layout, scaled after Kaiming, so that deep layers do not fade."""
    generator = torch.Generator().manual_seed(seed)
    state, channels, index = {}, 3, 0
    for item in weights.ARCHITECTURES[backbone]:
        if item == "M":
            index += 1
            continue
        deviation = (2 / (channels * 9)) ** 0.5
        state[f"features.{index}.weight"] = torch.randn(item, channels, 3, 3, generator=generator) * deviation
        state[f"features.{index}.bias"] = torch.randn(item, generator=generator) * 0.05
        channels, index = item, index + 2
    return state


@pytest.fixture(scope="session")
def random_vgg() -> dict[str, VGG]:
    """VGG-16 and VGG-19 with random weights, float32, on the CPU."""
    return {backbone: VGG(backbone, random_state(backbone)) for backbone in weights.ARCHITECTURES}


@pytest.fixture(scope="session")
def random_weights_folder(tmp_path_factory) -> Path:
    """A folder for NST_WEIGHTS with both networks, random."""
    folder = tmp_path_factory.mktemp("weights")
    for backbone in weights.ARCHITECTURES:
        save_file(random_state(backbone), folder / f"{backbone}_features.safetensors")
    return folder


@pytest.fixture
def random_weights(random_weights_folder, monkeypatch) -> Path:
    """NST_WEIGHTS set to random networks."""
    monkeypatch.setenv("NST_WEIGHTS", str(random_weights_folder))
    return random_weights_folder


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
