"""Measures how strongly each filter of a network answers on average, on photographs, once for a file of weights."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.errors import OutputError, WeightsError
from nst_core.features.checkpoint import MEANS, TEACHERS, TITLES, Checkpoint, load, scale_shapes
from nst_core.features.vgg import VGG, layer_names
from nst_core.features.weights import cache_folder
from nst_core.files import make_folder, writing

KNOWN = ASSETS / "weights" / "scales.safetensors"  # "SHA256/NAME" -> tensor, of files that many have
SIDE = 256  # pixels of the photographs' longer sides


def measure(network: VGG) -> dict[str, Tensor]:
    """Measure the mean activation of each filter over the positions of the photographs that come with the program.

    Args:
        network: float32, on the CPU, as trained.

    Returns:
        layer, after ReLU -> (C,) float32.

    Source: Gatys et al. (2016), section 2, who take the mean over pictures and positions.
    """
    layers = layer_names(network.backbone)
    sums: dict[str, Tensor] = {}
    photos = sorted((ASSETS / "photos").glob("*.jpg"))
    for path in photos:
        with torch.no_grad():
            seen = network(images.fit(images.load(path), SIDE), layers)
        for layer, features in seen.items():
            sums[layer] = sums.get(layer, 0) + features[0].float().mean((1, 2))
    return {layer: total / len(photos) for layer, total in sums.items()}


def scale_tensors(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Find the tensors that rescale a network's features: in its file, among known ones, or by measuring.

    What is measured is kept in the cache.

    Args:
        checkpoint: of a backbone.

    Returns:
        tensors by the names of `checkpoint.scale_shapes`, float32.

    Raises:
        WeightsError: a Lite of which it is not known, since what it takes are its teacher's filters.
    """
    return _scale_tensors(checkpoint, checkpoint.sha256())


@lru_cache(maxsize=8)
def _scale_tensors(checkpoint: Checkpoint, sha256: str) -> dict[str, Tensor]:
    state, names = load(checkpoint), scale_shapes(checkpoint.backbone)
    if names.keys() <= state.keys():
        return {name: state[name] for name in names}
    known = load_file(KNOWN)
    if all(f"{sha256}/{name}" in known for name in names):
        return {name: known[f"{sha256}/{name}"].float() for name in names}
    if checkpoint.backbone in TEACHERS:
        raise WeightsError(
            f"{checkpoint.path} does not say how strongly {TITLES[TEACHERS[checkpoint.backbone]]}'s filters answer; "
            "make it anew by `python -m nst_core compress`, or choose the feature scale 'as trained'"
        )
    means = _kept(checkpoint.backbone, sha256) or _measured(checkpoint.backbone, sha256, state)
    return {MEANS + layer: mean for layer, mean in means.items()}


def _file(backbone: str, sha256: str) -> Path:
    return cache_folder() / f"mean_activations_{backbone}_{sha256[:16]}.safetensors"


def _kept(backbone: str, sha256: str) -> dict[str, Tensor]:
    """Read what was measured before, as long as it is whole."""
    try:
        means = load_file(_file(backbone, sha256))
    except Exception:  # a missing or damaged file is measured anew; readers raise almost anything
        return {}
    return means if sorted(means) == sorted(layer_names(backbone)) else {}


def _measured(backbone: str, sha256: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    means, path = measure(VGG(backbone, state)), _file(backbone, sha256)
    with suppress(OutputError):  # it is then measured again next time, in a second or two
        make_folder(path.parent)
        with writing(path) as aside:
            aside.write_bytes(save(means))
    return means
