import weakref
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import images
from nst_core.errors import ImageError
from nst_core.instant import pieces as module
from nst_core.instant.film import FilmPlan, plan_of
from nst_core.instant.film_stream import FilmFacts
from nst_core.instant.pieces import (
    LEAD,
    SHORTEST,
    FilmJob,
    Moment,
    Piece,
    PiecePainter,
    cut_film,
    paint_piece,
    painted_length,
)
from tests.instant.paints import shimmer
from tests.instant.test_cuts import pan
from tests.instant.test_video import film


def job_of(path: Path, *, steady: bool = True, make_paint=shimmer) -> FilmJob:
    return FilmJob(path, plan_of(path, None), make_paint, steady)


def counted(frames: int | None, *, steady: bool = True) -> FilmJob:
    facts = FilmFacts(time_base=Fraction(1, 25), frames=frames)
    return FilmJob(Path("film.mp4"), FilmPlan((48, 64), (1, 0, 0, 1), facts), shimmer, steady)


def whole(job: FilmJob) -> Iterator[np.ndarray]:
    """The film in one piece."""
    with closing(module.Film(job.source)) as opened:
        frames = sum(1 for _ in opened.frames())
    return paint_piece(job, Piece(0, 0, frames))


def apart(found: list[np.ndarray], wanted: list[np.ndarray]) -> list[np.ndarray]:
    """Levels of 255 by which frames differ."""
    return [np.abs(one.astype(int) - other) for one, other in zip(found, wanted, strict=True)]


# Where a film is cut


@given(
    count=st.integers(0, 400),
    length=st.integers(LEAD + SHORTEST, 80),
    lead=st.sampled_from([0, LEAD]),
    scenes=st.sets(st.integers(1, 399), max_size=12),
)
def test_every_frame_is_kept_by_one_piece_which_begins_no_earlier_than_its_scene(count, length, lead, scenes):
    moments = [Moment(number, 1) for number in range(count)]
    asked: list[int] = []
    cut = list(cut_film(moments, length, lead, lambda frame: asked.append(frame.pts) or frame.pts in scenes))
    assert asked == list(range(count))  # each once, in turn
    assert [moment for _, its in cut for moment in its] == moments
    assert [number for piece, _ in cut for number in range(piece.first, piece.end)] == list(range(count))
    for piece, its in cut:
        scene = max((one for one in scenes if one <= piece.first), default=0)
        assert piece.begin == max(piece.first - lead, scene, 0)
        assert len(its) == piece.frames > 0 and piece.end - piece.begin <= length
        # it ends where it must, where a scene does, or with the film
        assert piece.end - piece.begin == length or piece.end in scenes or piece.end == count


