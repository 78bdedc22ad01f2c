"""What VGG-16 and VGG-19 see in a picture: image -> Features, by the literature's layer names."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_core.devices import Compute
from nst_core.errors import ConfigError, ImageError
from nst_core.features import weights
from nst_core.images import size_of

Features = dict[str, Tensor]

PRE = "_pre"  # "conv4_2" is the layer after ReLU; "conv4_2_pre" the same before it

# Backbone -> its name for people.
BACKBONES = weights.TITLES

# How a picture enters the network: (mean, standard deviation) per channel, of the pixel range.
NORMALIZATIONS = {
    # as torchvision's networks were trained
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # 0..255 less the mean: off what torchvision's weights expect, and how some programs use them (Gordić)
    "caffe": ((123.675 / 255, 116.28 / 255, 103.53 / 255), (1 / 255, 1 / 255, 1 / 255)),
    # no normalisation at all, as tutorials that feed ToTensor() straight in
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}

POOLINGS = {
    "max": lambda features: F.max_pool2d(features, 2),
    "average": lambda features: F.avg_pool2d(features, 2),  # Gatys et al. (2016): "slightly more appealing results"
}

# What stands beyond the picture's edge for the first convolution: black corners come of zeros.
PADDINGS = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect"}


def layer_names(backbone: str, *, pre: bool = False) -> list[str]:
    """The convolutions of a backbone, shallow to deep: "conv1_1" … "conv5_4".

    Args:
        backbone: one of BACKBONES.
        pre: name them as before ReLU ("conv1_1_pre").
    """
    return [name + PRE * pre for name, _ in _plan(backbone) if name.startswith("conv")]


def check_layers(backbone: str, layers: Iterable[str]) -> None:
    """Raise ConfigError for a layer that the backbone lacks, naming those it has."""
    known = layer_names(backbone)
    for layer in layers:
        if layer.removesuffix(PRE) not in known:
            raise ConfigError(
                f"layer is {layer!r}; {BACKBONES[backbone]} has {known[0]} … {known[-1]} ({', '.join(known)}), "
                f"each also before ReLU with the ending {PRE!r}"
            )


def _plan(backbone: str) -> Iterator[tuple[str, int]]:
    """(name, index in torchvision's `features`) of each convolution and pooling."""
    block, number, index = 1, 1, 0
    for item in weights.ARCHITECTURES[backbone]:
        if item == "M":
            yield f"pool{block}", index
            block, number, index = block + 1, 1, index + 1
        else:
            yield f"conv{block}_{number}", index
            number, index = number + 1, index + 2  # a convolution and its ReLU


class VGG(nn.Module):
    """The convolutions of VGG-16 or VGG-19, frozen.

    Args:
        backbone: one of BACKBONES.
        state: torchvision's tensors, "features.N.weight" and "features.N.bias".
    """

    def __init__(self, backbone: str, state: dict[str, Tensor]):
        super().__init__()
        self.backbone = backbone
        self.plan = tuple(_plan(backbone))
        for name, index in self.plan:
            if name.startswith("conv"):
                self.register_buffer(f"{name}_weight", state[f"features.{index}.weight"])
                self.register_buffer(f"{name}_bias", state[f"features.{index}.bias"])

    def forward(
        self,
        image: Tensor,
        layers: Iterable[str],
        *,
        pooling: str = "max",
        padding: str = "zeros",
        normalization: str = "imagenet",
    ) -> Features:
        """The activations of the layers asked for; nothing deeper is computed.

        Args:
            image: (B, 3, H, W) in [0, 1], float32.
            layers: names such as "conv4_2" (after ReLU) or "conv4_2_pre" (before).
            pooling: one of POOLINGS.
            padding: one of PADDINGS, for the first convolution; the others pad with zeros.
            normalization: one of NORMALIZATIONS.

        Returns:
            name -> (B, C, H', W') in the network's precision.

        Raises:
            ConfigError: a layer that this network lacks.
            ImageError: the image is smaller than the deepest layer can see.
        """
        wanted = set(layers)
        check_layers(self.backbone, wanted)
        self._check_size(image, wanted)
        features: Features = {}
        activations = self._enter(image, padding, normalization)
        for name, _ in self.plan:
            if len(features) == len(wanted):
                break
            if name.startswith("pool"):
                activations = POOLINGS[pooling](activations)
                continue
            weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
            activations = F.conv2d(activations, weight, bias, padding=0 if name == "conv1_1" else 1)
            if name + PRE in wanted:
                features[name + PRE] = activations
                activations = F.relu(activations)  # in place, it would overwrite the feature just kept
            else:
                activations = F.relu_(activations)
            if name in wanted:
                features[name] = activations
        return features

    def _enter(self, image: Tensor, padding: str, normalization: str) -> Tensor:
        """The picture normalised, padded, and in the network's precision and memory layout."""
        mean, deviation = (image.new_tensor(values).view(1, 3, 1, 1) for values in NORMALIZATIONS[normalization])
        normalized = (image - mean) / deviation
        padded = F.pad(normalized, (1, 1, 1, 1), mode=PADDINGS[padding])  # (B, 3, H + 2, W + 2)
        return padded.to(self.conv1_1_weight.dtype, memory_format=torch.channels_last)

    def _check_size(self, image: Tensor, layers: set[str]) -> None:
        deepest = max(layers, default="conv1_1")
        smallest = 2 ** (int(deepest[4]) - 1)  # each block after the first halves the picture
        height, width = size_of(image)
        if min(height, width) < smallest:
            raise ImageError(
                f"the picture is {width}×{height} pixels; {deepest} of {BACKBONES[self.backbone]} needs at least "
                f"{smallest}×{smallest}: use a larger size or shallower layers"
            )


@lru_cache(maxsize=2)
def _load(checkpoint: weights.Checkpoint, modified: float, compute: Compute) -> VGG:
    network = VGG(checkpoint.backbone, weights.load(checkpoint))
    return network.to(compute.device, compute.dtype, memory_format=torch.channels_last).eval()


def load_network(backbone: str, compute: Compute) -> tuple[VGG, weights.Checkpoint]:
    """The backbone with its weights, ready on the device; loaded once, then kept.

    Raises:
        WeightsError: none found, or damaged.
    """
    checkpoint = weights.require(backbone)
    return _load(checkpoint, checkpoint.path.stat().st_mtime, compute), checkpoint
