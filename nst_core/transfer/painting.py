"""Turns the pictures of a painting into frames: scale by scale, steered with every step."""

from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, said
from nst_core.features import weights
from nst_core.features.loading import load_network
from nst_core.features.vgg import VGG
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import content_share, ladder
from nst_core.transfer.masks import check_mask, fit_mask, keep_unpainted, regions, soften
from nst_core.transfer.memory import check_memory
from nst_core.transfer.objective import StyleTransferObjective, normalized
from nst_core.transfer.optimize import Frame, optimize
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.starts import STARTS, StartMaterial
from nst_core.transfer.tile import as_tile, fit_tile


class Painting:
    """The pictures, settings and network of a painting, by which `frames` paints. Arguments are those of `stylize`.

    Attributes:
        config: the settings by which it is painted now.
        scales: sizes and steps, small to large.
        content_image: (1, 3, H, W), as large as the result; over white if it is transparent.
        style_image: (1, 3, H', W'), the first style as it is looked at beside that.
        styles: how many style pictures there are.
        checkpoint: of the network.
        optimizer: once it paints.
    """

    def __init__(
        self,
        content_image: Tensor,
        style_images: Sequence[Tensor],
        config: StyleTransferConfig,
        *,
        start_image: Tensor | None,
        masks: Sequence[Tensor],
        compute: Compute,
    ):
        if config.start == "image" and start_image is None:
            raise ConfigError("start is 'image', but there is no such picture; give one, or choose another start")
        self.config, self.compute = config, compute
        self.checkpoint = weights.require(config.backbone)
        self.optimizer: Optimizer | None = None
        self._start_image = start_image
        self._alpha = self._at(content_image[:, 3:], config.size) if content_image.shape[1] == 4 else None
        content_image = images.over_white(content_image)
        colored = [COLORS[config.color].before(content_image, style) for style in style_images]
        self._base, self._styles = colored[0][0], [style for _, style in colored]
        self.styles = len(self._styles)
        self.scales = ladder(config, images.size_of(content_image), [images.size_of(style) for style in style_images])
        painted_size = images.fitted_size(images.size_of(content_image), config.size, config.size_rule)
        for style in self._styles:
            seen_size = images.fitted_size(images.size_of(style), self._style_size(config.size), config.size_rule)
            check_memory(painted_size, seen_size, config, compute)
        self.content_image = self._at(content_image, config.size)
        self.style_image = self._style_images(config.size)[0]
        self._regions = regions(self._fitted(masks), self.styles) if masks else []
        normalized(config.blend, self.styles)  # raises for a wrong number of shares

    def _style_images(self, size: int) -> list[Tensor]:
        """Resize the styles as they are looked at beside a content of that size."""
        return [images.fit(style, self._style_size(size), self.config.size_rule) for style in self._styles]

    def _at(self, image: Tensor, size: int) -> Tensor:
        """Resize the content, or a version of it; as a tile where one is painted."""
        return (fit_tile if self.config.wrap else images.fit)(image, size, self.config.size_rule)

    def _style_size(self, size: int) -> int:
        return round(size * self.config.style_scale)

    def _fitted(self, masks: Sequence[Tensor]) -> list[Tensor]:
        size = images.size_of(self.content_image)
        fitted = [soften(fit_mask(mask, size), self.config.mask_softness) for mask in masks]
        for mask in fitted:
            check_mask(mask)
        return fitted

    def frames(self) -> Generator[Frame | None, StyleTransferConfig, None]:
        """Paint every scale in turn, the last without end; what is sent are the settings for the next step.

        Yields:
            None, for the first settings to be sent; then frames.
        """
        wanted = yield None
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        self.optimizer = OPTIMIZERS[self.config.optimizer](
            step_size=self.config.step_size, history=self.config.history, betas=self.config.adam_betas
        )
        made = 0
        canvas: Tensor | None = None
        for number, rung in enumerate(self.scales, 1):
            last, objective = rung is self.scales[-1], self._objective(network, rung.size)
            if last:
                self._base, self._styles = self.content_image, []  # at their full size they may be larger than all
            size = images.size_of(objective.content_image)
            canvas = self._start(objective) if canvas is None else images.resize(canvas, size, wrap=self.config.wrap)
            self._steer(objective, wanted)
            painting = optimize(
                objective,
                canvas,
                steps=None if last else rung.steps,
                optimizer=self.optimizer,
                clamp=self.config.clamp,
                averaging=self.config.averaging,
                tolerance=self.config.tolerance,
                made=made,
                scale=(number, len(self.scales)),
                shown=self.shown,
            )
            begun = made
            frame: Frame | None = next(painting)
            while frame:
                canvas, made = frame.pixels, frame.step
                if made > begun or begun == 0:
                    wanted = yield frame
                if frame.settled and not last:
                    break
                frame = _sent(painting, self._steer(objective, wanted))

    def _objective(self, network: VGG, size: int) -> StyleTransferObjective:
        device = self.compute.device
        content_image = self._at(self._base, size).to(device)
        own_size = images.size_of(content_image)
        return StyleTransferObjective(
            network,
            content_image,
            [image.to(device) for image in self._style_images(size)],
            self.config,
            [fit_mask(region, own_size).to(device) for region in self._regions],
            content_share=content_share(self.config),
        )

    def _start(self, objective: StyleTransferObjective) -> Tensor:
        material = StartMaterial(
            content_image=objective.content_image,
            style_image=objective.style_images[0],
            start_image=self._start_image,
            noise_deviation=self.config.noise_deviation,
            seed=self.config.seed,
        )
        start = STARTS[self.config.start](material)
        if self.config.wrap and self.config.start in ("style", "image"):  # content and noise are tiles
            start = as_tile(start)
        return start.to(self.compute.device)

    def _steer(self, objective: StyleTransferObjective, wanted: StyleTransferConfig) -> bool:
        """Weigh by these settings from here on; whether anything changed."""
        if wanted is self.config:
            return False
        objective.steer(wanted)
        self.config = wanted
        return True

    def laid_out(self) -> tuple[StyleTransferObjective, Tensor]:
        """Give the objective and the start (1, 3, H, W) at the full size, for those who move the pixels themselves."""
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        objective = self._objective(network, self.config.size)
        return objective, self._start(objective)

    def shown(self, painted: Tensor) -> Tensor:
        """Show a picture (1, 3, H, W) in its colours, and untouched where nothing was to be painted."""
        image = COLORS[self.config.color].after(painted, self.content_image)
        if self.config.keep_unpainted and self._regions:
            image = keep_unpainted(image, self.content_image, torch.stack(self._regions).sum(0).clamp(max=1))
        return image

    def finished(self, image: Tensor) -> Tensor:
        """Give a picture (1, 3, H, W) of any scale as it is kept: (1, 4, H, W) for a transparent content."""
        if self._alpha is None:
            return image
        return torch.cat([image, images.resize(self._alpha, images.size_of(image)).to(image.device)], 1)

    def can_recolor(self, color: str) -> bool:
        """Whether a picture can have these colours without being painted anew."""
        return COLORS[color].before is COLORS[self.config.color].before

    def recolor(self, color: str) -> None:
        """Show pictures in other colours from here on.

        Raises:
            ConfigError: colours that the pictures would have to be painted in.
        """
        recolored = self.config.changed(color=color)
        if not self.can_recolor(color):
            raise ConfigError(f"colours {said(color)} have to be painted; run again with them")
        self.config = recolored


def _sent(painting: Generator[Frame, bool | None, None], changed: bool) -> Frame | None:
    """Give the next frame of a scale; None after its last."""
    try:
        return painting.send(changed)
    except StopIteration:
        return None
