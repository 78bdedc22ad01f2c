"""Makes the picture that the optimisation starts from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError
from nst_core.features.vgg import NORMALIZATIONS
from nst_core.universal.painter import UniversalPainter, style_picture

QUICK_SIDE = 1024  # pixels of the longer side, the most at which a quick start is painted


@dataclass(frozen=True, kw_only=True)
class StartMaterial:
    """Holds all that a start can be made of: pictures (1, 3, H, W) in [0, 1], content at the size to be painted."""

    content_image: Tensor
    style_images: Sequence[Tensor]
    start_image: Tensor | None
    noise_deviation: float  # of the pixel range
    seed: int
    compute: Compute
    blend: Sequence[float] = ()  # shares of the styles; (): equal
    style_scale: float = 1.0  # size in which styles are looked at, of the content's
    regions: Sequence[Tensor] = ()  # (1, 1, H, W) of each style; (): they blend everywhere


def _content(material: StartMaterial) -> Tensor:
    """Start from the content picture itself: the subject is there from the first step."""
    return material.content_image.clone()


def _style(material: StartMaterial) -> Tensor:
    """Start from the style picture, scaled and cropped to the content's shape, never squashed."""
    return images.cover(material.style_images[0], images.size_of(material.content_image))


def _noise(material: StartMaterial) -> Tensor:
    """Start from white noise about the networks' mean colour, the same for the same seed on every device."""
    generator = torch.Generator().manual_seed(material.seed)
    noise = torch.randn(material.content_image.shape, generator=generator) * material.noise_deviation
    mean = torch.tensor(NORMALIZATIONS["imagenet"][0]).view(1, 3, 1, 1)
    return (mean + noise).clamp(0, 1).to(material.content_image.device)


def _quick(material: StartMaterial) -> Tensor:
    """Start from what one pass makes of the content in the style, after which little is left to do (`universal/`).

    Of large pictures in a smaller size, as it is but a start; of regions each in its style, the content elsewhere.
    """
    content, size = material.content_image, images.size_of(material.content_image)
    image = images.fit(content, QUICK_SIDE) if max(size) > QUICK_SIDE else content
    pictures = {str(number): style_picture(style) for number, style in enumerate(material.style_images)}
    painter = UniversalPainter(pictures, material.compute, material.style_scale)
    if not material.regions:
        shares = dict(zip(pictures, material.blend or [1.0] * len(pictures), strict=True))
        return images.resize(painter.paint(image, shares), size)
    whole = torch.cat(list(material.regions)).sum(0, keepdim=True).clamp(min=1)
    start = content.clone()
    for name, region in zip(pictures, material.regions, strict=True):
        painted = images.resize(painter.paint(image, {name: 1.0}), size)
        start += region / whole * (painted - content)
    return start


def _image(material: StartMaterial) -> Tensor:
    """Start from a picture of the user's own, scaled and cropped to the content's shape."""
    if material.start_image is None:
        raise ConfigError("start is 'image', but there is no such picture; give one, or choose another start")
    return images.cover(material.start_image, images.size_of(material.content_image))


STARTS: dict[str, Callable[[StartMaterial], Tensor]] = {
    "content": _content,
    "noise": _noise,
    "style": _style,
    "quick": _quick,
    "image": _image,
}
