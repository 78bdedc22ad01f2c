import pytest
import torch

from nst_core.losses.samples import all_samples, draw, equal_shares, pool, positions, running_sums, taken
from tests.stand_ins import DEVICES

FEATURES = torch.arange(600.0).view(1, 1, 20, 30)


def test_few_samples_are_all_drawn_with_their_shares():
    share = torch.rand(1, 1, 20, 30)
    points, weights = draw(all_samples(FEATURES, None, share / share.sum()), 600, None)
    torch.testing.assert_close(points.flatten(), FEATURES.flatten())
    torch.testing.assert_close(weights, (share / share.sum()).flatten())


def test_a_draw_leaves_no_part_of_the_picture_out():
    points, weights = draw(all_samples(FEATURES), 60, torch.Generator().manual_seed(0))
    assert (points.flatten() // 10).tolist() == list(range(60))  # one of each ten
    torch.testing.assert_close(weights, torch.full((60,), 1 / 60))


def test_samples_are_drawn_in_proportion_to_their_shares():
    share = torch.zeros(600)
    share[10], share[20], share[599] = 0.5, 0.25, 0.25
    points, _ = draw(all_samples(FEATURES, None, share.view(1, 1, 20, 30)), 400, torch.Generator().manual_seed(0))
    values, counts = points.flatten().unique(return_counts=True)
    assert values.tolist() == [10, 20, 599]
    assert all(abs(count - expected) <= 1 for count, expected in zip(counts.tolist(), [200, 100, 100], strict=True))


def test_nothing_without_a_share_is_drawn_even_at_the_end():
    share = torch.zeros(600)
    share[:7] = 1 / 7
    for seed in range(50):
        samples = all_samples(FEATURES, None, share.view(1, 1, 20, 30))
        assert draw(samples, 599, torch.Generator().manual_seed(seed))[0].max() < 7


def test_draws_are_fresh_from_a_generator_and_the_same_without():
    samples, generator = all_samples(FEATURES), torch.Generator().manual_seed(0)
    assert not torch.equal(draw(samples, 100, generator)[0], draw(samples, 100, generator)[0])
    assert torch.equal(draw(samples, 100, None)[0], draw(samples, 100, None)[0])


def test_pooled_styles_are_drawn_in_proportion_to_their_shares():
    pooled = pool([all_samples(FEATURES), all_samples(FEATURES[..., :10] + 1000)], [0.75, 0.25])
    points, _ = draw(pooled, 100, None)
    assert (points >= 1000).sum() == 25


def test_what_is_drawn_goes_through_the_tap():
    features, tap = torch.rand(1, 3, 20, 30), torch.rand(5, 3)
    wide = torch.einsum("nc,bchw->bnhw", tap, features)
    torch.testing.assert_close(draw(all_samples(features, tap), 50, None)[0], draw(all_samples(wide), 50, None)[0])


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_taken_more_than_once_has_the_sum_of_its_gradients(device):
    values = torch.rand(5, 3, device=device, requires_grad=True)
    chosen = torch.tensor([0, 2, 2, 4, 4, 4], device=device)
    got = taken(values, chosen)
    weights = torch.rand(6, 3, device=device)
    (gradient,) = torch.autograd.grad((got * weights).sum(), values)
    expected = torch.zeros(5, 3, device=device).index_add(0, chosen, weights)
    assert torch.equal(got, values[chosen])
    torch.testing.assert_close(gradient, expected)


def test_running_sums_are_those_of_exact_numbers_and_end_at_the_whole():
    shares = torch.rand(300_000, generator=torch.Generator().manual_seed(1))
    shares /= shares.sum()
    sums = running_sums(shares, 0)
    torch.testing.assert_close(sums.double(), shares.double().cumsum(0), atol=1e-6, rtol=1e-6)
    assert (sums.diff() >= 0).all()


def test_positions_that_count_alike_are_drawn_alike_however_it_is_said():
    alike = equal_shares(6001, torch.device("cpu"))
    chosen, weights = positions(alike, 97, torch.Generator().manual_seed(3))
    other, _ = positions(alike.contiguous(), 97, torch.Generator().manual_seed(3))
    assert ((chosen - other).abs() <= 1).all()  # as sums of float32 may have it
    assert (chosen.diff() > 0).all() and (chosen * 97 // 6001 - torch.arange(97)).abs().max() <= 1
    torch.testing.assert_close(weights, torch.full((97,), 1 / 97))
    huge, _ = positions(equal_shares(2**28, torch.device("cpu")), 2048, torch.Generator().manual_seed(3))
    assert huge[0] < 2**17 and 2**28 - 2**17 <= huge[-1] < 2**28
