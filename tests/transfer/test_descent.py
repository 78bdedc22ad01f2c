"""A canvas on its way down: what is taken back, and what it needs to go on from any step."""

import itertools
import math
from functools import partial

import pytest
import torch

from nst_core.transfer import optimize as optimize_module
from nst_core.transfer.descent import LEAP, Objective, leapt
from nst_core.transfer.optimize import Frame, Stage, optimize
from nst_core.transfer.optimizers import OPTIMIZERS
from nst_core.transfer.state import State, Tensors

START = 0.2 + torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)) / 10


def wall_behind_a_slope(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """A gentle slope to a wall: a model of the slope leads far up the wall."""
    over = (image - 0.6).clamp(min=0)
    return {"loss": (1e-3 * (1 - image) + 1e6 * over.pow(4)).sum()}


def test_a_step_that_leapt_is_taken_back():
    start = torch.full((1, 3, 4, 4), 0.5)
    totals = [frame.total for frame in optimize(wall_behind_a_slope, start, steps=40)]
    assert all(after <= LEAP * before for before, after in itertools.pairwise(totals))
    assert totals[-1] < totals[0]


def test_only_a_far_larger_finite_loss_is_a_leap():
    assert leapt(1.0, {"a": 3.0, "b": LEAP}) and not leapt(1.0, {"a": LEAP})
    assert not leapt(1.0, {"a": math.inf}) and not leapt(1.0, {"a": math.nan}) and not leapt(math.inf, {"a": 1e9})


def copied(tensors: Tensors) -> Tensors:
    """As they are now, whatever the next step makes of them."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def cliff(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Finite above 0 only, lowest at 0.1: a step too large falls off."""
    return {"slope": image.sum(), "wall": -0.1 * image.log().sum()}


def hilltop(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Curves downwards at first, so that L-BFGS learns nothing and its steps get longer."""
    return {"valleys": ((image - 0.25).square() - 1).square().sum()}


@pytest.fixture(params=[0, 2])
def ahead(request, monkeypatch) -> int:
    """How many steps a device is given before the first one's losses are looked at."""
    monkeypatch.setattr(optimize_module, "steps_ahead", lambda device: request.param)
    return request.param


OBJECTIVES = [cliff, hilltop, wall_behind_a_slope]


def staged(objective: Objective, optimizer: str, start: torch.Tensor = START, **settings) -> Stage:
    moves = OPTIMIZERS[optimizer](step_size=0.5 if optimizer == "adam" else 10.0, history=3, betas=(0.9, 0.999))
    given = {"steps": 16, "averaging": 0.5, "tolerance": 0.0} | settings
    return Stage(objective, start, optimizer=moves, clamp=False, **given)


def same(one: Frame, other: Frame) -> bool:
    same_numbers = (one.step, one.losses, one.note, one.settled) == (
        other.step,
        other.losses,
        other.note,
        other.settled,
    )
    return same_numbers and torch.equal(one.image, other.image)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_device_that_is_steps_ahead_shows_the_same_frames(objective, optimizer, monkeypatch):
    """Whatever is taken back, and up to the same end."""
    frames = []
    for ahead in (0, 2):
        monkeypatch.setattr(optimize_module, "steps_ahead", lambda device, ahead=ahead: ahead)
        stage = staged(objective, optimizer)
        frames.append(list(iter(stage.next, None)))
        assert stage.most_ahead == ahead and not stage.ahead
    assert len(frames[0]) == 17 and all(map(same, *frames))


def test_a_changed_objective_is_heard_of_by_the_next_step_that_is_made(ahead):
    weight = [1.0]
    stage = staged(lambda image: {"bowl": weight[0] * image.square().sum()}, "adam", averaging=0.0)
    for _ in range(5):
        stage.next()
    weight[0] = 100.0
    later = [stage.next(changed=step == 0) for step in range(5)]
    expected = [(1 if step < ahead else 100) * frame.image.square().sum().item() for step, frame in enumerate(later)]
    assert [frame.losses["bowl"] for frame in later] == pytest.approx(expected)
    assert len(stage.plateau.best) == 5 - ahead  # which begins anew with the first of another measure


def test_what_goes_along_to_the_next_scale_learned_nothing_behind_the_end_of_this_one(ahead):
    for optimizer, steps in itertools.product(OPTIMIZERS, (9, None)):
        stage = staged(cliff, optimizer, steps=steps, tolerance=0.1)
        assert stage.most_ahead == (0 if (optimizer, steps) == ("adam", 9) else ahead)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_a_stage_gives_of_itself_is_all_that_another_needs(objective, optimizer, ahead):
    """After recoveries, leaps and longer steps, too: every later frame is the same, bit for bit."""
    stage = partial(staged, objective, optimizer, tolerance=1e-3)
    whole = stage()
    states, frames = [], []
    while frame := whole.next():
        frames.append(frame)
        found = whole.state()
        lasting = {name: copied(tensors()) for name, tensors in found.lasting.items()}
        lasting = {name: partial(dict, tensors) for name, tensors in lasting.items()}
        states.append(State(found.facts, copied(found.tensors), lasting))
    for step in range(17):
        other = stage(states[step].tensors["canvas"])
        other.take_state(states[step])
        later = list(iter(other.next, None))
        assert [frame.step for frame in later] == list(range(step + 1, 17))
        assert all(map(same, later, frames[step + 1 :]))
    if objective is cliff:
        assert any(frame.note for frame in frames)
    assert not torch.equal(frames[-1].image, frames[5].image)
