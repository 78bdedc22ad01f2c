import pytest
import torch

from nst_core.losses.samples import all_samples
from nst_core.losses.sliced import SLICED_POINTS, sliced_distance


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sliced(one: torch.Tensor, other: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    return sliced_distance(all_samples(one), all_samples(other), generator)


def test_one_feature_map_is_compared_sorted():
    one, other = random(1, 1, 5, 6), random(1, 1, 6, 5, seed=1) * 2
    expected = (one.flatten().sort().values - other.flatten().sort().values).square().mean()
    torch.testing.assert_close(sliced(one, other), expected)


def test_pictures_of_different_sizes_are_compared_at_their_quantiles():
    one, other = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2), torch.tensor([5.0, 3.0, 0.0, 1.0]).view(1, 1, 2, 2)
    assert sliced(one, other).item() == pytest.approx((0 + 1 + 4 + 16) / 4)  # 0 0 1 1 against 0 1 3 5


def test_shares_move_the_quantiles():
    one, share = torch.tensor([2.0, 0.0, 1.0]).view(1, 1, 1, 3), torch.tensor([0.25, 0.5, 0.25]).view(1, 1, 1, 3)
    other = torch.zeros(1, 1, 2, 2)
    distance = sliced_distance(all_samples(one, None, share), all_samples(other))
    assert distance.item() == pytest.approx((0 + 0 + 1 + 4) / 4)


@pytest.mark.parametrize("channels", [3, 200])
def test_a_cloud_moved_by_a_vector_is_its_squared_length_away(channels):
    features, shift = random(1, channels, 6, 7), random(1, channels, 1, 1, seed=1)
    generator = torch.Generator().manual_seed(0)
    distances = torch.stack([sliced(features + shift, features, generator) for _ in range(300)])
    assert distances.mean().item() == pytest.approx(shift.square().sum().item(), rel=0.1)


def test_turning_both_clouds_changes_nothing_on_average():
    one, other = random(1, 3, 9, 9), random(1, 3, 9, 9, seed=1) * torch.tensor([1.0, 2, 3]).view(1, 3, 1, 1)
    turn = torch.linalg.qr(random(3, 3, seed=2))[0]

    def average(change):
        generator = torch.Generator().manual_seed(0)
        return torch.stack([sliced(change(one), change(other), generator) for _ in range(400)]).mean().item()

    turned = average(lambda seen: torch.einsum("nc,bchw->bnhw", turn, seen))
    assert turned == pytest.approx(average(lambda seen: seen), rel=0.1)


def test_more_positions_than_are_drawn_are_estimated():
    one, other = random(1, 1, 90, 100), random(1, 1, 80, 90, seed=1) + 1
    assert one[0, 0].numel() > SLICED_POINTS
    assert sliced(one, other, torch.Generator().manual_seed(0)).item() == pytest.approx(1, rel=0.1)
