"""Decodes the pictures of a video file by ffmpeg, and tells what the file says of them."""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast

import av

from nst_core.errors import ImageError, named
from nst_core.instant.fields import Fields, order_of
from nst_core.instant.film_ends import lacks_end, lacks_index
from nst_core.pictures.light import HLG, PQ
from nst_core.pictures.opening import header_of
from nst_core.pictures.orientation import orientation_of

# What may be opened. ffmpeg knows more, among them play lists, which open other files, and plain text as a picture.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,dv,mxf,gif,apng,mp3,wav,flac,aac"
PROBED_BYTES = 2**20  # of a file, for what it is by its content alone
USE = "use an MP4, MOV, WebM, MKV or AVI file"

FRAME_RATE = Fraction(25)  # frames a second, where a file does not say
WITH_LENGTH = {"mov", "matroska", "avi", "flv", "asf", "mxf"}  # containers that say how long they are
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # ffmpeg's own leave transparency out

UNREADABLE = "cannot be read as a video"
ALPHA_LOST = "the video's transparency cannot be read here; what was hidden shows"
INDEX_LOST = "its end, which says where its pictures are, is missing; copy it anew in full, or have it mended"
UNKNOWN_CODEC = "is packed in a way (a codec) that cannot be read here; save it as an MP4 with H.264"
SEVERAL = "the file holds {} videos; the main one is painted"
COLOURS = ("colorspace", "color_trc", "color_primaries")
UNSPECIFIED = 2  # ffmpeg's number of a matrix, transfer or primaries of which nothing is said


@dataclass(frozen=True)
class FilmFacts:
    """Holds what a file says of its pictures.

    Attributes:
        time_base: the unit of times, in seconds.
        rate: frames a second, a mean.
        start: seconds, of the first picture or sound.
        frames: how many; None where it does not say.
        end: seconds, of the last picture; None where it does not say.
        sound_may_end: the end may be that of the sound rather than of the pictures.
        aspect: a stored pixel's width by its height.
        has_sound: there may be sound.
        opaque: what may look like transparency is none.
        high_range: the film is of PQ or HLG.
        animation: browsers show it, at their pace.
    """

    time_base: Fraction
    rate: Fraction = FRAME_RATE
    start: Fraction = Fraction(0)
    frames: int | None = None
    end: Fraction | None = None
    sound_may_end: bool = False
    aspect: Fraction = Fraction(1)
    has_sound: bool = False
    opaque: bool = False
    high_range: bool = False
    animation: bool = False


class FilmStream:
    """Reads a video file's pictures; `damaged` once a part of them could not be read.

    Raises:
        ImageError: it cannot be read, or holds no moving pictures.
    """

    def __init__(self, path: Path):
        self.damaged = False
        self.orientation = 1  # as EXIF has it, of the first JPEG
        self.notes: tuple[str, ...] = ()  # what a person should know
        self.read_until = Fraction(0)  # seconds, of what was read beside frames: subtitles, and orders to stand still
        self._container = open_video(path)
        self._stream = self._main_stream(path)
        self._stream.thread_type = "AUTO"
        self._decoder = self._stream.codec_context
        self._colours = {name: getattr(self._decoder, name) for name in COLOURS}  # which a decoder may forget
        if ("alpha_mode", "1") in {(name.lower(), value) for name, value in self._stream.metadata.items()}:
            self._read_alpha()
        self._fields = Fields(order_of(self._stream))
        self.facts = _facts(self._container, self._stream)
        self.damaged = lacks_end(path, self._container.format.name)

    def _main_stream(self, path: Path) -> av.VideoStream:
        covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails  # of a song, of a film
        films = [stream for stream in self._container.streams.video if not stream.disposition & covers]
        readable = [stream for stream in films if stream.codec_context]
        if not readable:
            self.close()
            if lacks_index(path):
                raise ImageError(f"{named(path)} {UNREADABLE}: {INDEX_LOST}")
            raise ImageError(f"{named(path)} {UNKNOWN_CODEC if films else f'holds no moving pictures; {USE}'}")
        if len(films) > 1:
            self.notes += (SEVERAL.format(len(films)),)
        best = self._container.streams.best("video")  # ffmpeg's own choice and most players'
        return best if best in readable else readable[0]

    def _read_alpha(self) -> None:
        name = ALPHA_DECODERS.get(self._decoder.name)
        if name in av.codecs_available:
            self._decoder = cast(av.VideoCodecContext, av.CodecContext.create(name, "r"))
        elif name:
            self.notes += (ALPHA_LOST,)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Give every frame that can be read, none of two fields; one that stands still to the end, there again."""
        last = still = None
        for number, packet in enumerate(self._packets()):
            if number == 0 and self._decoder.name == "mjpeg":
                self.orientation = _orientation(bytes(packet))
            if not packet.size and packet.pts is not None:  # nothing has changed since the frame before
                still = packet
                continue
            for frame in self._decoded(packet):
                last, still = frame, None
                yield frame
        for frame in self._fields.flush():
            last = frame
            yield frame
        if last is not None and still is not None:
            last.pts = still.pts
            yield last

    def _decoded(self, packet: "av.Packet[av.VideoStream]") -> Iterator[av.VideoFrame]:
        frames = []
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.damaged = True
        for frame in frames:
            self.damaged |= frame.is_corrupt
            self._name_colours(frame)
            yield from self._fields(frame)

    def samples(self, count: int) -> Iterator[av.VideoFrame]:
        """Give about so many frames, spread over the film, instead of every one."""
        length = self._container.duration or 0
        for number in range(count if length else 1):
            with suppress(av.FFmpegError):
                self._container.seek((self._container.start_time or 0) + length * number // count)
                for frame in islice(self._container.decode(self._stream), 1):
                    self._name_colours(frame)
                    yield frame

    def _name_colours(self, frame: av.VideoFrame) -> None:
        """Say of a frame what the container says, where the decoder does not."""
        for name, told in self._colours.items():
            if getattr(frame, name) == UNSPECIFIED:
                setattr(frame, name, told)

    def _packets(self) -> Iterator["av.Packet[av.VideoStream]"]:
        subtitles = self._container.streams.subtitles  # a film may end with them
        try:
            for packet in self._container.demux(self._stream, *subtitles):
                own = packet.stream.index == self._stream.index
                if packet.pts is not None and not (own and packet.size):
                    self.read_until = max(self.read_until, (packet.pts + (packet.duration or 0)) * packet.time_base)
                if own:
                    yield cast("av.Packet[av.VideoStream]", packet)
        except av.FFmpegError:
            self.damaged = True

    def close(self) -> None:
        self._container.close()


def _orientation(jpeg: bytes) -> int:
    """Read EXIF's orientation of a JPEG; 1 where it says none."""
    try:
        with header_of(io.BytesIO(jpeg)) as (picture, _, _):
            told = orientation_of(picture)
    except ImageError:
        return 1
    return told if told and told in range(1, 9) else 1


