"""The plain loop that a textbook has, in fp32 on torchvision's network: what the benchmarks compare with."""

import torch
from torch import Tensor, nn
from torchvision.models import vgg19

from nst_core.features import weights

STYLE = {0: "conv1_1", 5: "conv2_1", 10: "conv3_1", 19: "conv4_1", 28: "conv5_1"}
CONTENT = 21  # conv4_2
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def network() -> nn.Sequential:
    """torchvision's VGG-19 up to conv5_1 with ReLUs that keep what they are given."""
    state = weights.load(weights.require("vgg19"))
    with torch.device("meta"):
        layers = vgg19(weights=None).features
    layers.load_state_dict({name.removeprefix("features."): value for name, value in state.items()}, assign=True)
    kept = [nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in layers[:30]]
    return nn.Sequential(*kept).eval().requires_grad_(False)


def features(layers: nn.Sequential, image: Tensor) -> tuple[dict[int, Tensor], Tensor]:
    """The style layers' and the content layer's activations after ReLU."""
    style, content, activations = {}, None, (image - MEAN) / DEVIATION
    for index, layer in enumerate(layers):
        activations = layer(activations)
        if index - 1 in STYLE:
            style[index - 1] = activations
        if index - 1 == CONTENT:
            content = activations
    return style, content


def gram(activations: Tensor) -> Tensor:
    flat = activations.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


class PlainLoop:
    """Gatys' loss and L-BFGS as in most tutorials; `step()` makes one update."""

    def __init__(self, content_image: Tensor, style_image: Tensor, *, style_weight: float = 1e7):
        self.layers = network()
        self.style_weight = style_weight
        with torch.no_grad():
            self.style_targets = {i: gram(f) for i, f in features(self.layers, style_image)[0].items()}
            self.content_target = features(self.layers, content_image)[1]
        self.image = content_image.clone().requires_grad_(True)
        self.optimizer = torch.optim.LBFGS(
            [self.image], max_iter=1, history_size=10, tolerance_grad=-1, tolerance_change=-1
        )

    def step(self) -> None:
        self.optimizer.step(self._closure)

    def _closure(self) -> Tensor:
        self.optimizer.zero_grad()
        style, content = features(self.layers, self.image)
        loss = (content - self.content_target).square().sum() / 2
        for index, activations in style.items():
            channels = activations.shape[1]
            distance = (gram(activations) - self.style_targets[index]).square().sum()
            loss = loss + self.style_weight / 5 * distance / (4 * channels**2)
        loss.backward()
        return loss
