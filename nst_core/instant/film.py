"""A video file as it is read: frames upright, in square pixels and sRGB."""

import io
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError, named, said, seen

# What may be opened. ffmpeg knows more, among them play lists, which open other files, and plain text as a picture.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf,gif,mp3,wav,flac,aac"
PROBED_BYTES = 2**20  # of a file, for what it is by its content alone
USE = "use an MP4, MOV, WebM, MKV or AVI file"

# ffmpeg's number of a frame's colour matrix -> swscale's; where it says none, players take BT.709 from HD_ROWS on.
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
HD_ROWS = 720
FRAME_RATE = Fraction(25)  # frames a second, where a file does not say
SCALER = Interpolation.LANCZOS | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


@dataclass(frozen=True)
class FilmPlan:
    """All that is known of a video before it is painted."""

    size: tuple[int, int]  # (height, width) at which frames are read, upright
    turn: tuple[int, int, int, int]  # see _turn
    frames: int | None
    rate: Fraction  # frames a second, a mean
    time_base: Fraction  # seconds
    start: Fraction  # seconds, subtracted from all times


def plan_of(source: Path, size: int | None) -> FilmPlan:
    """Look at a video's header and its first picture."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < images.MIN_SIDE):
        raise ConfigError(f"size is {said(size)}; give a whole number of pixels, {images.MIN_SIDE} or more")
    with closing(Film(source)) as opened:
        stream, container = opened.stream, opened.container
        first = next(opened.frames(), None)
        if first is None:
            raise ImageError(
                f"{named(source)} has no picture that can be read; export it anew, or choose another video"
            )
        rate = stream.average_rate or stream.guessed_rate or FRAME_RATE
        time_base = stream.time_base or Fraction(1, av.time_base)  # ffmpeg's own, where a file does not say
        duration = Fraction(container.duration or 0, av.time_base)
        if stream.duration:
            duration = stream.duration * time_base
        return FilmPlan(
            size=_size(source.name, first, stream.sample_aspect_ratio or Fraction(1), size),
            turn=_turn(first),
            frames=stream.frames or round(duration * rate) or None,
            rate=rate,
            time_base=time_base,
            start=Fraction(max(0, container.start_time or 0), av.time_base),
        )


def _size(name: str, frame: av.VideoFrame, aspect: Fraction, size: int | None) -> tuple[int, int]:
    """(height, width), upright, in square pixels; aspect is a stored pixel's width by its height."""
    height, width = frame.height, round(frame.width * aspect)
    if _turn(frame)[1]:
        height, width = width, height
    if height * width > images.MAX_PIXELS:
        raise ImageError(f"{seen(name)} has more than {images.MAX_PIXELS:,} pixels a frame; make it smaller first")
    if min(height, width) < images.MIN_SIDE:
        least = images.MIN_SIDE
        raise ImageError(
            f"{seen(name)} is {width}×{height} pixels; both sides must be at least {least}: choose a larger one"
        )
    longest = min(size or images.MAX_SIDE, images.MAX_SIDE)
    if max(height, width) > longest:
        return images.fitted_size((height, width), longest)
    return height, width


class Film:
    """A video file, open; `damaged` once a part of it could not be read."""

    def __init__(self, path: Path):
        self.damaged = False
        self._scaler = VideoReformatter()  # one for all frames: with one each, as is PyAV's default, memory goes up
        self.container = open_video(path)
        covers = av.stream.Disposition.attached_pic  # of a song
        pictures = [stream for stream in self.container.streams.video if not stream.disposition & covers]
        if not pictures:
            self.close()
            raise ImageError(f"{named(path)} holds no moving pictures; {USE}")
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

    def image(self, frame: av.VideoFrame, plan: FilmPlan) -> Tensor:
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


def open_video(path: Path) -> av.container.InputContainer:
    """Open a file by ffmpeg."""
    if not path.exists():
        raise ImageError(f"{named(path)} does not exist; check the path")
    if path.is_file() and not path.stat().st_size:
        raise ImageError(f"{named(path)} is empty; {USE}")
    try:  # an absolute path cannot be taken for an address of the network's
        return _opened(path)
    except (av.FFmpegError, OSError, ValueError):
        unreadable = "cannot be read as a video (it is damaged, cut short or of another kind)"
        raise ImageError(f"{named(path)} {unreadable}; {USE}") from None


def _opened(path: Path) -> av.container.InputContainer:
    """By its name, which ffmpeg believes where the content is less than clear, and if that misleads, without."""
    only = {"format_whitelist": CONTAINERS}
    with suppress(av.FFmpegError):
        return av.open(str(path.absolute()), container_options=only)
    with path.open("rb") as file, av.open(io.BytesIO(file.read(PROBED_BYTES)), container_options=only) as beginning:
        known = beginning.format.name.split(",")[0]
    return av.open(str(path.absolute()), format=known, container_options=only)


def _turn(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Where a stored pixel (p, q) is shown, (a p + c q, b p + d q), as signs a, b, c, d: phones film on their side.

    Asked of one frame only: a frame that was asked for its side data waits for the garbage collector, picture and all.
    """
    beside: Mapping[str, Any] = frame.side_data  # PyAV's stubs know no more than one kind
    matrix = beside.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    return (0, b, c, 0) if abs(b) > abs(a) else (a, 0, 0, d)
