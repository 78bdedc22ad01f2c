"""Chooses whose colours a painting has: what is done to both pictures before painting, and to the painting after.

Luma is BT.601's, Y = 0.299 R + 0.587 G + 0.114 B, and chroma is what a pixel has beyond that grey. Swapping chroma
so is the same as swapping I and Q of YIQ (Gatys et al.) or Cb and Cr of YCbCr (most of the field), as all of them are
linear, have this luma and call grey zero: no matrix is needed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nst_core import images

LUMA = (0.299, 0.587, 0.114)  # of R, G, B
LEAST_VARIANCE = 1e-5  # added to variances, so that grey and constant pictures divide by something


@dataclass(frozen=True, kw_only=True)
class Color:
    """A choice of colours. Two choices with the same `before` can be swapped on a finished picture, without a run."""

    title: str  # for menus, after "Colours:"
    before: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # content, style -> the two that the run is given
    after: Callable[[Tensor, Tensor], Tensor]  # painted, content (of any size) -> what is shown

    @property
    def looks_at_content(self) -> bool:
        """Whether what is shown depends on the content."""
        return self.after is not _as_painted

    @property
    def leaves_content(self) -> bool:
        """Whether the content is painted from as it is."""
        return self.before is not _in_greys


def luma(image: Tensor) -> Tensor:
    """Compute how bright each pixel is: (1, 3, H, W) -> (1, 1, H, W)."""
    red, green, blue = image.split(1, dim=1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def chroma(image: Tensor) -> Tensor:
    """Take what makes each pixel other than grey: (1, 3, H, W), with a luma of 0; an image is its luma + its chroma."""
    return image - luma(image)


def grey(image: Tensor) -> Tensor:
    """Take the colours from the image, (1, 3, H, W)."""
    return luma(image).expand_as(image).contiguous()


@torch.no_grad()
def with_colors_of(painted: Tensor, content: Tensor) -> Tensor:
    """Show the painted picture's strokes in the content's colours: luma of the one, chroma of the other.

    Args:
        painted: (1, 3, H, W) in [0, 1].
        content: (1, 3, H', W') in [0, 1], resized to the painted picture.

    Returns:
        (1, 3, H, W), clipped to [0, 1]: only there the luma changes.

    Source: Gatys et al. (2017), section 5.1, the last step of luminance-only transfer.
    """
    fitted = images.resize(content, images.size_of(painted)).to(painted.device)
    return (luma(painted) + chroma(fitted)).clamp(0, 1)


@torch.no_grad()
def match_luma(image: Tensor, reference: Tensor) -> Tensor:
    """Make the image as bright and as contrasty as the reference, in greys.

    Args:
        image: (1, 3, H, W) in [0, 1].
        reference: (1, 3, H', W') in [0, 1].

    Returns:
        (1, 3, H, W) grey in [0, 1], whose luma has the reference's mean and deviation as far as nothing is clipped.

    Source: Gatys et al. (2017), eq. 10. They do not add LEAST_VARIANCE, which a constant picture needs.
    """
    own, other = luma(image), luma(reference).to(image.device)
    gain = ((_variance(other) + LEAST_VARIANCE) / (_variance(own) + LEAST_VARIANCE)).sqrt()
    matched = gain * (own - own.mean()) + other.mean()  # (1, 1, H, W)
    return matched.clamp(0, 1).expand_as(image).contiguous()


def _variance(values: Tensor) -> Tensor:
    return (values - values.mean()).square().mean()


@torch.no_grad()
def match_covariance(image: Tensor, reference: Tensor) -> Tensor:
    """Repaint the image from the reference's palette: its mean colour, and how its colours vary about it.

    One linear map moves all colours, the one that moves them least (Monge-Kantorovich), so that no hues are swapped.

    Args:
        image: (1, 3, H, W) in [0, 1].
        reference: (1, 3, H', W') in [0, 1].

    Returns:
        (1, 3, H, W), with the reference's mean and covariance of RGB before it is clipped to [0, 1].

    Source: Gatys et al. (2017), section 5.2; of the three such maps in their code this is "sym", which is Pitié and
    Kokaram's (2007). As in that code, LEAST_VARIANCE is added to both covariances.
    """
    mean, covariance = _mean_and_covariance(image)
    other_mean, other_covariance = _mean_and_covariance(reference)
    root = _power(covariance, 0.5)
    inverse = _power(covariance, -0.5)
    transport = inverse @ _power(root @ other_covariance @ root, 0.5) @ inverse  # (3, 3), symmetric
    transport, mean, other_mean = (part.to(image.device, image.dtype) for part in (transport, mean, other_mean))
    matched = transport @ (image[0].flatten(1) - mean) + other_mean  # (3, H*W)
    return matched.view_as(image).clamp(0, 1)


def _mean_and_covariance(image: Tensor) -> tuple[Tensor, Tensor]:
    """Compute mean (3, 1) and covariance (3, 3), in float64 on the CPU, as not every device has these."""
    pixels = image[0].flatten(1)  # (3, H*W)
    mean = pixels.mean(1, keepdim=True)
    centred = (pixels - mean).cpu().double()
    covariance = centred @ centred.T / centred.shape[1]
    return mean.cpu().double(), covariance + LEAST_VARIANCE * torch.eye(3, dtype=torch.float64)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """Raise a symmetric matrix, without negative eigenvalues but for rounding, to a power."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0) ** exponent @ vectors.T


