"""Tests of paintings that rest: what going on needs is on disk, and the oldest give way where memory is short."""

import gc
import shutil
import weakref

import pytest
import torch

from nst_core.errors import NSTError
from nst_core.transfer.kept import restored
from nst_core.transfer.stylize import stylize
from nst_core.ui.studio import session as module
from nst_core.ui.studio.session import Session, give_up_oldest, make_room
from tests.runs import CPU, LADDER, small


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("stop", [1, 3, 6])
def test_a_run_goes_on_after_a_rest_as_if_it_had_had_none(narrow_weights, pictures, tmp_path, optimizer, stop):
    """Bit for bit, on any scale, and when it rests more than once."""
    config = small(**LADDER | {"steps": 12, "optimizer": optimizer, "step_size": 0.02 if optimizer == "adam" else 1.0})
    expected = list(stylize(*pictures, config, compute=CPU))[-1].image
    run = stylize(*pictures, config, compute=CPU)
    for frame in run:
        if frame.step in (stop, stop + 1):
            run.rest(tmp_path / "rest")
            run.rest(tmp_path / "rest")  # it rests already
    assert torch.equal(run.last_frame.image, expected)


def test_what_rests_takes_no_memory_for_what_the_optimiser_knows(narrow_weights, pictures, tmp_path):
    run = stylize(*pictures, small(steps=20), compute=CPU)
    while next(run).step < 15:
        pass
    assert len(run.painting.optimizer.rows) > 2 * run.config.history
    known = weakref.ref(run.painting.optimizer.rows)
    run.rest(tmp_path / "rest")
    gc.collect()
    assert known() is None and run.kept.size > 10_000


def test_what_rests_takes_no_memory_for_pictures_at_their_full_size_and_is_shown_all_the_same(
    narrow_weights, pictures, tmp_path
):
    large = torch.rand(1, 3, 300, 400)
    freed = weakref.ref(large)
    run = stylize(large, pictures[1], small(**LADDER), compute=CPU)
    expected = [
        frame.image for frame in stylize(large.clone(), pictures[1], small(**LADDER, color="content"), compute=CPU)
    ]
    del large
    next(run)
    run.rest(tmp_path / "rest")
    gc.collect()
    assert freed() is None and run.content_image.shape == (1, 3, 36, 48) and run.record().steps == 0
    assert torch.equal(run.recolored("content"), expected[0]) and run.painting.styles == 1
    run.keep(tmp_path / "elsewhere")  # what rests can be kept as well, as it is now
    again = restored(tmp_path / "elsewhere", compute=CPU)
    for one in (run, again):
        assert [torch.equal(frame.image, expected[frame.step]) for frame in one] == [True] * 7


def test_a_run_whose_files_are_gone_says_so_and_cannot_go_on(narrow_weights, pictures, tmp_path):
    run = stylize(*pictures, small(steps=9), compute=CPU)
    while next(run).step < 4:
        pass
    run.rest(tmp_path / "rest")
    shutil.rmtree(tmp_path / "rest")
    with pytest.raises(NSTError, match="is gone"):
        next(run)
    assert run.broken and run.remaining == 0


def test_a_run_does_not_go_on_from_what_another_kept(narrow_weights, pictures, tmp_path):
    run, other = (stylize(*pictures, small(steps=9), compute=CPU) for _ in range(2))
    next(run), next(other), next(other)
    run.rest(tmp_path / "rest")
    other.keep(tmp_path / "rest")
    with pytest.raises(NSTError, match="another painting was kept there"):
        next(run)


def test_a_page_whose_run_is_dropped_leaves_nothing_on_disk(narrow_weights, pictures, tmp_path):
    session = Session()
    session.run, session.folder = stylize(*pictures, small(), compute=CPU), tmp_path / "kept"
    next(session.run)
    session.run.rest(session.folder)
    session.drop_run()
    assert not list(tmp_path.iterdir()) and session.run is None


def test_pictures_at_their_full_size_are_freed_when_the_last_scale_begins(narrow_weights, pictures):
    large = torch.rand(1, 3, 300, 400)
    kept = weakref.ref(large)
    run = stylize(large, pictures[1], small(**LADDER), compute=CPU)
    del large
    assert kept() is not None
    for frame in run:
        last = frame
    gc.collect()
    assert kept() is None and last.scale[0] == last.scale[1]
    run.more(2)
    assert [frame.step for frame in run] == [8, 9]


class Resting:
    """A run that notes when it is closed."""

    rests = False

    def __init__(self):
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sessions(monkeypatch) -> dict[str, Session]:
    """Three pages with paintings that rest, and one that paints."""
    made = {name: Session() for name in ("old", "older", "young", "at work")}
    monkeypatch.setattr(Session, "open", dict(made))
    for number, (name, session) in enumerate(made.items()):
        session.run, session.running = Resting(), name == "at work"
        session.rests_since = {"older": -1.0}.get(name, float(number))
    return made


def test_the_painting_that_rests_for_longest_gives_way_first(sessions):
    runs = {name: session.run for name, session in sessions.items()}
    given_up = []
    while give_up_oldest():
        given_up.append(next(name for name, run in runs.items() if run.closed and name not in given_up))
    assert given_up == ["older", "old", "young"]
    assert [session.given_up for session in sessions.values()] == [True, True, True, False]
    assert sessions["at work"].run and not runs["at work"].closed


def test_paintings_give_way_only_while_memory_is_short(sessions, monkeypatch):
    monkeypatch.setattr(module, "total_memory", lambda: 800)
    monkeypatch.setattr(module, "available_memory", lambda: 60 + 30 * sum(one.given_up for one in sessions.values()))
    make_room()
    assert [name for name, session in sessions.items() if session.given_up] == ["old", "older"]
