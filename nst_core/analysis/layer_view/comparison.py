"""Draws what one layer sees in content, style and painting, so that they compare."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nst_core.analysis.figure import Part
from nst_core.analysis.layer_view.channels import channel_order, cosines, most_active, strongest_pairs
from nst_core.analysis.layer_view.heat import bars, feature_sheet, heat_map, overlay, peak
from nst_core.features.vgg import VGG
from nst_core.losses.gram import gram_matrix, squared_distance
from nst_core.losses.style import SMALLEST_MAGNITUDE
from nst_core.transfer.config import StyleTransferConfig

COLUMNS = CONTENT, STYLE, RESULT = ("content", "style", "result")
ROWS = ("picture", "feature maps", "Gram matrix", "diagonal")
PICTURE, MAPS, MATRIX, DIAGONAL, PAIRS = range(5)  # rows; from PAIRS on, one a pair
BARS = 32  # channels on the diagonal that are drawn
STRONG = 0.99  # quantile of a feature map from which on it is drawn as brightest
SAMPLED = 4096  # positions, about, that are enough to tell: torch refuses quantiles of very much
COMPARED = 16  # most active channels that the findings count


@dataclass(frozen=True)
class Seen:
    """A layer's view of a picture: features (C, H, W) and their Gram matrix (C, C), float32."""

    features: Tensor
    gram: Tensor


def look(network: VGG, image: Tensor, layer: str, config: StyleTransferConfig) -> Seen:
    """Compute a layer's features of image (1, 3, H, W) and their Gram matrix; Lite's on its teacher's scale."""
    with torch.no_grad():
        features = network(
            image, (layer,), pooling=config.pooling, padding=config.padding, normalization=config.normalization
        )[layer].float()
        return Seen(features[0], gram_matrix(features)[0])


def distance(gram: Tensor, target: Tensor) -> float:
    """‖G − A‖² / ‖A‖² of two Gram matrices (C, C): 0 where they are equal, 1 for a picture that shows nothing."""
    return float(squared_distance(gram, target) / target.square().sum().clamp(min=SMALLEST_MAGNITUDE))


def strong(features: Tensor) -> Tensor:
    """Choose a strong answer of each channel of features (C, H, W), as (C,): more is drawn as that."""
    flat = features.flatten(1)
    return flat[:, :: max(1, flat.shape[1] // SAMPLED)].quantile(STRONG, 1)


class Comparison:
    """Pictures seen by one layer, drawn so that they compare: the style's channels, in its order, on one scale.

    Args:
        layer: its name.
        content, style: what it sees in either.
        maps, pairs: how many feature maps and how many pairs of them are drawn.
    """

    def __init__(self, layer: str, content: Seen, style: Seen, *, maps: int, pairs: int):
        self.layer, self.style, self.content = layer, style, content
        self.order = channel_order(style.gram)
        self.channels = most_active(style.gram, maps)
        self.barred = most_active(style.gram, BARS)
        self.pairs = strongest_pairs(style.gram, pairs)
        self.peak = max(peak(style.gram), peak(content.gram))
        self.tops = torch.maximum(strong(style.features), strong(content.features)).tolist()
        self.levels = self._levels(style)
        self.highest = max([*self.levels, *self._levels(content)])

    def _levels(self, seen: Seen) -> list[float]:
        """√Gᵢᵢ of the channels that have a bar: how strongly they answer."""
        return seen.gram.diagonal()[self.barred].clamp(min=0).sqrt().tolist()

    def parts(self, column: str, seen: Seen, *, done: bool = True) -> list[Part]:
        """Draw a picture's column, below the picture itself."""
        place, channels = COLUMNS.index(column), ", ".join(map(str, self.channels))
        is_style, away = seen is self.style, distance(seen.gram, self.style.gram)
        tops = [self.tops[channel] for channel in self.channels]
        levels = self._levels(seen)
        maps = Part(
            MAPS,
            place,
            label=f"feature maps of the {column}",
            image=feature_sheet(seen.features, self.channels, tops),
            caption=f"channels {channels}: the style's most active" if is_style else "the same channels",
            done=done,
            facts={"layer": self.layer, "channels": self.channels},
        )
        matrix = Part(
            MATRIX,
            place,
            label=f"Gram matrix of the {column}",
            image=heat_map(seen.gram, self.order, self.peak),
            caption=f"A, {len(self.order)} × {len(self.order)}" if is_style else f"G, ‖G − A‖²/‖A‖² = {away:.3g}",
            done=done,
            facts={"layer": self.layer, "distance": away},
        )
        diagonal = Part(
            DIAGONAL,
            place,
            label=f"diagonal of the {column}",
            image=bars(levels, () if is_style else self.levels, self.highest),
            caption=f"the style's {len(self.barred)} most active channels" if is_style else "yellow: as in the style",
            done=done,
            facts={"layer": self.layer, "channels": self.barred, "roots": levels},
        )
        return [maps, matrix, diagonal, *self._pairs(column, seen, done)]

    def _pairs(self, column: str, seen: Seen, done: bool) -> Iterator[Part]:
        together = cosines(seen.gram)
        for row, (a, b) in enumerate(self.pairs, PAIRS):
            share = float(together[a, b])
            yield Part(
                row,
                COLUMNS.index(column),
                label=f"channels {a} and {b} of the {column}",
                image=overlay(seen.features[a], seen.features[b], tuple(strong(seen.features[[a, b]]).tolist())),
                caption=f"magenta {a}, green {b}; together {share:.2f} of 1",
                done=done,
                facts={"layer": self.layer, "channels": [a, b], "cosine": share},
            )

    @property
    def rows(self) -> tuple[str, ...]:
        """List the labels at the side."""
        return *ROWS, *(f"channels {a} and {b}" for a, b in self.pairs)

    def findings(self, result: Seen) -> tuple[str, ...]:
        """Say what the painting took over."""
        count = min(COMPARED, len(self.order) // 2)
        wanted, own, before = (set(most_active(seen.gram, count)) for seen in (self.style, result, self.content))
        found = [
            f"{len(wanted & own)} of the style's {count} most active channels are among the result's, "
            f"{len(wanted & before)} among the content's."
        ]
        if self.pairs:
            a, b = self.pairs[0]
            style, content, painted = (cosines(seen.gram)[a, b] for seen in (self.style, self.content, result))
            found.append(
                f"Channels {a} and {b} occur together {style:.2f} of 1 in the style, {content:.2f} in the content and "
                f"{painted:.2f} in the result."
            )
        return tuple(found)
