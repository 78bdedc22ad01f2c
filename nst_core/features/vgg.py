"""Computes what VGG-19, VGG-16 and our Lite see in a picture: image -> Features, by the literature's layer names."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_core.errors import ConfigError, ImageError, said
from nst_core.features import weights
from nst_core.features.checkpoint import PRE, TEACHERS, plan, tap_name
from nst_core.images import size_of

Features = dict[str, Tensor]
Seen = Callable[[str, Tensor], None]  # takes a layer and its features (B, C, H, W)

# Backbone -> its name for people.
BACKBONES = weights.TITLES

BUNDLED_BACKBONE = "lite"  # comes with the program

# How a picture enters the network: (mean, standard deviation) per channel, of the pixel range.
NORMALIZATIONS = {
    # as torchvision's networks were trained
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # 0..255 less the mean: off what torchvision's weights expect, and how some programs use them (Gordić)
    "caffe": ((123.675 / 255, 116.28 / 255, 103.53 / 255), (1 / 255, 1 / 255, 1 / 255)),
    # no normalisation at all, as tutorials that feed ToTensor() straight in
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}

# Of an odd number, the last is pooled alone, as in Caffe, where the method began. PyTorch leaves it out, so that up to
# 15 pixels of a side would be seen by no deep layer, and stay without form.
POOLINGS = {
    "max": lambda features: F.max_pool2d(features, 2, ceil_mode=True),
    "average": lambda features: F.avg_pool2d(features, 2, ceil_mode=True),  # Gatys et al.: "more appealing results"
    # twice that, about as large as maxima, which deeper layers expect: crowsonkb/style-transfer-pytorch
    "rescaled average": lambda features: 2 * F.avg_pool2d(features, 2, ceil_mode=True),
}

# What stands beyond the picture's edge for the first convolution, so many pixels from there; None: zeros, of which
# black corners come.
PADDINGS = {"zeros": None, "replicate": 0, "reflect": 1}
WRAPPED = "circular"  # of torch's modes: the picture again, as of a tile among its likes


def layer_names(backbone: str, *, pre: bool = False) -> list[str]:
    """List the convolutions of a backbone, shallow to deep: "conv1_1" … "conv5_4".

    Args:
        backbone: one of BACKBONES.
        pre: name them as before ReLU ("conv1_1_pre").
    """
    return [name + PRE * pre for name, _, _ in plan(backbone) if name.startswith("conv")]


def check_layers(backbone: str, layers: Iterable[str]) -> None:
    """Raise ConfigError for a layer that the backbone lacks, naming those it has."""
    known = layer_names(backbone)
    for layer in layers:
        name = layer.removesuffix(PRE)
        if name not in known:
            elsewhere = " and ".join(title for other, title in BACKBONES.items() if name in layer_names(other))
            hint = f", which {elsewhere} has" if elsewhere else ""
            raise ConfigError(
                f"layer is {said(layer)}{hint}; {BACKBONES[backbone]} has {known[0]} … {known[-1]} "
                f"({', '.join(known)}), each also before ReLU with the ending {PRE!r}"
            )


def nearest_layer(backbone: str, layer: str) -> str:
    """Give the layer itself, or where the backbone lacks it, the deepest that it has of the same block."""
    name = layer.removesuffix(PRE)
    block = [known for known in layer_names(backbone) if known[4] == name[4:5]]
    return layer if name in block or not block else block[-1] + layer[len(name) :]


@lru_cache
def channels_of(backbone: str, layer: str) -> int:
    """N, the feature maps of a layer in the literature's formulas: for Lite, VGG-19's, on whose scale it measures."""
    widths = {name: channels for name, _, channels in plan(TEACHERS.get(backbone, backbone))}
    return widths[layer.removesuffix(PRE)]


def through(tap: Tensor | None, features: Tensor) -> Tensor:
    """T f at every position: tap (C, k), features (B, k, H, W); f itself where there is no tap."""
    return features if tap is None else F.conv2d(features, tap[:, :, None, None])


@lru_cache(maxsize=16)
def _constants(normalization: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give mean and deviation of NORMALIZATIONS, (1, 3, 1, 1), on a device, to which they are copied once."""
    mean, deviation = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in NORMALIZATIONS[normalization])
    return mean, deviation


def bordered(image: Tensor, padding: str) -> Tensor:
    """Put a border of one pixel around an image, (B, C, H, W) -> (B, C, H + 2, W + 2), by one of PADDINGS.

    By parts of it rather than by torch's own padding, whose gradient differs from time to time on a GPU.
    """
    inside = PADDINGS[padding]
    if inside is None:
        return F.pad(image, (1, 1, 1, 1))
    for axis in (3, 2):
        first, last = (image.narrow(axis, at, 1) for at in (inside, image.shape[axis] - 1 - inside))
        image = torch.cat([first, image, last], axis)
    return image


