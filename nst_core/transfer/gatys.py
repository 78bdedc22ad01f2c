"""Paints by Gatys' method, whole and in plain torch: from two pictures through VGG-19 to the pixels of a third.

To be read from top to bottom: nothing here is hidden and nothing is fast. Weights and losses are those of Gatys' own
PyTorch code (the preset `gatys_code`), with which `stylize` paints the same picture, several times as fast.

Source: Gatys, Ecker & Bethge (2016), Image Style Transfer Using Convolutional Neural Networks.
"""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core.features import weights

CONTENT_LAYER, CONTENT_WEIGHT = "conv4_2", 1.0  # α
STYLE_LAYERS, STYLE_WEIGHT = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), 1e3  # β
CONVOLUTIONS = (2, 2, 4, 4, 1)  # of each block of VGG-19, up to conv5_1
MEAN = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1)  # of ImageNet's pixels
DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)
CAFFE = float(255 * DEVIATION.mean())  # so many times as large are Caffe's features, which the weights are meant for
Painting = Iterator[tuple[Tensor, dict[str, float]]]  # the picture and its losses, step after step
FIRST_STEP = 0.005  # of the pixel range: nothing tells L-BFGS how far to go at first


def features(network: Mapping[str, Tensor], image: Tensor) -> dict[str, Tensor]:
    """See image (1, 3, H, W) in [0, 1] through VGG-19: layer -> activations (1, C, h, w) after ReLU."""
    seen, index = {}, 0  # index: of the convolution in torchvision's list
    maps = (image - MEAN) / DEVIATION  # (1, 3, H, W)
    for block, convolutions in enumerate(CONVOLUTIONS, 1):
        if block > 1:
            maps, index = F.max_pool2d(maps, 2, ceil_mode=True), index + 1  # (1, C, h / 2, w / 2)
        for number in range(1, convolutions + 1):
            weight, bias = (
                network[f"features.{index}.weight"],
                network[f"features.{index}.bias"],
            )  # (C', C, 3, 3), (C',)
            maps = F.relu(F.conv2d(maps, weight, bias, padding=1))  # (1, C', h, w)
            seen[f"conv{block}_{number}"] = CAFFE * maps  # (1, C', h, w)
            index += 2  # past the ReLU
    return seen


def gram(maps: Tensor) -> Tensor:
    """Correlate the feature maps (1, C, h, w), wherever they answer, as eq. 3: (C, C)."""
    flat = maps[0].flatten(1)  # (C, h·w)
    return flat @ flat.T / flat.shape[1]  # (C, C): G, eq. 3


def loss_terms(seen: Mapping[str, Tensor], content: Tensor, style: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compare what is seen with the content's features (1, C, h, w) and the style's Gram matrices, as eq. 7."""
    distance = (seen[CONTENT_LAYER] - content).square().mean()  # (): L_content, eq. 1
    terms = {f"content {CONTENT_LAYER}": CONTENT_WEIGHT * distance}  # (): α L_content
    for layer, wanted in style.items():  # (C, C)
        distance = (gram(seen[layer]) - wanted).square().mean()  # (): C⁻² Σ (G − A)², eq. 4
        terms[f"style {layer}"] = STYLE_WEIGHT * distance / len(wanted) ** 2  # (): β w_l E_l, eq. 5
    return terms


def paint(content_image: Tensor, style_image: Tensor, network: Mapping[str, Tensor] | None = None) -> Painting:
    """Change the content's pixels until its style is the other picture's, as Gatys et al. (2016), without end.

    Args:
        content_image, style_image: (1, 3, H, W) and (1, 3, H', W') in [0, 1].
        network: torchvision's tensors of VGG-19, or of one that is built alike; None: VGG-19's.

    Yields:
        the picture (1, 3, H, W), at first the content, and its weighted losses by name.

    Raises:
        WeightsError: no weights for VGG-19.
    """
    network = network or weights.load(weights.require("vgg19"))
    content = features(network, content_image)[CONTENT_LAYER]  # (1, 512, H / 8, W / 8)
    seen = features(network, style_image)
    style = {layer: gram(seen[layer]) for layer in STYLE_LAYERS}  # (C, C): A of each layer
    image = content_image.clone().requires_grad_(True)  # (1, 3, H, W): the pixels are what is learned
    optimizer = torch.optim.LBFGS([image], max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)
    scale = 1.0  # of the loss, so that the first gradient's mean is 1
    while True:
        terms = loss_terms(features(network, image), content, style)
        yield image.detach().clone(), {name: term.item() for name, term in terms.items()}
        loss = torch.stack(list(terms.values())).sum()  # (): eq. 7
        (gradient,) = torch.autograd.grad(loss, image)  # (1, 3, H, W): through the network to the pixels
        if first := image.grad is None:
            scale = 1 / gradient.abs().mean().item()
        image.grad = scale * gradient
        optimizer.param_groups[0]["lr"] = FIRST_STEP * image.numel() if first else 1.0  # torch divides the first by it
        optimizer.step(lambda: 0.0)  # one step of L-BFGS along the gradient
