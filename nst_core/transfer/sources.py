"""Holds the pictures that a painting is made from, at the sizes at which it is painted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.color import COLORS, Color
from nst_core.transfer.config import MAX_STYLES, StyleTransferConfig
from nst_core.transfer.json_values import is_count, is_text
from nst_core.transfer.ladder import Scale, ladder
from nst_core.transfer.masks import check_mask, fit_mask, keep_unpainted, regions, soften
from nst_core.transfer.memory import way_of
from nst_core.transfer.objective import normalized
from nst_core.transfer.state import State, Tensors
from nst_core.transfer.tile import fit_tile

WHOLE, LAST = "pictures", "last-pictures"  # names under which they are kept: as they came, as the last scale sees them


@dataclass(kw_only=True)
class Sources:
    """The pictures of a painting.

    Attributes:
        config: the settings, of which those count that no steering changes.
        scales: sizes and steps, small to large.
        content: (1, 3, H, W) as it is painted from, in its colours; as it came or, where `at_last`, fitted.
        styles: each (1, 3, any, any), in their colours; the same.
        content_image: (1, 3, H, W), as large as the result; over white if it is transparent.
        style_image: (1, 3, H', W'), the first style as it is looked at beside that.
        alpha: (1, 1, H, W) of a transparent content, as large as the result.
        regions: (1, 1, H, W) for each style, where it applies; empty without masks.
        start_image: to start from.
        whole_pixels: scales of more pixels are painted in strips.
        note: how it is painted, where that is not as it was asked for; "" else.
        at_last: whether content and styles are as large as the last scale sees them.
    """

    config: StyleTransferConfig
    scales: list[Scale]
    content: Tensor
    styles: list[Tensor]
    content_image: Tensor
    style_image: Tensor
    alpha: Tensor | None
    regions: list[Tensor]
    start_image: Tensor | None
    whole_pixels: int
    note: str = ""
    at_last: bool = False
    _beside: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False, compare=False)

    def content_at(self, size: int) -> Tensor:
        """Resize the content, (1, 3, H, W), to a scale's size."""
        return self.content if self.at_last else _content_at(self.content, size, self.config)

    def styles_at(self, size: int) -> list[Tensor]:
        """Resize the styles as they are looked at beside a content of that size."""
        return self.styles if self.at_last else [_style_at(style, size, self.config) for style in self.styles]

    def beside(self, painted: Tensor) -> tuple[Tensor, Tensor]:
        """Give the content, and how much of each place is painted, as large as a picture and on its device.

        Both are kept until a picture of another size comes: every frame of a scale wants them.

        Args:
            painted: (1, 3, H, W).

        Returns:
            (1, 3, H, W) and (1, 1, H, W) in [0, 1]; 1 everywhere without masks.
        """
        size, device = images.size_of(painted), painted.device
        beside = self._beside  # looked at once, as frames are finished on other threads, too
        if beside is None or images.size_of(beside[0]) != size or beside[0].device != device:
            content = images.resize(self.content_image, size)
            whole = torch.stack(self.regions).sum(0).clamp(max=1) if self.regions else torch.ones(1, 1, *size)
            beside = self._beside = content.to(device), fit_mask(whole, size).to(device)
        return beside

    def finished(self, color: Color, in_part: bool, painted: Tensor) -> Tensor:
        """Show what is painted, (1, 3, H, W), in a colour, and if only a part is, the content where nothing is."""
        content, mask = self.beside(painted)
        image = color.after(painted, content)
        return keep_unpainted(image, content, mask) if in_part else image

    def free(self, *, for_last: bool = False) -> None:
        """Let go of pictures as they came, which may be larger than all else; for_last: keep what the last needs."""
        size, plain = self.config.size, not for_last or COLORS[self.config.color].leaves_content
        content = self.content_image if plain else self.content_at(size)  # not twice, where they are one picture
        if for_last and not self.at_last:  # the first is there already
            self.styles = [self.style_image, *(_style_at(style, size, self.config) for style in self.styles[1:])]
        self.content, self.styles = content, self.styles if for_last else []
        self.at_last, self._beside = True, None

    def state(self) -> State:
        """Give what `kept` makes them from; they never change."""
        facts = {
            "scales": [[scale.size, scale.steps, *([1] if scale.columns else [])] for scale in self.scales],
            "whole pixels": self.whole_pixels,
            "way's note": self.note,
        }
        return State(facts, lasting={LAST if self.at_last else WHOLE: self._packed})

    def _packed(self) -> Tensors:
        named = {"content": self.content, "content image": self.content_image, "style image": self.style_image}
        named |= {f"style {number}": style for number, style in enumerate(self.styles)}
        named |= {f"region {number}": region for number, region in enumerate(self.regions)}
        named |= {"alpha": self.alpha} if self.alpha is not None else {}
        named |= {"start image": self.start_image} if self.start_image is not None else {}
        return {name: packed(image) for name, image in named.items()}


