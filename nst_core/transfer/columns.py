"""Measures a painting by columns of features: at each place, all layers together are to be as somewhere in the style.

What a place is to be is looked up once a scale, as the style's nearest to what is there: so within a scale the goal
stands still, as L-BFGS wants it.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import release_freed_memory
from nst_core.features.vgg import Features
from nst_core.losses.neighbours import CANDIDATES, mean_of, pointing
from nst_core.losses.samples import positions, taken
from nst_core.losses.style import Memory
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.hypercolumns import ColumnLooks, size_of_columns
from nst_core.transfer.json_values import is_switch
from nst_core.transfer.ladder import TURNS
from nst_core.transfer.masks import EMPTY, fit_mask
from nst_core.transfer.objective import LossTerms, StyleTarget, StyleTransferObjective
from nst_core.transfer.pieces import EXACT_PAIRS, Search, dimensions_of
from nst_core.transfer.state import State, checked
from nst_core.transfer.terms import style_term

SHORTEST = 1e-12  # square of a column's length, to divide by
SPLIT = 0.25  # of the style loss beside the columns
LOOKED_BY = ("style_layers", "layer_weights", "content_weight", "style_weight", "blend")  # settings that change goals


class ColumnsObjective(ColumnLooks):
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
    pending: Iterator[float] | None = None  # the search, or what is left of it
    searches = 0  # that are done
    has_any = False  # whether there are goals that were found in haste
    lengths: dict[str, Tensor]  # layer -> (1, h, w), squares of its part of the goals' length
    places: Tensor  # (h·w, 2): number of the picture, style by style and turn by turn, and of the column in it
    counted: Tensor  # (h, w): how much each place counts, of sum 1; 0 outside of all masks

    def begin(self, canvas: Tensor, *, coarsest: bool) -> None:
        """Begin a scale with canvas (1, 3, H, W), whose goals are to be looked up; see `prepare`."""
        self.query, self.coarsest = canvas.detach().clone(), coarsest
        release_freed_memory()  # what smaller scales left lies in pieces that are too small for this one
        self.pending = self._look_up()

    def steer(self, config: StyleTransferConfig) -> None:
        """Weigh by other settings from here on, and look for other goals where they lead to such."""
        before = getattr(self, "config", None)
        if before is None:
            before = config
            self.let_go()
        super().steer(config)
        if self.query is not None and any(getattr(config, name) != getattr(before, name) for name in LOOKED_BY):
            self.pending, self.has_any = self._look_up(), False

    def prepare(self, *, haste: bool = False) -> Iterator[float]:
        """Look up the goals, some at a time; in haste, take what is found so far, or any."""
        if haste and self.has_any:
            return
        self.in_haste, self.has_any = haste, False
        while self.pending is not None:
            share = next(self.pending, None)
            if share is None:
                self.pending, self.has_any = self._look_up() if haste else None, haste
                return
            yield share

    def let_go(self) -> None:
        """Free the goals, which nobody wants any more; what `state` gives stays."""
        self.goals: Features = {}
        self.lengths = {}

    def __call__(self, image: Tensor) -> LossTerms:
        """Compute the weighted terms of image (1, 3, H, W), as StyleTransferObjective."""
        if not self.in_haste:
            for _ in self.prepare():
                pass
        return super().__call__(image)

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
        compared = {
            layer: self.compared(layer, self.part(layer, features[layer], size, wrap=wrap), 0) for layer in self.goals
        }
        return self.apart(compared)

    def compared(self, layer: str, part: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """Compare rows of a layer's part of the columns, (1, k, n, w), from the first on, with their goals.

        Returns:
            (1, n, w) float32 each: squares of the part's length, and how far it goes along its goal.
        """
        goals = self.goal(layer, first, part.shape[2])
        channels = self._channels(layer)
        square = part.square().sum(1, dtype=torch.float32) / channels**2
        return square, (part * goals).sum(1, dtype=torch.float32) / channels

    def goal(self, layer: str, first: int, rows: int) -> Tensor:
        """Give a layer's part of the goals of some rows, (1, k, rows, w)."""
        return self.goals[layer][:, :, first : first + rows]

    def apart(self, compared: dict[str, tuple[Tensor, Tensor]]) -> LossTerms:
        """Weigh how far columns are from their goals: each layer's term, of what `compared` gives of all rows."""
        if not compared:
            return {}
        whole = torch.stack([square for square, _ in compared.values()]).sum(0).clamp(min=SHORTEST)
        terms: LossTerms = {}
        each = self.config.style_weight * len(compared) / sum(map(self.config.weight_of_layer, compared)) / 2
        for layer, (square, along) in compared.items():
            apart = square / whole - 2 * along / whole.sqrt() + self.lengths[layer]
            terms[style_term(layer)] = (
                each * self.config.weight_of_layer(layer) * (apart.clamp(min=0) * self.counted).sum()
            )
        return terms

    def _look_up(self) -> Iterator[float]:
        """Find the goal of each place, some at a time; yields the share of the search that is done."""
        if not self.style_layers:
            self.let_go()
            return
        size, blend = size_of_columns(self.content_image), [*enumerate(self.blend)]
        groups = [(self.content_image.new_ones(size[0] * size[1]), blend)]
        if self.regions:
            weights = [fit_mask(region, size)[0, 0].flatten() for region in self.regions]
            groups = [(weight, [(number, 1.0)]) for number, weight in enumerate(weights)]
        groups = [(weight, styles) for weight, styles in groups if bool(weight.max() >= EMPTY)]
        found: list[Search] = []
        for number, (weight, styles) in enumerate(groups):
            for share in self._search(weight, styles, found):
                yield (number + share) / len(groups)
        if not groups:
            self.let_go()
            return
        most, begun = torch.zeros_like(groups[0][0]), 0
        chosen, self.places = torch.zeros_like(found[0].chosen), torch.zeros_like(found[0].places)
        for (weight, _), search in zip(groups, found, strict=True):
            here = weight > most
            chosen = torch.where(here, begun + search.chosen, chosen)
            self.places = torch.where(here[:, None], search.places, self.places)
            most, begun = torch.maximum(most, weight), begun + len(search.columns)
        counted = torch.stack([weight for weight, _ in groups]).sum(0) * (most >= EMPTY)
        self.counted = (counted / counted.sum()).view(size)
        columns = torch.cat([search.columns for search in found])
        del found, search  # not beside the goals
        self._aim_at(pointing(columns, torch.zeros_like(columns[0]), columns.dtype), chosen, size)
        release_freed_memory()

    def _search(self, weight: Tensor, styles: Sequence[tuple[int, float]], found: list[Search]) -> Iterator[float]:
        """Search some styles for what is most like the columns that are to be replaced.

        Args:
            weight: (h·w,), how much these styles have to say at each place.
            styles: numbers of style pictures, and the shares of their columns.
            found: the search is appended when it is done.
        """
        most = max(share for _, share in styles)
        offers = [(style, turn, share / most) for style, share in styles if share > 0 for turn in range(TURNS)]
        unturned = {style: self.offered(style, 0, share) for style, turn, share in offers if turn == 0}
        yield 0.0
        sums = torch.stack([columns.sum(0, dtype=torch.float32) for columns in unturned.values()])
        mean = sums.sum(0) / sum(map(len, unturned.values()))
        all_columns, dimensions = torch.cat([*unturned.values()]), None
        dtype = all_columns.dtype
        if TURNS * len(all_columns) * len(weight) > EXACT_PAIRS:
            dimensions = dimensions_of(all_columns, mean)
        del all_columns
        asked = self.in_dimensions(self._asked(), dimensions, mean)
        asked -= mean_of(asked, weight / weight.sum())
        yield 0.0
        search = Search(asked, dimensions, mean, dtype)
        del asked
        for number, (style, turn, share) in enumerate(offers):
            columns = unturned.pop(style) if turn == 0 else self.offered(style, turn, share)
            for done in search.offer(TURNS * style + turn, columns):
                yield (number + done) / len(offers)
                if self.in_haste:
                    break
            if self.in_haste:
                break
        if not len(search.columns):  # in haste: any is as good
            search.columns = columns[:1]
        found.append(search)

    def _aim_at(self, units: Tensor, chosen: Tensor, size: tuple[int, int]) -> None:
        """Take columns of length 1, (n, C), for goals, of which one is chosen for each place, (h·w,)."""
        self.searches += 1
        parts = dict(zip(self.style_layers, units.split(self.widths(), 1), strict=True))
        lengths = {layer: part.square().sum(1, dtype=torch.float32) for layer, part in parts.items()}
        self.lengths = {layer: length[chosen].view(1, *size) for layer, length in lengths.items()}
        self._keep_goals(units, chosen, size)

    def _keep_goals(self, units: Tensor, chosen: Tensor, size: tuple[int, int]) -> None:
        goals = units.index_select(0, chosen).view(1, *size, -1).permute(0, 3, 1, 2)
        self.goals = dict(zip(self.style_layers, goals.split(self.widths(), 1), strict=True))

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
            terms[name] = terms[name] + term if name in terms else term
        return terms

    def style_coefficient(self, layer: str, positions: int, target: StyleTarget) -> float:
        """Find the factor of the style loss's distance, which counts SPLIT beside the columns."""
        return SPLIT * super().style_coefficient(layer, positions, target)
