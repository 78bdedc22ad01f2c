"""Video in, painted video out: frame by frame, with its sound, in bounded memory."""

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.instant.steady import Steady
from nst_core.transfer.controls import Controls

# What may be opened. ffmpeg knows more, among them play lists, which open other files, and plain text as a picture.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,gif,mp3,wav,flac,aac"
USE = "use an MP4, MOV, WebM, MKV or AVI file"

# 20: strokes look as they were painted. No frames that refer to later ones (bf), which cost a tenth in size less, as
# they are stored in another order than shown: a video cut short would end anywhere.
ENCODER = {"crf": "20", "preset": "fast", "bf": "0"}
COPIED_SOUND = {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"}  # what MP4 holds and its players know
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)  # AAC's, hertz
SOUND_RATE = 48000  # hertz, for what has a rate that AAC has not
FRAME_RATE = Fraction(25)  # frames a second, where a file does not say

# ffmpeg's number of a frame's colour matrix -> swscale's; where it says none, players take BT.709 from HD_ROWS on.
MATRICES = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020, 10: Colorspace.BT2020,
}  # fmt: skip
HD_ROWS = 720
DAMAGED = "a part of the video is damaged; what can be read of it is painted"
SOUND_LOST = "the video's sound is of a kind that cannot be read here; it is painted without"
SCALER = Interpolation.LANCZOS | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


@dataclass(frozen=True)
class VideoProgress:
    """How far a video is.

    Attributes:
        frame: frames painted so far.
        frames: how many there will be, by what the file says of itself; None where it says nothing.
        image: the newest painted frame (1, 3, H, W); None before the first.
        seconds: since the start.
        note: once, what a person should know: a part is damaged, or the sound cannot come along.
    """

    frame: int
    frames: int | None
    image: Tensor | None
    seconds: float
    note: str | None = None

    @property
    def text(self) -> str:
        """In words, as "frame 12 of 300, 3.1 a second"."""
        of = f" of {self.frames}" if self.frames and self.frames >= self.frame else ""
        rate = f", {self.frame / self.seconds:.1f} a second" if self.frame and self.seconds else ""
        return f"frame {self.frame}{of}{rate}"


def paint_video(
    source: str | Path,
    output: str | Path,
    paint: Callable[[Tensor], Tensor],
    *,
    steady: bool = False,
    size: int | None = None,
    controls: Controls | None = None,
) -> Iterator[VideoProgress]:
    """Paint every frame of a video; its times stay, and its sound, which is copied as it is where MP4 can hold it.

    All that can be wrong beforehand is raised by this call, before anything is painted. Then it is a generator. The
    file appears, whole, when that ends; stopped by `controls`, closed or interrupted, it holds the frames painted so
    far and their sound; if it fails, there is none.

    Args:
        source: a video file. Its frames are painted as a player shows them, upright and of square pixels; the last row
            or column of an odd size is left out, as H.264 with 4:2:0 cannot hold it.
        output: the MP4 file (H.264) to write.
        paint: image (1, 3, H, W) in [0, 1] on the CPU -> painted image of that size, on any device.
        steady: less shimmer; see Steady.
        size: longest side in pixels, never enlarged; None as it is, up to images.MAX_SIDE.
        controls: whose `stop` ends the video after the frame at hand.

    Raises:
        ImageError: source is no video or has no pictures, too small or too large ones; output cannot be written.
        ConfigError: size is no number of pixels or too small, or output is no .mp4.
    """
    source, output = Path(source), Path(output)
    _check_output(output, source)
    return _painting(source, output, paint, Steady() if steady else None, _plan(source, size), controls or Controls())


