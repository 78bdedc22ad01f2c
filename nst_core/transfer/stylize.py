"""The whole method: two pictures and a config -> Frames, and in the end a record."""

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, choose_compute, free_memory
from nst_core.errors import ConfigError, DeviceError
from nst_core.features import weights
from nst_core.features.vgg import load_network
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import Controls, Frame, optimize
from nst_core.transfer.record import RunRecord, versions
from nst_core.transfer.starts import STARTS, StartMaterial

# Peak bytes for each pixel painted, as tests/benchmarks/memory.py saw them and a little more.
BYTES_PER_PIXEL = {"fp32": 4000, "bf16": 2800}
BACKBONE_SHARE = {"lite": 0.68}  # of these for a network that is narrower than VGG-19
STYLE_SHARE = 0.4  # of these for a pixel of the style picture, which is looked at once and without gradients


class Run:
    """One painting: iterate it for its Frames, then ask it for its record.

    Made by `stylize`. May be iterated by one thread after another, never by two at once.
    """

    def __init__(
        self,
        content_image: Tensor,
        style_image: Tensor,
        config: StyleTransferConfig,
        *,
        start_image: Tensor | None,
        compute: Compute,
        controls: Controls | None,
    ):
        if config.start == "image" and start_image is None:
            raise ConfigError("start is 'image', but there is no such picture; give one, or choose another start")
        self.config = config
        self.compute = compute
        self.checkpoint = weights.require(config.backbone)
        self.content_image = images.fit(content_image, config.size, config.size_rule)
        self.style_image = images.fit(style_image, config.size, config.size_rule)
        check_memory(self.content_image, self.style_image, config, compute)
        self.last_frame: Frame | None = None
        self.seconds = 0.0
        self.notes: tuple[str, ...] = ()
        self._start_image = start_image
        self._frames = self._paint(controls)

    def _paint(self, controls: Controls | None) -> Iterator[Frame]:
        config, device = self.config, self.compute.device
        network, self.checkpoint = load_network(config.backbone, self.compute)
        material = StartMaterial(
            content_image=self.content_image.to(device),
            style_image=self.style_image.to(device),
            start_image=self._start_image,
            noise_deviation=config.noise_deviation,
            seed=config.seed,
        )
        start = STARTS[config.start](material).to(device)
        objective = StyleTransferObjective(network, material.content_image, material.style_image, config)
        yield from optimize(
            objective,
            start,
            steps=config.steps,
            optimizer=config.optimizer,
            step_size=config.step_size,
            history=config.history,
            betas=config.adam_betas,
            clamp=config.clamp,
            controls=controls,
        )

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        began = time.perf_counter()
        try:
            # deterministic: the same settings paint the same picture, on a GPU too
            with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
                frame = next(self._frames)
        except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU's allocator raises it plain
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                raise DeviceError(f"{self.compute.name} ran out of memory; choose a smaller size") from None
            raise
        finally:
            self.seconds += time.perf_counter() - began
        self.last_frame = frame
        if frame.note:
            self.notes += (frame.note,)
        return frame

    def close(self) -> None:
        """End the run and free what it holds; the last frame and the record stay."""
        self._frames.close()

    def record(self) -> RunRecord:
        """What was run, up to the last frame.

        Raises:
            ValueError: before the first frame.
        """
        if self.last_frame is None:
            raise ValueError("a run has no record before its first frame")
        return RunRecord(
            config=self.config,
            steps=self.last_frame.step,
            stopped=self.last_frame.step < self.config.steps,
            losses=self.last_frame.losses,
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


def stylize(
    content_image: Tensor,
    style_image: Tensor,
    config: StyleTransferConfig,
    *,
    start_image: Tensor | None = None,
    compute: Compute | None = None,
    controls: Controls | None = None,
) -> Run:
    """Paint one picture in the style of another, a Frame a step.

    Everything that can be wrong with the input is found here, before the first frame.

    Args:
        content_image: what is painted, (1, 3, H, W) in [0, 1].
        style_image: how it is painted, (1, 3, H', W') in [0, 1].
        config: all settings.
        start_image: for start "image", (1, 3, any, any) in [0, 1].
        compute: device and precision; chosen for this machine if None.
        controls: to stop the run.

    Returns:
        the Run: an iterator of Frames 0 … config.steps, with `record()`.

    Raises:
        ConfigError: a size that makes these pictures too small or too large; start "image" without one.
        WeightsError: no weights for the backbone.
        DeviceError: the device is absent, or its memory too small for this size.
    """
    return Run(
        content_image,
        style_image,
        config,
        start_image=start_image,
        compute=compute or choose_compute(),
        controls=controls,
    )


def check_memory(content_image: Tensor, style_image: Tensor, config: StyleTransferConfig, compute: Compute) -> None:
    """Refuse a size that this machine cannot hold, before it tries.

    Args:
        content_image, style_image: as they would be used, (1, 3, H, W).
        config: the size that made them so, and the network.

    Raises:
        DeviceError: with a size that fits.
    """
    (height, width), (style_height, style_width) = images.size_of(content_image), images.size_of(style_image)
    pixels = max(height * width, STYLE_SHARE * style_height * style_width)
    needed = pixels * BYTES_PER_PIXEL[compute.precision] * BACKBONE_SHARE.get(config.backbone, 1.0)
    free = free_memory(compute.device)
    if needed <= free:
        return
    fitting = int(config.size * (free / needed) ** 0.5) // 16 * 16
    remedy = f"choose a size of at most {fitting}" if fitting >= images.MIN_SIDE else "close other programs"
    raise DeviceError(
        f"painting {width}×{height} pixels in a {style_width}×{style_height} style takes about "
        f"{needed / 2**30:.1f} GB, and {compute.name} has {free / 2**30:.1f} GB free; {remedy}"
    )
