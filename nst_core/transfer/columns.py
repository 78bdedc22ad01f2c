"""Measures a painting by columns of features: at each place, all layers together are to be as somewhere in the style.

What a place is to be is looked up once a scale, as the style's nearest to what is there: so within a scale the goal
stands still, as L-BFGS wants it.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.devices import release_freed_memory
from nst_core.features.vgg import Features
from nst_core.losses.neighbours import CANDIDATES, mean_of, most_alike, pointing
from nst_core.losses.samples import positions, taken
from nst_core.losses.style import Memory
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import is_switch
from nst_core.transfer.masks import EMPTY, fit_mask
from nst_core.transfer.objective import LossTerms, StyleTarget, StyleTransferObjective, style_term
from nst_core.transfer.state import State, checked

SHORTER = 4  # sides of a map of columns are a quarter of the picture's,
BLOCK = 3  # as are those of this block of the network
TURNS = 4  # quarter turns in which a style is looked at
MOST_OFFERED = 2**14  # columns of a style in one turn: all of those of 512×512 pixels
SHORTEST = 1e-12  # square of a column's length, to divide by
SPLIT = 0.25  # of the style loss beside the columns
LOOKED_BY = ("style_layers", "layer_weights", "content_weight", "style_weight", "blend")  # settings that change goals


class ColumnsObjective(StyleTransferObjective):
    """A StyleTransferObjective whose style terms compare columns of features, once `begin` has looked up their goals.

    With equal w_l, the terms are together the mean cosine distance between the picture's columns and their goals: a
    layer's is half the squared difference of its parts of both, each of length 1 with all its layers. What is looked
    for is the photo's column, from the second scale on that of a picture between it and the painting, in which the
    photo's share is α / (α + β). Of a style with a smaller share of the blend than another, so many fewer columns are
    there to be found.

    Source: Kolkin et al. (2022), "Neural Neighbor Style Transfer", section 3; their α is what is not the photo's share.
    """

    query: Tensor | None = None  # (1, 3, H, W), what the scale began with
    coarsest = True  # whether it is the first scale
    goals: Features  # layer -> (1, k, h, w), in the network's precision
    lengths: dict[str, Tensor]  # layer -> (1, h, w), squares of its part of the goals' length
    places: Tensor  # (h·w, 2): number of the picture, style by style and turn by turn, and of the column in it
    counted: Tensor  # (h, w): how much each place counts, of sum 1; 0 outside of all masks

    def begin(self, canvas: Tensor, *, coarsest: bool) -> None:
        """Look up the goals of a scale that begins with canvas (1, 3, H, W)."""
        self.query, self.coarsest = canvas.detach().clone(), coarsest
        release_freed_memory()  # what smaller scales left lies in pieces that are too small for this one
        self._look_up()
        release_freed_memory()

    def steer(self, config: StyleTransferConfig) -> None:
        """Weigh by other settings from here on, and look for other goals where they lead to such."""
        before = getattr(self, "config", config)
        super().steer(config)
        if self.query is not None and any(getattr(config, name) != getattr(before, name) for name in LOOKED_BY):
            self._look_up()

    def state(self, number: int) -> State:
        """Give what `take_state` looks the goals up by again, of the scale of a number."""
        if self.query is None:
            return State()
        return State({"coarsest": self.coarsest}, lasting={f"query-{number}": partial(dict, query=self.query)})

    def take_state(self, state: State, number: int) -> None:
        """Look up the goals that another had; raises Flaw if it does not fit."""
        tensors = state.lasting_tensors(f"query-{number}")
        query = checked(tensors, "query", tuple(self.content_image.shape)).to(self.content_image.device)
        self.begin(query, coarsest=state.fact("coarsest", is_switch))

    def _remember_styles(self) -> None:
        """Remember nothing: a style's columns are looked at when they are searched."""

    def _style_targets(self, layer: str) -> list[StyleTarget]:
        return []

    def style_terms(self, features: Features) -> LossTerms:
        """Compute the weighted terms of the columns of features, bare, and their goals."""
        return self._column_terms(features)

    def _column_terms(self, features: Features) -> LossTerms:
        size, wrap = size_of_columns(self.content_image), self.config.wrap
        parts = {layer: self.part(layer, features[layer], size, wrap=wrap) for layer in self.goals}
        if not parts:
            return {}
        squares = {  # (1, h, w)
            layer: part.square().sum(1, dtype=torch.float32) / self._channels(layer) ** 2
            for layer, part in parts.items()
        }
        whole = torch.stack(list(squares.values())).sum(0).clamp(min=SHORTEST)
        terms: LossTerms = {}
        each = self.config.style_weight * len(parts) / sum(map(self.config.weight_of_layer, parts)) / 2
        for layer, part in parts.items():
            along = (part * self.goals[layer]).sum(1, dtype=torch.float32) / (self._channels(layer) * whole.sqrt())
            apart = squares[layer] / whole - 2 * along + self.lengths[layer]
            terms[style_term(layer)] = (
                each * self.config.weight_of_layer(layer) * (apart.clamp(min=0) * self.counted).sum()
            )
        return terms

    def part(self, layer: str, features: Tensor, size: tuple[int, int], *, wrap: bool = False) -> Tensor:
        """Give a layer's part of the columns of size (h, w), (1, k, h, w), before it is divided by its channels."""
        block, (height, width) = int(layer[4]), size
        if block < BLOCK:
            features = F.avg_pool2d(features, 2 ** (BLOCK - block), ceil_mode=True)
        for _ in range(block - BLOCK):
            features = doubled(doubled(features, 2, wrap=wrap), 3, wrap=wrap)[..., :height, :width]
        return self.measured(layer, features)

    @torch.no_grad()
    def _look_up(self) -> None:
        """Find the goal of each place."""
        self.goals, self.lengths = {}, {}
        if not self.style_layers:
            return
        asked, size = self.columns(self._asked(), wrap=self.config.wrap), size_of_columns(self.content_image)
        if self.regions:
            weights = [fit_mask(region, size)[0, 0].flatten() for region in self.regions]
            groups = [(weight, [(number, 1.0)]) for number, weight in enumerate(weights)]
        else:
            groups = [(asked.new_ones(len(asked), dtype=torch.float32), [*enumerate(self.blend)])]
        groups = [(weight, styles) for weight, styles in groups if bool(weight.max() >= EMPTY)]
        most, goals = torch.zeros(len(asked), device=asked.device), torch.empty(0)
        for number, (weight, styles) in enumerate(groups, 1):
            pointed = pointing(asked, mean_of(asked, weight / weight.sum()), asked.dtype)
            if number == len(groups):
                del asked  # not beside what is found
            found, places = self._nearest(pointed, styles)
            here = (weight > most)[:, None]
            goals = found if number == 1 else torch.where(here, found, goals)
            self.places = places if number == 1 else torch.where(here, places, self.places)
            most = torch.maximum(most, weight)
        if groups:
            counted = torch.stack([weight for weight, _ in groups]).sum(0) * (most >= EMPTY)
            self.counted = (counted / counted.sum()).view(size)
            self._aim_at(goals, size)

    def _aim_at(self, goals: Tensor, size: tuple[int, int]) -> None:
        """Take columns (h·w, C) for goals, brought to length 1."""
        unit = pointing(goals, goals.new_zeros(goals.shape[1]), goals.dtype).view(1, *size, -1).permute(0, 3, 1, 2)
        for layer, part in zip(self.style_layers, unit.split(self.widths, 1), strict=True):
            self.goals[layer], self.lengths[layer] = part, part.square().sum(1, dtype=torch.float32)

    def _asked(self) -> Tensor:
        """Give the picture (1, 3, H, W) of which columns are to be replaced: of the photo, its finest details at least.

        Where the painting is not to be looked for, as at first, the photo itself.
        """
        content, config = self.content_image, self.config
        share = config.style_weight / (config.content_weight + config.style_weight)
        if self.coarsest or self.query is None:
            return content
        return content + share * (self._coarse(self.query) - self._coarse(content))

    def _coarse(self, image: Tensor) -> Tensor:
        """Give the image (1, 3, H, W) without what half its size does not show."""
        size, wrap = images.size_of(image), self.config.wrap
        half = images.resize(image, (-(-size[0] // 2), -(-size[1] // 2)), wrap=wrap)
        return images.resize(half, size, wrap=wrap)

    def columns(self, image: Tensor, *, wrap: bool = False) -> Tensor:
        """Look at an image (1, 3, H, W): its columns (h·w, C), in the network's precision."""
        features, size = self.features(image, self.style_layers, wrap=wrap), size_of_columns(image)
        self.widths = [features[layer].shape[1] for layer in self.style_layers]
        dtype = features[self.style_layers[0]].dtype
        found = torch.empty(size[0] * size[1], sum(self.widths), dtype=dtype, device=image.device)
        for layer, place in zip(self.style_layers, found.split(self.widths, 1), strict=True):
            part = self.part(layer, features.pop(layer), size, wrap=wrap)
            torch.div(part[0].flatten(1).T, self._channels(layer), out=place)
        return found

    def _nearest(self, pointed: Tensor, styles: Sequence[tuple[int, float]]) -> tuple[Tensor, Tensor]:
        """Find the style's nearest columns, a turned picture at a time; a second look costs less than their memory.

        Args:
            pointed: (M, C), where those point in the place of which others are to be found.
            styles: numbers of style pictures, and the shares of their columns.

        Returns:
            (M, C) and their places (M, 2).
        """
        total, count = torch.zeros(pointed.shape[1], device=pointed.device), 0
        for _, offered in self._offered(styles):
            total, count = total + offered.sum(0, dtype=torch.float32), count + len(offered)
            del offered
        mean = total / count
        best = torch.full((len(pointed),), -torch.inf, device=pointed.device)
        found = torch.zeros_like(pointed)
        places = torch.zeros(len(pointed), 2, dtype=torch.int64, device=pointed.device)
        for number, offered in self._offered(styles):
            alike, chosen = most_alike(pointed, offered, mean=mean)
            nearer = (alike > best)[:, None]
            found = torch.where(nearer, offered.index_select(0, chosen), found)
            places = torch.where(nearer, torch.stack((torch.full_like(chosen, number), chosen), 1), places)
            best = torch.maximum(best, alike)
            del offered  # not beside the next
        return found, places

    def _offered(self, styles: Sequence[tuple[int, float]]) -> Iterator[tuple[int, Tensor]]:
        """Give each style in each turn: its number, and columns (n, C), evenly chosen where its share is smaller.

        And where there are more than MOST_OFFERED, so that the search grows with the picture, not with its square.
        """
        most = max(share for _, share in styles)
        for style, share in styles:
            for turn in range(TURNS if share > 0 else 0):
                turned = torch.rot90(self.style_images[style], turn, (2, 3)).contiguous()
                columns = self.columns(turned)
                yield TURNS * style + turn, evenly(columns, min(share / most, MOST_OFFERED / len(columns)))


def evenly(columns: Tensor, share: float) -> Tensor:
    """Choose a share of columns (n, C), one at least, evenly among them; 1 for all."""
    if share == 1:
        return columns
    kept = max(1, round(len(columns) * share))
    return columns.index_select(0, torch.arange(kept, device=columns.device) * len(columns) // kept)


class SplitObjective(ColumnsObjective):
    """A ColumnsObjective that measures layer by layer, too, by the style loss of the settings.

    So what columns smooth, as neighbours were not neighbours in the style, gets its strokes, and the photo stays.

    Source: Kolkin et al. (2022), section 3.4, who let go of the columns here and take 200 short steps of Adam; of
    L-BFGS' long ones, the style's most frequent pieces would take the photo's place.
    """

    _remember_styles = StyleTransferObjective._remember_styles
    _style_targets = StyleTransferObjective._style_targets

    def style_seen(self, image: Tensor, layers: tuple[str, ...]) -> dict[str, Memory]:
        """Look at a style picture (1, 3, any, any) at some layers, and remember, some to draw from."""
        found = super().style_seen(image, layers)
        if not self.style_loss.points:
            return found
        for layer, (vectors, shares, *tap) in found.items():
            chosen, shares = positions(shares, CANDIDATES, None)
            found[layer] = taken(vectors, chosen), shares, *tap
        return found

    def style_terms(self, features: Features) -> LossTerms:
        """Compute the weighted terms of the columns and of the layers by themselves."""
        terms = super().style_terms(features)
        for name, term in StyleTransferObjective.style_terms(self, features).items():
            terms[name] = terms.get(name, 0) + SPLIT * term
        return terms


def size_of_columns(image: Tensor) -> tuple[int, int]:
    """(h, w) of the columns of an image (1, 3, H, W)."""
    height, width = images.size_of(image)
    return -(-height // SHORTER), -(-width // SHORTER)


def doubled(features: Tensor, axis: int, *, wrap: bool = False) -> Tensor:
    """Make features (1, k, h, w) twice as long along an axis, linearly between neighbours.

    By parts rather than by torch's own, whose gradient differs from time to time on a GPU.
    """
    count = features.shape[axis]
    first, last = features.narrow(axis, 0, 1), features.narrow(axis, count - 1, 1)
    before = torch.cat([last if wrap else first, features.narrow(axis, 0, count - 1)], axis)
    after = torch.cat([features.narrow(axis, 1, count - 1), first if wrap else last], axis)
    pair = torch.lerp(features, before, 0.25), torch.lerp(features, after, 0.25)
    return torch.stack(pair, axis + 1).flatten(axis, axis + 1)