@torch.no_grad()
def match_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """Give the image as much of each tone as the reference has, channel by channel.

    Equal values stay equal, so a flat area stays flat: it gets the tone in the middle of its share of the pixels.

    Args:
        image: (1, 3, H, W) in [0, 1].
        reference: (1, 3, H', W') in [0, 1].

    Returns:
        (1, 3, H, W) in [0, 1], each channel distributed as the reference's.

    Source: Gonzalez and Woods, Digital Image Processing, "histogram specification".
    """
    own, other = image[0].flatten(1).cpu().numpy(), reference[0].flatten(1).cpu().numpy()  # (3, H*W), (3, H'*W')
    matched = np.stack([_match_values(*channels) for channels in zip(own, other, strict=True)])
    return torch.from_numpy(matched).to(image.device, image.dtype).view_as(image).clamp(0, 1)


def _match_values(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Map each value -> the reference's value at the same quantile; (N,), (M,) -> (N,)."""
    tones, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    other_tones, other_counts = np.unique(reference, return_counts=True)
    return np.interp(_quantiles(counts), _quantiles(other_counts), other_tones)[places]


def _quantiles(counts: np.ndarray) -> np.ndarray:
    """Compute the middle of each tone's share of the pixels, in (0, 1)."""
    return (counts.cumsum() - counts / 2) / counts.sum()


def _as_they_are(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Leave both pictures as they are, so that colours can still be chosen after painting."""
    return content, style


def _in_greys(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Take the colours from both pictures, the style made as bright and contrasty as the content."""
    return grey(content), match_luma(style, content)


def _covariance_matched(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    return content, match_covariance(style, content)


def _histogram_matched(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    return content, match_histogram(style, content)


def _as_painted(painted: Tensor, content: Tensor) -> Tensor:
    return painted


COLORS: dict[str, Color] = {
    "style": Color(title="the style's", before=_as_they_are, after=_as_painted),
    "content": Color(title="the content's, put back afterwards", before=_as_they_are, after=with_colors_of),
    "luminance": Color(title="the content's, painted in greys first", before=_in_greys, after=with_colors_of),
    "match covariance": Color(
        title="the style's, moved to the content's palette", before=_covariance_matched, after=_as_painted
    ),
    "match histogram": Color(
        title="the style's, with the content's amount of each tone", before=_histogram_matched, after=_as_painted
    ),
}
