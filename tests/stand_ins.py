"""Small stand-ins for what is large, as fixtures and functions, and the devices that there are."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from nst_core.features import weights
from nst_core.features.checkpoint import MEANS, expected_shapes, scale_shapes
from nst_core.features.vgg import VGG, channels_of
from tests import pretend_gpu  # noqa: F401  # which is to be there before any gradient is computed

# As deep as the networks that they stand in for, of a few maps each: a step is computed in a fraction of the time.
NARROW: dict[str, tuple] = {
    "vgg19": (16, 16, "M", 24, 24, "M", *[32] * 4, "M", *[40] * 4, "M", *[48] * 4, "M"),
    "vgg16": (16, 16, "M", 24, 24, "M", *[32] * 3, "M", *[40] * 3, "M", *[48] * 3, "M"),
    "lite": (8, 8, "M", 12, 12, "M", *[18] * 4, "M", *[24] * 4, "M", 48),
}


@contextmanager
def narrowed() -> Iterator[None]:
    """Let the program believe that its networks are those of NARROW."""
    with pytest.MonkeyPatch.context() as patch:
        for backbone, architecture in NARROW.items():
            patch.setitem(weights.ARCHITECTURES, backbone, architecture)
        channels_of.cache_clear()
        yield
    channels_of.cache_clear()


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


def random_checkpoints(folder: Path) -> Path:
    """Fill a folder for NST_WEIGHTS with every backbone, random."""
    for backbone in weights.ARCHITECTURES:
        save_file(random_state(backbone, scaled=True), folder / weights._file_name(backbone))
    return folder


@cache
def narrow_networks() -> dict[str, VGG]:
    """Make each backbone with random weights, where they are `narrowed`."""
    return {backbone: VGG(backbone, random_state(backbone)) for backbone in weights.ARCHITECTURES}


@pytest.fixture
def narrow_vgg() -> Iterator[dict[str, VGG]]:
    """Each backbone of NARROW with random weights, float32, on the CPU, once."""
    with narrowed():
        yield narrow_networks()


@pytest.fixture(scope="session")
def random_weights_folder(tmp_path_factory) -> Path:
    """A folder for NST_WEIGHTS with every backbone, random."""
    return random_checkpoints(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def random_weights(random_weights_folder, monkeypatch) -> Path:
    """NST_WEIGHTS set to random networks."""
    monkeypatch.setenv("NST_WEIGHTS", str(random_weights_folder))
    return random_weights_folder


@pytest.fixture(scope="session")
def narrow_weights_folder(tmp_path_factory) -> Path:
    """A folder for NST_WEIGHTS with every network of NARROW, random; to be used where they are `narrowed`."""
    with narrowed():
        return random_checkpoints(tmp_path_factory.mktemp("narrow"))


@pytest.fixture
def narrow_weights(narrow_weights_folder, monkeypatch) -> Iterator[Path]:
    """NST_WEIGHTS set to random networks of a few maps, where no decoder, classifier or other process uses them."""
    monkeypatch.setenv("NST_WEIGHTS", str(narrow_weights_folder))
    with narrowed():
        yield narrow_weights_folder


@pytest.fixture
def figure_weights(request) -> Path:
    """NST_WEIGHTS as the figure that a test is named after can use it: the jump's decoders are for Lite as it is."""
    return request.getfixturevalue("random_weights" if "jump" in request.node.name else "narrow_weights")


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
def small_thumbnails(monkeypatch) -> None:
    """Thumbnails of trained styles, painted in a sixteenth of the pixels."""
    monkeypatch.setattr("nst_core.instant.styles.PAINTED_SIDE", 64)


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
