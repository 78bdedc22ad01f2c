import pytest
import torch

from nst_core.losses.gram import gram_matrix
from nst_core.losses.moments import channel_moments, deviation_distance, joint_moments, mean_vector


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 5, 7, 9), (1, 4, 40, 50)])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_mean_vector_is_the_mean_of_each_feature_map(shape, kind):
    features, weights = random(*shape).relu().to(kind).requires_grad_(True), random(*shape[:2], seed=1)
    plain = features.detach().float().requires_grad_(True)
    mean, expected = mean_vector(features), plain.mean((2, 3))
    torch.testing.assert_close(mean, expected, rtol=1e-5 if kind == torch.float32 else 3e-3, atol=1e-6)
    (mean * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(features.grad, plain.grad.to(kind))


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (2, 5, 40, 50), (1, 4, 40, 50)])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tapped", [False, True])
def test_joint_moments_are_mean_and_gram_matrix_with_the_gradients_of_both(shape, kind, tapped):
    features = (random(*shape).relu() + 0.5).to(kind)
    tap = random(2, shape[1], seed=3) if tapped else None
    channels = 2 if tapped else shape[1]
    weights = random(shape[0], channels, seed=1), random(shape[0], channels, channels, seed=2)

    def gradient(*moments_of):
        seen = features.clone().requires_grad_(True)
        moments = [part for moments in moments_of for part in moments(seen)]
        sum((part * weight).sum() for part, weight in zip(moments, weights, strict=True)).backward()
        return moments, seen.grad

    joint, slope = gradient(lambda seen: joint_moments(seen, tap))
    apart, expected = gradient(lambda seen: [mean_vector(seen, tap)], lambda seen: [gram_matrix(seen, tap)])
    for one, other in zip(joint, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-5)
    rounding = {"rtol": 1e-4, "atol": 1e-6} if kind == torch.float32 else {"rtol": 2e-2, "atol": 2e-3}
    torch.testing.assert_close(slope, expected, **rounding)


def test_channel_moments_are_means_and_mean_squares():
    features = random(1, 5, 6, 7)
    first, second = channel_moments(features)
    torch.testing.assert_close(first, features.mean((2, 3)))
    torch.testing.assert_close(second, features.square().mean((2, 3)))


def test_the_deviation_distance_is_of_means_and_deviations():
    one, other = random(1, 5, 6, 7), random(1, 5, 4, 9, seed=1) * 3 + 2
    expected = (one.mean((2, 3)) - other.mean((2, 3))).square().sum()
    expected += (one.std((2, 3), correction=0) - other.std((2, 3), correction=0)).square().sum()
    torch.testing.assert_close(
        deviation_distance(channel_moments(one), channel_moments(other)), expected, rtol=1e-4, atol=0
    )
