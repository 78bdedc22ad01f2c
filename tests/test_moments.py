import pytest
import torch

from nst_core.losses.moments import (
    _covariance,
    _RootTrace,
    channel_moments,
    deviation_distance,
    gaussian_cloud,
    joint_moments,
    mean_vector,
    wasserstein_distance,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def wasserstein(one: torch.Tensor, other: torch.Tensor) -> float:
    return wasserstein_distance(joint_moments(one), gaussian_cloud(joint_moments(other))).item()


def root(matrix: torch.Tensor) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def root_trace(covariance: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """tr (Σ_s^½ Σ Σ_s^½)^½ in float64, as its formula says it."""
    half = root(target.double())
    return torch.linalg.eigvalsh(half @ covariance.double() @ half).clamp(min=0).sqrt().sum()


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


@pytest.mark.parametrize("shift", [torch.zeros(5), torch.tensor([1.0, -2, 0, 3, 0.5])])
def test_clouds_moved_without_turning_are_as_far_apart_as_they_moved(shift):
    features = random(1, 5, 6, 7)
    moved = features + shift.view(1, 5, 1, 1)
    expected = pytest.approx(shift.square().sum().item(), rel=1e-3, abs=1e-3)
    assert wasserstein(moved, features) == expected
    assert deviation_distance(channel_moments(moved), channel_moments(features)).item() == expected


def test_independent_feature_maps_have_a_wasserstein_distance_in_closed_form():
    """Σ (√a − √b)² + |Δμ|², with the features' variances a and b."""
    white = (
        torch.linalg.qr(torch.cat([torch.ones(60, 1), random(60, 4)], 1))[0][:, 1:].T * 60**0.5
    )  # mean 0, variance 1
    one, other = torch.tensor([1.0, 2.0, 0.5, 3.0]), torch.tensor([2.0, 1.0, 0.1, 3.5])
    shift = torch.tensor([0.0, 1.0, -1.0, 0.5])
    first = (white * one[:, None]).view(1, 4, 6, 10)
    second = (white * other[:, None] + shift[:, None]).view(1, 4, 6, 10)
    expected = (one - other).square().sum() + shift.square().sum()
    assert wasserstein(first, second) == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize("channels", [3, 16, 64])
def test_the_wasserstein_distance_is_its_formula(channels):
    mixing = random(channels, channels, seed=2)
    one = random(1, channels, 20, 20)
    other = torch.einsum("nc,bchw->bnhw", mixing, random(1, channels, 20, 20, seed=1)) + 1
    clouds = [seen.double()[0].flatten(1) for seen in (one, other)]
    covariances = [cloud.cov(correction=0) for cloud in clouds]
    expected = (clouds[0].mean(1) - clouds[1].mean(1)).square().sum() + sum(part.trace() for part in covariances)
    expected -= 2 * root_trace(*covariances)
    assert wasserstein(one, other) == pytest.approx(expected.item(), rel=2e-3)


@pytest.mark.parametrize("positions", [200, 5])
def test_the_gradient_of_the_root_trace_is_its_formulas_own(positions):
    """Also of a picture of fewer positions than feature maps."""
    painted, style = (
        (cloud @ cloud.T / cloud.shape[1] + 0.01 * torch.eye(12))
        for cloud in (random(12, positions), random(12, 80, seed=1))
    )
    exact, ours = painted.double().requires_grad_(True), painted.clone().requires_grad_(True)
    values, vectors = torch.linalg.eigh(style.double())
    half = vectors * values.sqrt() @ vectors.T
    expected = torch.linalg.eigh(half @ exact @ half).eigenvalues.sqrt().sum()
    found = _RootTrace.apply(ours, torch.linalg.cholesky(style))
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    (slope,), (ours_slope,) = torch.autograd.grad(expected, exact), torch.autograd.grad(found, ours)
    torch.testing.assert_close(
        ours_slope.double(), (slope + slope.T) / 2, rtol=1e-2, atol=1e-3 * slope.abs().max().item()
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_flat_cloud_of_any_size_has_a_wasserstein_distance(scale, kind):
    """Ten positions, 256 feature maps, far from 0: almost every direction of the cloud is empty."""
    features = ((random(1, 256, 2, 5) + 3).relu() * scale).to(kind).requires_grad_(True)
    style = ((random(1, 256, 3, 4, seed=1) + 3).relu() * scale).to(kind)
    target = gaussian_cloud(joint_moments(style))
    distance = wasserstein_distance(joint_moments(features), target)
    distance.backward()
    assert distance.isfinite() and distance > 0 and features.grad.isfinite().all()
    assert all(part.isfinite().all() for part in target)


def test_a_covariance_spoilt_by_rounding_still_has_a_factor():
    first, second = joint_moments(random(1, 8, 5, 5))
    spoilt = second - 0.5 * torch.eye(8)
    assert torch.linalg.eigvalsh(_covariance((first, spoilt))).min() < 0
    assert wasserstein_distance((first, spoilt), gaussian_cloud((first, spoilt))).isfinite()
