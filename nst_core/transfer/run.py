"""One painting at work: from coarse to fine, to be stopped, steered and gone on with."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, NSTError, said
from nst_core.features import weights
from nst_core.features.loading import load_network
from nst_core.features.vgg import VGG
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import STEERABLE, StyleTransferConfig
from nst_core.transfer.controls import Controls
from nst_core.transfer.ladder import ladder
from nst_core.transfer.masks import check_mask, fit_mask, keep_unpainted, regions, soften
from nst_core.transfer.memory import check_memory, painting_on
from nst_core.transfer.objective import StyleTransferObjective, normalized
from nst_core.transfer.optimize import PLATEAU_STEPS, Frame, Plateau, optimize
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.record import RunRecord, versions
from nst_core.transfer.starts import STARTS, StartMaterial

BOOST_SIZE = 512  # pixels, from where on a content boost changes nothing
MOST_BOOST = 8.0
STEP_COST = 0.1  # of a step at 512 pixels, that of the smallest step


class Run:
    """One painting: iterate it for its Frames, then ask it for its record.

    Made by `stylize`, which says what is what. May be iterated by one thread after another, never by two at once. It
    ends when its steps are made, when nothing improves, or when it is stopped; `more` lets it go on from there.
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
        controls: Controls | None,
    ):
        if config.start == "image" and start_image is None:
            raise ConfigError("start is 'image', but there is no such picture; give one, or choose another start")
        self.config = config
        self.compute = compute
        self.controls = controls or Controls()
        self.checkpoint = weights.require(config.backbone)
        self.steps = self._whole = config.last_step or config.steps  # to be made; that the settings alone lead to
        self.last_frame: Frame | None = None
        self.first_losses: dict[str, float] = {}  # of the start
        self.painted: Tensor | None = None  # the last picture before its colours were changed
        self.seconds = 0.0
        self.notes: tuple[str, ...] = ()
        self.broken = False  # an error ended it, and it cannot go on
        self._wanted = config
        self._ends_by_itself = not config.last_step  # a run that is told where to end goes there
        self._plateau = Plateau(config.tolerance)
        self._start_image = start_image
        colored = [COLORS[config.color].before(content_image, style) for style in style_images]
        self._base, self._styles = colored[0][0], [style for _, style in colored]
        self.styles = len(self._styles)  # how many style pictures there are
        self._rungs = ladder(config, images.size_of(content_image), [images.size_of(style) for style in style_images])
        painted_size = images.fitted_size(images.size_of(content_image), config.size, config.size_rule)
        for style in self._styles:
            seen_size = images.fitted_size(images.size_of(style), self._style_size(config.size), config.size_rule)
            check_memory(painted_size, seen_size, config, compute)
        self.content_image = images.fit(content_image, config.size, config.size_rule)
        self.style_image = self._style_images(config.size)[0]
        self._regions = regions(self._fitted(masks), len(self._styles)) if masks else []
        normalized(config.blend, len(self._styles))  # raises for a wrong number of shares
        self._optimizer: Optimizer | None = None  # once it paints
        self._resting: Path | None = None  # where its optimiser last kept what it knows
        self._frames = self._paint()

    def _style_images(self, size: int) -> list[Tensor]:
        """The styles as they are looked at beside a content of that size."""
        return [images.fit(style, self._style_size(size), self.config.size_rule) for style in self._styles]

    def _style_size(self, size: int) -> int:
        return round(size * self.config.style_scale)

    def _fitted(self, masks: Sequence[Tensor]) -> list[Tensor]:
        size = images.size_of(self.content_image)
        fitted = [soften(fit_mask(mask, size), self.config.mask_softness) for mask in masks]
        for mask in fitted:
            check_mask(mask)
        return fitted

    def _paint(self) -> Iterator[Frame]:
        """Every scale in turn, the last without end."""
        config = self.config
        network, self.checkpoint = load_network(config.backbone, self.compute, config.feature_scale)
        self._optimizer = optimizer = OPTIMIZERS[config.optimizer](
            step_size=config.step_size, history=config.history, betas=config.adam_betas
        )
        made, canvas = 0, None
        for number, rung in enumerate(self._rungs, 1):
            last, self._plateau = rung is self._rungs[-1], Plateau(config.tolerance)
            objective = self._objective(network, rung.size)
            if last:
                self._base, self._styles = None, []  # at their full size they may be larger than all the rest
            size = images.size_of(objective.content_image)
            canvas = self._start(objective) if canvas is None else images.resize(canvas, size)
            for frame in optimize(
                objective,
                canvas,
                steps=None if last else rung.steps,
                optimizer=optimizer,
                clamp=config.clamp,
                averaging=config.averaging,
                refresh=lambda objective=objective: self._steer(objective),
                made=made,
            ):
                canvas = frame.image
                done = self._plateau.reached(frame.total)
                if done and last and self._ends_by_itself:
                    self._end_by_itself(frame.step)
                if frame.step > made or made == 0:
                    yield replace(frame, scale=(number, len(self._rungs)))
                if done and not last:
                    break
            made = frame.step

    def _objective(self, network: VGG, size: int) -> StyleTransferObjective:
        device = self.compute.device
        content_image = images.fit(self._base, size, self.config.size_rule).to(device)
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
        return STARTS[self.config.start](material).to(self.compute.device)

    def laid_out(self) -> tuple[StyleTransferObjective, Tensor]:
        """The objective and the start (1, 3, H, W) at the full size, for those who move the pixels; see `take`."""
        network, self.checkpoint = load_network(self.config.backbone, self.compute, self.config.feature_scale)
        objective = self._objective(network, self.config.size)
        return objective, self._start(objective)

    def take(self, frame: Frame, seconds: float) -> None:
        """A frame of this painting that was made elsewhere, in so many seconds; colours stay as they are."""
        self.painted, self.last_frame = frame.image, frame
        self.first_losses = self.first_losses or frame.losses
        self.seconds += seconds

    def _steer(self, objective: StyleTransferObjective) -> bool:
        """Weigh as the controls want it from here on; whether anything changed."""
        wanted = self._wanted
        if wanted is self.config:
            return False
        objective.steer(wanted)
        self._plateau = Plateau(wanted.tolerance)  # losses before are in another measure
        changed = [name for name in STEERABLE if getattr(wanted, name) != getattr(self.config, name)]
        step = self.last_frame.step if self.last_frame else 0
        self.notes += (f"steered at step {step}: {', '.join(changed)}",)
        self.config = wanted
        return True

    def _end_by_itself(self, step: int) -> None:
        self.steps, self._ends_by_itself = step, False
        self._whole = min(self._whole, step)
        self.notes += (f"ended by itself at step {step}: {PLATEAU_STEPS} steps gained nothing worth the time",)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self.last_frame and (self.controls.stop.is_set() or self.last_frame.step >= self.steps):
            raise StopIteration
        self._wanted = self.controls.steered(self.config)
        normalized(self._wanted.blend, self.styles)  # raises here, where the run can still go on
        began = time.perf_counter()
        self._wake()
        try:
            with painting_on(self.compute):
                frame = next(self._frames)
        except (NSTError, RuntimeError):
            self.broken = True
            raise
        finally:
            self.seconds += time.perf_counter() - began
        self.painted = frame.image
        frame = replace(frame, image=self._finished(frame.image))
        self.last_frame = frame
        self.first_losses = self.first_losses or frame.losses
        if frame.note:
            self.notes += (frame.note,)
        return frame

    def _finished(self, painted: Tensor) -> Tensor:
        """The picture as it is shown: in its colours, and untouched where nothing was to be painted."""
        color = COLORS[self.config.color]
        image = color.after(painted, self.content_image)
        if self.config.keep_unpainted and self._regions:
            image = keep_unpainted(image, self.content_image, torch.stack(self._regions).sum(0).clamp(max=1))
        return image

    def can_recolor(self, color: str) -> bool:
        """Whether the last picture can have these colours without painting anew."""
        return COLORS[color].before is COLORS[self.config.color].before

    def recolored(self, color: str) -> Tensor:
        """The last picture in other colours, (1, 3, H, W), without painting anew.

        Raises:
            ConfigError: colours that the pictures would have to be painted in.
        """
        recolored = replace(self.config, color=color)
        if not self.can_recolor(color):
            raise ConfigError(f"colours {said(color)} have to be painted; run again with them")
        self.config = recolored
        self.last_frame = replace(self.last_frame, image=self._finished(self.painted))
        return self.last_frame.image

    def more(self, steps: int) -> None:
        """Go on for some steps after the last frame: after the end, or when stopped.

        Raises:
            NSTError: an error ended the run.
        """
        if self.broken:
            raise NSTError("this painting ended in an error and cannot go on; press Run for a new one")
        self.controls.stop.clear()
        self.steps = (self.last_frame.step if self.last_frame else 0) + steps

    @property
    def remaining(self) -> int:
        """Steps from the last frame to where the settings alone lead."""
        return 0 if self.broken else max(0, self._whole - (self.last_frame.step if self.last_frame else 0))

    def work(self, step: int) -> float:
        """What a run's time goes by up to a step, in steps at the full size: pixels, and what every step costs."""
        done, work = 0, 0.0
        for rung in self._rungs:
            made = step - done if rung is self._rungs[-1] else min(step - done, rung.steps)
            work += max(0, made) * (STEP_COST + (rung.size / self.config.size) ** 2)
            done += rung.steps
        return work

    def rest(self, path: Path) -> None:
        """Keep in a new file what takes much memory and is wanted only when the run goes on, as it then does by itself.

        Args:
            path: of the file, which must be there when the run goes on; it is deleted then.

        Raises:
            OSError: it cannot be written; the run is as it was.
        """
        if self._optimizer and not self.broken:
            self._optimizer.rest(path)
            self._resting = path

    def _wake(self) -> None:
        try:
            if self._optimizer:
                self._optimizer.wake()
        except OSError:
            self.broken = True
            raise NSTError(
                "what this painting needs to go on is gone, files are kept for a while; start another from its picture"
            ) from None

    def close(self) -> None:
        """End the run and free what it holds; the last frame and the record stay."""
        self._frames.close()
        self._optimizer = None
        if self._resting:
            self._resting.unlink(missing_ok=True)

    def record(self) -> RunRecord:
        """What was run, up to the last frame.

        Raises:
            ValueError: before the first frame.
        """
        if self.last_frame is None:
            raise ValueError("a run has no record before its first frame")
        step = self.last_frame.step
        return RunRecord(
            config=self.config if step == self._whole else replace(self.config, last_step=step),
            steps=self.last_frame.step,
            stopped=self.last_frame.step < self.steps,
            losses=self.last_frame.losses,
            first_losses=self.first_losses,
            seconds=round(self.seconds, 3),
            content_size=images.size_of(self.content_image),
            style_size=images.size_of(self.style_image),
            device=self.compute.name,
            precision=self.compute.precision,
            weights_file=self.checkpoint.path.name,
            weights_sha256=self.checkpoint.sha256(),
            weights_origin=self.checkpoint.origin,
            versions=versions(),
            notes=self.notes,
        )


def content_share(config: StyleTransferConfig) -> float:
    """What α is multiplied with at the config's size."""
    return min(MOST_BOOST, max(1.0, BOOST_SIZE / config.size) ** config.content_boost)