def test_frames_that_are_cut_into_pieces_are_not_kept():
    class Frame:
        pts, duration = 0, 1

    def frames() -> Iterator[Frame]:
        for _ in range(100):
            frame = Frame()
            alive.add(frame)
            most.append(len(alive))
            yield frame

    alive, most = weakref.WeakSet(), []
    assert len(list(cut_film(frames(), 30, 12, lambda frame: False))) == 5  # 30 and then 18 each
    assert len(most) == 100 and max(most) <= 2


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("steady", [False, True])
@pytest.mark.parametrize("frames", [200, 750, 10_000])
def test_workers_have_equally_much_to_do(frames, steady, workers):
    job = counted(frames, steady=steady)
    length = painted_length(job, workers)
    painted = [piece.end - piece.begin for piece, _ in cut_film([Moment(0, 1)] * frames, length, job.lead, lambda _: 0)]
    turns = -(-len(painted) // workers) * workers
    assert sum(painted) > (1 - 1 / 12) * turns * length and sum(painted) == frames + job.lead * (len(painted) - 1)
    longest = module.LONGEST if steady else module.LONGEST_APART
    assert length <= longest + job.lead


@pytest.mark.parametrize("frames", [None, 1, 5])
def test_a_film_of_few_or_unknown_frames_has_pieces_too(frames):
    for steady in (False, True):
        assert painted_length(counted(frames, steady=steady), 4) >= SHORTEST


# What a piece is painted like


def test_a_piece_that_begins_with_a_scene_is_bit_for_bit_as_one_worker_paints_it(tmp_path):
    job = job_of(film(tmp_path / "scenes.mp4", [*pan(0, 14), *pan(1, 16)], sound=None))
    wanted = list(whole(job))
    found = [*paint_piece(job, Piece(0, 0, 14)), *paint_piece(job, Piece(14, 14, 30))]
    assert not any(each.any() for each in apart(found, wanted))
    assert any(each.any() for each in apart(list(paint_piece(job, Piece(7, 7, 14))), wanted[7:14]))  # else it is not


def test_frames_that_stand_for_themselves_are_the_same_in_any_pieces(tmp_path):
    job = job_of(film(tmp_path / "plain.mp4", pan(0, 12), sound=None), steady=False)
    found = [frame for first in range(0, 12, 5) for frame in paint_piece(job, Piece(first, first, min(12, first + 5)))]
    assert not any(each.any() for each in apart(found, list(whole(job))))


def test_elsewhere_twelve_frames_lead_in_until_it_hardly_differs(tmp_path):
    """By less than a level of 255 on average, by a few anywhere, and ever less; of paint that shimmers at its worst."""
    job = job_of(film(tmp_path / "pan.mp4", pan(0, 44), sound=None))
    wanted, differ = list(whole(job)), {}
    for lead in (0, LEAD):
        differ[lead] = apart(list(paint_piece(job, Piece(20 - lead, 20, 44))), wanted[20:])
    means = [float(each.mean()) for each in differ[LEAD]]
    assert differ[0][0].mean() > 10 and means[0] < 1 and differ[LEAD][0].max() < 12
    assert all(after < 0.9 * before for before, after in pairwise(means[:12])) and means[-1] < 0.02


def test_what_a_piece_needs_is_read_once_if_pieces_come_in_order(tmp_path, monkeypatch):
    """Also where one follows another at once, which begins before it ends."""
    opened: list[Path] = []
    plain = module.Film.__init__
    monkeypatch.setattr(
        module.Film, "__init__", lambda own, path, **named: opened.append(path) or plain(own, path, **named)
    )
    job = job_of(film(tmp_path / "pan.mp4", pan(0, 30), sound=None))
    opened.clear()
    painter = PiecePainter(job)
    together = [list(painter.frames(piece)) for piece in (Piece(0, 0, 14), Piece(2, 14, 18), Piece(12, 24, 30))]
    assert len(opened) == 1
    again = list(painter.frames(Piece(2, 14, 18)))  # back again: read anew, and the same
    assert len(opened) == 2 and not any(each.any() for each in apart(again, together[1]))
    painter.close()
    assert not any(each.any() for each in apart(list(paint_piece(job, Piece(2, 14, 18))), together[1]))


def test_a_film_that_has_become_shorter_is_told(tmp_path):
    job = job_of(film(tmp_path / "pan.mp4", pan(0, 13), sound=None))
    film(tmp_path / "pan.mp4", pan(0, 5), sound=None)
    with pytest.raises(ImageError, match="pan.mp4 has become shorter while it was painted; paint it again"):
        list(paint_piece(job, Piece(0, 0, 13)))


def test_paint_of_another_size_is_a_mistake(tmp_path):
    job = job_of(film(tmp_path / "pan.mp4", pan(0, 2), sound=None), make_paint=lambda: lambda image: image[..., :32])
    with pytest.raises(ValueError, match="paint made"):
        list(paint_piece(job, Piece(0, 0, 2)))


def test_pixels_make_the_image_that_made_them():
    pixels = np.arange(16 * 16 * 3, dtype=np.uint32).astype(np.uint8).reshape(16, 16, 3)
    assert np.array_equal(images.to_bytes(module.as_image(pixels)), pixels)
