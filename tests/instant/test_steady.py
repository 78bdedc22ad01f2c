import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from nst_core.instant import steady as module
from nst_core.instant.steady import Steady, flicker

HEIGHT, WIDTH, FRAMES = 96, 128, 12


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A cloudy texture with some contrast at every size, (height, width, 3) in [0, 1]."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    clouds = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 4, 10))
    return ((clouds - clouds.min()) / (clouds.max() - clouds.min())).astype(np.float32)


def image(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))


def moving(step: float = 1.7, count: int = FRAMES) -> list[Tensor]:
    """Frames of a camera that pans over a texture, step pixels a frame."""
    wide = texture(0, HEIGHT, WIDTH + math.ceil(step * count) + 8)
    shifts = [np.float32([[1, 0, -step * index - 4], [0, 1, 0]]) for index in range(count)]
    return [image(cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC).clip(0, 1)) for shift in shifts]


def noisily_painted(frames: list[Tensor], amount: float = 0.1) -> list[Tensor]:
    """Frames in other colours, each with strokes of its own, a few pixels wide: the worst of shimmers."""
    random = np.random.default_rng(0)
    grain = [
        cv2.GaussianBlur(random.normal(size=(*frame.shape[2:], 3)), (0, 0), 1).astype(np.float32) for frame in frames
    ]
    noise = [image(each / each.std() * amount) for each in grain]
    return [(frame.flip(1) * 0.8 + 0.1 + each).clamp(0, 1) for frame, each in zip(frames, noise, strict=True)]


def steadied(frames: list[Tensor], painted: list[Tensor]) -> list[Tensor]:
    steady = Steady()
    return [steady(frame, each) for frame, each in zip(frames, painted, strict=True)]


def mean_flicker(frames: list[Tensor], painted: list[Tensor]) -> float:
    pairs = range(1, len(frames))
    return float(np.mean([flicker(frames[i - 1], frames[i], painted[i - 1], painted[i]) for i in pairs]))


def sharpness(painted: Tensor) -> float:
    """The mean gradient."""
    return float(painted.diff(dim=-1).abs().mean() + painted.diff(dim=-2).abs().mean())


# The measure


def test_paint_that_moves_with_its_things_does_not_flicker():
    frames = moving()
    assert mean_flicker(frames, [frame.flip(1) for frame in frames]) < 0.005


def test_flicker_is_the_difference_that_motion_does_not_explain():
    frame = image(texture(1))
    painted = torch.full_like(frame, 0.5)
    assert flicker(frame, frame, painted, painted) == 0
    assert flicker(frame, frame, painted, painted + 0.25) == pytest.approx(0.25, abs=1e-6)


def test_paint_that_stays_where_things_move_flickers():
    frames = moving(step=3)
    still = image(texture(2))
    assert mean_flicker(frames, [still] * FRAMES) > 0.02


def test_where_no_motion_can_be_trusted_flicker_is_unknown():
    black, white = torch.zeros(1, 3, 48, 64), torch.ones(1, 3, 48, 64)
    assert math.isnan(flicker(black, white, black, white))


# What is made steady


@pytest.mark.parametrize("step", [0.0, 0.5, 1.7, 4.0])
def test_flicker_is_cut_by_half_and_the_picture_stays_sharp(step):
    frames = moving(step)
    painted = noisily_painted(frames)
    found = steadied(frames, painted)
    assert mean_flicker(frames, found) < 0.5 * mean_flicker(frames, painted)
    gradients = [sum(map(sharpness, each[4:])) for each in (found, painted)]
    assert 0.9 < gradients[0] / gradients[1] < 1.1


def test_paint_that_does_not_flicker_is_left_as_sharp_as_it_was_however_long():
    frames = moving(0.7, count=40)
    painted = [frame.flip(1) for frame in frames]
    found = steadied(frames, painted)
    assert sharpness(found[-1]) > 0.95 * sharpness(painted[-1])
    assert (found[-1] - painted[-1]).abs().mean() < 0.01


def test_a_still_picture_stays_as_it_is_painted():
    frame, painted = image(texture(3)), image(texture(4))
    for found in steadied([frame] * 5, [painted] * 5):
        torch.testing.assert_close(found, painted, atol=1e-5, rtol=0)


def test_a_still_picture_painted_anew_converges():
    frame, first, then = image(texture(3)), image(texture(4)), image(texture(5))
    found = steadied([frame] * 15, [first] + [then] * 14)
    distances = [float((each - then).abs().mean()) for each in found]
    assert distances[1] > 0.02 and distances[-1] < 0.01 * distances[0]


def test_a_cut_carries_nothing_over():
    frames = [*moving(count=4), *[image(texture(9))] * 3]
    painted = noisily_painted(frames)
    found = steadied(frames, painted)
    torch.testing.assert_close(found[4], painted[4], atol=0, rtol=0)
    assert not torch.equal(found[3], painted[3]) and not torch.equal(found[5], painted[5])


def test_what_comes_out_from_behind_a_thing_is_as_painted():
    background, thing = texture(6), texture(7)[:40, :40]
    frames = []
    for index in range(2):
        pixels = background.copy()
        pixels[30:70, 20 + 12 * index : 60 + 12 * index] = thing
        frames.append(image(pixels))
    painted = noisily_painted(frames)
    found = steadied(frames, painted)[1]
    uncovered = (..., slice(36, 64), slice(22, 30))
    as_painted = ((found[uncovered] - painted[1][uncovered]).abs().sum(1) == 0).float().mean()
    elsewhere = ((found[..., 80:, :] - painted[1][..., 80:, :]).abs().sum(1) == 0).float().mean()
    assert as_painted > 0.8 and elsewhere < 0.2


def test_another_size_begins_anew():
    steady, small, large = Steady(), torch.rand(1, 3, 48, 64), torch.rand(1, 3, 96, 64)
    steady(small, small)
    painted = torch.rand(1, 3, 96, 64)
    torch.testing.assert_close(steady(large, painted), painted, atol=0, rtol=0)


@pytest.mark.parametrize("size", [(16, 16), (16, 200), (17, 31), (700, 1300)])
def test_every_size_can_be_steadied(size):
    height, width = size
    frame = image(texture(8, height, width))
    painted = noisily_painted([frame] * 2)
    found = steadied([frame] * 2, painted)
    assert found[1].shape == frame.shape and found[1].dtype == torch.float32
    assert found[1].min() >= 0 and found[1].max() <= 1
    assert flicker(frame, frame, *found) < 0.6 * flicker(frame, frame, *painted)


def test_a_large_frame_is_moved_by_its_own_pixels(monkeypatch):
    """Motion found in a smaller picture."""
    frames = moving(step=4)
    painted = noisily_painted(frames)
    with monkeypatch.context() as patched:
        patched.setattr(module, "FLOW_SIDE", 64)
        found = steadied(frames, painted)
    assert mean_flicker(frames, found) < 0.6 * mean_flicker(frames, painted)


def test_arguments_are_left_alone():
    frames = moving(count=3)
    painted = noisily_painted(frames)
    kept = [each.clone() for each in (*frames, *painted)]
    steadied(frames, painted)
    assert all(torch.equal(before, after) for before, after in zip(kept, (*frames, *painted), strict=True))


def test_a_painting_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match="not of its frame's"):
        Steady()(torch.rand(1, 3, 48, 64), torch.rand(1, 3, 48, 48))
