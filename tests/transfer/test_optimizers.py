import pytest
import torch

from nst_core.transfer.optimizers import OPTIMIZERS, STEP_SIZES

SETTINGS = {
    "lbfgs": {"step_size": 1.0, "history": 5, "betas": (0.9, 0.99)},
    "adam": {"step_size": 0.02, "history": 5, "betas": (0.9, 0.99)},
}


def picture(height: int = 6, width: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)).requires_grad_(True)


def slope(canvas: torch.Tensor, goal: float = 0.3) -> None:
    """Put the gradient of a bowl, steeper to the right, into canvas.grad."""
    steepness = torch.linspace(1, 9, canvas.shape[3])
    canvas.grad = (2 * steepness * (canvas.detach() - goal)).contiguous()


def moved(optimizer, canvas: torch.Tensor, steps: int) -> list[torch.Tensor]:
    """The canvas after each step."""
    found = []
    for _ in range(steps):
        slope(canvas)
        optimizer.advance()
        found.append(canvas.detach().clone())
    return found


def copy_of(canvas: torch.Tensor) -> torch.Tensor:
    return canvas.detach().clone().requires_grad_(True)


@pytest.fixture(params=OPTIMIZERS)
def name(request) -> str:
    return request.param


def made(name: str, **settings):
    return OPTIMIZERS[name](**SETTINGS[name] | settings)


def uninterrupted(name: str, steps: int) -> list[torch.Tensor]:
    optimizer, canvas = made(name), picture()
    optimizer.begin(canvas)
    return moved(optimizer, canvas, steps)


def test_every_optimizer_has_a_step_size_to_begin_with():
    assert STEP_SIZES.keys() == OPTIMIZERS.keys() == SETTINGS.keys()


def test_an_optimizer_comes_nearer_to_the_goal(name):
    before = (picture() - 0.3).abs().mean()
    after = (uninterrupted(name, 25)[-1] - 0.3).abs().mean()
    assert after < 0.3 * before


def test_beginning_on_a_canvas_leaves_it_alone(name):
    canvas, optimizer = picture(), made(name)
    before = canvas.detach().clone()
    optimizer.begin(canvas)
    assert torch.equal(canvas.detach(), before)


def test_to_restart_is_to_be_new(name):
    for step_size in (SETTINGS[name]["step_size"], 0.25 * SETTINGS[name]["step_size"]):
        optimizer, canvas = made(name), picture()
        optimizer.begin(canvas)
        moved(optimizer, canvas, 5)
        fresh, other = made(name, step_size=step_size), copy_of(canvas)
        fresh.begin(other)
        optimizer.restart(step_size)
        assert optimizer.step_size == step_size
        for one, two in zip(moved(optimizer, canvas, 4), moved(fresh, other, 4), strict=True):
            assert torch.equal(one, two)


# Adam


def test_adam_handed_over_at_the_same_size_goes_on_as_if_nothing_had_happened():
    plain, optimizer, canvas = uninterrupted("adam", 9), made("adam"), picture()
    optimizer.begin(canvas)
    found = moved(optimizer, canvas, 5)
    canvas = copy_of(canvas)
    optimizer.begin(canvas)
    found += moved(optimizer, canvas, 4)
    assert all(torch.equal(one, two) for one, two in zip(plain, found, strict=True))


def test_adam_goes_on_at_once_where_a_new_one_would_begin():
    optimizer, canvas = made("adam"), picture()
    optimizer.begin(canvas)
    moved(optimizer, canvas, 30)
    canvas, fresh, other = copy_of(canvas), made("adam"), copy_of(canvas)
    optimizer.begin(canvas)
    fresh.begin(other)
    before = canvas.detach().clone()
    carried, jumped = moved(optimizer, canvas, 1)[0] - before, moved(fresh, other, 1)[0] - before
    assert carried.abs().mean() < 0.5 * jumped.abs().mean()


@pytest.mark.parametrize("size", [(9, 12), (12, 16), (24, 8), (3, 4), (6, 8)])
def test_adams_moments_are_resized_like_pictures(size):
    optimizer, canvas = made("adam"), picture()
    optimizer.begin(canvas)
    moved(optimizer, canvas, 5)
    before = {key: value.clone() for key, value in optimizer.torchs.state[canvas].items()}
    larger = picture(*size, seed=1)
    optimizer.begin(larger)
    after = optimizer.torchs.state[larger]
    assert len(optimizer.torchs.state) == 1
    assert after["step"] == before["step"] == 5
    for key in ("exp_avg", "exp_avg_sq"):
        assert after[key].shape == larger.shape
        mean, spread = before[key].mean().item(), before[key].std().item()
        assert after[key].mean().item() == pytest.approx(mean, abs=0.1 * spread)
        halves = [
            after[key][..., : size[1] // 2].mean() - after[key][..., size[1] // 2 :].mean(),
            before[key][..., :4].mean() - before[key][..., 4:].mean(),
        ]
        assert halves[0].item() == pytest.approx(halves[1].item(), abs=0.25 * spread)
    assert (after["exp_avg_sq"] >= 0).all()


@pytest.mark.parametrize("value", [0.5, -0.5])
def test_even_moments_stay_even(value):
    optimizer, canvas = made("adam"), picture()
    optimizer.begin(canvas)
    canvas.grad = torch.full_like(canvas, value)
    optimizer.advance()
    before = dict(optimizer.torchs.state[canvas])
    larger = picture(9, 11)
    optimizer.begin(larger)
    for key in ("exp_avg", "exp_avg_sq"):
        expected = before[key].mean().expand(larger.shape)
        torch.testing.assert_close(optimizer.torchs.state[larger][key], expected)


def test_a_spike_leaves_no_negative_square():
    optimizer, canvas = made("adam"), picture()
    optimizer.begin(canvas)
    canvas.grad = torch.zeros_like(canvas)
    canvas.grad[0, :, 3, 4] = 100.0  # bicubic interpolation overshoots beside it
    optimizer.advance()
    larger = picture(17, 23)
    optimizer.begin(larger)
    assert (optimizer.torchs.state[larger]["exp_avg_sq"] >= 0).all()
    assert moved(optimizer, larger, 3)[-1].isfinite().all()


def test_another_objective_leaves_adam_as_it_is():
    plain, optimizer, canvas = uninterrupted("adam", 6), made("adam"), picture()
    optimizer.begin(canvas)
    found = moved(optimizer, canvas, 3)
    optimizer.forget()
    found += moved(optimizer, canvas, 3)
    assert all(torch.equal(one, two) for one, two in zip(plain, found, strict=True))
