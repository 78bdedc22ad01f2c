"""Reads films of any kind: frames upright, in square pixels and the colours of BT.709."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError, named, said, seen
from nst_core.instant.animated_picture import AnimatedPicture, at_browsers_pace, is_animated
from nst_core.instant.film_pixels import FilmPixels, turn_of, upright_size
from nst_core.instant.film_stream import FilmFacts, FilmStream
from nst_core.instant.film_white import SAMPLES, is_common

HIGH_RANGE = "the video's range of light is high (HDR); it is painted in the common one, its highlights compressed"
PUT_INTO_HIGH_RANGE = (
    "the video says HDR, yet nothing in it is brighter than common white (100 nits); it is painted as such"
)
LEAST_MISSING = Fraction(1, 4)  # seconds short of what a file says of pictures and sound together


@dataclass(frozen=True)
class FilmPlan:
    """Holds all that is known of a video before it is painted."""

    size: tuple[int, int]  # (height, width) at which frames are read, upright
    turn: tuple[int, int, int, int]  # see turn_of
    facts: FilmFacts
    common: bool = False  # see is_common


def plan_of(source: Path, size: int | None) -> FilmPlan:
    """Look at a video's header and its first picture."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < images.MIN_SIDE):
        raise ConfigError(f"size is {said(size)}; give a whole number of pixels, {images.MIN_SIDE} or more")
    with closing(Film(source)) as opened:
        first = next(opened.frames(), None)
        if first is None:
            raise ImageError(
                f"{named(source)} has no picture that can be read; export it anew, or choose another video"
            )
        turn = turn_of(first, opened.orientation)
        read_at = _size(source.name, upright_size(first, opened.facts.aspect, turn), size)
        return FilmPlan(read_at, turn, opened.facts, opened.is_common())


def _size(name: str, upright: tuple[int, int], size: int | None) -> tuple[int, int]:
    """Compute (height, width) at which frames are read."""
    height, width = upright
    if height * width > images.MAX_PIXELS:
        raise ImageError(f"{seen(name)} has more than {images.MAX_PIXELS:,} pixels a frame; make it smaller first")
    if min(height, width) < images.MIN_SIDE:
        least = images.MIN_SIDE
        raise ImageError(
            f"{seen(name)} is {width}×{height} pixels; both sides must be at least {least}: choose a larger one"
        )
    longest = min(size or images.READ_SIDE, images.READ_SIDE)
    if max(height, width) > longest:
        return images.fitted_size((height, width), longest)
    return height, width


class Film:
    """Reads a film, by ffmpeg or Pillow.

    Args:
        path: its file.
        common: as its plan says.

    Raises:
        ImageError: it cannot be read, or holds no moving pictures.
    """

    def __init__(self, path: Path, *, common: bool = False):
        self._common = common
        self._source = AnimatedPicture(path) if is_animated(path) else FilmStream(path)
        self._pixels = FilmPixels(opaque=self._source.facts.opaque, common=common)
        self._end = Fraction(0)  # seconds, of what was read

    @property
    def facts(self) -> FilmFacts:
        """Tell what the file says of its pictures."""
        return self._source.facts

    @property
    def orientation(self) -> int:
        """Tell EXIF's orientation of a film of JPEGs, once a frame was read; 1 for any other."""
        return self._source.orientation

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell what a person should know beforehand."""
        if self.facts.high_range:
            return (*self._source.notes, PUT_INTO_HIGH_RANGE if self._common else HIGH_RANGE)
        return self._source.notes

    @property
    def damaged(self) -> bool:
        """Tell whether a part could not be read, so far."""
        return self._source.damaged

    def frames(self) -> Iterator[av.VideoFrame]:
        """Give every frame that can be read."""
        frames = self._source.frames()
        for frame in at_browsers_pace(frames, self.facts.time_base) if self.facts.animation else frames:
            if frame.pts is not None:
                length = frame.duration * self.facts.time_base or 1 / self.facts.rate
                self._end = max(self._end, frame.pts * self.facts.time_base + length)
            yield frame

    def is_common(self) -> bool:
        """Tell whether it is a film of the common range put into PQ or HLG; it cannot be read on after that."""
        if not (self.facts.high_range and isinstance(self._source, FilmStream)):
            return False
        return is_common(self._source.samples(SAMPLES))

    def image(self, frame: av.VideoFrame, plan: FilmPlan) -> Tensor:
        """Make an image (1, 3, H, W) of a frame, upright; of an odd size, the last row or column is left out."""
        return self._pixels.image(frame, plan.size, plan.turn)

    def ends_early(self, sound_end: Fraction | None) -> bool:
        """Tell whether what was read, all of it, is less than the file says; sound_end in seconds, None if unknown."""
        facts, end = self.facts, max(self._end, self._source.read_until)
        if facts.end is None:
            return False
        if facts.sound_may_end:
            return sound_end is not None and max(end, sound_end) < facts.end - max(LEAST_MISSING, 2 / facts.rate)
        return end < facts.end - Fraction(3, 2) / facts.rate

    def close(self) -> None:
        self._source.close()
