"""What a painting is measured by: the pictures' targets, and image -> LossTerms."""

from collections.abc import Callable

import torch
from torch import Tensor

from nst_core.features.vgg import VGG, Features, channels_of, through
from nst_core.losses import (
    CONTENT_NORMALIZATIONS,
    STYLE_LOSSES,
    STYLE_NORMALIZATIONS,
    TOTAL_VARIATIONS,
    content_loss,
)
from nst_core.transfer.config import StyleTransferConfig

LossTerms = dict[str, Tensor]
Objective = Callable[[Tensor], LossTerms]

TV_TERM = "total variation"


def content_term(layer: str) -> str:
    """The name of a content layer's term: "content conv4_2"."""
    return f"content {layer}"


def style_term(layer: str) -> str:
    """The name of a style layer's term: "style conv1_1"."""
    return f"style {layer}"


class StyleTransferObjective:
    """Gatys' loss for one content and one style picture; called with an image, it gives the terms.

    Terms whose weight is 0 are neither computed nor listed.

    Args:
        network: sees the pictures.
        content_image: (1, 3, H, W) in [0, 1], at the size to be painted.
        style_image: (1, 3, H', W') in [0, 1].
        config: layers, weights and normalisations.

    Source: Gatys et al. (2016), eq. 7, with the coefficients of `losses`.
    """

    def __init__(self, network: VGG, content_image: Tensor, style_image: Tensor, config: StyleTransferConfig):
        self.network = network
        self.config = config
        self.content_layers = config.content_layers if config.content_weight > 0 else ()
        self.style_layers = tuple(
            layer for layer in config.style_layers if config.style_weight * config.weight_of_layer(layer) > 0
        )
        style_loss = STYLE_LOSSES[config.style_loss]
        with torch.no_grad():
            content = self._features(content_image, self.content_layers)
            style = self._features(style_image, self.style_layers)
            self.content_targets = {
                layer: self._measured(layer, content[layer]).float() for layer in self.content_layers
            }
            self.style_targets = {
                layer: style_loss.statistics(style[layer], network.tap(layer)) for layer in self.style_layers
            }

    def _features(self, image: Tensor, layers: tuple[str, ...]) -> Features:
        config = self.config
        return self.network(
            image,
            layers,
            pooling=config.pooling,
            padding=config.padding,
            normalization=config.normalization,
            bare=True,
        )

    def _measured(self, layer: str, features: Tensor) -> Tensor:
        return through(self.network.tap(layer), features)

    def __call__(self, image: Tensor) -> LossTerms:
        """The weighted terms of image (1, 3, H, W); their sum is the loss.

        Returns:
            name -> float32 scalar: "content conv4_2", "style conv1_1" …, "total variation".
        """
        config = self.config
        features = self._features(image, (*self.content_layers, *self.style_layers))
        terms: LossTerms = {}
        for layer in self.content_layers:
            terms[content_term(layer)] = self._content_coefficient(layer, features[layer]) * content_loss(
                self._measured(layer, features[layer]), self.content_targets[layer]
            )
        style_loss = STYLE_LOSSES[config.style_loss]
        for layer in self.style_layers:
            terms[style_term(layer)] = self._style_coefficient(layer, features[layer]) * style_loss.distance(
                style_loss.statistics(features[layer], self.network.tap(layer)), self.style_targets[layer]
            )
        if config.tv_weight > 0:
            terms[TV_TERM] = config.tv_weight * TOTAL_VARIATIONS[config.total_variation](image)
        return terms

    def _content_coefficient(self, layer: str, features: Tensor) -> float:
        normalize = CONTENT_NORMALIZATIONS[self.config.content_normalization]
        return self.config.content_weight * normalize(self._channels(layer), features[0, 0].numel())

    def _style_coefficient(self, layer: str, features: Tensor) -> float:
        normalize = STYLE_NORMALIZATIONS[self.config.style_normalization]
        weight = self.config.style_weight * self.config.weight_of_layer(layer)
        return weight * normalize(self._channels(layer), features[0, 0].numel())

    def _channels(self, layer: str) -> int:
        return channels_of(self.config.backbone, layer)  # not features.shape[1], which Lite has fewer of
