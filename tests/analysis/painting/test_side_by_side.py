"""Paintings that grow side by side: what each is alone, and nothing of them left when it is over."""

import threading
import time

import pytest
import torch

from nst_core.analysis.figure import Moment
from nst_core.analysis.painting import painters, side_by_side
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.painters import Batch, Single
from nst_core.analysis.painting.side_by_side import MOST_TOGETHER, moments, paint_cells, part_of
from nst_core.errors import ConfigError, DeviceError
from nst_core.transfer import memory
from nst_core.transfer.optimize import Frame
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, small

ROUNDING = 3e-4  # of the pixel range, that grows from sums in another order within three steps
WEIGHTS = (1e5, 1e4, 1e3, 1e6, 1e2)  # one more than pass the network together


@pytest.fixture(autouse=True)
def every_step(monkeypatch, narrow_weights):
    """Moments as often as steps come, of random networks."""
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 0)


@pytest.fixture
def passes(monkeypatch):
    """How many pictures passed the network in each pass."""
    seen = []
    terms_together = painters.terms_together
    monkeypatch.setattr(
        painters, "terms_together", lambda *given: (seen.append(len(given[0])), terms_together(*given))[1]
    )
    return seen


def cells_of(pictures, configs, **given) -> list[FigureCell]:
    """A cell for each config, in a row."""
    return [FigureCell(0, place, f"cell {place}", config, *pictures, **given) for place, config in enumerate(configs)]


def five(pictures, **settings) -> list[FigureCell]:
    return cells_of(pictures, [small(style_weight=weight, **settings) for weight in WEIGHTS])


def painted(cells, **given) -> tuple[FigureGrowth, ...]:
    return list(paint_cells(cells, CPU, **given))[-1]


def alone(cell) -> list[Frame]:
    return list(stylize(cell.content_image, cell.style_image, cell.config, compute=CPU))


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """How far, mean over the pixels."""
    return float((one - other).abs().mean())


# What is painted


@pytest.mark.parametrize("settings", [{}, {"optimizer": "adam", "step_size": 0.02, "clamp": True}, {"start": "noise"}])
def test_a_cell_of_a_batch_is_what_it_is_alone(pictures, passes, settings):
    cells = five(pictures, backbone="lite", **settings)
    for growth, cell in zip(painted(cells), cells, strict=True):
        frames = alone(cell)
        assert apart(growth.image, frames[-1].image) < ROUNDING
        assert [step for step, _, _ in growth.history] == [frame.step for frame in frames]
        for (_, _, total), frame in zip(growth.history, frames, strict=True):
            # half of what bf16 can tell apart: some processors sum a batch in another order than a picture alone
            assert total == pytest.approx(frame.total, rel=2e-3)
    assert passes.count(MOST_TOGETHER) == 4  # the fifth is alone; one that leapt goes back by itself


def test_a_cell_by_itself_is_stylize_s_to_the_bit(pictures, passes):
    cells = five(pictures)
    for growth, cell in zip(painted(cells, together=False), cells, strict=True):
        assert torch.equal(growth.image, alone(cell)[-1].image)
    assert passes == []


def test_what_looks_otherwise_or_is_of_another_size_is_in_another_batch(pictures, passes):
    looks = [
        small(steps=1, seed=seed, **more) for seed in (0, 1) for more in ({}, {"pooling": "average"}, {"size": 48})
    ]
    painted(cells_of(pictures, [*looks, small(steps=1, style_loss="moments")]))
    assert passes == [2] * 6


def test_cells_have_their_own_pictures(pictures, passes):
    content, style = pictures
    cells = [
        FigureCell(0, 0, "", small(), content, style),
        FigureCell(0, 1, "", small(), content.flip(3), style.flip(2)),
    ]
    for growth, cell in zip(painted(cells), cells, strict=True):
        assert apart(growth.image, alone(cell)[-1].image) < ROUNDING
    assert set(passes) == {2}


