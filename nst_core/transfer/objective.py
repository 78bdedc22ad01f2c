"""Measures a painting: makes the pictures' targets, then image -> LossTerms."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core.errors import ConfigError
from nst_core.features.vgg import VGG, WRAPPED, Features, Seen, channels_of, through
from nst_core.images import size_of
from nst_core.losses.content import CONTENT_NORMALIZATIONS, content_loss, content_magnitude
from nst_core.losses.style import SMALLEST_MAGNITUDE, STYLE_LOSSES, STYLE_NORMALIZATIONS, Memory, magnitude
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer.beside import TermsBeside
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.masks import shares
from nst_core.transfer.state import State
from nst_core.transfer.terms import TV_TERM, content_term, style_term

LossTerms = dict[str, Tensor]
Objective = Callable[[Tensor], LossTerms]
Number = Callable[[], float]


@dataclass(frozen=True)
class StyleTarget:
    """A style's statistics at a layer, with which the painted picture's are compared."""

    memory: Memory  # prepared
    magnitude: float  # of the style there, for normalisations that want it
    region: int | None  # number of the region of which the positions count; None: all
    weight: float


class StyleTransferObjective:
    """The loss of a content and some style pictures; called with an image, it gives the terms.

    Terms whose weight is 0 are neither computed nor listed.

    Args:
        network: sees the pictures.
        content_image: (1, 3, H, W) in [0, 1], at the size to be painted.
        style_images: each (1, 3, any, any) in [0, 1].
        config: layers, weights, losses and normalisations.
        regions: (1, 1, H, W) for each style, where it applies; empty: the styles blend everywhere.
        content_share: what the content weight is multiplied with.

    Source: Gatys et al. (2016), eq. 7, with the coefficients of `losses`; for regions, Gatys et al. (2017), eq. 3.
    """

    in_haste = False  # whether `prepare` did only what will do

    def __init__(
        self,
        network: VGG,
        content_image: Tensor,
        style_images: Sequence[Tensor],
        config: StyleTransferConfig,
        regions: Sequence[Tensor] = (),
        content_share: float = 1.0,
    ):
        self.network = network
        self.content_image = content_image
        self.style_images = tuple(style_images)
        self.regions = tuple(regions)
        self.content_share = content_share
        self.style_loss = STYLE_LOSSES[config.style_loss]
        self.generator = torch.Generator(content_image.device).manual_seed(config.seed)
        self.told: Callable[[Number], float | Tensor] = now  # takes what a loss is multiplied with, and gives it
        self.beside: TermsBeside | None = None  # computes the style's terms beside the rest
        self.blend: list[float] = []  # shares of the styles in the targets
        self.style_targets: dict[str, list[StyleTarget]] = {}
        self.content_targets: dict[str, Tensor] = {}
        self.content_magnitudes: dict[str, float] = {}
        self.memories: dict[tuple[str, int], Memory] = {}  # (layer, number of the style picture)
        self.shares: dict[tuple[int, tuple[int, int]], Tensor | None] = {}  # (region, size of a layer)
        self.steer(config)

    def steer(self, config: StyleTransferConfig) -> None:
        """Weigh by other settings from here on."""
        self.config = config
        self.content_layers = config.content_layers if config.content_weight > 0 else ()
        self.style_layers = tuple(
            layer for layer in config.style_layers if config.style_weight * config.weight_of_layer(layer) > 0
        )
        with torch.no_grad():
            self._remember_content()
            self._remember_styles()
            blend = normalized(config.blend, len(self.style_images))
            if blend != self.blend:
                self.blend, self.style_targets = blend, {}
            for layer in self.style_layers:
                if layer not in self.style_targets:
                    self.style_targets[layer] = self._style_targets(layer)

    def begin(self, canvas: Tensor, *, coarsest: bool) -> None:
        """Take note of the canvas (1, 3, H, W) that a scale begins with, where goals depend on it."""

    def prepare(self, *, haste: bool = False) -> Iterator[float]:
        """Do what a call waits for, or in haste some of it, in parts; yields the share that is done after each."""
        yield from ()

    def state(self, number: int) -> State:
        """Give what `begin` took note of, at the scale of a number."""
        return State()

    def take_state(self, state: State, number: int) -> None:
        """Take what another gave; raises Flaw if it does not fit."""

    def _remember_content(self) -> None:
        """Look at the content for the layers that are not yet known of it."""
        unknown = tuple(layer for layer in self.content_layers if layer not in self.content_targets)
        for layer, target in self.content_seen(unknown).items() if unknown else ():
            self.content_targets[layer] = target
            self.content_magnitudes[layer] = float(content_magnitude(target).clamp(min=SMALLEST_MAGNITUDE))

    def _remember_styles(self) -> None:
        """Look at the style pictures for what is not yet known of them."""
        for number, image in enumerate(self.style_images):
            unknown = tuple(layer for layer in self.style_layers if (layer, number) not in self.memories)
            for layer, memory in self.style_seen(image, unknown).items() if unknown else ():
                self.memories[layer, number] = memory

    def content_seen(self, layers: tuple[str, ...]) -> Features:
        """Look at the content at some layers: what the painting is compared with there, float32."""
        seen = self.features(self.content_image, layers, wrap=self.config.wrap)
        return {layer: self.measured(layer, seen[layer]).float() for layer in layers}

    def style_seen(self, image: Tensor, layers: tuple[str, ...]) -> dict[str, Memory]:
        """Look at a style picture (1, 3, any, any) at some layers, and remember."""
        seen = self.features(image, layers)
        return {layer: self.style_loss.statistics(seen[layer], self.network.tap(layer), None) for layer in layers}

    def _style_targets(self, layer: str) -> list[StyleTarget]:
        """Choose what is compared at a layer: each region with its style, or all of the picture with their blend."""
        memories = [self.memories[layer, number] for number in range(len(self.style_images))]
        if not self.regions:
            return [self._target(self.style_loss.blend(memories, self.blend), None, 1.0)]
        return [self._target(memory, number, 1 / len(memories)) for number, memory in enumerate(memories)]

    def _target(self, memory: Memory, region: int | None, weight: float) -> StyleTarget:
        prepared, size = self.style_loss.prepare(memory), 1.0
        if self.config.style_normalization == "relative":
            size = float(magnitude(self.style_loss, memory, prepared))
        return StyleTarget(prepared, size, region, weight)

    def features(
        self, image: Tensor, layers: tuple[str, ...], *, wrap: bool = False, seen: Seen | None = None
    ) -> Features:
        """See images (B, 3, H, W) at these layers, as the config has it; bare.

        Args:
            image: a batch.
            layers: of the network.
            wrap: as of VGG, for what is a tile: the painting and its content, not the style pictures.
            seen: as of VGG.
        """
        config = self.config
        return self.network(
            image,
            layers,
            pooling=config.pooling,
            padding=config.padding,
            normalization=config.normalization,
            wrap=wrap,
            bare=True,
            seen=seen,
        )

    def measured(self, layer: str, features: Tensor) -> Tensor:
        """Bare features (B, k, H, W) of a layer as the content is compared in them."""
        return through(self.network.tap(layer), features)

    def __call__(self, image: Tensor) -> LossTerms:
        """Compute the weighted terms of image (1, 3, H, W); their sum is the loss.

        Returns:
            name -> float32 scalar: "content conv4_2", "style conv1_1" …, "total variation".
        """
        config = self.config
        seen = self._begin_style_term if self.beside and self.style_loss.chained else None
        features = self.features(image, (*self.content_layers, *self.style_layers), wrap=config.wrap, seen=seen)
        terms: LossTerms = {}
        for layer in self.content_layers:
            target = self.content_targets[layer]
            loss = content_loss(self.measured(layer, features[layer]), target)
            terms[content_term(layer)] = self.told(partial(self.content_coefficient, layer, target)) * loss
        terms |= self.style_terms(features)
        if config.tv_weight > 0:
            terms[TV_TERM] = self.variation(image)
        return any_of(terms)

    def style_terms(self, features: Features) -> LossTerms:
        """Compute the weighted terms of the style layers' features, bare."""
        begun = self.beside.join() if self.beside else {}
        layers = [layer for layer in self.style_layers if layer not in begun]
        # all that is drawn by chance of the picture before what the distances draw: known before it is looked at
        memories = {layer: self._style_memories(layer, features[layer]) for layer in layers}
        for layer in filter(memories.get, layers):
            begun[layer] = self.style_loss_of(layer, memories[layer], features[layer][0, 0].numel())
        return {style_term(layer): begun[layer] for layer in self.style_layers if layer in begun}

    def _begin_style_term(self, layer: str, features: Tensor) -> None:
        """Begin the term of a style layer beside the rest, of bare features."""
        memories = self._style_memories(layer, features) if layer in self.style_layers else []
        if not memories or not self.beside:
            return
        targets = [target for target, _ in memories]

        def term(measured: Sequence[Tensor]) -> Tensor:
            parts = zip(measured[::2], measured[1::2], strict=True)  # mean and second moments
            return self.style_loss_of(layer, list(zip(targets, parts, strict=True)), features[0, 0].numel())

        self.beside.begin(layer, term, [part for _, memory in memories for part in memory])

    def variation(self, image: Tensor) -> Tensor:
        """Weigh the total variation of image (1, 3, H, W); of a tile, across its edges, too."""
        if self.config.wrap:
            image = F.pad(image, (0, 1, 0, 1), mode=WRAPPED)
        return self.told(lambda: self.config.tv_weight) * TOTAL_VARIATIONS[self.config.total_variation](image)

    def _style_memories(self, layer: str, features: Tensor) -> list[tuple[StyleTarget, Memory]]:
        """Remember of a layer what each target is compared with, where its region has a say in so few positions."""
        memories = []
        for target in self.style_targets[layer]:
            share = None if target.region is None else self.share(target.region, size_of(features))
            if share is not None or target.region is None:
                memory = self.style_loss.statistics(features, self.network.tap(layer), share)
                memories.append((target, self.style_loss.drawn(memory, self.generator)))
        return memories

    def style_loss_of(self, layer: str, memories: Sequence[tuple[StyleTarget, Memory]], positions: int) -> Tensor:
        """Weigh how far a layer of so many positions, of which each target's memory is given, is from the targets."""
        losses = [
            self.told(partial(self.style_coefficient, layer, positions, target))
            * self.style_loss.distance(memory, target.memory, self.generator)
            for target, memory in memories
        ]
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()  # one is the rule

    def share(self, region: int, size: tuple[int, int]) -> Tensor | None:
        """Give how much each position of a layer of that size counts in a region; as `masks.shares`."""
        if (region, size) not in self.shares:
            self.shares[region, size] = shares(self.regions[region], size)
        return self.shares[region, size]

    def content_coefficient(self, layer: str, target: Tensor) -> float:
        """Find the factor of `content_loss` against a layer's target (1, C, H, W) is multiplied with."""
        normalize = CONTENT_NORMALIZATIONS[self.config.content_normalization]
        return (
            self.config.content_weight
            * self.content_share
            * normalize(self._channels(layer), target[0, 0].numel(), self.content_magnitudes[layer])
        )

    def style_coefficient(self, layer: str, positions: int, target: StyleTarget) -> float:
        """Find the factor of the style loss's distance at a layer of so many positions is multiplied with."""
        normalize = STYLE_NORMALIZATIONS[self.config.style_normalization]
        weight = self.config.style_weight * self.config.weight_of_layer(layer) * target.weight
        pixels = self.content_image[0, 0].numel()
        return weight * normalize(self._channels(layer), positions, target.magnitude, pixels)

    def _channels(self, layer: str) -> int:
        return channels_of(self.config.backbone, layer)  # not features.shape[1], which Lite has fewer of


def now(number: Number) -> float:
    """Tell a number as it is now."""
    return number()


def any_of(terms: LossTerms) -> LossTerms:
    """Give the terms themselves.

    Raises:
        ConfigError: there are none.
    """
    if not terms:
        raise ConfigError("the masks are too small for every style layer; paint more, or choose shallower layers")
    return terms


def normalized(shares: Sequence[float], count: int) -> list[float]:
    """Shares of sum 1; equal ones where none are given.

    Raises:
        ConfigError: another number of shares than there are styles, or none above 0.
    """
    if not shares:
        return [1 / count] * count
    if len(shares) != count:
        raise ConfigError(f"blend has {len(shares)} shares for {count} style pictures; give one for each, or none")
    return [share / sum(shares) for share in shares]
