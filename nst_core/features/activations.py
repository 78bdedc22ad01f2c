"""How strongly each filter of a network answers on average: measured on photographs, once for a file of weights."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from nst_core import images
from nst_core.errors import OutputError, WeightsError
from nst_core.features.checkpoint import TEACHERS, TITLES, Checkpoint, load
from nst_core.features.scale import means_in
from nst_core.features.vgg import VGG, layer_names
from nst_core.features.weights import cache_folder
from nst_core.files import make_folder, writing

ASSETS = Path(__file__).resolve().parents[2] / "assets"
KNOWN = ASSETS / "weights" / "mean_activations.safetensors"  # "SHA256/LAYER" -> means, of files that many have
SIDE = 256  # pixels of the photographs' longer sides


def measure(network: VGG) -> dict[str, Tensor]:
    """Mean activation of each filter over the positions of the photographs that come with the program.

    Args:
        network: float32, on the CPU, as trained.

    Returns:
        layer, after ReLU -> (C,) float32.

    Source: Gatys et al. (2016), section 2, who take the mean over pictures and positions.
    """
    layers, sums = layer_names(network.backbone), {}
    photos = sorted((ASSETS / "photos").glob("*.jpg"))
    for path in photos:
        with torch.no_grad():
            seen = network(images.fit(images.load(path), SIDE), layers)
        for layer, features in seen.items():
            sums[layer] = sums.get(layer, 0) + features[0].float().mean((1, 2))
    return {layer: total / len(photos) for layer, total in sums.items()}


def mean_activations(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Mean activation of each filter of a network: as its file says, as is known of the file, else as measured.

    What is measured is kept in the cache.

    Args:
        checkpoint: of a backbone.

    Returns:
        layer -> (C,) float32; of Lite, of its teacher's filters.

    Raises:
        WeightsError: a Lite whose file does not say, since its own filters are others.
    """
    return _mean_activations(checkpoint, checkpoint.sha256())


@lru_cache(maxsize=8)
def _mean_activations(checkpoint: Checkpoint, sha256: str) -> dict[str, Tensor]:
    state = load(checkpoint)
    if means := means_in(state):
        return means
    if checkpoint.backbone in TEACHERS:
        raise WeightsError(
            f"{checkpoint.path} does not say how strongly {TITLES[TEACHERS[checkpoint.backbone]]}'s filters answer; "
            "make it anew by `python -m nst_core compress`, or choose the feature scale 'as trained'"
        )
    known = load_file(KNOWN)
    if means := {name.removeprefix(f"{sha256}/"): mean for name, mean in known.items() if name.startswith(sha256)}:
        return means
    return _kept(checkpoint.backbone, sha256) or _measured(checkpoint.backbone, sha256, state)


def _file(backbone: str, sha256: str) -> Path:
    return cache_folder() / f"mean_activations_{backbone}_{sha256[:16]}.safetensors"


def _kept(backbone: str, sha256: str) -> dict[str, Tensor]:
    """What was measured before, as long as it can be read and is whole."""
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
