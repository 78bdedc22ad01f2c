"""Writes a painted video: H.264 and the sound of the video that it was painted from, in MP4."""

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from torch import Tensor

from nst_core import images
from nst_core.files import NewFile, plain_errors
from nst_core.instant.film import SCALER, FilmPlan, open_video
from nst_core.interrupts import held

# 20: strokes look as they were painted. No frames that refer to later ones (bf), though the file would be smaller, as
# they are stored in another order than shown: durations would go to other frames, the last one's too.
ENCODER = {"crf": "20", "preset": "fast", "bf": "0"}
COPIED_SOUND = {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"}  # what MP4 holds and its players know
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)  # AAC's, hertz
SOUND_RATE = 48000  # hertz, for what has a rate that AAC has not


class Placed(NamedTuple):
    """A packet of sound with its place in time."""

    packet: "av.Packet[av.AudioStream]"  # quoted, as only its stub takes an index
    begin: Fraction  # seconds
    order: int  # its decoding time stamp


class Sound:
    """A video's sound, read beside its pictures, so that no more is held than is at hand however the file is laid.

    Copied packet for packet where MP4 can hold it, else made AAC, mono or stereo.
    """

    def __init__(self, path: Path, start: Fraction, target: av.container.OutputContainer):
        self._container, self._start, self._target = open_video(path), start, target
        self._last: float = -math.inf  # time stamp of the last packet copied
        source = next(iter(self._container.streams.audio), None)
        context = source.codec_context if source else None
        self.lost = source is not None and not (context and context.sample_rate)
        self._copied = context is not None and context.codec.canonical_name in COPIED_SOUND
        self._encoding = False  # as yet
        self._packets: Iterator[Placed] = iter(())
        if source and context and not self.lost:
            self._stream = target.add_stream_from_template(source) if self._copied else self._aac(context)
            self._packets = self._read(source)
        self._next = next(self._packets, None)

    def _aac(self, context: av.AudioCodecContext) -> av.AudioStream:
        rate = context.sample_rate if context.sample_rate in SOUND_RATES else SOUND_RATE
        return self._target.add_stream("aac", rate=rate, layout="mono" if context.layout.nb_channels == 1 else "stereo")

    def _read(self, source: av.AudioStream) -> Iterator[Placed]:
        """Read packets; of a damaged file, up to where it cannot be read."""
        with suppress(av.FFmpegError):
            for packet in self._container.demux(source):
                if packet.dts is not None and packet.pts is not None:
                    shift = round(self._start / packet.time_base)
                    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                    yield Placed(packet, packet.pts * packet.time_base, packet.dts)

    def until(self, seconds: float) -> None:
        """Write what begins before a time."""
        while self._next is not None and self._next.begin < seconds:
            self._write(self._next)
            self._next = next(self._packets, None)

    def _write(self, placed: Placed) -> None:
        packet = placed.packet
        if self._copied and placed.order > self._last:  # MP4 holds no packet before another
            self._last, packet.stream = placed.order, self._stream
            self._target.mux(packet)
        elif not self._copied:
            frames: list[av.AudioFrame] = []
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


class PaintedVideo:
    """The painted video in the making, beside the file whose name it takes when it is finished.

    Raises:
        OutputError: by this and every method, it cannot be written.
    """

    def __init__(self, path: Path, source: Path, plan: FilmPlan):
        self._path, self._plan = path, plan
        self._scaler = VideoReformatter()
        self._begin = 0  # of the last frame, in units of time_base; so is its end, None before the first
        self._end: int | None = None
        self._file = NewFile(path)
        try:
            self._open(source)
        except BaseException:
            self._file.drop()
            raise

    def _open(self, source: Path) -> None:
        plan = self._plan
        height, width = (side // 2 * 2 for side in plan.size)
        with plain_errors(self._path, av.FFmpegError):
            self._container = av.open(str(self._file.path), "w", "mp4", container_options={"movflags": "+faststart"})
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
        self.sound = Sound(source, plan.start, self._container)

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
        with plain_errors(self._path, av.FFmpegError):
            self._container.mux(self._stream.encode(picture))
            self.sound.until(float(self._end * base))

    def finish(self, *, whole: bool) -> None:
        """Give the file its name; whole: with the sound that goes on after the last frame."""
        if self._end is None:
            return
        with held(), plain_errors(self._path, av.FFmpegError):
            if whole:
                self.sound.until(math.inf)
            self.sound.finish()
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._file.keep()

    def close(self) -> None:
        """Leave nothing behind but what is finished."""
        self.sound.close()
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        self._file.drop()
