from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from nst_core.errors import NSTError
from nst_core.transfer.descent import MAX_RECOVERIES
from nst_core.transfer.lbfgs import FIRST_STEP, LONGEST_STEP
from nst_core.transfer.optimize import PLATEAU_STEPS, Average, Frame, Plateau, optimize
from nst_core.transfer.optimizers import OPTIMIZERS, STEP_SIZES
from tests.stand_ins import DEVICES

SHAPE = (1, 3, 8, 8)  # 192 values: few enough for torch's own first step, see below
STEPS = {"lbfgs": 8, "adam": 8}


def random(seed: int, shape=SHAPE, dtype=torch.float32) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


class Bowl:
    """A long narrow valley, half of it turned: two terms, the lowest point at `goal`."""

    def __init__(self, dtype=torch.float32, scale: float = 1.0, shape=SHAPE, device="cpu"):
        self.goal = random(1, shape, dtype).to(device)
        self.steepness = (1 + 9 * random(2, shape, dtype)).to(device)
        self.scale = scale

    def __call__(self, image):
        away = image - self.goal
        return {
            "valley": self.scale * (self.steepness * away.square()).sum(),
            "turned": self.scale * (away + away.flip(3)).square().sum(),
        }


def pictures(frames) -> list[torch.Tensor]:
    return [frame.image for frame in frames]


def run(objective, start=None, optimizer="lbfgs", steps=8, **settings):
    settings.setdefault("step_size", STEP_SIZES[optimizer])
    return optimize(objective, random(0) if start is None else start, steps=steps, optimizer=optimizer, **settings)


