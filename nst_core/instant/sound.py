"""Brings the sound of a film along with its pictures: copied as it is, or made AAC that keeps its time."""

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from nst_core.instant.film_stream import open_video

COPIED_SOUND = {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus"}  # what MP4 holds and its players know
SOUND_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)  # AAC's, hertz
SOUND_RATE = 48000  # hertz, for what has a rate that AAC has not
LEAST_GAP = 0.01  # seconds between where a part of the sound is and where it should be; less is how files round times
MOST_TWICE = (
    2  # packets of copied sound, by whose length times may go back, as files round them, before they come twice
)
LONGEST_GAP = 10  # seconds that are filled with silence; beyond, the file says that nothing is there


class Placed(NamedTuple):
    """A packet of sound with its place in time."""

    packet: "av.Packet[av.AudioStream]"  # quoted, as only its stub takes an index
    begin: Fraction  # seconds
    order: int  # its decoding time stamp


class EvenSound:
    """Evens sound out in time, from 0 on: what is missing is silent, what comes twice is left out.

    Args:
        rate: hertz, of what comes out.
        layout: of its channels.
    """

    def __init__(self, rate: int, layout: str):
        self._rate, self._layout = rate, layout
        self._kind: tuple[object, ...] = ()
        self._count = 0  # samples that came out
        self._resampler: av.AudioResampler | None = None

    def put(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """Take a decoded frame, of whatever kind; give what is ready."""
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        place = None if frame.pts is None else round(frame.pts * (frame.time_base or 0) * self._rate)
        ahead = 0 if place is None else (place - self._count) / self._rate  # seconds
        if kind != self._kind or ahead > LONGEST_GAP:  # as in broadcasts, between programmes
            yield from self.flush()
            self._kind = kind
            self._count = place if place and ahead > LONGEST_GAP else self._count
            begin = round(self._count * frame.sample_rate / self._rate)  # ffmpeg counts in what comes in
            timing = {"async": "1", "min_hard_comp": str(LEAST_GAP), "first_pts": str(begin)}
            self._resampler = av.AudioResampler("fltp", self._layout, self._rate, options=timing)
        if ahead < -LONGEST_GAP:
            frame.pts = None  # a clock that was set back: it goes on
        yield from self._through(frame)

    def flush(self) -> Iterator[av.AudioFrame]:
        """Give what is left."""
        yield from self._through(None)

    def _through(self, frame: av.AudioFrame | None) -> Iterator[av.AudioFrame]:
        for made in self._resampler.resample(frame) if self._resampler else ():
            made.pts = self._count if made.pts is None else made.pts
            self._count += made.samples
            yield made


class Sound:
    """Reads a video's sound beside its pictures, so that no more is held than is at hand however the file is laid.

    Copied packet for packet where MP4 can hold it, else made AAC, mono or stereo.

    Args:
        path: the video.
        start: seconds, subtracted from all times.
        target: the MP4 file.
    """

    def __init__(self, path: Path, start: Fraction, target: av.container.OutputContainer):
        self._container, self._start, self._target = open_video(path), start, target
        self._last: float = -math.inf  # time stamp of the last packet copied, and where it ends
        self._end = 0
        self.end = Fraction(0)  # seconds, of what was read
        best = self._container.streams.best("audio")  # ffmpeg's own choice and most players'
        source = next((stream for stream in self._container.streams.audio if stream is best), None)
        context = source.codec_context if source else None
        self.lost = source is not None and not (context and context.sample_rate)
        self._copied = context is not None and context.codec.canonical_name in COPIED_SOUND
        self._encoding = False  # as yet
        self._packets: Iterator[Placed] = iter(())
        if source and context and not self.lost:
            self._decoder = context
            self._stream = target.add_stream_from_template(source) if self._copied else self._aac(context)
            self._packets = self._read(source)
        self._next = next(self._packets, None)

    def _aac(self, context: av.AudioCodecContext) -> av.AudioStream:
        rate = context.sample_rate if context.sample_rate in SOUND_RATES else SOUND_RATE
        layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        self._even = EvenSound(rate, layout)
        return self._target.add_stream("aac", rate=rate, layout=layout)

    def _read(self, source: av.AudioStream) -> Iterator[Placed]:
        """Read packets; of a damaged file, up to where it cannot be read."""
        with suppress(av.FFmpegError):
            for packet in self._container.demux(source):
                if packet.dts is not None and packet.pts is not None:
                    shift = round(self._start / packet.time_base)
                    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                    begin = packet.pts * packet.time_base
                    self.end = max(self.end, begin + (packet.duration or 0) * packet.time_base)
                    yield Placed(packet, begin, packet.dts)

    def until(self, seconds: float) -> None:
        """Write what begins before a time."""
        while self._next is not None and self._next.begin < seconds:
            self._write(self._next)
            self._next = next(self._packets, None)

    def _write(self, placed: Placed) -> None:
        packet = placed.packet
        if not self._copied:
            self._encode(packet)
            return
        if packet.is_corrupt:  # the last one of a file that is cut
            return
        length, order = packet.duration or 0, placed.order
        if order <= self._last:  # MP4 holds no packet before another, nor of one's time
            if order + MOST_TWICE * length <= self._end:
                return
            packet.pts = packet.dts = order = self._end
        self._last, packet.stream = order, self._stream
        self._end = order + length
        self._target.mux(packet)

    def _encode(self, packet: "av.Packet[av.AudioStream] | None") -> None:
        frames: list[av.AudioFrame] = []
        with suppress(av.FFmpegError):  # what is damaged is silent
            frames = self._decoder.decode(packet)
        for frame in frames:
            self._encoding = True
            for even in self._even.put(frame):
                self._target.mux(self._stream.encode(even))

    def finish(self) -> None:
        """Write what decoder and encoder still hold."""
        if not self._encoding:
            return
        self._encode(None)
        for even in self._even.flush():
            self._target.mux(self._stream.encode(even))
        self._target.mux(self._stream.encode(None))

    def close(self) -> None:
        self._container.close()
