"""Makes decoders in closed form: each convolution is fitted to undo one of Lite's, which is where training begins."""

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.features.borders import reflected
from nst_core.features.refit import fit_convolution
from nst_core.features.vgg import POOLINGS, VGG
from nst_core.universal.decoders import ENLARGE, LEVELS, Decoders

HIDDEN = 1e-9  # below zero: where a feature was nothing, whatever ReLU takes away is as good


@torch.no_grad()
def inverted(network: VGG, crops: Tensor, seed: int = 0) -> Decoders:
    """Make decoders of Lite by least squares, layer by layer, each from what the one before made of the level.

    Args:
        network: Lite, float32, on the CPU.
        crops: (B, 3, H, W) in [0, 1], sides of whole eights.
        seed: of the positions that are drawn.
    """
    decoders, generator = Decoders(), torch.Generator().manual_seed(seed)
    seen = network(crops, LEVELS, padding="reflect")
    inputs = _inputs(network, crops)
    for level in LEVELS:
        decoder = decoders.of[level]
        names = [name for name in inputs if not name.startswith("pool")]
        goals = [inputs[name] for name in names[: names.index(level) + 1]][::-1]
        features, convolutions = seen[level], iter(zip(decoder.stack, goals, strict=True))
        for part in decoder.parts:
            if part == ENLARGE:
                features = F.interpolate(features, scale_factor=2, mode="nearest")
                continue
            convolution, goal = next(convolutions)
            wide, last = reflected(features, 1), goal is crops
            weight, bias = fit_convolution(wide, goal if last else goal - HIDDEN, 0, generator)
            convolution.load_state_dict({"weight": weight, "bias": bias})
            features = convolution(wide)
            features = features if last else features.relu()
    return decoders


def _inputs(network: VGG, crops: Tensor) -> dict[str, Tensor]:
    """List what each layer of the network is given, shallow to deep: layer -> (B, C, H, W)."""
    names = [name for name, _ in network.plan]
    names = names[: names.index(LEVELS[0]) + 1]
    bare = network(crops, [name for name in names if not name.startswith("pool")], padding="reflect", bare=True)
    given, features = {}, crops
    for name in names:
        given[name] = features
        features = POOLINGS["max"](features) if name.startswith("pool") else bare[name]
    return given