class VGG(nn.Module):
    """The convolutions of VGG-16, VGG-19 or Lite, frozen.

    Lite has fewer feature maps f than the teacher it was made after. Some T makes T f nearly the teacher's features;
    what Lite gives is R f, with R = (TᵀT)^½. As many maps as f has, but every inner product of R f is one of T f:
    distances and Gram matrices (up to a rotation, which no norm sees) are those of the teacher's features.

    Args:
        backbone: one of BACKBONES.
        state: torchvision's tensors, "features.N.weight" and "features.N.bias"; R as "taps.conv1_1" (k, k), or
            none of these for the bare features f.
    """

    conv1_1_weight: Tensor  # one of the buffers that __init__ makes

    def __init__(self, backbone: str, state: dict[str, Tensor]):
        super().__init__()
        self.backbone = backbone
        self.plan = tuple((name, index) for name, index, _ in plan(backbone))
        names = [name for name, _ in self.plan]
        self._before_pools = {before for before, name in pairwise(names) if name.startswith("pool")}
        for name, index in self.plan:
            if name.startswith("conv"):
                self.register_buffer(f"{name}_weight", state[f"features.{index}.weight"])
                self.register_buffer(f"{name}_bias", state[f"features.{index}.bias"])
                for layer in (name, name + PRE):
                    self.register_buffer(f"{layer}_tap", state.get(tap_name(layer)))

    def forward(
        self,
        image: Tensor,
        layers: Iterable[str],
        *,
        pooling: str = "max",
        padding: str = "zeros",
        normalization: str = "imagenet",
        wrap: bool = False,
        bare: bool = False,
        seen: Seen | None = None,
    ) -> Features:
        """Compute the activations of the layers asked for; nothing deeper is computed.

        Args:
            image: (B, 3, H, W) in [0, 1], float32.
            layers: names such as "conv4_2" (after ReLU) or "conv4_2_pre" (before).
            pooling: one of POOLINGS.
            padding: one of PADDINGS, for the first convolution; the others pad with zeros.
            normalization: one of NORMALIZATIONS.
            wrap: beyond every edge of every map lies its opposite edge, as if the picture were a tile among its likes,
                exactly so where every pooling halves an even number.
            bare: of Lite, f itself; R f is then the caller's to make, with `tap`.
            seen: is told of each layer asked for, bare, before any deeper one is computed.

        Returns:
            name -> (B, C, H', W') in the network's precision; of Lite (B, k, H', W'), with k below C.

        Raises:
            ConfigError: a layer that this network lacks.
            ImageError: the image is smaller than the deepest layer can see.
        """
        wanted = set(layers)
        check_layers(self.backbone, wanted)
        self._check_size(image, wanted)
        features: Features = {}
        activations = self.enter(image, padding, normalization, wrap=wrap)
        rectified = True
        for name, _ in self.plan:
            if len(features) == len(wanted):
                break
            if name.startswith("pool"):
                activations = POOLINGS[pooling](activations)
                if not rectified:
                    activations = F.relu_(activations)
                continue
            activations = self._convolved(name, activations, wrap=wrap)
            if name + PRE in wanted:
                features[name + PRE] = activations
            # the maximum of rectified values is the rectified maximum, which is a quarter of the work
            rectified = name in wanted or name not in self._before_pools or pooling != "max"
            if rectified:
                # in place, it would overwrite the feature just kept
                activations = F.relu(activations) if name + PRE in wanted else F.relu_(activations)
            if name in wanted:
                features[name] = activations
            if seen:
                for layer in wanted.intersection((name, name + PRE)):
                    seen(layer, features[layer])
        return features if bare else {layer: through(self.tap(layer), found) for layer, found in features.items()}

    def _convolved(self, name: str, activations: Tensor, *, wrap: bool) -> Tensor:
        """Apply a convolution to what is below it; the first one's border is there already."""
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        if name == "conv1_1":
            return F.conv2d(activations, weight, bias)
        if wrap:
            return F.conv2d(F.pad(activations, (1, 1, 1, 1), mode=WRAPPED), weight, bias)
        return F.conv2d(activations, weight, bias, padding=1)

    def tap(self, layer: str) -> Tensor | None:
        """R (k, k) of a layer, in the network's precision; None where features are the teacher's own."""
        return self.get_buffer(f"{layer}_tap")

    def enter(self, image: Tensor, padding: str, normalization: str, *, wrap: bool = False) -> Tensor:
        """Prepare the picture for conv1_1, (B, 3, H + 2, W + 2): normalised, padded, in the network's precision."""
        mean, deviation = _constants(normalization, image.device)
        normalized = (image - mean) / deviation
        padded = F.pad(normalized, (1, 1, 1, 1), mode=WRAPPED) if wrap else bordered(normalized, padding)
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
