"""Keeps a run of any length as a short animation, in bounded memory."""

import io
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, features

from nst_core import images
from nst_core.errors import ConfigError, NSTError, said
from nst_core.files import writing
from nst_core.transfer.previews import Shown, encode_preview, picture_of
from nst_core.transfer.timelapse_film import write_film

# Setting -> (smallest, largest, what it is counted in).
RANGES = {
    "frames": (2, 1000, " pictures"),
    "side": (images.MIN_SIDE, 2048, " pixels"),
    "seconds": (1, 120, " seconds"),
}
HOLD_MILLISECONDS = 1500  # the last picture stays, before it starts again
LEAST_MILLISECONDS = 20  # of a picture; browsers slow down what is faster
JPEG_QUALITY = 92  # while kept
WEBP_QUALITY = 80  # in the file


SECONDS_APART = 0.1  # at least, from one picture that is made to the next
SHARE = 0.01  # of its time, at most, that making pictures takes from a CPU that paints

# Makes pictures of all runs, so that none of them waits: each has one in the making at most, and leaves out others.
WORKER = ThreadPoolExecutor(1, thread_name_prefix="timelapse")


@dataclass(frozen=True)
class _Picture:
    step: int
    jpeg: bytes
    apart: float = 0.0  # seconds until the next one may be made


class Timelapse:
    """Some pictures of a run, evenly spread over its steps however many there will be; one thread at a time.

    They are made on another thread, so that the run does not wait; where steps are faster, some are left out.

    Args:
        frames: the most pictures to keep.
        side: longest side of the animation, pixels.

    Raises:
        ConfigError: frames or side out of range.
    """

    def __init__(self, frames: int = 120, side: int = 512):
        self.frames = _checked("frames", frames, whole=True)
        self.side = int(_checked("side", side, whole=True))
        self._interval = 1  # steps from one picture to the next, at least
        self._kept: list[_Picture] = []  # fewer than frames, the start first
        self._last: tuple[int, Shown] | None = None  # most last frames are never converted
        self._making: Future[_Picture] | None = None
        self._made_at = -math.inf  # monotonic seconds, when the last one was begun

    def add(self, image: Shown, step: int) -> None:
        """Take note of a run's next frame; costs next to nothing.

        Args:
            image: (1, 3, H, W), any size, as in a Frame, or what gives it; must not be changed afterwards.
            step: of the frame; never less than that of the one before.

        Raises:
            ValueError: steps go down.
        """
        if self._last and step < self._last[0]:
            raise ValueError(
                f"step {step} comes after step {self._last[0]}; a time-lapse shows one run, steps going up"
            )
        self._last = step, image
        if self._making and self._making.done():
            self._collect()
        apart = max(SECONDS_APART, self._kept[-1].apart) if self._kept else 0.0
        early = self._kept and step < self._kept[-1].step + self._interval
        if self._making or early or time.monotonic() < self._made_at + apart:
            return
        self._made_at = time.monotonic()
        self._making = WORKER.submit(_picture, step, image, self.side)

    def _collect(self) -> None:
        """Keep the picture in the making, if there is one, when it is made."""
        if self._making is None:
            return
        picture, self._making = self._making.result(), None
        self._kept.append(picture)
        while len(self._kept) >= self.frames:  # one place is the last frame's
            self._thin()

    def _thin(self) -> None:
        """Drop every other picture where they came regularly, else what comes too soon after another."""
        steps = [picture.step for picture in self._kept]
        self._interval = 2 * min(after - before for before, after in zip(steps, steps[1:], strict=False))
        thinned = self._kept[:1]
        for picture in self._kept[1:]:
            if picture.step >= thinned[-1].step + self._interval:
                thinned.append(picture)
        self._kept = thinned

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that the animation would show now, first and last included; none before the first frame."""
        self._collect()
        kept = tuple(picture.step for picture in self._kept)
        return kept if not self._last or self._last[0] in kept[-1:] else (*kept, self._last[0])

    def save(self, path: str | Path, seconds: float = 8.0) -> None:
        """Write the animation so far, from the start to the last frame, held for a moment; a WebP begins again then.

        Every picture is written at the last one's size, as a coarse-to-fine run begins with smaller ones.

        Args:
            path: of the file: an MP4 by its ending, else a WebP.
            seconds: from the start to the last frame, though no picture is shorter than LEAST_MILLISECONDS.

        Raises:
            NSTError: no frame was added, or Pillow cannot write WebP here.
            ConfigError: seconds out of range.
            OutputError: the file cannot be written.
        """
        _checked("seconds", seconds)
        if self._last is None:
            raise NSTError("there is nothing to show yet; run at least one step, then save the time-lapse")
        is_film = Path(path).suffix.lower() == ".mp4"
        if not is_film and not features.check("webp"):
            raise NSTError("Pillow cannot write WebP here; reinstall it with: pip install --force-reinstall pillow")
        pictures = self._decoded()
        each = max(LEAST_MILLISECONDS, round(1000 * seconds / max(1, len(pictures) - 1)))
        durations = [each] * (len(pictures) - 1) + [HOLD_MILLISECONDS]
        if is_film:
            return write_film(pictures, durations, Path(path))
        with writing(path) as aside:
            pictures[0].save(
                aside,
                "WEBP",
                save_all=True,
                append_images=pictures[1:],
                duration=durations,
                loop=0,  # without end
                quality=WEBP_QUALITY,
            )

    def _decoded(self) -> list[Image.Image]:
        """Decode the pictures of `steps`, all at the last frame's size."""
        if self._last is None:
            return []
        self._collect()
        step, image = self._last
        # the last frame replaces one of its own step: where scales change, there are two, and the run goes on with it
        kept = [picture for picture in self._kept if picture.step < step]
        jpegs = [picture.jpeg for picture in [*kept, _picture(step, image, self.side)]]
        opened = [Image.open(io.BytesIO(jpeg), formats=("JPEG",)) for jpeg in jpegs]
        size = opened[-1].size
        return [picture.convert("RGB").resize(size, Image.Resampling.LANCZOS) for picture in opened]


def _picture(step: int, image: Shown, side: int) -> _Picture:
    began = time.thread_time()
    picture = picture_of(image)
    jpeg = encode_preview(picture, quality=JPEG_QUALITY, max_side=side)
    return _Picture(step, jpeg, (time.thread_time() - began) / SHARE if picture.device.type == "cpu" else 0.0)


def _checked(name: str, value: float, *, whole: bool = False) -> float:
    """Return the value if it is in range."""
    low, high, unit = RANGES[name]
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value) or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} is {said(value)}; give {what} from {low} to {high}{unit}")
    return value
