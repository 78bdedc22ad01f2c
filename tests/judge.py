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
    """

    def __init__(
        self,
        content_image: Tensor,
        style_image: Tensor,
        size: int,
        rule: str = "longest side",
        layers: tuple[str, ...] = ("conv4_2",),
    ):
        self.network = load_network("vgg19", Compute(device="cpu", precision="fp32"))[0]
        self.content_image, self.layers = images.fit(content_image, size, rule), layers
        self.content = self._seen(self.content_image, layers)
        self.grams = self._grams(images.fit(style_image, max(images.size_of(self.content_image))))

    def _seen(self, image: Tensor, layers: tuple[str, ...]) -> dict[str, Tensor]:
        with torch.no_grad():
            return self.network(image, layers)

    def _grams(self, image: Tensor) -> dict[str, Tensor]:
        return {layer: gram_matrix(seen) for layer, seen in self._seen(image, GATYS_STYLE_LAYERS).items()}

    def scores(self, image: Tensor) -> tuple[float, float]:
        """(content, style): relative errors of the content layers, and of the five Gram matrices, means of each."""
        saved = images.from_pil(images.to_pil(images.resize(image, images.size_of(self.content_image))))
        seen = self._seen(saved, self.layers)
        content = [_error(seen[layer], wanted) for layer, wanted in self.content.items()]
        grams = self._grams(saved)
        style = [_error(grams[layer], wanted) for layer, wanted in self.grams.items()]
        return sum(content) / len(content), sum(style) / len(style)

    def contrast(self, image: Tensor) -> float:
        """Standard deviation of a picture's pixels, of the photo's own."""
        return float(image.clamp(0, 1).std() / self.content_image.std())

    def noise(self) -> float:
        """The content error of white noise."""
        generator = torch.Generator().manual_seed(0)
        return self.scores(torch.rand(self.content_image.shape, generator=generator))[0]


def _error(seen: Tensor, wanted: Tensor) -> float:
    return float((seen - wanted).square().sum() / wanted.square().sum())
