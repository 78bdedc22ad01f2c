"""How near a painting is to its two pictures as real VGG-19 sees it, whichever network painted it."""

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.features.loading import load_network
from nst_core.losses.gram import gram_matrix
from nst_core.transfer.settings import GATYS_STYLE_LAYERS


class Judge:
    """Scores pictures (1, 3, H, W) against a content and a style picture, in float32, as they would be saved.

    Args:
        content_image, style_image: (1, 3, any, any) in [0, 1].
        size, rule: of the painted pictures.
        layers: at which the content is compared.
        backbone: which network looks; of the bundled one, errors are nearly VGG-19's.

    Attributes:
        own: the photo's own style error.
    """

    def __init__(
        self,
        content_image: Tensor,
        style_image: Tensor,
        size: int,
        rule: str = "longest side",
        layers: tuple[str, ...] = ("conv4_2",),
        backbone: str = "vgg19",
    ):
        self.network = load_network(backbone, Compute(device="cpu", precision="fp32"))[0]
        self.content_image, self.layers = images.fit(content_image, size, rule), layers
        self.grams = self._seen(images.fit(style_image, max(images.size_of(self.content_image))))[1]
        self.content, grams = self._seen(self.content_image)
        self.own = _mean(_errors(grams, self.grams))

    def _seen(self, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Features of the content layers, and Gram matrices of the style layers."""
        with torch.no_grad():
            seen = self.network(image, {*self.layers, *GATYS_STYLE_LAYERS})
        return {layer: seen[layer] for layer in self.layers}, {
            layer: gram_matrix(seen[layer]) for layer in GATYS_STYLE_LAYERS
        }

    def errors(self, image: Tensor) -> tuple[dict[str, float], float]:
        """(content, style): relative errors of each content layer, and of the five Gram matrices, a mean."""
        saved = images.from_pil(images.to_pil(images.resize(image, images.size_of(self.content_image))))
        content, grams = self._seen(saved)
        return _errors(content, self.content), _mean(_errors(grams, self.grams))

    def scores(self, image: Tensor) -> tuple[float, float]:
        """(content, style): relative errors of the content layers, and of the five Gram matrices, means of each."""
        content, style = self.errors(image)
        return _mean(content), style

    def contrast(self, image: Tensor) -> float:
        """Standard deviation of a picture's pixels, of the photo's own."""
        return float(image.clamp(0, 1).std() / self.content_image.std())

    def noise(self) -> dict[str, float]:
        """The content errors of white noise."""
        generator = torch.Generator().manual_seed(0)
        return self.errors(torch.rand(self.content_image.shape, generator=generator))[0]


def _errors(seen: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, float]:
    return {
        layer: float((seen[layer] - target).square().sum() / target.square().sum()) for layer, target in wanted.items()
    }


def _mean(errors: dict[str, float]) -> float:
    return sum(errors.values()) / len(errors)
