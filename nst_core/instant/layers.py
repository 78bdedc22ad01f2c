"""Defines the parts of a transformation network: convolutions over reflected borders, norms that hold the styles.

In the residual blocks such a network lets a few places of smooth dark ground grow until they make most of a map's
variance, by which its norms set the strength of all the others; painted, they are black blots. To bound them alone
would raise the others, of which the next ones become blots. So what is painted is bounded beside features that are not,
whose means and variances it has.

Source: Karras et al. (2020), "Analyzing and Improving the Image Quality of StyleGAN", section 2, for what such blots
are; what is done here is ours, as theirs takes another training.
"""

from math import inf
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nst_core.features.borders import reflected

Layer = TypeVar("Layer", bound=nn.Module)

EPSILON = 1e-5  # added to variances, as torch does
REACH = 2.0  # deviations from its mean that a residual block adds at most, in what is painted


class _Normalise(torch.autograd.Function):
    """Instance normalisation in the channels-last layout.

    torch's own copies features to the other layout and back: with it a step of training takes twice as long.
    """

    @staticmethod
    def forward(ctx, features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:  # (B, C, H, W), (B, C), (B, C)
        mean, variance = moments(moments_of_rows(features))
        centred = features - _over(features, mean)
        sharpness = (variance + EPSILON).rsqrt()
        ctx.save_for_backward(centred, scale, sharpness)
        return torch.addcmul(_over(features, shift), centred, _over(features, scale * sharpness))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        centred, scale, sharpness = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        mean, along = _mean(gradient), _mean(gradient * centred) * sharpness  # along the normalised features
        slope, positions = scale * sharpness, centred[0, 0].numel()
        towards = torch.addcmul(_over(gradient, -slope * mean), gradient, _over(gradient, slope))
        towards.addcmul_(centred, _over(gradient, -slope * sharpness * along))
        return towards, along * positions, mean * positions


def moments_of_rows(features: Tensor) -> Tensor:
    """Mean and variance along each row of features (B, C, H, W), (2, B, H, C) float32.

    From these the moments of all positions follow, and they are the same whichever other rows there are, so that a
    picture painted in parts is normalised as in one piece. A narrow type still holds the sum of a row.
    """
    pixels = features.permute(0, 2, 3, 1)  # (B, H, W, C), as they lie in memory
    mean = pixels.mean(2, keepdim=True)
    deviation = pixels - mean
    return torch.stack((mean[:, :, 0].float(), (deviation * deviation).mean(2).float()))


def moments(of_rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance over all positions, both (B, C), of those of rows (2, B, H, C)."""
    means, variances = of_rows
    return means.mean(1), variances.mean(1) + means.var(1, correction=0)


def _mean(features: Tensor) -> Tensor:
    """Over all positions, (B, C) float32; first along rows, whose sums a narrow type still holds."""
    return features.permute(0, 2, 3, 1).mean(2).float().mean(1)


def _over(features: Tensor, values: Tensor) -> Tensor:
    """Values (B, C) as (B, C, 1, 1) of the features' type."""
    return values[:, :, None, None].to(features.dtype)


class ConditionalNorm(nn.Module):
    """Instance normalisation whose scale and shift are a style's own, or a blend of several styles'.

    Source: Dumoulin, Shlens & Kudlur (2017), "A Learned Representation For Artistic Style", eq. 5.
    """

    def __init__(self, styles: int, channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        """Features (B, C, H, W) under shares (B, S) of the styles."""
        return _Normalise.apply(features, shares @ self.scale, shares @ self.shift)

    def with_moments(
        self, features: Tensor, shares: Tensor, mean: Tensor, variance: Tensor, reach: float = inf
    ) -> Tensor:
        """Do as `forward` for features whose mean and variance (B, C) are known; reach: deviations to bound them at."""
        slope = shares @ self.scale * (variance + EPSILON).rsqrt()
        centred = features - _over(features, mean)
        if reach < inf:
            most = _over(features, reach * (variance + EPSILON).sqrt())
            centred = centred.clamp_(-most, most)
        return torch.addcmul(_over(features, shares @ self.shift), centred, _over(features, slope))


class Convolution(nn.Module):
    """A convolution over reflected borders, normalised; before it, features may be enlarged, in it made smaller.

    Enlarging by repetition and then convolving leaves no checkerboard, which a transposed convolution does (Odena et
    al. 2016, as Dumoulin et al. have it); Johnson et al. transpose, and pad with zeros but around the picture.
    """

    def __init__(self, styles: int, before: int, after: int, kernel: int, *, stride: int = 1, enlarge: int = 1):
        super().__init__()
        self.enlarge, self.padding = enlarge, kernel // 2
        self.convolution = nn.Conv2d(before, after, kernel, stride, bias=False)  # the norm's shift is one
        self.norm = ConditionalNorm(styles, after)

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        return self.norm(self.convolved(features), shares)

    def beside(
        self, features: Tensor, bounded: Tensor | None, shares: Tensor, reach: float = inf
    ) -> tuple[Tensor, Tensor]:
        """Do `forward`, and the same for bounded features, by the mean and variance of those that are not.

        Args:
            features: (B, C, H, W).
            bounded: (B, C, H, W); None for the same.
            shares: (B, S).
            reach: deviations at which what comes of the bounded ones is bounded.
        """
        made = self.convolved(features)
        known = moments(moments_of_rows(made))
        apart = made if bounded is None else self.convolved(bounded)
        return self.norm.with_moments(made, shares, *known), self.norm.with_moments(apart, shares, *known, reach)

    def convolved(self, features: Tensor) -> Tensor:
        """The features convolved, and not yet normalised."""
        return self.convolution(reflected(self.enlarged(features), self.padding))

    def enlarged(self, features: Tensor) -> Tensor:
        """The features as the convolution is to see them."""
        return F.interpolate(features, scale_factor=self.enlarge, mode="nearest") if self.enlarge > 1 else features


def layers_of(modules: nn.ModuleList, kind: type[Layer]) -> list[Layer]:
    """List a network's layers, all of which are of a kind, which torch's list does not tell."""
    return [module for module in modules if isinstance(module, kind)]


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in, without ReLU after the sum, as Gross & Wilber (2016)."""

    def __init__(self, styles: int, channels: int):
        super().__init__()
        self.first = Convolution(styles, channels, channels, 3)
        self.second = Convolution(styles, channels, channels, 3)

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        return features + self.second(F.relu(self.first(features, shares)), shares)

    def beside(self, features: Tensor, bounded: Tensor | None, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Do `forward`, and the same for bounded features as `Convolution.beside`, bounding what is added to them."""
        if bounded is None:
            inner, apart = F.relu(self.first(features, shares)), None
        else:
            inner, apart = map(F.relu, self.first.beside(features, bounded, shares))
        made, added = self.second.beside(inner, apart, shares, REACH)
        return features + made, (features if bounded is None else bounded) + added