def test_a_record_tells_of_a_batch_what_it_would_tell_of_one(pictures):
    cells = five(pictures)
    for growth, cell in zip(painted(cells), cells, strict=True):
        run = stylize(*pictures, cell.config, compute=CPU)
        one, other = growth.record, ([*run], run.record())[1]
        for name in (
            "config",
            "steps",
            "stopped",
            "content_size",
            "style_size",
            "precision",
            "weights_sha256",
            "notes",
        ):
            assert getattr(one, name) == getattr(other, name), name
        assert one.losses == pytest.approx(other.losses, rel=1e-3)
        assert one.config == cell.config


@pytest.mark.parametrize("together", [True, False])
def test_seconds_are_each_cell_s_own_and_increase(pictures, together):
    began = time.perf_counter()
    growths = painted(five(pictures), together=together)
    assert 0 < sum(growth.record.seconds for growth in growths) <= time.perf_counter() - began
    for growth in growths:
        seconds = [at for _, at, _ in growth.history]
        assert seconds == sorted(seconds) and seconds[0] > 0
        assert growth.record.seconds == pytest.approx(seconds[-1], abs=1e-3)


@pytest.mark.parametrize("together", [True, False])
def test_pictures_are_kept_at_the_marks(pictures, together):
    cells = cells_of(pictures, [small(seed=seed) for seed in (0, 1)], marks=(1, 3))
    for growth, cell in zip(painted(cells, together=together), cells, strict=True):
        assert list(growth.marked) == [1, 3]
        for step, (image, seconds) in growth.marked.items():
            assert apart(image, alone(cell)[step].image) < ROUNDING
            assert seconds == growth.history[step][1]


# How it is seen to grow


def test_all_cells_grow_in_turn_and_keep_their_order(pictures):
    cells = [*five(pictures), *five(pictures, pooling="average")][::-1]
    cells[0], cells[-1] = cells[-1], cells[0]
    steps = []
    for growths in paint_cells(cells, CPU):
        assert [growth.cell for growth in growths] == cells
        assert all((growth.image is None) == (not growth.history) for growth in growths)
        steps.append([growth.step for growth in growths])
    assert all(max(row) - min(row) <= 1 for row in steps) and steps[-1] == [3] * 10


def test_moments_come_no_more_often_than_people_look(pictures, monkeypatch):
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 1000)
    assert len(list(paint_cells(five(pictures), CPU))) == 2  # the first steps, and the end


def test_the_share_grows_from_nothing_to_all(pictures):
    told = lambda growths: Moment(("",), ("",), tuple(map(part_of, growths)), notes=("said before",))  # noqa: E731
    seen = list(moments(five(pictures), CPU, told))
    shares = [moment.share for moment in seen]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, 1)
    assert seen[0].text == "step 0 of 3" and seen[-1].text == "all steps made"
    assert all(moment.notes == ("said before",) for moment in seen)
    assert all(part.done and part.record for part in seen[-1].parts)


def test_gradients_are_on_between_moments_whichever_thread_asks(pictures):
    growing, found = paint_cells(five(pictures), CPU), []

    def ask():
        found.append((next(growing), torch.is_grad_enabled()))

    for _ in range(3):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert torch.is_grad_enabled()
    growing.close()
    assert [enabled for _, enabled in found] == [True] * 3


@pytest.mark.parametrize("together", [True, False])
def test_a_setting_that_does_not_suit_is_told_before_the_first_step(pictures, together):
    cells = [*five(pictures), *cells_of(pictures, [small(size=16)])]
    with pytest.raises(ConfigError, match="both sides"):
        paint_cells(cells, CPU, together=together)


def test_where_the_memory_is_too_small_for_a_batch_its_cells_are_painted_one_at_a_time(narrow_weights, monkeypatch):
    picture = torch.rand(1, 3, 48, 64)
    cells = [FigureCell(0, n, str(n), small(style_weight=10.0**n), picture, picture) for n in range(3)]

    def chosen(free: float) -> list[type]:
        monkeypatch.setattr(memory, "free_memory", lambda device: free)
        return [type(painter) for painter in side_by_side._painters(cells, CPU, len(cells))]

    needs = 32 * 24 * memory.BYTES_PER_PIXEL["fp32"]
    assert chosen(10 * needs) == [Batch]
    assert chosen(2 * needs) == [Single] * 3
    with pytest.raises(DeviceError, match="3 pictures of 32×24 pixels"):
        chosen(1.02 * needs)  # enough for one painting, not for what the others remember
