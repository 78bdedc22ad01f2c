"""Reads animated WebP and AVIF, of which ffmpeg knows none or no transparency, frame by frame as films."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from nst_core import images
from nst_core.instant.film_stream import FilmFacts
from nst_core.pictures.color_space import profile_of
from nst_core.pictures.opening import DECODER_ERRORS, admit, header_of
from nst_core.pictures.srgb import in_srgb, is_grey
from nst_core.pictures.webp import is_webp, whole_pieces

FORMATS = ("WEBP", "AVIF")
MILLISECOND = Fraction(1, 1000)
LEAST, PLAIN = 11 * MILLISECOND, 100 * MILLISECOND  # browsers show a frame that says less than the one for the other


def is_animated(path: Path) -> bool:
    """Tell whether a file says at its beginning that it is a WebP or AVIF with several frames."""
    try:
        with path.open("rb") as file:
            head = file.read(21).ljust(21)
    except OSError:
        return False
    return head[4:12] == b"ftypavis" or (is_webp(head) and head[12:16] == b"VP8X" and bool(head[20] & 2))


class AnimatedPicture:
    """Reads an animated picture as `FilmStream` does a film.

    Raises:
        ImageError: not even its first frame can be read, or it is too large.
    """

    def __init__(self, path: Path):
        content = path.read_bytes()
        self._content, whole = whole_pieces(content) if is_webp(content) else (content, True)
        self.damaged = not whole
        self.notes: tuple[str, ...] = ()
        self.orientation = 1  # as stored
        self.read_until = Fraction(0)  # as of `FilmStream`
        with header_of(path if whole else io.BytesIO(self._content)) as (picture, file, name):
            admit(picture, file, name, images.READ_SIDE, channels=4)
            self._count = getattr(picture, "n_frames", 1)
        self.facts = FilmFacts(MILLISECOND, frames=self._count, animation=True)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Give every frame that can be read, with its transparency."""
        begin = 0
        with Image.open(io.BytesIO(self._content), formats=FORMATS) as picture:
            for index in range(self._count):
                try:
                    picture.seek(index)
                    pixels = np.asarray(in_srgb(picture, "RGBA", profile_of(picture, is_grey(picture))))
                except DECODER_ERRORS:
                    self.damaged = True
                    return
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgba")
                frame.pts, frame.duration = begin, round(picture.info.get("duration") or 0)
                frame.time_base = MILLISECOND
                begin += frame.duration
                yield frame

    def close(self) -> None:
        """Do nothing, as no file is open between frames."""


def at_browsers_pace(frames: Iterator[av.VideoFrame], time_base: Fraction) -> Iterator[av.VideoFrame]:
    """Give frames the lengths and times at which browsers show an animation; time_base in seconds."""
    begin = 0
    for frame in frames:
        if frame.duration * time_base < LEAST:
            frame.duration = round(PLAIN / time_base)
        frame.pts = begin
        begin += frame.duration
        yield frame
