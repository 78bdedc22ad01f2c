"""Johnson's image transformation network, which paints in one pass, with many styles in one (Dumoulin et al.)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nst_core import images
from nst_core.errors import ConfigError

RESIDUAL_BLOCKS = 5
SMALLEST_SIDE = images.MIN_SIDE


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
        scale, shift = (
            (shares @ values.float())[:, :, None, None].to(features.dtype) for values in (self.scale, self.shift)
        )
        return F.instance_norm(features) * scale + shift


class Convolution(nn.Module):
    """A convolution over reflected borders, normalised; before it, features may be enlarged, in it made smaller.

    Enlarging by repetition and then convolving leaves no checkerboard, which a transposed convolution does (Odena et
    al. 2016, as Dumoulin et al. have it); Johnson et al. transpose, and pad with zeros but around the picture.
    """

    def __init__(self, styles: int, before: int, after: int, kernel: int, *, stride: int = 1, enlarge: int = 1):
        super().__init__()
        self.enlarge, self.padding = enlarge, kernel // 2
        self.convolution = nn.Conv2d(before, after, kernel, stride)
        self.norm = ConditionalNorm(styles, after)

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        if self.enlarge > 1:
            features = F.interpolate(features, scale_factor=self.enlarge, mode="nearest")
        features = F.pad(features, (self.padding,) * 4, mode="reflect")
        return self.norm(self.convolution(features), shares)


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in, without ReLU after the sum, as Gross & Wilber (2016)."""

    def __init__(self, styles: int, channels: int):
        super().__init__()
        self.first = Convolution(styles, channels, channels, 3)
        self.second = Convolution(styles, channels, channels, 3)

    def forward(self, features: Tensor, shares: Tensor) -> Tensor:
        return features + self.second(F.relu(self.first(features, shares)), shares)


class TransformationNetwork(nn.Module):
    """Image -> painted image, in one pass.

    Three convolutions of which two halve the size, five residual blocks, two convolutions that double it, and one whose
    tanh is the picture. With one style this is Johnson's network.

    Args:
        styles: their names.
        width: channels of the first convolution; Johnson's is 32.

    Raises:
        ConfigError: no style, or a name twice.

    Source: Johnson, Alahi & Fei-Fei (2016), supplementary material, table 1, with instance normalisation (Ulyanov et
    al. 2016).
    """

    def __init__(self, styles: Sequence[str], width: int = 32):
        super().__init__()
        if not styles or len(set(styles)) < len(styles):
            raise ConfigError(f"the styles are {', '.join(styles) or 'none'}; name each once, and one at least")
        self.styles, self.width = tuple(styles), width
        count = len(self.styles)
        self.down = nn.ModuleList([
            Convolution(count, 3, width, 9),
            Convolution(count, width, 2 * width, 3, stride=2),
            Convolution(count, 2 * width, 4 * width, 3, stride=2),
        ])  # fmt: skip
        self.residuals = nn.ModuleList([Residual(count, 4 * width) for _ in range(RESIDUAL_BLOCKS)])
        self.up = nn.ModuleList([
            Convolution(count, 4 * width, 2 * width, 3, enlarge=2),
            Convolution(count, 2 * width, width, 3, enlarge=2),
        ])  # fmt: skip
        self.last = Convolution(count, width, 3, 9)

    def forward(self, image: Tensor, shares: Tensor) -> Tensor:
        """Paint.

        Args:
            image: (B, 3, H, W) in [0, 1], sides of at least SMALLEST_SIDE pixels.
            shares: (B, S) or (S,), how much of each style; of sum 1 for a blend.

        Returns:
            (B, 3, H, W) in [0, 1], float32.
        """
        height, width = images.size_of(image)
        shares = shares.to(image.device, torch.float32).expand(len(image), -1)
        ragged = (0, -width % 4, 0, -height % 4)  # both halvings leave whole pixels
        features = F.pad(image, ragged, mode="replicate") * 2 - 1
        features = features.to(self.last.convolution.weight.dtype, memory_format=torch.channels_last)
        for layer in self.down:
            features = F.relu(layer(features, shares))
        for layer in self.residuals:
            features = layer(features, shares)
        for layer in self.up:
            features = F.relu(layer(features, shares))
        painted = self.last(features, shares).float()
        return (painted.tanh() + 1)[..., :height, :width] / 2

    def shares_of(self, weights: dict[str, float]) -> Tensor:
        """Shares (S,) of sum 1 of some styles by name.

        Raises:
            ConfigError: an unknown style, or no weight above 0.
        """
        for name in weights:
            if name not in self.styles:
                raise ConfigError(f"there is no style {name!r}; choose of {', '.join(self.styles)}")
        shares = torch.tensor([float(weights.get(name, 0.0)) for name in self.styles])
        if not (shares >= 0).all() or not 0 < shares.sum() < float("inf"):
            raise ConfigError("all styles weigh nothing, or one less; give one of them a weight above 0")
        return shares / shares.sum()
