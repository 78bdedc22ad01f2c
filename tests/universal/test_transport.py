"""Moving clouds of features: where they arrive, by how little work, and what is not blown up."""

import pytest
import torch
from torch import Tensor

from nst_core.losses.moments import joint_moments
from nst_core.losses.wasserstein import gaussian_cloud, wasserstein_distance
from nst_core.universal.transport import Cloud, Map, optimal_map


def features(seed: int, channels: int = 6, height: int = 40, width: int = 48) -> Tensor:
    """Features whose channels hang together, (1, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(channels, channels, generator=generator)
    drawn = torch.randn(1, channels, height, width, generator=generator)
    return torch.einsum("nc,bchw->bnhw", mixed, drawn) + 3 * torch.randn(1, channels, 1, 1, generator=generator)


def test_a_moved_cloud_has_the_mean_and_the_covariance_of_the_goal():
    photo, goal = features(0), Cloud.of(features(1))
    moved = Cloud.of(optimal_map(Cloud.of(photo), goal)(photo))
    torch.testing.assert_close(moved.mean, goal.mean, rtol=0, atol=1e-4)
    torch.testing.assert_close(moved.covariance, goal.covariance, rtol=0, atol=2e-3)


def test_the_way_there_is_as_much_work_as_the_wasserstein_loss_says_and_no_map_does_it_with_less():
    photo, style = features(0), features(1)
    own, goal = Cloud.of(photo), Cloud.of(style)
    moved = optimal_map(own, goal)(photo)
    work = (moved - photo).square().sum(1).mean()
    loss = wasserstein_distance(joint_moments(photo), gaussian_cloud(joint_moments(style)))
    torch.testing.assert_close(work, loss, rtol=1e-3, atol=0)
    other = _whitened(own, goal)(photo)  # arrives, too
    torch.testing.assert_close(Cloud.of(other).covariance, goal.covariance, rtol=0, atol=2e-3)
    assert (other - photo).square().sum(1).mean() > 1.05 * work


def _whitened(source: Cloud, target: Cloud) -> Map:
    """Whitening and colouring, as Li et al. (2017) have it, turned by a reflection."""
    (whiten, colour) = (torch.linalg.cholesky(cloud.covariance) for cloud in (source, target))
    return Map(colour @ torch.linalg.inv(whiten), source.mean, target.mean)


def test_a_cloud_is_left_where_it_is_by_its_own_map_and_by_no_part_of_another():
    photo, goal = features(0), Cloud.of(features(1))
    own = Cloud.of(photo)
    for way in (optimal_map(own, own), optimal_map(own, goal).part(0)):
        torch.testing.assert_close(way(photo), photo, rtol=1e-4, atol=1e-4)
    whole, half = (optimal_map(own, goal).part(share)(photo) for share in (1.0, 0.5))
    torch.testing.assert_close(half, (photo + whole) / 2, rtol=1e-4, atol=1e-4)


def test_parts_joined_are_the_cloud_of_all_and_a_mix_of_clouds_has_no_more_variety_than_they():
    whole = features(0)
    parts = [Cloud.of(rows) for rows in whole.split((10, 30), 2)]
    for joined, own in zip(Cloud.joined(parts, [0.25, 0.75]), Cloud.of(whole), strict=True):
        torch.testing.assert_close(joined, own, rtol=1e-4, atol=1e-4)
    far = Cloud(parts[0].mean + 100, parts[0].covariance)
    mixed = Cloud.between([parts[0], far], [0.5, 0.5])
    torch.testing.assert_close(mixed.mean, parts[0].mean + 50)
    torch.testing.assert_close(mixed.covariance, parts[0].covariance)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_flat_features_become_the_goals_mean_rather_than_grain(precision):
    goal = Cloud.of(features(1).to(precision))
    for value in (0.0, 7.3):
        flat = torch.full((1, 6, 8, 8), value, dtype=precision)
        moved = optimal_map(Cloud.of(flat), goal)(flat).float()
        torch.testing.assert_close(moved, goal.mean[..., None, None].expand_as(moved), rtol=0.02, atol=0.05)


def test_small_variances_beside_large_means_are_counted_right_in_bf16():
    exact = 0.1 * features(0) + 20
    rough = exact.bfloat16()
    seen = Cloud.of(rough).covariance
    torch.testing.assert_close(seen, Cloud.of(rough.float()).covariance, rtol=0, atol=0.01 * float(seen.abs().max()))
    assert torch.linalg.eigvalsh(seen).min() > -1e-3
