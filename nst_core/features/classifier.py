"""Names what a picture shows, by VGG-19 whole: with the layers behind its convolutions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst_core.devices import Compute, put_on, release_freed_memory
from nst_core.features import weights
from nst_core.features.checkpoint import CLASSIFIER, CLASSIFIER_LAYERS
from nst_core.features.remote import DownloadProgress
from nst_core.features.vgg import VGG, layer_names

SHORTER_SIDE, CROP = 256, 224  # pixels; as torchvision measured this network's accuracy


@cache
def categories() -> tuple[str, ...]:
    """List what ImageNet tells apart, by number."""
    from torchvision.models import VGG19_Weights  # here, as it takes more than a second, which no page waits for

    return tuple(VGG19_Weights.IMAGENET1K_V1.meta["categories"])


@dataclass(frozen=True)
class Guess:
    """One thing that a picture may show."""

    label: str  # "tabby"
    probability: float  # 0 to 1, over all categories together 1
    number: int  # of the category; some releases of torchvision call two of them "crane"

    def __str__(self) -> str:
        percent = 100 * self.probability
        return f"{self.label} {percent:.0f} %" if percent >= 1 else f"{self.label} < 1 %"


class Classifier(nn.Module):
    """VGG-19 whole, frozen.

    Args:
        state: torchvision's tensors, "features.N.…" and "classifier.N.…".
    """

    def __init__(self, state: dict[str, Tensor]):
        super().__init__()
        self.convolutions = VGG("vgg19", state)
        for name in CLASSIFIER_LAYERS:
            number = name.partition(".")[2]
            self.register_buffer(f"weight_{number}", state[f"{name}.weight"])
            self.register_buffer(f"bias_{number}", state[f"{name}.bias"])

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        """Compute how likely each category is.

        Args:
            image: (1, 3, H, W) in [0, 1], on any device; what is outside is clipped. Of a long picture only the middle
                is seen, as the network takes squares.

        Returns:
            (1000,), float32, of sum 1, on the network's device.

        Source: Simonyan & Zisserman (2014), section 2.1: without dropout, which is for training.
        """
        last = layer_names("vgg19")[-1]
        seen = self.convolutions(prepared(image.detach().to(self.get_buffer("bias_0").device)), [last])[last]
        activations = F.max_pool2d(seen, 2).flatten(1)  # (1, 512*7*7)
        activations = F.relu_(self._connected(0, activations))  # (1, 4096)
        activations = F.relu_(self._connected(3, activations))
        logits = self._connected(6, activations)  # (1, 1000)
        return logits.float().softmax(1)[0]

    def _connected(self, number: int, activations: Tensor) -> Tensor:
        return F.linear(activations, self.get_buffer(f"weight_{number}"), self.get_buffer(f"bias_{number}"))

    def classify(self, image: Tensor) -> list[Guess]:
        """List all categories, the likeliest first; the image as `forward` takes it."""
        probabilities, names = self(image).tolist(), categories()
        guesses = [Guess(names[number], value, number) for number, value in enumerate(probabilities)]
        return sorted(guesses, key=lambda guess: -guess.probability)


def prepared(image: Tensor) -> Tensor:
    """Cut out the part of a picture that the network sees, in the size that it was trained on.

    Args:
        image: (1, 3, H, W) in about [0, 1].

    Returns:
        (1, 3, 224, 224) in [0, 1].

    Source: torchvision's VGG19_Weights.IMAGENET1K_V1.transforms(), whose normalisation the network brings along here.
    """
    from torchvision.transforms.functional import center_crop, resize

    small = resize(image.clamp(0, 1), SHORTER_SIDE, antialias=True)  # (1, 3, 256, …) or (1, 3, …, 256)
    return center_crop(small, CROP)


def find() -> weights.Checkpoint | None:
    """Find the first file on this computer with all of VGG-19; one with the convolutions alone is passed over.

    Raises:
        WeightsError: NST_WEIGHTS names nothing that exists, or a file that cannot be read.
    """
    return weights.find(CLASSIFIER)


def require() -> weights.Checkpoint:
    """Find the classifier's file, as `find`, and refuse to go on without.

    Raises:
        WeightsError: nothing found; says where it looked, how to get it, and how large it is.
    """
    return weights.require(CLASSIFIER)


def download() -> Iterator[DownloadProgress]:
    """Fetch torchvision's file into the cache, 548 MB, and tell how far it is; as `weights.download` does."""
    return weights.download(CLASSIFIER)


@lru_cache(maxsize=1)
def _load(checkpoint: weights.Checkpoint, modified: float, compute: Compute) -> Classifier:
    classifier = Classifier(weights.load(checkpoint))
    return put_on(compute.device, classifier, compute.dtype).eval()


def load_classifier(compute: Compute) -> Classifier:
    """Load the classifier, ready on the device; once, then kept until `forget_classifier`.

    Raises:
        WeightsError: none found, or damaged.
    """
    checkpoint = require()
    return _load(checkpoint, checkpoint.path.stat().st_mtime, compute)


def forget_classifier() -> None:
    """Let go of the half gigabyte that `load_classifier` keeps, once nobody else holds it."""
    _load.cache_clear()
    release_freed_memory()
