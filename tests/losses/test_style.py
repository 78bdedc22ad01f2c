import numpy as np
import pytest
import torch

from nst_core.features.vgg import through
from nst_core.losses.style import STYLE_LOSSES, STYLE_NORMALIZATIONS, StyleLoss, magnitude
from tests.every import every
from tests.stand_ins import DEVICES

SAMPLED = ("sliced wasserstein", "mmd gaussian", "nearest neighbours")
ONE_WAY = ("mmd polynomial", "mmd gaussian", "gram and wasserstein", "nearest neighbours")


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def texture(height: int = 6, width: int = 6, seed: int = 0) -> torch.Tensor:
    """Features of one layer as ReLU leaves them, (1, 8, H, W)."""
    return random(1, 8, height, width, seed=seed).relu()


def region(height: int = 6, width: int = 6) -> torch.Tensor:
    """Shares of the left half alone."""
    share = torch.zeros(1, 1, height, width)
    share[..., : width // 2] = 1
    return share / share.sum()


@pytest.fixture(params=STYLE_LOSSES)
def loss(request) -> StyleLoss:
    return STYLE_LOSSES[request.param]


def magnitude_of(loss, memory):
    """How far a memory is from a layer that sees nothing."""
    return magnitude(loss, memory, loss.prepare(memory))


def between(loss: StyleLoss, one, other, generator=None) -> torch.Tensor:
    """The distance of two memories."""
    return loss.distance(one, loss.prepare(other), generator)


def same(loss: StyleLoss, one, other) -> None:
    """Hold that two memories are at the same distance from a third, and at none from each other."""
    third = loss.statistics(texture(6, 6, seed=9), None, None)
    torch.testing.assert_close(between(loss, one, third), between(loss, other, third), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(between(loss, third, one), between(loss, third, other), rtol=1e-4, atol=1e-5)
    assert abs(between(loss, one, other)) < 1e-3 * magnitude_of(loss, other)


@pytest.mark.parametrize("device", DEVICES)
def test_a_style_ignores_where_features_occur(loss, device):
    features = texture().to(device)
    shuffled = features.flatten(2)[..., torch.randperm(36, device=device)].view_as(features)
    one, other = (loss.statistics(seen, None, None) for seen in (shuffled, features))
    assert abs(between(loss, one, other)) < 1e-3 * magnitude_of(loss, other)


def test_a_style_ignores_how_large_a_repeating_picture_is(loss):
    features = texture()
    same(loss, loss.statistics(features.repeat(1, 1, 2, 3), None, None), loss.statistics(features, None, None))


def test_a_style_of_more_positions_than_are_drawn_is_nearly_itself(loss):
    features, other = texture(80, 90), texture(80, 90, seed=1) * 2
    memory, generator = loss.statistics(features, None, None), torch.Generator().manual_seed(1)
    shuffled = loss.statistics(features.flatten(2)[..., torch.randperm(7200)].view_as(features), None, None)
    apart = between(loss, loss.statistics(other, None, None), memory)
    assert between(loss, shuffled, memory, generator) < 0.05 * apart


def test_a_style_tells_other_textures_apart(loss):
    memory = loss.statistics(texture(), None, None)
    itself = abs(between(loss, memory, memory)).item()
    assert itself < 1e-3 * magnitude_of(loss, memory)
    for other in (texture(seed=1), texture() * 2, texture().roll(1, 1)):
        assert between(loss, loss.statistics(other, None, None), memory) > max(10 * itself, 1e-4)


def test_a_style_distance_is_a_float32_scalar(loss):
    for kind in (torch.float32, torch.bfloat16):
        one, other = (loss.statistics(texture(6, width).to(kind), None, None) for width in (4, 7))
        distance = between(loss, one, other)
        assert distance.shape == () and distance.dtype == torch.float32


@pytest.mark.parametrize("name", sorted(STYLE_LOSSES.keys() - set(ONE_WAY)))
def test_a_style_distance_is_the_same_both_ways(name):
    loss = STYLE_LOSSES[name]  # the others measure in units of the target, or look for what is there alone
    one, other = (loss.statistics(texture(6, width), None, None) for width in (4, 7))
    torch.testing.assert_close(between(loss, one, other), between(loss, other, one), rtol=1e-4, atol=1e-5)


def test_nothing_is_random_without_a_generator(loss):
    one, other = (loss.statistics(texture(60, width), None, None) for width in (40, 70))
    assert between(loss, one, other) == between(loss, one, other)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_what_draws_draws_afresh_from_its_generator(name):
    loss, generator = STYLE_LOSSES[name], torch.Generator().manual_seed(0)
    one, other = (loss.statistics(texture(60, width), None, None) for width in (40, 70))
    first, second = between(loss, one, other, generator), between(loss, one, other, generator)
    assert (first != second) == (name in SAMPLED)
    torch.testing.assert_close(first, between(loss, one, other, torch.Generator().manual_seed(0)), rtol=0, atol=0)


@every(
    shared=[False, True],
    shape=[(6, 6), (1, 3)],
    painted=["black", "plain", "texture", "target"],
    kind=[torch.float32, torch.bfloat16],
)
def test_every_gradient_is_finite_whatever_is_painted(loss, kind, painted, shape, shared):
    style = texture()
    seen = {"black": torch.zeros(1, 8, *shape), "plain": torch.full((1, 8, *shape), 30.0), "target": style}
    features = seen.get(painted, texture(*shape, seed=1)).to(kind).requires_grad_(True)
    share = region(*features.shape[2:]) if shared else None
    distance = between(
        loss, loss.statistics(features, None, share), loss.statistics(style.to(kind), None, None), torch.Generator()
    )
    distance.backward()
    assert distance.isfinite() and features.grad.isfinite().all() and features.grad.dtype == kind


@pytest.mark.parametrize("style", [torch.zeros(1, 8, 5, 5), torch.full((1, 8, 5, 5), 30.0)], ids=["black", "plain"])
def test_a_style_of_one_plain_colour_can_be_painted(loss, style):
    features = (texture() * 10).requires_grad_(True)
    target = loss.statistics(style, None, None)
    distance = between(loss, loss.statistics(features, None, None), target)
    (distance / magnitude_of(loss, target)).backward()
    assert distance.isfinite() and features.grad.isfinite().all()


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_going_down_a_style_distance_leads_to_the_style(loss, kind):
    painted = (texture(seed=1) + 0.1).requires_grad_(True)
    target = loss.prepare(loss.statistics((texture() * 2).to(kind), None, None))
    optimizer, distances = torch.optim.Adam([painted], lr=0.05), []
    for _ in range(150):
        optimizer.zero_grad()
        distance = loss.distance(loss.statistics(painted.to(kind), None, None), target, None)
        distance.backward()
        optimizer.step()
        distances.append(distance.item())
    assert distances[-1] < 0.1 * distances[0]


def test_equal_shares_are_no_shares(loss):
    features, share = texture(5, 7), torch.full((1, 1, 5, 7), 1 / 35)
    same(loss, loss.statistics(features, None, share), loss.statistics(features, None, None))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_shares_of_a_region_remember_that_region_alone(loss, kind):
    features, share = texture(6, 6).to(kind), region(6, 6)
    same(loss, loss.statistics(features, None, share), loss.statistics(features[..., :3], None, None))


def test_a_position_of_twice_the_share_counts_as_two(loss):
    features = texture(3, 6)
    share = torch.tensor([2.0, 1, 1, 0, 0, 0]).expand(1, 1, 3, 6) / 12
    twice = torch.cat([features[..., :1], features[..., :3]], 3)
    same(loss, loss.statistics(features, None, share), loss.statistics(twice, None, None))


def test_positions_without_share_get_no_gradient(loss):
    for height in (6, 500):
        features = texture(height, 6).requires_grad_(True)
        share = region(height, 6)
        memory = loss.statistics(features, None, share)
        between(loss, memory, loss.statistics(texture(seed=2), None, None), torch.Generator()).backward()
        assert features.grad[..., 3:].abs().max() == 0 < features.grad[..., :3].abs().max()


def test_a_blend_of_one_style_and_none_of_another_is_the_first(loss):
    one, other = (loss.statistics(texture(6, 6, seed=seed), None, None) for seed in (1, 2))
    same(loss, loss.blend([one, other], [1.0, 0.0]), one)


def test_a_blend_of_a_style_with_itself_is_that_style(loss):
    memory = loss.statistics(texture(), None, None)
    same(loss, loss.blend([memory, memory], [0.3, 0.7]), memory)


def test_a_blend_is_the_style_of_the_pictures_side_by_side(loss):
    one, other = texture(6, 6), texture(6, 12, seed=1) * 2
    blend = loss.blend([loss.statistics(one, None, None), loss.statistics(other, None, None)], [1 / 3, 2 / 3])
    same(loss, blend, loss.statistics(torch.cat([one, other], 3), None, None))


@pytest.mark.parametrize("share", [None, region()], ids=["everywhere", "region"])
def test_a_style_through_a_tap_is_that_of_the_tapped_features(loss, share):
    features, style, tap = texture(), texture(seed=1), random(8, 8, seed=2)
    narrow = between(loss, loss.statistics(features, tap, share), loss.statistics(style, tap, None))
    wide = [loss.statistics(through(tap, seen), None, how) for seen, how in ((features, share), (style, None))]
    torch.testing.assert_close(narrow, between(loss, *wide), rtol=1e-3, atol=1e-4)


def test_no_style_asks_for_a_gradient_or_changes_its_features(loss):
    features = texture()
    before = features.clone()
    target = loss.prepare(loss.statistics(features, None, None))
    loss.distance(loss.statistics(features.requires_grad_(True), None, None), target, None).backward()
    assert torch.equal(features.detach(), before)


def test_a_magnitude_is_the_distance_from_a_black_picture(loss):
    memory, black = (loss.statistics(seen, None, None) for seen in (texture(), torch.zeros(1, 8, 6, 6)))
    torch.testing.assert_close(magnitude_of(loss, memory), between(loss, black, memory))
    assert magnitude_of(loss, black) > 0


def test_the_magnitude_of_a_gram_matrix_is_its_squared_norm():
    gram = STYLE_LOSSES["gram"]
    memory = gram.statistics(texture(), None, None)
    torch.testing.assert_close(magnitude_of(gram, memory), memory.square().sum())


def test_every_style_has_a_title_and_a_source_of_its_own():
    assert len({loss.title for loss in STYLE_LOSSES.values()}) == len(STYLE_LOSSES)
    assert all(loss.source for loss in STYLE_LOSSES.values())


def test_the_gram_distance_is_the_sum_of_squared_differences():
    one, other = random(1, 3, 3), random(1, 3, 3, seed=1)
    expected = sum((a - b) ** 2 for a, b in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
    assert STYLE_LOSSES["gram"].distance(one, other).item() == pytest.approx(expected, rel=1e-5)


PIXELS = 96  # of the painted picture

# What systems write down for one layer's style: Gram matrices of painted and style picture undivided, N channels,
# M and M_s positions.
WRITTEN = {
    "paper": lambda G, A, N, M, M_s: np.sum((G / M - A / M_s) ** 2) / (4 * N**2),
    "mean": lambda G, A, N, M, M_s: np.mean((G / (N * M) - A / (N * M_s)) ** 2),
    "sum": lambda G, A, N, M, M_s: np.sum((G / (N * M) - A / (N * M_s)) ** 2),
    "undivided": lambda G, A, N, M, M_s: np.mean((G - A * M / M_s) ** 2),
    "image": lambda G, A, N, M, M_s: np.sum((G - A * M / M_s) ** 2) / (4 * 3**2 * PIXELS**2),
    "per channel": lambda G, A, N, M, M_s: np.sum((G / M - A / M_s) ** 2) / N,
    "relative": lambda G, A, N, M, M_s: np.sum((G / M - A / M_s) ** 2) / np.sum((A / M_s) ** 2),
}


@pytest.mark.parametrize("name", STYLE_NORMALIZATIONS)
@pytest.mark.parametrize(("shape", "style_shape"), [((4, 6), (4, 6)), ((4, 6), (7, 5))])
def test_a_style_normalization_is_what_its_system_writes(name, shape, style_shape):
    features, style = random(1, 5, *shape), random(1, 5, *style_shape, seed=1)
    F, S = (values.numpy().astype(float).reshape(5, -1) for values in (features, style))
    expected = WRITTEN[name](F @ F.T, S @ S.T, 5, F.shape[1], S.shape[1])
    loss = STYLE_LOSSES["gram"]
    target = loss.statistics(style)
    coefficient = STYLE_NORMALIZATIONS[name](5, F.shape[1], magnitude_of(loss, target), PIXELS)
    ours = coefficient * loss.distance(loss.statistics(features), target)
    assert ours.item() == pytest.approx(expected, rel=1e-4)


def test_equation_4_of_the_paper_holds_as_printed():
    features, style = random(1, 5, 4, 6), random(1, 5, 4, 6, seed=1)
    F, S = (values.numpy().astype(float).reshape(5, 24) for values in (features, style))
    expected = ((F @ F.T - S @ S.T) ** 2).sum() / (4 * 5**2 * 24**2)
    loss = STYLE_LOSSES["gram"]
    distance = loss.distance(loss.statistics(features), loss.statistics(style))
    ours = STYLE_NORMALIZATIONS["paper"](5, 24, magnitude=None, pixels=None) * distance
    assert ours.item() == pytest.approx(expected, rel=1e-4)


def test_every_style_normalization_is_held_against_what_is_written():
    assert WRITTEN.keys() == STYLE_NORMALIZATIONS.keys()


@pytest.mark.parametrize("value", [0.01, 0.3, 7.0, 300.0])
def test_no_loss_is_below_zero_for_equal_flat_pictures(loss, value):
    """Where rounding is all there is; an optimiser that is told of less never ends."""
    for width in (6, 23, 64):
        flat = (value * random(1, 8, 1, 1, seed=3).abs()).expand(1, 8, width, width).contiguous()
        memory = loss.statistics(flat, None, None)
        distance = between(loss, memory, loss.statistics(flat.clone(), None, None), torch.Generator().manual_seed(0))
        assert distance >= 0