def open_video(path: Path) -> av.container.InputContainer:
    """Open a file by ffmpeg."""
    if not path.exists():
        raise ImageError(f"{named(path)} does not exist; check the path")
    if path.is_file() and not path.stat().st_size:
        raise ImageError(f"{named(path)} is empty; {USE}")
    try:
        return _opened(path)
    except (av.FFmpegError, OSError, ValueError):
        if lacks_index(path):
            raise ImageError(f"{named(path)} {UNREADABLE}: {INDEX_LOST}") from None
        raise ImageError(f"{named(path)} {UNREADABLE} (it is damaged, cut short or of another kind); {USE}") from None


def _opened(path: Path) -> av.container.InputContainer:
    """Open by the name, which ffmpeg believes where the content is less than clear; if that misleads, without."""
    only = {"format_whitelist": CONTAINERS, "default_fps": "10"}  # of animated PNGs that tell no length of a frame
    try:  # an absolute path cannot be taken for an address of the network's
        return av.open(str(path.absolute()), container_options=only)
    except av.FFmpegError:
        if lacks_index(path):  # of which ffmpeg would make something, such as sound
            raise
    with path.open("rb") as file, av.open(io.BytesIO(file.read(PROBED_BYTES)), container_options=only) as beginning:
        known = beginning.format.name.split(",")[0]
    return av.open(str(path.absolute()), format=known, container_options=only)


def _facts(container: av.container.InputContainer, stream: av.VideoStream) -> FilmFacts:
    rate = stream.average_rate or stream.guessed_rate or FRAME_RATE
    time_base = stream.time_base or Fraction(1, av.time_base)  # ffmpeg's own, where a file does not say
    start = Fraction(container.start_time or 0, av.time_base)
    end = Fraction(container.duration or 0, av.time_base)  # of Matroska and FLV, which count from 0 on
    duration = end and max(Fraction(0), end - start)
    if stream.duration:
        duration = stream.duration * time_base
        if container.format.name == "avi":  # of which ffmpeg believes no more than is there
            duration = max(duration, stream.frames / rate)
        end = (stream.start_time or 0) * time_base + duration
    told = duration and WITH_LENGTH.intersection(container.format.name.split(","))
    return FilmFacts(
        time_base=time_base,
        rate=rate,
        start=start,
        frames=stream.frames or round(duration * rate) or None,
        end=end if told else None,
        sound_may_end=not stream.duration,
        aspect=stream.sample_aspect_ratio or Fraction(1),
        has_sound=bool(container.streams.audio),
        opaque=container.format.name == "avi" and stream.codec_context.name == "rawvideo",  # whose fourth byte is idle
        high_range=stream.codec_context.color_trc in (PQ, HLG),
        animation=container.format.name in ("gif", "apng"),
    )