# Frames


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frames_are_the_start_and_every_step_with_the_losses_of_their_own_picture(optimizer, steps, device):
    objective, start = Bowl(device=device), random(0).to(device)
    before, frames = start.clone(), list(run(objective, start, optimizer, steps))
    assert [frame.step for frame in frames] == list(range(steps + 1))
    assert torch.equal(frames[0].image, start)
    assert torch.equal(start, before) and not start.requires_grad
    for frame in frames:
        assert frame.image.shape == SHAPE and frame.image.device.type == device and not frame.image.requires_grad
        assert frame.losses == pytest.approx({name: loss.item() for name, loss in objective(frame.image).items()})
        assert frame.total == pytest.approx(sum(frame.losses.values()))
        assert frame.note == ""
    assert all(later.total < earlier.total for earlier, later in zip(frames, frames[1:], strict=False))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_frame_stays_as_it_was_when_it_came(optimizer):
    copies, frames = [], []
    for frame in run(Bowl(), optimizer=optimizer):
        frames.append(frame)
        copies.append(frame.image.clone())
    assert all(torch.equal(frame.image, copy) for frame, copy in zip(frames, copies, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_lowest_point_is_found(optimizer):
    objective = Bowl()
    *_, last = run(objective, optimizer=optimizer, steps=100)
    torch.testing.assert_close(last.image, objective.goal, atol=0.02 if optimizer == "adam" else 1e-4, rtol=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_start_gives_the_same_pictures(optimizer):
    first, second = (pictures(run(Bowl(), optimizer=optimizer)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_start_of_any_layout_or_with_a_gradient_is_fine(optimizer):
    plain = pictures(run(Bowl(), optimizer=optimizer))
    for start in (random(0).to(memory_format=torch.channels_last), random(0).requires_grad_(True)):
        for expected, image in zip(plain, pictures(run(Bowl(), start, optimizer)), strict=True):
            torch.testing.assert_close(image, expected)
        assert start.grad is None


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_objective_is_asked_once_a_frame(optimizer):
    asked, bowl = [], Bowl()

    def objective(image):
        asked.append(image.detach().clone())
        return bowl(image)

    frames = pictures(run(objective, optimizer=optimizer))
    assert len(asked) == len(frames)
    assert all(torch.equal(seen, shown) for seen, shown in zip(asked, frames, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_gradient_is_computed_for_the_last_frame(optimizer):
    asked, bowl = [], Bowl()

    def objective(image):
        asked.append(torch.is_grad_enabled())
        return bowl(image)

    list(run(objective, optimizer=optimizer, steps=3))
    assert asked == [True, True, True, False]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_start_at_the_lowest_point_stays_there(optimizer):
    objective = Bowl()
    for frame in run(objective, objective.goal, optimizer):
        torch.testing.assert_close(frame.image, objective.goal, atol=1e-6, rtol=0)


# L-BFGS


def test_the_first_step_of_lbfgs_moves_pixels_by_a_known_mean():
    for step_size in (1.0, 0.5):
        first, second, *_ = pictures(run(Bowl(), step_size=step_size, steps=1))
        assert (second - first).abs().mean().item() == pytest.approx(FIRST_STEP * step_size, rel=1e-4)
        start = first.clone().requires_grad_(True)
        sum(Bowl()(start).values()).backward()
        moved = torch.nn.functional.cosine_similarity((first - second).flatten(), start.grad.flatten(), dim=0)
        assert moved.item() == pytest.approx(1, abs=1e-5)  # straight downhill


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 12])
@pytest.mark.parametrize("history", [1, 3, 10])
def test_lbfgs_in_frames_is_one_run_of_torchs_lbfgs(steps, history):
    bowl = Bowl(torch.float64)
    start = bowl.goal + 0.1 * random(0, dtype=torch.float64)  # so near that no step is too long
    *_, last = run(bowl, start, steps=steps, history=history)

    # torch's first step is the gradient times min(1, 1 / its sum): with a sum below 1 it is the gradient itself
    canvas = start.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(sum(bowl(canvas).values()), canvas)
    scale = FIRST_STEP / gradient.abs().mean()
    assert scale * gradient.abs().sum() < 1
    reference = torch.optim.LBFGS(
        [canvas], max_iter=steps, history_size=history, tolerance_grad=-1, tolerance_change=-1, max_eval=10**6
    )

    def closure():
        reference.zero_grad()
        loss = scale * sum(bowl(canvas).values())
        loss.backward()
        return loss

    reference.step(closure)
    torch.testing.assert_close(last.image, canvas.detach(), atol=1e-7, rtol=0)


@pytest.mark.parametrize("distance", [0.1, 1.0, 3.0])
def test_lbfgs_is_the_two_loop_recursion_of_liu_and_nocedal_whose_steps_are_held_back(distance):
    bowl = Bowl(torch.float64)
    start = bowl.goal + distance * random(0, dtype=torch.float64)
    longest = 0.0

    def gradient_at(x: np.ndarray) -> np.ndarray:
        image = torch.from_numpy(x.reshape(SHAPE)).requires_grad_(True)
        return torch.autograd.grad(sum(bowl(image).values()), image)[0].numpy().ravel()

    x, memory = start.numpy().ravel().copy(), []
    gradient = gradient_at(x)
    for step, frame in enumerate(run(bowl, start, steps=6, history=3)):
        np.testing.assert_allclose(frame.image.numpy().ravel(), x, atol=1e-6)
        if step == 0:
            move = -FIRST_STEP * gradient / np.abs(gradient).mean()
        else:
            q, coefficients = gradient.copy(), []
            for s, y in reversed(memory):
                coefficients.append(s @ q / (y @ s))
                q -= coefficients[-1] * y
            s, y = memory[-1]
            q *= (y @ s) / (y @ y)
            for (s, y), coefficient in zip(memory, reversed(coefficients), strict=True):
                q += s * (coefficient - y @ q / (y @ s))
            move = -q
            longest = max(longest, np.abs(move).mean())
            move *= min(1, LONGEST_STEP / np.abs(move).mean())
        x = x + move
        new = gradient_at(x)
        memory, gradient = [*memory, (move, new - gradient)][-3:], new
    assert (longest > LONGEST_STEP) == (distance >= 1)


def test_lbfgs_leaves_a_hilltop_with_longer_and_longer_steps():
    """About 0 the loss curves downwards, and of steps there no curvature can be learned."""

    def two_valleys(image):
        return {"valleys": (image.square() - 1).square().sum()}

    frames = list(optimize(two_valleys, 0.02 * random(0), steps=40))
    lengths = [
        (after.image - before.image).abs().mean().item() for before, after in zip(frames, frames[1:], strict=False)
    ]
    assert lengths[1] < lengths[2] < lengths[3]
    assert max(lengths) <= LONGEST_STEP * 1.001
    assert frames[-1].total < 1e-3 * frames[0].total


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_lbfgs_paints_the_same_whatever_the_loss_is_counted_in(scale):
    plain, scaled = (pictures(run(Bowl(scale=factor), steps=12)) for factor in (1.0, scale))
    for expected, image in zip(plain, scaled, strict=True):
        torch.testing.assert_close(image, expected, atol=1e-4, rtol=0)
    assert (plain[-1] - plain[0]).abs().mean() > 0.1


# Adam


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.99), (0.5, 0.6)])
@pytest.mark.parametrize("step_size", [0.02, 1e-3])
def test_adam_is_torchs_adam(step_size, betas):
    objective, canvas = Bowl(), random(0).requires_grad_(True)
    reference = torch.optim.Adam([canvas], lr=step_size, betas=betas)
    for frame in run(objective, optimizer="adam", step_size=step_size, betas=betas):
        torch.testing.assert_close(frame.image, canvas.detach())
        reference.zero_grad()
        sum(objective(canvas).values()).backward()
        reference.step()


def test_adams_first_step_moves_every_pixel_by_the_step_size():
    first, second, *_ = pictures(run(Bowl(), optimizer="adam", step_size=0.02, steps=1))
    torch.testing.assert_close((second - first).abs(), torch.full(SHAPE, 0.02), atol=1e-5, rtol=0)


def test_clamping_keeps_every_frame_but_the_start_within_the_pixel_range():
    def objective(image):
        return {"far out": (image - 3 * torch.sign(image - 0.5)).square().sum()}

    free = pictures(run(objective, optimizer="adam", step_size=0.3))
    kept = pictures(run(objective, optimizer="adam", step_size=0.3, clamp=True))
    assert free[-1].min() < 0 and free[-1].max() > 1
    assert all(image.min() >= 0 and image.max() <= 1 for image in kept)
    assert kept[-1].unique().tolist() == [0, 1]


# Losses that are not finite


def cliff(image):
    """Finite above 0 only, lowest at 0.1: a step too large falls off."""
    return {"slope": image.sum(), "wall": -0.1 * image.log().sum()}


def test_a_loss_that_is_not_finite_takes_back_the_step_and_halves_it():
    start = torch.full(SHAPE, 0.2)
    frames = list(run(cliff, start, "adam", 40, step_size=0.5))
    assert [frame.step for frame in frames] == list(range(41))
    assert all(np.isfinite(frame.total) and frame.image.isfinite().all() for frame in frames)
    noted = [frame for frame in frames if frame.note]
    assert noted and noted[0].step == 1
    assert "not finite at step 1; went back to step 0 with step size 0.125" in noted[0].note  # 0.2 - 0.25 < 0
    torch.testing.assert_close(frames[1].image, torch.full(SHAPE, 0.2 - 0.125), atol=1e-5, rtol=0)
    assert len(noted) < MAX_RECOVERIES
    assert frames[-1].total < frames[0].total
    torch.testing.assert_close(frames[-1].image, torch.full(SHAPE, 0.1), atol=0.05, rtol=0)


def test_lbfgs_recovers_and_still_arrives():
    start = torch.full(SHAPE, 0.2) + random(0) / 10
    frames = list(run(cliff, start, "lbfgs", 60, step_size=10.0))  # ten times what suits it
    assert any(frame.note for frame in frames) and not frames[-1].note
    assert all(np.isfinite(frame.total) for frame in frames)
    torch.testing.assert_close(frames[-1].image, torch.full(SHAPE, 0.1), atol=0.01, rtol=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_one_bad_loss_by_chance_is_noted_once_and_the_run_goes_on(optimizer, bad):
    asked, bowl = [], Bowl()

    def objective(image):
        asked.append(1)
        return {**bowl(image), "flaw": image.sum() * 0 + (bad if len(asked) == 5 else 0)}

    frames = list(run(objective, optimizer=optimizer, steps=8))
    assert [frame.step for frame in frames if frame.note] == [4]
    assert "step 4" in frames[4].note and "step 3" in frames[4].note
    assert len(frames) == 9 and frames[-1].total < frames[0].total
    assert all(np.isfinite(list(frame.losses.values())).all() for frame in frames)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_start_without_a_finite_loss_is_refused_naming_the_term(optimizer, bad):
    def objective(image):
        return {"fine": image.sum(), "broken": image.sum() * bad}

    with pytest.raises(NSTError) as raised:
        next(run(objective, optimizer=optimizer))
    assert "step 0" in str(raised.value) and "broken" in str(raised.value) and "fine" not in str(raised.value)
    assert "lower the weights" in str(raised.value)


def test_losses_that_are_infinite_both_ways_are_refused_too():
    def objective(image):
        return {"up": image.sum() * float("inf"), "down": image.sum() * -float("inf")}

    with pytest.raises(NSTError, match="up, down"):
        next(run(objective))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loss_that_stays_bad_ends_the_run_after_the_frames_that_were_good(optimizer):
    start, seen = random(0), []

    def objective(image):
        here = torch.equal(image.detach(), start)
        return {"island": image.square().sum() * (1.0 if here else float("nan"))}

    with pytest.raises(NSTError, match="step 1.*island"):
        for frame in run(objective, start, optimizer):
            seen.append(frame.step)
    assert seen == [0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_gradient_that_is_not_finite_is_no_picture(optimizer):
    def objective(image):
        return {"edge": (image - image.detach()).abs().sqrt().sum() + image.square().sum()}  # slope ∞ · 0

    shown = []
    with pytest.raises(NSTError):
        for frame in run(objective, optimizer=optimizer):
            shown.append(frame.image)
    assert len(shown) == 1 and all(image.isfinite().all() for image in shown)


# Without end, from one scale to the next


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_without_steps_never_ends_and_paints_the_same(optimizer):
    plain = list(run(Bowl(), optimizer=optimizer, steps=30))
    endless = list(islice(run(Bowl(), optimizer=optimizer, steps=None), 200))
    assert [frame.step for frame in endless] == list(range(200))
    for one, other in zip(plain, endless, strict=False):
        assert torch.equal(one.image, other.image) and one.losses == other.losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frames_are_counted_on_from_the_steps_made_before(optimizer):
    plain, later = list(run(Bowl(), optimizer=optimizer)), list(run(Bowl(), optimizer=optimizer, made=100))
    assert [frame.step for frame in later] == list(range(100, 109))
    assert all(torch.equal(one.image, other.image) for one, other in zip(plain, later, strict=True))


def test_what_is_noted_and_refused_counts_the_steps_made_before():
    noted = [frame for frame in run(cliff, torch.full(SHAPE, 0.2), "adam", 3, step_size=0.5, made=100) if frame.note]
    assert noted[0].step == 101 and "at step 101; went back to step 100" in noted[0].note
    with pytest.raises(NSTError, match="at step 100"):
        next(run(lambda image: {"broken": image.sum() * float("nan")}, made=100))


def test_adam_at_work_is_handed_over_and_goes_on():
    plain = pictures(run(Bowl(), optimizer="adam", steps=8))
    adam = OPTIMIZERS["adam"](step_size=STEP_SIZES["adam"], history=1, betas=(0.9, 0.999))
    first = pictures(optimize(Bowl(), random(0), steps=5, optimizer=adam, step_size=9.0))  # whose settings are its own
    second = pictures(optimize(Bowl(), first[-1], steps=3, optimizer=adam))
    assert all(torch.equal(one, other) for one, other in zip(plain, first + second[1:], strict=True))


def test_lbfgs_at_work_begins_anew():
    lbfgs = OPTIMIZERS["lbfgs"](step_size=1.0, history=10, betas=(0.9, 0.999))
    *_, last = pictures(optimize(Bowl(), random(0), steps=5, optimizer=lbfgs))
    second = pictures(optimize(Bowl(), last, steps=3, optimizer=lbfgs))
    fresh = pictures(run(Bowl(), last, steps=3))
    assert all(torch.equal(one, other) for one, other in zip(second, fresh, strict=True))


# An objective that changes


class Switch:
    """A bowl that becomes another at a step."""

    def __init__(self, at: int):
        self.bowls, self.at, self.now = (Bowl(), Bowl()), at, 0
        self.bowls[1].goal = random(5)

    def __call__(self, image):
        return self.bowls[self.now](image)

    def frames(self, **settings) -> Iterator[Frame]:
        """Of a run that is told when it becomes another."""
        painting = run(self, **settings)
        frame = next(painting)
        while frame:
            yield frame
            changed = frame.step + 1 == self.at
            self.now |= changed
            try:
                frame = painting.send(changed)
            except StopIteration:
                return


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_that_is_told_that_nothing_changed_is_the_same(optimizer):
    plain, told = pictures(run(Bowl(), optimizer=optimizer)), pictures(Switch(-1).frames(optimizer=optimizer))
    assert all(torch.equal(one, other) for one, other in zip(plain, told, strict=True))


@pytest.mark.parametrize("at", [1, 5])
def test_lbfgs_begins_anew_with_the_new_objective_at_once(at):
    objective = Switch(at)
    before, shown = pictures(run(Bowl(), steps=at)), pictures(objective.frames(steps=at + 6))
    after = pictures(run(objective.bowls[1], before[-1], steps=6))
    assert all(torch.equal(one, other) for one, other in zip(before + after[1:], shown, strict=True))


def test_adam_takes_the_new_gradient_at_once_and_keeps_its_moments():
    objective = Switch(3)
    shown = pictures(objective.frames(optimizer="adam", steps=6))
    canvas = random(0).requires_grad_(True)
    reference = torch.optim.Adam([canvas], lr=STEP_SIZES["adam"])
    for step, image in enumerate(shown):
        torch.testing.assert_close(image, canvas.detach())
        reference.zero_grad()
        sum(objective.bowls[step >= 3](canvas).values()).backward()
        reference.step()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_frames_losses_are_of_the_objective_that_is_wanted_then(optimizer):
    objective = Switch(2)
    for frame in objective.frames(optimizer=optimizer, steps=5):
        expected = objective.bowls[frame.step >= 2](frame.image)
        assert frame.losses == pytest.approx({name: loss.item() for name, loss in expected.items()})


def test_a_frame_is_finished_when_somebody_asks_and_once():
    asked = []

    def finish(image):
        asked.append(1)
        return 1 - image

    (frame,) = (replace(frame, finish=finish) for frame in run(Bowl(), steps=1, scale=(2, 5)) if frame.step == 1)
    assert frame.scale == (2, 5) and frame.total > 0 and not asked
    assert torch.equal(frame.image, 1 - frame.pixels) and frame.image is frame.image and len(asked) == 1
    assert replace(frame, finish=None).image is frame.pixels


def test_a_frame_is_settled_when_steps_gain_too_little_but_not_at_once_in_a_new_measure():
    slow = {"optimizer": "adam", "steps": 60, "tolerance": 0.5, "step_size": 1e-4}
    settled = [frame.settled for frame in run(Bowl(), **slow)]
    assert settled.index(True) == PLATEAU_STEPS and all(settled[PLATEAU_STEPS:])
    again = [frame.settled for frame in Switch(10).frames(**slow)]
    assert again.index(True) == 10 + PLATEAU_STEPS
    assert not any(frame.settled for frame in run(Bowl(), **slow | {"tolerance": 0.0}))


# Averages


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
def test_an_average_is_the_weighted_mean_of_all_pictures_so_far(decay):
    average, seen = Average(decay), []
    for number in range(12):
        seen.append(random(number))
        weights = torch.tensor([decay ** (number - i) for i in range(number + 1)], dtype=torch.float64)
        expected = (weights.view(-1, 1, 1, 1, 1) * torch.stack(seen)).sum(0) / weights.sum()
        torch.testing.assert_close(average.of(seen[-1]), expected.float())


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99, 0.999])
def test_the_average_of_one_picture_is_itself(decay):
    average, image = Average(decay), random(0)
    for _ in range(20):
        torch.testing.assert_close(average.of(image), image)


def test_without_decay_nothing_is_averaged():
    average = Average(0.0)
    assert all(average.of(image) is image for image in (random(0), random(1)))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frames_show_the_average_of_the_pictures_while_the_run_goes_its_way(optimizer):
    plain, shown = (list(run(Bowl(), optimizer=optimizer, averaging=decay)) for decay in (0.0, 0.8))
    average = Average(0.8)
    for one, other in zip(plain, shown, strict=True):
        torch.testing.assert_close(other.image, average.of(one.image))
        assert one.losses == other.losses  # of the picture that is being painted
    assert (plain[-1].image - shown[-1].image).abs().mean() > 1e-3


# Plateaus


def reached(tolerance: float, losses) -> list[bool]:
    plateau = Plateau(tolerance)
    return [plateau.reached(loss) for loss in losses]


def test_without_tolerance_there_is_no_plateau():
    assert not any(reached(0, [1.0] * 100))


def test_a_loss_that_stays_is_a_plateau_after_some_steps_not_before():
    assert reached(0.01, [1.0] * 30) == [False] * PLATEAU_STEPS + [True] * (30 - PLATEAU_STEPS)
    assert reached(0.01, [0.0] * 30)[-1]  # nothing is left to gain


@pytest.mark.parametrize("tolerance", [0.001, 0.01, 0.2])
def test_a_plateau_is_a_gain_below_the_tolerance_over_some_steps(tolerance):
    for factor in (0.9, 1.1):
        rate = (1 - factor * tolerance) ** (1 / PLATEAU_STEPS)
        found = reached(tolerance, [rate**step for step in range(60)])
        assert found[PLATEAU_STEPS:] == [factor < 1] * (60 - PLATEAU_STEPS)


def test_a_loss_that_rises_is_a_plateau_of_its_best():
    assert reached(0.01, [1.0 + step for step in range(30)])[-1]
    falling_in_leaps = [1.0 - 0.1 * (step // 10) + 0.5 * (step % 2) for step in range(60)]
    assert not any(reached(0.01, falling_in_leaps))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_plateau_does_not_depend_on_what_the_loss_is_counted_in(scale):
    losses = [1.0 / (1 + step) for step in range(200)]
    assert reached(0.21, [scale * loss for loss in losses]) == reached(0.21, losses)
    assert reached(0.21, losses)[-1]


# Stopping, closing, threads


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_can_be_closed_at_any_frame(optimizer):
    for frames in range(4):
        generator = run(Bowl(), optimizer=optimizer)
        for _ in range(frames):
            next(generator)
        generator.close()
        assert next(generator, None) is None
        assert torch.is_grad_enabled()


def state() -> tuple:
    """The settings of torch that belong to a thread."""
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "context",
    [torch.no_grad, torch.enable_grad, lambda: torch.autocast("cpu", torch.bfloat16)],
    ids=["no gradient", "gradient", "bf16"],
)
def test_a_run_neither_heeds_nor_changes_the_callers_gradient_mode(optimizer, context):
    expected = pictures(run(Bowl(), optimizer=optimizer))
    shown = []
    with context():
        inside = state()
        for frame in run(Bowl(), optimizer=optimizer):
            assert state() == inside
            shown.append(frame.image)
        assert state() == inside
    assert state() == (True, False, False)
    assert all(torch.equal(a, b) for a, b in zip(expected, shown, strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_may_go_on_in_another_thread_every_step(optimizer):
    expected = pictures(run(Bowl(), optimizer=optimizer))
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        threads = [one, other, one, other]
        one.submit(torch.set_grad_enabled, False).result()
        states = [thread.submit(state).result() for thread in threads]
        generator = run(Bowl(), optimizer=optimizer)
        shown = [threads[i % 4].submit(next, generator).result().image for i in range(len(expected))]
        assert threads[0].submit(next, generator, None).result() is None
        assert [thread.submit(state).result() for thread in threads] == states
    assert states[0] != states[1]
    assert all(torch.equal(a, b) for a, b in zip(expected, shown, strict=True))


def test_a_run_left_midway_leaves_no_setting_behind():
    with ThreadPoolExecutor(1) as thread:
        generator = run(Bowl())
        for _ in range(3):
            thread.submit(next, generator).result()
        assert thread.submit(state).result() == (True, False, False)
        del generator
        assert thread.submit(state).result() == (True, False, False)
