"""Defines Johnson's transformation network, which paints in one pass, with many styles in one (Dumoulin et al.)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nst_core import images
from nst_core.errors import ConfigError, listed, said
from nst_core.instant.layers import Convolution, Residual, layers_of
from nst_core.steps import Steps, finish

RESIDUAL_BLOCKS = 5
UNBOUNDED_BLOCKS = 2  # the first of them, in which no blots begin yet; see layers.py
PHOTO = "photo"  # the style that every trained network has besides: the picture as it is, to blend others with
SMALLEST_SIDE = images.MIN_SIDE
WIDTHS = (1, 256)  # channels of the first convolution, the fewest and the most
LONGEST_NAME = 80  # letters of a style's name
MOST_STYLES = 200  # of a network, the photo among them


class TransformationNetwork(nn.Module):
    """Image -> painted image, in one pass.

    Three convolutions of which two halve the size, five residual blocks, two convolutions that double it, and one whose
    tanh is the picture. With one style this is Johnson's network.

    Args:
        styles: their names.
        width: channels of the first convolution; Johnson's is 32.

    Raises:
        ConfigError: no style, too many, or a name that is odd or there twice.

    Source: Johnson, Alahi & Fei-Fei (2016), supplementary material, table 1, with instance normalisation (Ulyanov et
    al. 2016).
    """

    def __init__(self, styles: Sequence[str], width: int = 32):
        super().__init__()
        if not styles or len(set(styles)) < len(styles):
            raise ConfigError(f"the styles are {listed(styles) or 'none'}; name each once, and one at least")
        if len(styles) > MOST_STYLES:
            raise ConfigError(f"there are {len(styles)} styles; a network holds {MOST_STYLES} at most")
        for name in styles:
            check_name(name)
        self.styles, self.width = tuple(styles), width
        count = len(self.styles)
        down = [
            Convolution(count, 3, width, 9),
            Convolution(count, width, 2 * width, 3, stride=2),
            Convolution(count, 2 * width, 4 * width, 3, stride=2),
        ]
        self.down = nn.ModuleList(down)
        self.residuals = nn.ModuleList([Residual(count, 4 * width) for _ in range(RESIDUAL_BLOCKS)])
        up = [
            Convolution(count, 4 * width, 2 * width, 3, enlarge=2),
            Convolution(count, 2 * width, width, 3, enlarge=2),
        ]
        self.up = nn.ModuleList(up)
        self.last = Convolution(count, width, 3, 9)

    def forward(self, image: Tensor, shares: Tensor) -> Tensor:
        """Paint images, without the blots that `unfinished` has.

        Args:
            image: (B, 3, H, W) in [0, 1], sides of at least SMALLEST_SIDE pixels.
            shares: (B, S) or (S,), how much of each style; of sum 1 for a blend.

        Returns:
            (B, 3, H, W) in [0, 1], float32.
        """
        return finish(self.steps(image, shares))

    def steps(self, image: Tensor, shares: Tensor) -> Steps[Tensor]:
        """`forward`, a layer a step."""
        height, width = images.size_of(image)
        shares = self._expanded(shares, image)
        features = yield from self._begun(image, shares, UNBOUNDED_BLOCKS)
        bounded = None
        for block in layers_of(self.residuals, Residual)[UNBOUNDED_BLOCKS:]:
            features, bounded = block.beside(features, bounded, shares)
            yield
        for layer in layers_of(self.up, Convolution):
            features, bounded = map(F.relu_, layer.beside(features, bounded, shares))
            yield
        return self.finished(self.last.beside(features, bounded, shares)[1][..., :height, :width])

    def unfinished(self, image: Tensor, shares: Tensor) -> Steps[Tensor]:
        """Do all that is trained, as far as what `finished` makes a picture of, (B, 3, H, W), a layer a step."""
        height, width = images.size_of(image)
        shares = self._expanded(shares, image)
        features = yield from self._begun(image, shares, RESIDUAL_BLOCKS)
        for layer in self.up:
            features = F.relu(layer(features, shares))
            yield
        return self.last(features, shares)[..., :height, :width]

    def _begun(self, image: Tensor, shares: Tensor, blocks: int) -> Steps[Tensor]:
        """Go through the first layers and some residual blocks, a layer a step; features (B, C, H/4, W/4)."""
        features = self.prepared(image)
        for layer in self.down:
            features = F.relu(layer(features, shares))
            yield
        for layer in self.residuals[:blocks]:
            features = layer(features, shares)
            yield
        return features

    def _expanded(self, shares: Tensor, image: Tensor) -> Tensor:
        return shares.to(image.device, torch.float32).expand(len(image), -1)

    @property
    def device(self) -> torch.device:
        """Tell the device that the network is on."""
        return self.last.convolution.weight.device

    def prepared(self, image: Tensor) -> Tensor:
        """Make what the first layer sees: (B, 3, H, W) of whole fours, in [-1, 1]."""
        height, width = images.size_of(image)
        ragged = (0, -width % 4, 0, -height % 4)  # both halvings leave whole pixels
        features = F.pad(image, ragged, mode="replicate") * 2 - 1
        weight = self.last.convolution.weight
        return features.to(weight.device, weight.dtype, memory_format=torch.channels_last)

    def finished(self, features: Tensor) -> Tensor:
        """Turn what the last layer made into colours in [0, 1]."""
        return (features.float().tanh() + 1) / 2

    def shares_of(self, weights: dict[str, float]) -> Tensor:
        """Shares (S,) of sum 1 of some styles by name.

        Raises:
            ConfigError: an unknown style, or no weight above 0.
        """
        for name in weights:
            if name not in self.styles:
                raise ConfigError(f"there is no style {said(name)}; choose of {listed(self.styles)}")
        shares = torch.tensor([float(weights.get(name, 0.0)) for name in self.styles])
        if not (shares >= 0).all() or not 0 < shares.sum() < float("inf"):
            raise ConfigError("all styles weigh nothing, or one less; give one of them a weight above 0")
        return shares / shares.sum()


def check_name(name: object) -> None:
    """Refuse a name that a style cannot have.

    Raises:
        ConfigError: no text, an empty or long one, or one with letters that cannot be seen or mean a folder.
    """
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= len(name) <= LONGEST_NAME:
        raise ConfigError(f"a style is called {said(name)}; give it a name of 1 to {LONGEST_NAME} letters")
    if not name.isprintable() or "/" in name or "\\" in name:
        raise ConfigError(f"a style is called {said(name)}; give it a name without slashes and control characters")


def gather(styles: Sequence[tuple[TransformationNetwork, str]], *, names: Sequence[str] = ()) -> TransformationNetwork:
    """A network of single styles out of networks that have the same convolutions.

    Args:
        styles: whose, and which.
        names: what they are called from now on; () for the names that they have.

    Raises:
        ConfigError: networks with different convolutions, no style, or a name twice.
    """
    first = styles[0][0] if styles else None
    if first is None or not all(same_convolutions(first, network) for network, _ in styles):
        raise ConfigError("these styles are of different networks; take those of one")
    made = TransformationNetwork(names or [name for _, name in styles], first.width)
    state = dict(first.state_dict())
    for key in state:
        if ".norm." in key:
            rows = [network.state_dict()[key][network.styles.index(name)] for network, name in styles]
            state[key] = torch.stack(rows)
    made.load_state_dict(state)
    return made.requires_grad_(False).to(memory_format=torch.channels_last)


def same_convolutions(network: TransformationNetwork, other: TransformationNetwork) -> bool:
    """Whether two networks differ in their styles only, so that these can be blended."""
    if network is other or network.width != other.width:
        return network is other
    one, two = network.state_dict(), other.state_dict()
    return all(torch.equal(one[key], two[key]) for key in one if ".norm." not in key)