def sources(
    content_image: Tensor,
    style_images: Sequence[Tensor],
    config: StyleTransferConfig,
    *,
    start_image: Tensor | None,
    masks: Sequence[Tensor],
    compute: Compute,
) -> Sources:
    """Prepare the pictures of a painting and choose how it is computed; arguments and errors are those of `stylize`."""
    content, fitted_alpha = images.over_white(content_image), None
    if content_image.shape[1] == 4:
        fitted_alpha = _content_at(content_image[:, 3:], config.size, config)
    colored = [COLORS[config.color].before(content, style) for style in style_images]
    styles = [style for _, style in colored]
    scales = ladder(config, images.size_of(content), [images.size_of(style) for style in styles])
    painted_size = images.fitted_size(images.size_of(content), config.size, config.size_rule)
    style_side, rule = _style_size(config.size, config), config.size_rule
    seen_sizes = [images.fitted_size(images.size_of(style), style_side, rule) for style in styles]
    way = way_of(painted_size, seen_sizes, config, compute)
    fitted = _content_at(content, config.size, config)
    painted = regions(_fitted(masks, images.size_of(fitted), config), len(styles)) if masks else []
    normalized(config.blend, len(styles))  # raises for a wrong number of shares
    return Sources(
        config=way.config,
        scales=scales,
        content=colored[0][0],
        styles=styles,
        content_image=fitted,
        style_image=_style_at(styles[0], config.size, config),
        alpha=fitted_alpha,
        regions=painted,
        start_image=start_image,
        whole_pixels=way.whole_pixels,
        note=way.note,
    )


def kept_sources(state: State, config: StyleTransferConfig) -> Sources:
    """Make the pictures of a painting again from its state.

    Raises:
        Flaw: they are missing, damaged or of no use with these settings.
    """
    at_last = LAST in state.lasting
    tensors = {name: unpacked(tensor) for name, tensor in state.lasting_tensors(LAST if at_last else WHOLE).items()}
    scales = state.fact("scales", _are_scales)
    if scales[-1][0] != config.size:
        raise Flaw("its scales do not lead to its size")
    styles = [tensors[name] for number in range(MAX_STYLES) if (name := f"style {number}") in tensors]
    painted = [tensors[name] for number in range(MAX_STYLES) if (name := f"region {number}") in tensors]
    channels = {"alpha": 1} | {f"region {number}": 1 for number in range(MAX_STYLES)}
    for name, image in tensors.items():
        if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] != channels.get(name, 3) or not image.numel():
            raise Flaw(f"its {name} is no picture")
    if not styles or not {"content", "content image", "style image"} <= tensors.keys():
        raise Flaw("a picture that it is painted from is missing")
    size = images.size_of(tensors["content image"])
    fitted = [*painted, *([tensors["alpha"]] if "alpha" in tensors else [])]
    if any(images.size_of(image) != size for image in fitted) or len(painted) not in (0, len(styles)):
        raise Flaw("its masks are not as large as the picture, or not as many as the styles")
    made = Sources(
        config=config,
        scales=[Scale(size, steps, bool(columns)) for size, steps, *columns in scales],
        content=tensors["content"],
        styles=styles,
        content_image=tensors["content image"],
        style_image=tensors["style image"],
        alpha=tensors.get("alpha"),
        regions=painted,
        start_image=tensors.get("start image"),
        whole_pixels=state.fact("whole pixels", is_count),
        note=state.fact("way's note", is_text),
        at_last=at_last,
    )
    if at_last and images.size_of(made.content) != size:
        raise Flaw("its content is not as large as the picture")
    return made


def packed(image: Tensor) -> Tensor:
    """Give an image's values in bytes where that is exact, else itself."""
    values = (image.detach().cpu() * 255).round().clamp(0, 255).to(torch.uint8)
    return values if torch.equal(unpacked(values), image.cpu()) else image


def unpacked(values: Tensor) -> Tensor:
    """Undo `packed`."""
    return values.float() / 255 if values.dtype == torch.uint8 else values


def _are_scales(value: object) -> bool:
    pairs = isinstance(value, list) and value and all(isinstance(pair, list) and len(pair) in (2, 3) for pair in value)
    return bool(pairs) and all(is_count(number) and number for pair in value for number in pair)  # type: ignore[attr-defined]


def _content_at(image: Tensor, size: int, config: StyleTransferConfig) -> Tensor:
    """Resize the content, or a version of it; as a tile where one is painted."""
    return (fit_tile if config.wrap else images.fit)(image, size, config.size_rule)


def _style_size(size: int, config: StyleTransferConfig) -> int:
    return round(size * config.style_scale)


def _style_at(style: Tensor, size: int, config: StyleTransferConfig) -> Tensor:
    return images.fit(style, _style_size(size, config), config.size_rule)


def _fitted(masks: Sequence[Tensor], size: tuple[int, int], config: StyleTransferConfig) -> list[Tensor]:
    fitted = [soften(fit_mask(mask, size), config.mask_softness) for mask in masks]
    for mask in fitted:
        check_mask(mask)
    return fitted
