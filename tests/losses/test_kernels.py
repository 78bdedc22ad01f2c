import pytest
import torch

from nst_core.losses.gram import gram_matrix, squared_distance
from nst_core.losses.kernels import (
    KERNEL_POINTS,
    gaussian_distance,
    gaussian_target,
    polynomial_distance,
    with_offset,
)
from nst_core.losses.moments import joint_moments, mean_vector
from nst_core.losses.samples import all_samples


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


ONE, OTHER = random(1, 5, 4, 6), random(1, 5, 3, 7, seed=1) * 2 + 1


def discrepancy(kernel, one: torch.Tensor, other: torch.Tensor) -> float:
    """MMD² over every pair of positions in float64, as its definition says it."""
    x, y = (seen.double()[0].flatten(1).T for seen in (one, other))
    mean = lambda a, b: torch.stack([kernel(u, v) for u in a for v in b]).mean()  # noqa: E731
    return (mean(x, x) + mean(y, y) - 2 * mean(x, y)).item()


def test_the_linear_kernel_compares_means():
    ours = squared_distance(mean_vector(ONE), mean_vector(OTHER)).item()
    assert ours == pytest.approx(discrepancy(lambda u, v: u @ v, ONE, OTHER), rel=1e-4)


def test_the_polynomial_kernel_is_counted_pair_by_pair():
    target = with_offset(joint_moments(OTHER))
    offset = OTHER.square().sum(1).mean().item()
    assert target[2].item() == pytest.approx(offset, rel=1e-5)
    ours = polynomial_distance(joint_moments(ONE), target).item()
    assert ours == pytest.approx(discrepancy(lambda u, v: (u @ v + offset) ** 2, ONE, OTHER), rel=1e-4)


def test_without_an_offset_the_polynomial_kernel_is_the_gram_matrix():
    ours = polynomial_distance(joint_moments(ONE), (*joint_moments(OTHER), torch.tensor(0.0)))
    torch.testing.assert_close(ours, squared_distance(gram_matrix(ONE), gram_matrix(OTHER)))
    assert ours.item() == pytest.approx(discrepancy(lambda u, v: (u @ v) ** 2, ONE, OTHER), rel=1e-4)


def test_the_gaussian_kernel_is_counted_pair_by_pair():
    target = gaussian_target(all_samples(OTHER))
    y = OTHER[0].flatten(1).T
    bandwidth = torch.cdist(y, y).square().mean().item()
    assert target[2].item() == pytest.approx(bandwidth, rel=1e-4)
    ours = gaussian_distance(all_samples(ONE), target).item()
    kernel = lambda u, v: torch.exp(-(u - v).square().sum() / (2 * bandwidth))  # noqa: E731
    assert ours == pytest.approx(discrepancy(kernel, ONE, OTHER), rel=1e-3)


def test_the_gaussian_kernel_sees_what_moments_do_not():
    """A map of two values, and one of a bell's: the same mean and mean square."""
    coins = torch.tensor([3.0] * 40 + [-1 / 3] * 360).view(1, 1, 20, 20)
    bell = random(1, 1, 20, 20)
    bell = (bell - bell.mean()) / bell.std(correction=0)
    for moment in (mean_vector, gram_matrix):
        torch.testing.assert_close(moment(coins), moment(bell), atol=1e-5, rtol=1e-5)
    assert gaussian_distance(all_samples(coins), gaussian_target(all_samples(bell))) > 0.02


def test_the_gaussian_distance_ignores_the_scale_and_origin_of_features():
    def distance(change):
        return gaussian_distance(all_samples(change(ONE)), gaussian_target(all_samples(change(OTHER))))

    torch.testing.assert_close(distance(lambda seen: seen * 100 - 7), distance(lambda seen: seen), rtol=1e-3, atol=1e-5)


def test_of_a_large_layer_the_gaussian_kernel_compares_few_positions():
    points, weights, *_ = gaussian_target(all_samples(random(1, 3, 50, 60)))
    assert len(points) == len(weights) == KERNEL_POINTS