def _check_output(path: Path, source: Path) -> None:
    """Before an hour of painting rather than after it."""
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"output is {path.name!r}; name an .mp4 file")
    if not path.parent.is_dir():
        raise ImageError(f"the folder {path.parent} does not exist; make it, or write elsewhere")
    if path.is_dir():
        raise ImageError(f"{path} is a folder; name a file in it")
    if path.exists() and source.exists() and path.samefile(source):
        raise ConfigError(f"output is {path.name!r}, the video itself; name another file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ImageError(f"{path} cannot be written; write elsewhere")


@dataclass(frozen=True)
class _Plan:
    """What is known of a video before it is painted."""

    size: tuple[int, int]  # (height, width) at which frames are read, upright
    turn: tuple[int, int, int, int]  # see _turn
    frames: int | None
    rate: Fraction  # frames a second, a mean
    time_base: Fraction  # seconds
    start: Fraction  # seconds, subtracted from all times


def _plan(source: Path, size: int | None) -> _Plan:
    """Look at a video's header and its first picture."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < images.MIN_SIDE):
        raise ConfigError(f"size is {size!r}; give a whole number of pixels, {images.MIN_SIDE} or more")
    with closing(_Source(source)) as opened:
        stream, container = opened.stream, opened.container
        first = next(opened.frames(), None)
        if first is None:
            raise ImageError(f"{source.name} has no picture that can be read; export it anew, or choose another video")
        rate = stream.average_rate or stream.guessed_rate or FRAME_RATE
        duration = Fraction(container.duration or 0, av.time_base)
        if stream.duration:
            duration = stream.duration * stream.time_base
        return _Plan(
            size=_size(source.name, first, stream.sample_aspect_ratio or 1, size),
            turn=_turn(first),
            frames=stream.frames or round(duration * rate) or None,
            rate=rate,
            time_base=stream.time_base,
            start=Fraction(max(0, container.start_time or 0), av.time_base),
        )


def _size(name: str, frame: av.VideoFrame, aspect: Fraction, size: int | None) -> tuple[int, int]:
    """(height, width), upright, in square pixels; aspect is a stored pixel's width by its height."""
    height, width = frame.height, round(frame.width * aspect)
    if _turn(frame)[1]:
        height, width = width, height
    if height * width > images.MAX_PIXELS:
        raise ImageError(f"{name} has more than {images.MAX_PIXELS:,} pixels a frame; make it smaller first")
    if min(height, width) < images.MIN_SIDE:
        least = images.MIN_SIDE
        raise ImageError(f"{name} is {width}×{height} pixels; both sides must be at least {least}: choose a larger one")
    longest = min(size or images.MAX_SIDE, images.MAX_SIDE)
    if max(height, width) > longest:
        return images.fitted_size((height, width), longest)
    return height, width


class _Source:
    """A video file, open; `damaged` once a part of it could not be read."""

    def __init__(self, path: Path):
        self.damaged = False
        self._scaler = VideoReformatter()  # one for all frames: with one each, as is PyAV's default, memory goes up
        self.container = _opened(path)
        covers = av.stream.Disposition.attached_pic  # of a song
        pictures = [stream for stream in self.container.streams.video if not stream.disposition & covers]
        if not pictures:
            self.close()
            raise ImageError(f"{path.name} holds no moving pictures; {USE}")
        self.stream = pictures[0]
        self.stream.thread_type = "AUTO"

    def frames(self) -> Iterator[av.VideoFrame]:
        """Every frame that can be read."""
        for packet in self._packets():
            frames = []
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.damaged = True
            for frame in frames:
                self.damaged |= frame.is_corrupt
                yield frame

    def image(self, frame: av.VideoFrame, plan: _Plan) -> Tensor:
        """A frame as image (1, 3, H, W), upright; of an odd size, the last row or column is left out."""
        a, b, c, d = plan.turn
        height, width = reversed(plan.size) if b else plan.size
        guess = Colorspace.ITU709 if frame.height >= HD_ROWS else Colorspace.ITU601
        pixels = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=MATRICES.get(frame.colorspace, guess),
            dst_color_range=ColorRange.JPEG,
            interpolation=SCALER,
        ).to_ndarray()  # (H, W, 3)
        if b:
            pixels, a, d = pixels.transpose(1, 0, 2), c, b
        pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
        pixels = pixels[: plan.size[0] // 2 * 2, : plan.size[1] // 2 * 2]
        return images.from_pil(Image.fromarray(np.ascontiguousarray(pixels)))

    def _packets(self) -> Iterator[av.Packet]:
        try:
            yield from self.container.demux(self.stream)
        except av.FFmpegError:
            self.damaged = True

    def close(self) -> None:
        self.container.close()


def _opened(path: Path) -> av.container.InputContainer:
    """What ffmpeg makes of a file."""
    if not path.exists():
        raise ImageError(f"{path.name} does not exist; check the path")
    if path.is_file() and not path.stat().st_size:
        raise ImageError(f"{path.name} is empty; {USE}")
    try:  # an absolute path cannot be taken for an address of the network's
        return av.open(str(path.absolute()), container_options={"format_whitelist": CONTAINERS})
    except (av.FFmpegError, OSError, ValueError):
        unreadable = "cannot be read as a video (it is damaged, cut short or of another kind)"
        raise ImageError(f"{path.name} {unreadable}; {USE}") from None


def _turn(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Where a stored pixel (p, q) is shown, (a p + c q, b p + d q), as signs a, b, c, d: phones film on their side.

    Asked of one frame only: a frame that was asked for its side data waits for the garbage collector, picture and all.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    return (0, b, c, 0) if abs(b) > abs(a) else (a, 0, 0, d)


class _Sound:
    """A video's sound, read beside its pictures, so that no more is held than is at hand however the file is laid.

    Copied packet for packet where MP4 can hold it, else made AAC, mono or stereo.
    """

    def __init__(self, path: Path, start: Fraction, target: av.container.OutputContainer):
        self._container, self._start, self._target = _opened(path), start, target
        self._last = -math.inf  # time stamp of the last packet copied
        source = next(iter(self._container.streams.audio), None)
        context = source.codec_context if source else None
        self.lost = source is not None and not (context and context.sample_rate)
        self._copied = context is not None and context.codec.canonical_name in COPIED_SOUND
        self._encoding = False  # as yet
        self._packets = iter(())
        if context and not self.lost:
            self._stream = target.add_stream_from_template(source) if self._copied else self._aac(context)
            self._packets = self._read(source)
        self._next = next(self._packets, None)

    def _aac(self, context: av.AudioCodecContext) -> av.AudioStream:
        rate = context.sample_rate if context.sample_rate in SOUND_RATES else SOUND_RATE
        return self._target.add_stream("aac", rate=rate, layout="mono" if context.layout.nb_channels == 1 else "stereo")

    def _read(self, source: av.AudioStream) -> Iterator[av.Packet]:
        """Packets with their place in time; of a damaged file, up to where it cannot be read."""
        with suppress(av.FFmpegError):
            for packet in self._container.demux(source):
                if packet.dts is not None and packet.pts is not None:
                    shift = round(self._start / packet.time_base)
                    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                    yield packet

    def until(self, seconds: float) -> None:
        """Write what begins before a time."""
        while self._next is not None and self._next.pts * self._next.time_base < seconds:
            self._write(self._next)
            self._next = next(self._packets, None)

    def _write(self, packet: av.Packet) -> None:
        if self._copied and packet.dts > self._last:  # MP4 holds no packet before another
            self._last, packet.stream = packet.dts, self._stream
            self._target.mux(packet)
        elif not self._copied:
            frames = []
            with suppress(av.FFmpegError):  # what is damaged is silent
                frames = packet.decode()
            for frame in frames:
                self._encoding = True
                self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._encoding:
            self._target.mux(self._stream.encode(None))

    def close(self) -> None:
        self._container.close()


class _Target:
    """The painted video in the making, beside the file whose name it takes when it is finished."""

    def __init__(self, path: Path, source: Path, plan: _Plan):
        self._path, self._aside, self._plan = path, path.with_name(path.name + ".new"), plan
        self._scaler = VideoReformatter()
        self._begin, self._end = 0, None  # of the last frame, in units of time_base
        height, width = (side // 2 * 2 for side in plan.size)
        self._container = av.open(str(self._aside.absolute()), "w", "mp4", container_options={"movflags": "+faststart"})
        self._stream = self._container.add_stream(
            "libx264",
            rate=plan.rate,
            options=ENCODER,
            width=width,
            height=height,
            pix_fmt="yuv420p",
            time_base=plan.time_base,
        )
        context = self._stream.codec_context
        context.flags |= Flags.frame_duration
        context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
        self.sound = _Sound(source, plan.start, self._container)

    def add(self, painted: Tensor, frame: av.VideoFrame) -> None:
        """Write a painted image (1, 3, H, W) at its frame's time, and the sound up to its end."""
        base = self._plan.time_base
        length = frame.duration or max(1, round(1 / (self._plan.rate * base)))
        begin = None if frame.pts is None else frame.pts - round(self._plan.start / base)
        if self._end is not None and (begin is None or begin <= self._begin):
            begin = self._end  # a file without times, or one in which they jump back
        self._begin = begin or 0
        self._end = self._begin + length
        picture = self._scaler.reformat(
            av.VideoFrame.from_ndarray(images.to_bytes(painted), "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=SCALER,
        )
        picture.pts, picture.duration, picture.time_base = self._begin, length, base
        with self._writing():
            self._container.mux(self._stream.encode(picture))
            self.sound.until(float(self._end * base))

    def finish(self, *, whole: bool) -> None:
        """Give the file its name; whole: with the sound that goes on after the last frame."""
        if self._end is None:
            return
        with self._writing():
            if whole:
                self.sound.until(math.inf)
            self.sound.finish()
            self._container.mux(self._stream.encode(None))
            self._container.close()
            os.replace(self._aside, self._path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            why = error.strerror or error
            raise ImageError(f"{self._path} could not be written ({why}); make room, or write elsewhere") from None

    def close(self) -> None:
        """Leave nothing behind but what is finished."""
        self.sound.close()
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        self._aside.unlink(missing_ok=True)


def _painting(
    source: Path,
    output: Path,
    paint: Callable[[Tensor], Tensor],
    steady: Steady | None,
    plan: _Plan,
    controls: Controls,
) -> Iterator[VideoProgress]:
    """The generator behind `paint_video`."""
    began, done, whole = time.monotonic(), 0, True
    painted, damage_told = None, False
    with closing(_Source(source)) as filmed, closing(_Target(output, source, plan)) as target:
        yield VideoProgress(0, plan.frames, None, 0.0, SOUND_LOST if target.sound.lost else None)
        try:
            for frame in filmed.frames():
                if controls.stop.is_set():
                    whole = False
                    break
                painted = _paint(paint, steady, filmed.image(frame, plan))
                target.add(painted, frame)
                done += 1
                note = DAMAGED if filmed.damaged and not damage_told else None
                damage_told |= filmed.damaged
                yield VideoProgress(done, plan.frames, painted, time.monotonic() - began, note)
        except (GeneratorExit, KeyboardInterrupt):
            target.finish(whole=False)
            raise
        target.finish(whole=whole)
        if filmed.damaged and not damage_told:
            yield VideoProgress(done, plan.frames, painted, time.monotonic() - began, DAMAGED)


def _paint(paint: Callable[[Tensor], Tensor], steady: Steady | None, image: Tensor) -> Tensor:
    painted = paint(image).detach()
    if painted.shape != image.shape:
        raise ValueError(f"paint made {tuple(painted.shape)} of an image {tuple(image.shape)}")
    return steady(image, painted) if steady else painted
