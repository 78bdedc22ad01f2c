"""Cuts a film into pieces that are painted apart, and paints one: plain data in, pixels out."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.errors import ImageError, named
from nst_core.instant.film import Film, FilmPlan
from nst_core.instant.steady import Steady

# Frames that lead into a steadied piece and are dropped. What a frame takes over from those before it fades by a fifth
# a frame at worst, as `Steady` strengthens faint detail: of paint that has nothing in common from one frame to the
# next, the twelfth differs by 0.8 levels of 255 on average from one in a longer film (without a lead, 14).
LEAD = 12
LONGEST = 200  # frames of a steadied piece, about: 6 % of what is painted leads in. More would wait on the disk
LONGEST_APART = 24  # of one in which each frame stands for itself
SHORTEST = 12  # that a piece has, for a scene's end to be its own

Paint = Callable[[Tensor], Tensor]


class Piece(NamedTuple):
    """A stretch of a film, in numbers of frames: from `begin` on it is painted, from `first` to before `end` kept."""

    begin: int
    first: int
    end: int

    @property
    def frames(self) -> int:
        """Count the frames that are kept."""
        return self.end - self.first


class Moment(NamedTuple):
    """When a frame is shown, and for how long, in units of the film's time_base; as its file says."""

    pts: int | None
    duration: int


class Timed(Protocol):
    """A frame, or what is known of it."""

    @property
    def pts(self) -> int | None: ...
    @property
    def duration(self) -> int: ...


@dataclass(frozen=True)
class FilmJob:
    """All that is the same of every piece of a film; may be pickled.

    Attributes:
        source: the film.
        plan: of it.
        make_paint: makes, where pieces are painted, what `paint_video` takes as `paint`.
        steady: less shimmer; see Steady.
    """

    source: Path
    plan: FilmPlan
    make_paint: Callable[[], Paint]
    steady: bool = False

    @property
    def lead(self) -> int:
        """Count the frames that lead into a piece."""
        return LEAD if self.steady else 0

    @property
    def frame_size(self) -> tuple[int, int, int]:
        """Tell the size of a painted frame, (height, width, 3)."""
        height, width = self.plan.size
        return height // 2 * 2, width // 2 * 2, 3


def painted_length(job: FilmJob, workers: int) -> int:
    """Compute how many frames of each piece are painted, so that all workers are done at about the same time."""
    longest, frames = LONGEST if job.steady else LONGEST_APART, job.plan.facts.frames
    if not frames:
        return longest + job.lead
    pieces = workers * math.ceil(frames / (workers * longest))
    return max(math.ceil((frames + job.lead * (pieces - 1)) / pieces), job.lead + SHORTEST)


def cut_film(
    frames: Iterable[Timed], length: int, lead: int, is_cut: Callable[..., bool]
) -> Iterator[tuple[Piece, list[Moment]]]:
    """Cut a film at scenes' ends, or where a piece is long enough; with each piece go the moments of its frames.

    Args:
        frames: of the film, of which none is kept.
        length: frames of a piece that are painted, at most.
        lead: frames that lead in, but from before a scene's first.
        is_cut: asked of every frame in turn, whether a scene begins with it.
    """
    scene = first = begin = number = 0
    moments: list[Moment] = []
    for number, frame in enumerate(frames):
        cut = is_cut(frame)
        scene = number if cut else scene
        if number - begin >= length or (cut and number - first >= SHORTEST):
            yield Piece(begin, first, number), moments
            first, moments, begin = number, [], max(number - lead, scene)
        moments.append(Moment(frame.pts, frame.duration))
    if moments:
        yield Piece(begin, first, number + 1), moments


class _Forwards:
    """Gives a film's images by number; those after one another are read in one go.

    Args:
        job: whose film it is.
    """

    def __init__(self, job: FilmJob):
        self._job, self._next = job, 0
        self._film: Film | None = None
        self._read: deque[np.ndarray] = deque(maxlen=max(1, job.lead))  # that were read last, (H, W, 3)

    def image(self, number: int) -> Tensor:
        """Give one image, (1, 3, H, W)."""
        if self._film is None or number < self._next - len(self._read):
            self.close()
            self._film, self._next = Film(self._job.source, common=self._job.plan.common), 0
            self._frames = self._film.frames()
        if number < self._next:
            return as_image(self._read[number - self._next])
        for frame in islice(self._frames, number - self._next, None):
            image = self._film.image(frame, self._job.plan)
            if number > self._next:
                self._read.clear()
            self._read.append(images.to_bytes(image))
            self._next = number + 1
            return image
        raise ImageError(f"{named(self._job.source)} has become shorter while it was painted; paint it again")

    def close(self) -> None:
        self._read.clear()
        if self._film:
            self._film.close()


class PiecePainter:
    """Paints pieces of one film, which is opened once, and read once where pieces come in order.

    Args:
        job: whose pieces they are.
    """

    def __init__(self, job: FilmJob):
        self._job, self._paint, self._source = job, job.make_paint(), _Forwards(job)

    def frames(self, piece: Piece) -> Iterator[np.ndarray]:
        """Paint a piece; gives the frames that are kept, (height, width, 3) uint8.

        Raises:
            ImageError: the film ends before the piece.
        """
        steady = Steady() if self._job.steady else None
        for number in range(piece.begin, piece.end):
            painted = painted_frame(self._paint, steady, self._source.image(number))
            if number >= piece.first:
                yield images.to_bytes(painted)

    def close(self) -> None:
        self._source.close()


def paint_piece(job: FilmJob, piece: Piece) -> Iterator[np.ndarray]:
    """Paint a single piece, wherever the film's file is: plain data in, frames (height, width, 3) uint8 out."""
    with closing(PiecePainter(job)) as painter:
        yield from painter.frames(piece)


def painted_frame(paint: Paint, steady: Steady | None, image: Tensor) -> Tensor:
    """Paint a frame, (1, 3, H, W) as it was filmed."""
    painted = paint(image).detach()
    if painted.shape != image.shape:
        raise ValueError(f"paint made {tuple(painted.shape)} of an image {tuple(image.shape)}")
    return steady(image, painted) if steady else painted


def as_image(pixels: np.ndarray) -> Tensor:
    """Make an image (1, 3, H, W) of pixels (H, W, 3) uint8: what `images.to_bytes` made them of."""
    return images.from_pil(Image.fromarray(pixels))
