"""Who paints a figure's cells: one that fails harms no other, and nothing stays when they are closed."""

import gc

import pytest
import torch

from nst_core.analysis.figure import Moment
from nst_core.analysis.painting import painters, side_by_side
from nst_core.analysis.painting.side_by_side import MOST_TOGETHER, moments, paint_cells, part_of
from nst_core.errors import DeviceError, NSTError
from nst_core.transfer.objective import StyleTransferObjective
from tests.analysis.painting.test_side_by_side import ROUNDING, alone, apart, cells_of, five, painted
from tests.runs import CPU, small

# Overflows float32 at a style weight of 1e15.
LOUD = {"layer_weights": (1e14, 1e14), "normalization": "caffe", "style_normalization": "undivided"}


@pytest.fixture(autouse=True)
def every_step(monkeypatch, narrow_weights):
    """Moments as often as steps come, of random networks."""
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 0)


@pytest.fixture
def spoilt(monkeypatch):
    """Of seed 1, the loss is infinite from some step on."""
    terms_together, at = painters.terms_together, {"pass": 0, "from": 0}

    def spoil(objectives, images):
        terms, at["pass"] = terms_together(objectives, images), at["pass"] + 1
        factors = [
            torch.inf if objective.config.seed == 1 and at["pass"] > at["from"] else 1 for objective in objectives
        ]
        return [
            {name: factor * value for name, value in own.items()} for factor, own in zip(factors, terms, strict=True)
        ]

    monkeypatch.setattr(painters, "terms_together", spoil)
    return at


@pytest.mark.parametrize("step", [0, 2])
def test_a_cell_whose_loss_is_not_finite_ends_and_the_others_go_on(pictures, spoilt, step):
    spoilt["from"] = step
    cells = cells_of(pictures, [small(start="noise", seed=seed) for seed in range(3)])
    told = lambda growths: Moment(("",), ("",), tuple(map(part_of, growths)))  # noqa: E731
    last = list(moments(cells, CPU, told))[-1]
    first, broken, third = last.parts
    assert f"not a finite number at step {step};" in broken.caption and broken.done and broken.record is None
    assert last.share == 1 and last.notes == (f"cell 1: {broken.caption}",)
    assert (broken.image is None) == (step == 0)
    for part, cell in ((first, cells[0]), (third, cells[2])):
        assert apart(part.image, alone(cell)[-1].image) < ROUNDING


def test_a_real_overflow_spoils_no_neighbour(pictures):
    cells = cells_of(pictures, [small(style_weight=weight, **LOUD) for weight in (1e-30, 1e15, 2e-30)])
    quiet, overflown, other = painted(cells)
    assert "not a finite number" in overflown.problem and overflown.record is None
    assert quiet.record and other.record and quiet.image.isfinite().all() and other.image.isfinite().all()


@pytest.mark.parametrize("together", [True, False])
def test_when_all_fail_it_ends_and_says_so_of_each(pictures, together):
    cells = cells_of(pictures, [small(seed=seed, style_weight=1e15, **LOUD) for seed in (0, 1)])
    growths = painted(cells, together=together)
    assert all("not a finite number at step 0" in growth.problem and growth.done for growth in growths)
    assert not any(growth.record or growth.history for growth in growths)


def test_an_error_of_a_batch_is_told_of_each_of_its_cells(pictures, monkeypatch):
    def fail(self):
        raise NSTError("no good")

    monkeypatch.setattr(painters.Batch, "advance", fail)
    growths = painted(five(pictures))
    assert [growth.problem for growth in growths] == ["no good"] * MOST_TOGETHER + [""] and growths[-1].record


def objectives() -> int:
    gc.collect()
    return sum(type(thing) in (StyleTransferObjective, painters.BatchMember) for thing in gc.get_objects())


def test_a_device_that_fails_ends_all_and_nothing_stays(pictures, monkeypatch):
    move = painters.BatchMember.move

    def fail(self):
        if self.growth.step == 1:
            raise DeviceError("out of memory")
        move(self)

    monkeypatch.setattr(painters.BatchMember, "move", fail)
    before, growing = objectives(), paint_cells(five(pictures), CPU)
    with pytest.raises(DeviceError, match="out of memory"):
        list(growing)
    assert objectives() == before


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("seen", [0, 1, 7])
def test_closing_frees_what_was_painted_with(pictures, together, seen):
    before, growing = objectives(), paint_cells(five(pictures, steps=50), CPU, together=together)
    for _ in range(seen):
        next(growing)
    assert (objectives() > before) == (seen > 0)
    growing.close()
    assert objectives() == before


@pytest.mark.parametrize("cells", [1, 3])
def test_a_closed_painter_holds_nothing_while_it_is_held(pictures, cells):
    before, alike = objectives(), five(pictures, steps=50)[:cells]
    one = [painters.Single(cell, CPU) for cell in alike]
    painter = one[0] if cells == 1 else painters.Batch(one, CPU)
    assert painter.advance() and painter.advance() and objectives() > before
    painter.close()
    assert objectives() == before and not (cells > 1 and painter.advance())


@pytest.mark.parametrize("ends", [True, False])
def test_every_painter_is_closed_whether_it_ends_or_is_left(pictures, monkeypatch, ends):
    closed = []
    for kind in (painters.Single, painters.Batch):
        monkeypatch.setattr(kind, "close", lambda painter: closed.append(type(painter)))
    growing = paint_cells(five(pictures), CPU)
    next(growing)
    list(growing) if ends else growing.close()
    assert closed == [painters.Batch, painters.Single]


def test_a_memory_that_is_full_while_a_batch_is_laid_out_is_told(pictures, monkeypatch):
    def full(run):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(painters.Run, "laid_out", full)
    with pytest.raises(DeviceError, match="ran out of memory; choose a smaller size"):
        list(paint_cells(five(pictures)[:2], CPU))
