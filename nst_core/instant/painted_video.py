"""Writes a painted video: H.264 with the sound of the video that it was painted from; or a GIF, WebP or PNG."""

import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from torch import Tensor

from nst_core import images
from nst_core.files import NewFile, plain_errors
from nst_core.instant.film import FilmPlan
from nst_core.instant.film_pixels import SCALER
from nst_core.instant.last_frame import set_last
from nst_core.instant.painted_kinds import KINDS, Palette
from nst_core.instant.pieces import Timed
from nst_core.instant.sound import Sound
from nst_core.interrupts import held

SOUND_LOST = "the video's sound is of a kind that cannot be read here; it is painted without"
SILENT_KIND = "a {} holds no sound; the video is painted without its own"


class PaintedVideo:
    """The painted video in the making, beside the file whose name it takes when it is finished.

    Raises:
        OutputError: by this and every method, it cannot be written.
    """

    def __init__(self, path: Path, source: Path, plan: FilmPlan):
        self._path, self._plan, self._kind = path, plan, KINDS[path.suffix.lower()]
        self._base = self._kind.time_base or plan.facts.time_base
        self._scaler, self._palette = VideoReformatter(), Palette()
        self._begin = 0  # of the last frame, in units of the film's time_base; so is its end, None before the first
        self._end: int | None = None
        self._first = 0  # when the first frame begins
        self._next = -1  # when the next frame may begin, in units of the file's
        self._sound: Sound | None = None
        self._file = NewFile(path)
        try:
            self._open(source)
        except BaseException:
            self._file.drop()
            raise

    def _open(self, source: Path) -> None:
        plan, kind = self._plan, self._kind
        height, width = (side // 2 * 2 for side in plan.size)
        with plain_errors(self._path, av.FFmpegError):
            self._container = av.open(
                str(self._file.path), "w", kind.container, container_options=dict(kind.container_options)
            )
        stream = self._container.add_stream(
            kind.codec,
            rate=plan.facts.rate,
            options=dict(kind.options),
            width=width,
            height=height,
            pix_fmt=kind.pixels,
            time_base=self._base,
        )
        self._stream = cast(av.VideoStream, stream)  # which PyAV's stubs know by names of codecs
        context = self._stream.codec_context
        context.flags |= Flags.frame_duration
        if not kind.sound:
            return
        context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
        if plan.facts.has_sound:
            self._sound = Sound(source, plan.facts.start, self._container)

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell what a person should know of the sound."""
        if self._sound and self._sound.lost:
            return (SOUND_LOST,)
        if self._plan.facts.has_sound and not self._sound:
            return (SILENT_KIND.format(self._path.suffix[1:].upper()),)
        return ()

    @property
    def sound_end(self) -> Fraction | None:
        """Tell when what was read of the sound ends, in seconds; None where it is not read."""
        if self._sound and not self._sound.lost:
            return self._sound.end + self._plan.facts.start
        return None if self._plan.facts.has_sound else Fraction(0)

    def add(self, painted: Tensor, frame: Timed) -> None:
        """Write a painted image (1, 3, H, W) at its frame's time, and the sound up to its end.

        Where frames follow too fast for the kind of file, some are left out.
        """
        facts = self._plan.facts
        base = facts.time_base
        length = frame.duration or max(1, round(1 / (facts.rate * base)))
        begin = None if frame.pts is None else frame.pts - round(facts.start / base)
        if self._end is not None and (begin is None or begin <= self._begin):
            begin = self._end  # a file without times, or one in which they jump back
        self._begin = begin or 0
        self._first = self._begin if self._end is None else self._first
        self._end = self._begin + length
        time = round(self._begin * base / self._base)
        if time < self._next:
            return
        self._next = time + self._kind.least
        with plain_errors(self._path, av.FFmpegError):
            self._container.mux(self._stream.encode(self._picture(painted, time)))
            if self._sound:
                self._sound.until(float(self._end * base))

    def _picture(self, painted: Tensor, time: int) -> av.VideoFrame:
        """Make a frame of it as the encoder takes it, at its time."""
        rgb = av.VideoFrame.from_ndarray(images.to_bytes(painted), "rgb24")
        if self._kind.pixels == "pal8":
            picture = self._palette(rgb)
        elif not self._kind.sound:
            picture = self._scaler.reformat(rgb, format=self._kind.pixels)
        else:
            picture = self._scaler.reformat(
                rgb,
                format=self._kind.pixels,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=SCALER,
            )
        end = round((self._end or 0) * self._plan.facts.time_base / self._base)
        picture.pts, picture.duration, picture.time_base = time, max(1, end - time), self._base
        return picture

    def finish(self, *, whole: bool) -> None:
        """Give the file its name; whole: with the sound that goes on after the last frame."""
        if self._end is None:
            return
        with held(), plain_errors(self._path, av.FFmpegError):
            if self._sound:
                if whole:
                    self._sound.until(math.inf)
                self._sound.finish()
            self._container.mux(self._stream.encode(None))
            self._container.close()
            length = (self._end - self._first) * self._plan.facts.time_base
            with self._file.path.open("r+b") as file:
                set_last(file, self._kind.container, round(1000 * length))
            self._file.keep()

    def close(self) -> None:
        """Leave nothing behind but what is finished."""
        if self._sound:
            self._sound.close()
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        self._file.drop()
