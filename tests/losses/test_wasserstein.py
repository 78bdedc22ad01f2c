import pytest
import torch

from nst_core.losses.moments import channel_moments, deviation_distance, joint_moments
from nst_core.losses.wasserstein import (
    COVARIANCE_EPS,
    COVARIANCE_ROUNDING,
    RIDGE,
    _by_eigenvalues,
    _by_products,
    _covariance,
    gaussian_cloud,
    joint_distance,
    joint_target,
    wasserstein_distance,
)
from tests.stand_ins import DEVICES


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


@pytest.mark.parametrize("way", [_by_eigenvalues, _by_products])
@pytest.mark.parametrize("positions", [200, 5])
def test_the_gradient_of_the_root_trace_is_its_formulas_own(positions, way):
    """Also of a picture of fewer positions than feature maps."""
    painted, style = (
        (cloud @ cloud.T / cloud.shape[1] + 0.01 * torch.eye(12))
        for cloud in (random(12, positions), random(12, 80, seed=1))
    )
    ridge = RIDGE * (COVARIANCE_EPS + COVARIANCE_ROUNDING * painted.trace()) if way is _by_products else 0
    exact = (painted.double() + ridge * torch.eye(12)).requires_grad_(True)
    values, vectors = torch.linalg.eigh(style.double())
    half = vectors * values.sqrt() @ vectors.T
    expected = torch.linalg.eigh(half @ exact @ half).eigenvalues.sqrt().sum()
    found, ours_slope = way(painted, torch.linalg.cholesky(style))
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    (slope,) = torch.autograd.grad(expected, exact)
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


@pytest.mark.parametrize("device", DEVICES)
def test_the_work_is_differentiated_as_its_formula_in_float64(device):
    """|μ − μ_s|² + tr Σ + tr Σ_s − 2 tr (Σ_s^½ Σ Σ_s^½)^½ of Σ = E f fᵀ − μ μᵀ, in both moments."""
    painted, style = (joint_moments(random(1, 6, 5, 8, seed=seed) + seed) for seed in (0, 1))
    exact = [moment.double().requires_grad_(True) for moment in painted]
    target = style[1].double()[0] - style[0].double().T @ style[0].double()
    values, vectors = torch.linalg.eigh(target)
    half = vectors * values.sqrt() @ vectors.T
    covariance = exact[1][0] - exact[0].T @ exact[0]
    roots = torch.linalg.eigvalsh(half @ covariance @ half).sqrt().sum()
    expected = (exact[0] - style[0].double()).square().sum() + covariance.trace() + target.trace() - 2 * roots
    expected.backward()
    given = [moment.to(device).requires_grad_(True) for moment in painted]
    (
        3 * (found := wasserstein_distance(tuple(given), tuple(part.to(device) for part in gaussian_cloud(style))))
    ).backward()
    assert found.item() == pytest.approx(expected.item(), rel=2e-3)
    for one, other in zip(given, exact, strict=True):
        torch.testing.assert_close(one.grad.cpu().double() / 3, other.grad, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_give_a_distance_that_is_not_either(value):
    target = gaussian_cloud(joint_moments(random(1, 5, 1, 3)))
    spoilt = random(1, 5, 6, 7, seed=1)
    spoilt[0, 0, 0, 0] = value
    spoilt.requires_grad_(True)
    distance = wasserstein_distance(joint_moments(spoilt), target)
    distance.backward()
    assert not distance.isfinite()
    assert spoilt.grad.shape == spoilt.shape
    own = gaussian_cloud(joint_moments(spoilt.detach()))
    assert not wasserstein_distance(joint_moments(random(1, 5, 6, 7)), own).isfinite()


@pytest.mark.parametrize("way", [_by_eigenvalues, _by_products])
def test_a_cloud_that_is_a_point_has_no_spread_to_share(way):
    cloud, factor = torch.eye(4), torch.ones(4, 2)
    for covariance, target in ((cloud * 0, factor), (cloud, factor[:, :1] * 0)):
        trace, slope = way(covariance, target)
        assert trace == 0 and slope.shape == (4, 4) and slope.isfinite().all()


def test_half_gram_half_wasserstein_weighs_both_alike_in_a_picture_without_style():
    style = joint_moments(random(1, 6, 7, 8) + 1)
    nothing = tuple(map(torch.zeros_like, style))
    target, gram = joint_target(style), style[1].square().sum()
    torch.testing.assert_close(joint_distance(nothing, target), gram)
    assert joint_distance(style, target) < 1e-3 * gram
    other = joint_moments(random(1, 6, 7, 8, seed=1))
    work = wasserstein_distance(other, gaussian_cloud(style)) / wasserstein_distance(nothing, gaussian_cloud(style))
    expected = ((other[1] - style[1]).square().sum() + gram * work) / 2
    torch.testing.assert_close(joint_distance(other, target), expected)


@pytest.mark.parametrize("way", [_by_eigenvalues, _by_products])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_a_covariance_spoilt_by_rounding_still_has_a_root(scale, way):
    """Of few positions, far from 0: what float32 is wrong by is more than what the cloud has in most directions."""
    moments = joint_moments(scale * (random(1, 64, 3, 4) + 5))
    covariance, factor = _covariance(moments), gaussian_cloud(joint_moments(scale * random(1, 64, 9, 9, seed=1)))[2]
    assert torch.linalg.eigvalsh(covariance.double()).min() < 0
    trace, slope = way(covariance, factor)
    exact = torch.linalg.eigvalsh(factor.double().T @ covariance.double() @ factor.double()).clamp(min=0).sqrt().sum()
    assert slope.isfinite().all() and trace.item() == pytest.approx(exact.item(), rel=0.1)


@pytest.mark.parametrize("shift", [torch.zeros(5), torch.tensor([1.0, -2, 0, 3, 0.5])])
def test_clouds_moved_without_turning_are_as_far_apart_as_they_moved(shift):
    features = random(1, 5, 6, 7)
    moved = features + shift.view(1, 5, 1, 1)
    expected = pytest.approx(shift.square().sum().item(), rel=1e-3, abs=1e-3)
    assert wasserstein(moved, features) == expected
    assert deviation_distance(channel_moments(moved), channel_moments(features)).item() == expected


@pytest.mark.parametrize("failure", [torch.linalg.LinAlgError("failed to converge"), None])
def test_a_decomposition_that_does_not_converge_is_made_in_more_digits(failure, monkeypatch):
    eigh, tried = torch.linalg.eigh, []

    def stubborn(matrix):
        tried.append(matrix.dtype)
        if matrix.dtype == torch.float32:
            if failure is None:
                return torch.full_like(matrix[0], torch.nan), torch.full_like(matrix, torch.nan)
            raise failure
        return eigh(matrix)

    one, other = random(1, 6, 1, 40), random(1, 6, 1, 40) + 1
    expected = wasserstein(one, other)
    monkeypatch.setattr(torch.linalg, "eigh", stubborn)
    assert wasserstein(one, other) == pytest.approx(expected, rel=1e-4)
    assert tried[:2] == [torch.float32, torch.float64]
