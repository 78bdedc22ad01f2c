"""Animation in, painted animation out: GIF, WebP, PNG and AVIF, frame by frame, or as a film in MP4."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError, named, said
from nst_core.files import NewFile, check_writable, plain_errors, writing
from nst_core.instant.steady import Steady
from nst_core.instant.video import DAMAGED, VideoProgress, paint_video
from nst_core.outputs import check_apart, check_room
from nst_core.pictures import cost
from nst_core.pictures.kinds import ANIMATED, animation_format
from nst_core.pictures.opening import DECODER_ERRORS
from nst_core.pictures.srgb import in_srgb
from nst_core.transfer.steering import Steering

# Ending of what is written -> Pillow's format, and how it is saved. A GIF holds 256 colours a frame, a PNG all.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".gif": ("GIF", {}),
    ".webp": ("WEBP", {"quality": 90}),
    ".png": ("PNG", {}),
}
LEAST_MILLISECONDS, PLAIN_MILLISECONDS = 11, 100  # browsers show a frame that says less than the one for the other
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class AnimationPlan:
    """All that is known of an animation before it is painted.

    Attributes:
        size: (height, width) at which frames are painted.
        frames: how many.
        loop: how often it is shown, 0 without end; None once, in a GIF.
    """

    size: tuple[int, int]
    frames: int
    loop: int | None


def paint_animation(
    source: str | Path,
    output: str | Path,
    paint: Callable[[Tensor], Tensor],
    *,
    steady: bool = False,
    size: int | None = None,
    steering: Steering | None = None,
) -> Generator[VideoProgress, None, None]:
    """Paint every frame of an animation; each is shown for as long as it was.

    Arguments, and what becomes of a painting that is stopped or fails, as of `paint_video`; but that transparent
    frames are painted over white, and the output may be an animation, too.

    Args:
        source: an animated GIF, WebP, PNG or AVIF file.
        output: of one of FORMATS, or an MP4.

    Raises:
        ImageError: source is no animation, or too small or large a one.
        ConfigError: size is no number of pixels or too small; an output of another ending.
        OutputError: output cannot be written, or is the source.
    """
    source, output = Path(source), Path(output)
    ending = output.suffix.lower()
    if ending not in (*FORMATS, ".mp4"):
        raise ConfigError(f"output is {said(output.name)}; name a .mp4 or {' or '.join(FORMATS)} file")
    check_writable(output)
    check_apart([output], [source])
    plan, steering = _plan_of(source, size), steering or Steering()
    if ending == ".mp4":
        check_room(output.parent, 2 * plan.frames * plan.size[0] * plan.size[1])
        return _as_film(source, output, paint, plan, steady, steering)
    _check_memory(source, plan)
    return _as_animation(source, output, paint, plan, Steady() if steady else None, steering)


def _plan_of(source: Path, size: int | None) -> AnimationPlan:
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < images.MIN_SIDE):
        raise ConfigError(f"size is {said(size)}; give a whole number of pixels, {images.MIN_SIDE} or more")
    images.check(source)
    if not animation_format(source):
        raise ImageError(f"{named(source)} is no animation; use an animated GIF, WebP or PNG")
    with closing(Animation(source)) as opened:
        longest, own = min(size or images.MAX_SIDE, images.MAX_SIDE), opened.size
        fitted = images.fitted_size(own, longest) if max(own) > longest else own
        return AnimationPlan(fitted, opened.count, opened.loop)


def _check_memory(source: Path, plan: AnimationPlan) -> None:
    """Pillow takes the frames of an animation all at once."""
    height, width = plan.size
    needed, allowed = 4 * plan.frames * height * width, cost.budget()
    if needed > allowed:
        raise ImageError(
            f"{named(source)} has {plan.frames} frames of {width}×{height} pixels, which take {needed / 1e6:,.0f} MB "
            f"of memory, and {allowed / 1e6:,.0f} MB are allowed ({cost.BUDGET_NAME}): paint it at a smaller size, or "
            "into an .mp4 file"
        )


class Animation:
    """An animation's file, open; `damaged` once a part of it could not be read."""

    def __init__(self, path: Path):
        self.damaged = False
        self._picture = Image.open(path, formats=ANIMATED)
        first = bool(self._picture.info.get("default_image"))  # a PNG's, for viewers that know of no animation
        self._numbers = range(first, getattr(self._picture, "n_frames", 1))
        self.size = self._picture.height, self._picture.width
        self.count = len(self._numbers)
        self.loop: int | None = self._picture.info.get("loop", None if self._picture.format == "GIF" else 0)

    def frames(self) -> Iterator[tuple[Tensor, int]]:
        """Every frame that can be read, (1, 3, H, W) over white, and for how many milliseconds it is shown."""
        for number in self._numbers:
            try:
                self._picture.seek(number)
                image = images.from_pil(in_srgb(self._picture, "RGB"))
                milliseconds = round(self._picture.info.get("duration") or 0)
            except DECODER_ERRORS:
                self.damaged = True
                return
            yield image, milliseconds if milliseconds >= LEAST_MILLISECONDS else PLAIN_MILLISECONDS

    def close(self) -> None:
        self._picture.close()


def _as_animation(
    source: Path,
    output: Path,
    paint: Callable[[Tensor], Tensor],
    plan: AnimationPlan,
    steady: Steady | None,
    steering: Steering,
) -> Generator[VideoProgress, None, None]:
    """The generator behind `paint_animation` for another animation."""
    began = time.monotonic()
    pictures: list[Image.Image] = []
    lengths: list[int] = []
    yield VideoProgress(0, plan.frames, None, 0.0)
    with closing(Animation(source)) as opened:
        try:
            for image, milliseconds in opened.frames():
                if steering.stop.is_set():
                    break
                image = images.resize(image, plan.size)
                painted = paint(image).detach()
                painted = steady(image, painted) if steady else painted
                pictures.append(images.to_pil(painted))
                lengths.append(milliseconds)
                yield VideoProgress(len(pictures), plan.frames, painted, time.monotonic() - began)
        except (GeneratorExit, KeyboardInterrupt):
            _save(output, pictures, lengths, plan.loop)
            raise
        _save(output, pictures, lengths, plan.loop)
        if opened.damaged:
            yield VideoProgress(len(pictures), plan.frames, None, time.monotonic() - began, DAMAGED)


def _save(output: Path, pictures: Sequence[Image.Image], lengths: Sequence[int], loop: int | None) -> None:
    if not pictures:
        return
    format, options = FORMATS[output.suffix.lower()]
    often = {} if loop is None and format == "GIF" else {"loop": loop or 0}
    with writing(output) as aside:
        first, *others = pictures
        first.save(aside, format, save_all=True, append_images=others, duration=list(lengths), **often, **options)


def _as_film(
    source: Path,
    output: Path,
    paint: Callable[[Tensor], Tensor],
    plan: AnimationPlan,
    steady: bool,
    steering: Steering,
) -> Generator[VideoProgress, None, None]:
    """The generator behind `paint_animation` for a film: laid out as one, without loss, it is painted as any film.

    ffmpeg reads no animated WebP.
    """
    aside = NewFile(output)
    try:
        with closing(Animation(source)) as opened:
            for _ in _lay_out(opened, aside, plan):
                if steering.stop.is_set():
                    return
                yield VideoProgress(0, plan.frames, None, 0.0)
        if opened.damaged:
            yield VideoProgress(0, plan.frames, None, 0.0, DAMAGED)
        with closing(paint_video(aside.path, output, paint, steady=steady, steering=steering)) as painting:
            yield from painting
    finally:
        aside.drop()


def _lay_out(opened: Animation, aside: NewFile, plan: AnimationPlan) -> Iterator[None]:
    """Write frames, each at its time, into a file aside, without loss."""
    height, width = plan.size
    with plain_errors(aside.target, av.FFmpegError), av.open(str(aside.path), "w", "mov") as container:
        stream = container.add_stream(
            "png", rate=1000, width=width, height=height, pix_fmt="rgb24", time_base=MILLISECOND
        )
        stream.codec_context.flags |= Flags.frame_duration
        begin = 0
        for image, milliseconds in opened.frames():
            frame = av.VideoFrame.from_ndarray(images.to_bytes(images.resize(image, plan.size)), "rgb24")
            frame.pts, frame.duration, frame.time_base = begin, milliseconds, MILLISECOND
            begin += milliseconds
            container.mux(stream.encode(frame))
            yield
        container.mux(stream.encode(None))
