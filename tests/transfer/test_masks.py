import pytest
import torch

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.transfer.masks import (
    EMPTY,
    MAX_RADIUS,
    check_mask,
    fit_mask,
    keep_unpainted,
    mask_of,
    regions,
    shares,
    soften,
)
from tests.stand_ins import DEVICES

LAYERS = [(64, 96), (32, 48), (16, 24), (8, 12), (4, 6)]  # of a 64×96 picture, as pooling leaves them


def square(height=64, width=96, top=16, left=24, side=32) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top : top + side, left : left + side] = 1
    return mask


def smooth(height=64, width=96, seed=0) -> torch.Tensor:
    """A mask of all weights, in large patches."""
    return fit_mask(torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(seed)), (height, width))


def noise(height=64, width=96, seed=0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def center(weights: torch.Tensor) -> torch.Tensor:
    """Of gravity, (2,), as a share of height and width."""
    height, width = images.size_of(weights)
    total = weights.sum()
    down = (weights.sum((0, 1, 3)) * (torch.arange(height) + 0.5) / height).sum() / total
    return torch.stack([down, (weights.sum((0, 1, 2)) * (torch.arange(width) + 0.5) / width).sum() / total])


# What a person painted


@pytest.mark.parametrize("channels", [1, 3])
def test_white_is_painted_black_is_not_and_grey_is_between(channels):
    steps = torch.tensor([0.0, 0.25, 0.5, 1.0]).repeat(4, 1)[None, None]
    mask = mask_of(steps.expand(1, channels, 4, 4))
    assert mask.shape == (1, 1, 4, 4) and mask.dtype == torch.float32
    torch.testing.assert_close(mask, steps)
    assert mask.max() == 1 and mask.min() == 0


@pytest.mark.parametrize("color", [0.0, 0.5, 1.0])
def test_a_layer_of_strokes_is_painted_where_it_is_not_transparent_in_any_colour(color):
    alpha = torch.tensor([0.0, 0.01, 0.5, 1.0]).repeat(4, 1)[None, None]
    mask = mask_of(torch.cat([torch.full((1, 3, 4, 4), color), alpha], 1))
    assert torch.equal(mask, (alpha > 0).float())


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (1, 5, 8, 8), (2, 1, 8, 8), (3, 8, 8), (8, 8)])
def test_what_is_no_picture_is_no_mask(shape):
    with pytest.raises(ImageError, match="use one picture in grey, RGB or RGBA") as raised:
        mask_of(torch.ones(shape))
    assert str(shape) in str(raised.value)


def test_an_empty_mask_is_refused_with_a_remedy():
    for empty in (torch.zeros(1, 1, 8, 8), torch.full((1, 1, 8, 8), EMPTY / 2), torch.full((1, 1, 8, 8), torch.nan)):
        with pytest.raises(ImageError, match="mask is empty; paint over"):
            check_mask(empty)
    check_mask(square())
    check_mask(torch.ones(1, 1, 8, 8))


# Size and softness


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [*LAYERS, (100, 150), (1, 1), (7, 100)])
def test_a_fitted_mask_has_the_size_the_device_and_the_range(size, device):
    mask = fit_mask(square().to(device), size)
    assert mask.shape == (1, 1, *size) and mask.device.type == device
    assert mask.min() >= 0 and mask.max() <= 1
    torch.testing.assert_close(fit_mask(torch.ones(1, 1, 64, 96), size), torch.ones(1, 1, *size))
    assert torch.equal(fit_mask(torch.zeros(1, 1, 64, 96), size), torch.zeros(1, 1, *size))


@pytest.mark.parametrize("size", [*LAYERS, (100, 150), (45, 70)])
def test_a_fitted_mask_covers_the_same_share_at_the_same_place(size):
    mask, fitted = square(), fit_mask(square(), size)
    torch.testing.assert_close(fitted.mean(), mask.mean(), rtol=0.03, atol=0)
    torch.testing.assert_close(center(fitted), center(mask), rtol=0.03, atol=0)


def test_a_thin_stroke_fades_when_shrunk_and_is_never_stepped_over():
    for column in range(32, 64):
        stroke = torch.zeros(1, 1, 64, 96)
        stroke[..., column] = 1
        torch.testing.assert_close(fit_mask(stroke, (4, 6)).mean(), stroke.mean(), rtol=0.1, atol=0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("radius", [0.001, 0.02, 0.1, 0.14])
def test_a_soft_edge_reaches_as_far_as_said(radius, device):
    mask = square().to(device)
    soft = soften(mask, radius)
    pixels = int(radius * 96) + 1
    assert soft.shape == mask.shape and soft.device == mask.device and soft.min() >= 0 and soft.max() <= 1
    inside, outside = mask.bool(), mask.bool()
    inside = -torch.nn.functional.max_pool2d(-inside.float(), 2 * pixels + 1, 1, pixels) == 1
    outside = torch.nn.functional.max_pool2d(outside.float(), 2 * pixels + 1, 1, pixels) == 0
    assert inside.any() and outside.any() and (soft[outside] == 0).all() and (soft[inside] == 1).all()
    assert radius < 0.01 or ((soft > 0.01) & (soft < 0.99)).any()


def test_a_soft_edge_falls_steadily_and_is_half_way_where_the_edge_was():
    half = (torch.arange(96) < 48).float().expand(1, 1, 64, 96)
    profile = soften(half, 0.125)[0, 0, 32]  # 12 pixels, 3 deviations
    assert (profile.diff() <= 1e-6).all()
    assert profile[47:49].mean().item() == pytest.approx(0.5, abs=1e-3)
    assert profile[43:45].mean().item() == pytest.approx(0.841, abs=0.01)  # of a normal distribution, one deviation in


def test_no_radius_changes_nothing():
    assert torch.equal(soften(smooth(), 0), smooth())


@pytest.mark.parametrize("radius", [0.02, 0.2, MAX_RADIUS])
def test_what_is_painted_up_to_the_border_stays_painted_there(radius):
    everything = torch.ones(1, 1, 16, 96)
    assert torch.equal(soften(everything, radius), everything)
    half = (torch.arange(96) < 48).float().expand(1, 1, 16, 96)
    torch.testing.assert_close(soften(half, radius)[..., 0, :], soften(half, radius)[..., 8, :])


def test_a_soft_edge_is_as_wide_at_every_resolution():
    small, large = soften(square(), 0.1), soften(square(128, 192, 32, 48, 64), 0.1)
    torch.testing.assert_close(fit_mask(large, (64, 96)), small, atol=0.05, rtol=0)


@pytest.mark.parametrize("radius", [-0.1, 0.26, 12, float("nan")])
def test_a_radius_out_of_range_is_refused(radius):
    with pytest.raises(ConfigError, match=f"softness is {radius}; choose a share .* 0 to {MAX_RADIUS}"):
        soften(square(), radius)


# Guides of a layer


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [*LAYERS, (5, 7)])
def test_shares_are_the_mask_with_a_sum_of_one(size, device):
    guide = shares(smooth().to(device), size)
    assert guide.shape == (1, 1, *size) and guide.device.type == device and guide.min() >= 0
    assert guide.sum().item() == pytest.approx(1, abs=1e-5)
    fitted = fit_mask(smooth(), size)
    torch.testing.assert_close(guide.cpu() * fitted.sum(), fitted)


@pytest.mark.parametrize("size", LAYERS)
def test_how_strongly_a_region_was_painted_is_of_no_concern_to_its_shares(size):
    torch.testing.assert_close(shares(0.3 * smooth(), size), shares(smooth(), size))


@pytest.mark.parametrize("size", LAYERS)
def test_shares_stay_in_place_from_layer_to_layer(size):
    torch.testing.assert_close(center(shares(square(), size)), center(square()), rtol=0.03, atol=0)
    left = square(top=0, left=0, side=96)[..., :64, :]
    left[..., 48:] = 0
    assert shares(left, size)[..., : size[1] // 2].sum() > 0.93


def gram(features: torch.Tensor, guide: torch.Tensor | None = None) -> torch.Tensor:
    """Σ f fᵀ / M as Gatys et al. define it, or their guided T∘F with T² = guide; (C, C)."""
    flat = features.flatten(2)[0]  # (C, M)
    if guide is None:
        return flat @ flat.T / flat.shape[1]
    guided = flat * guide.flatten().sqrt()
    return guided @ guided.T


def test_features_weighted_by_their_shares_give_the_gram_matrix_of_the_region_alone():
    features, mask = noise(), square()
    torch.testing.assert_close(gram(features, shares(mask, (64, 96))), gram(features[..., 16:48, 24:56]))
    torch.testing.assert_close(gram(features, shares(torch.ones_like(mask), (64, 96))), gram(features))


@pytest.mark.parametrize("size", LAYERS)
def test_an_empty_region_has_no_shares(size):
    assert shares(torch.zeros(1, 1, 64, 96), size) is None
    assert shares(1 - torch.full((1, 1, 64, 96), 1 - 1e-6), size) is None  # what rounding leaves


def test_a_dot_is_a_region_of_shallow_layers_and_not_of_deep_ones():
    dot = square(top=33, left=50, side=1)
    found = [shares(dot, size) is not None for size in LAYERS]
    assert found[0] and not found[-1] and found == sorted(found, reverse=True)


# Several regions


def test_two_styles_and_one_mask_divide_the_picture():
    first, second = regions([smooth()], 2)
    torch.testing.assert_close(first, smooth())
    torch.testing.assert_close(second, 1 - smooth())


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_regions_never_weigh_more_than_one_together_and_with_the_rest_just_one(count):
    masks = [smooth(seed=seed) for seed in range(count)]
    with_rest, without = regions(masks, count + 1), regions(masks, count)
    assert len(with_rest) == count + 1 and len(without) == count
    torch.testing.assert_close(sum(with_rest), torch.ones(1, 1, 64, 96))
    assert sum(without).max() <= 1 + 1e-6
    for region in (*with_rest, *without):
        assert region.shape == (1, 1, 64, 96) and region.min() >= 0 and region.max() <= 1


def test_masks_that_do_not_overlap_are_regions_as_they_are():
    masks = [square(left=0, side=20), square(left=40, side=20)]
    assert all(torch.equal(region, mask) for region, mask in zip(regions(masks, 2), masks, strict=True))


def test_styles_share_the_place_where_their_masks_overlap():
    first, second, rest = regions([square(left=0), square(left=16)], 3)
    assert first[0, 0, 20, 20] == second[0, 0, 20, 20] == 0.5 and rest[0, 0, 20, 20] == 0
    assert first[0, 0, 20, 4] == 1 and second[0, 0, 20, 40] == 1 and rest[0, 0, 0, 0] == 1


def test_regions_have_the_first_masks_size():
    found = regions([square(), smooth(128, 192)], 3)
    assert {images.size_of(region) for region in found} == {(64, 96)}
    torch.testing.assert_close(sum(found), torch.ones(1, 1, 64, 96))


@pytest.mark.parametrize(("masks", "styles"), [(0, 1), (0, 2), (1, 3), (2, 1), (4, 3)])
def test_too_few_or_too_many_masks_are_refused(masks, styles):
    with pytest.raises(ConfigError, match=f"{masks} masks for {styles} styles; paint one for each"):
        regions([square()] * masks, styles)


# Unpainted parts


@pytest.mark.parametrize("device", DEVICES)
def test_outside_the_mask_the_content_stays_bit_for_bit(device):
    painted, content, mask = noise(seed=1).to(device), noise(seed=2).to(device), soften(square(), 0.05).to(device)
    kept = keep_unpainted(painted, content, mask)
    outside, inside = (mask == 0).expand_as(painted), (mask == 1).expand_as(painted)
    assert kept.shape == painted.shape and kept.device == painted.device
    assert torch.equal(kept[outside], content[outside]) and torch.equal(kept[inside], painted[inside])
    assert outside.any() and inside.any()


def test_at_a_soft_edge_both_pictures_mix_by_the_mask():
    painted, content, mask = noise(seed=1), noise(seed=2), smooth()
    torch.testing.assert_close(keep_unpainted(painted, content, mask), mask * painted + (1 - mask) * content)


def test_content_and_mask_may_be_of_another_size():
    painted, content = noise(32, 48, 1), noise(seed=2)
    kept = keep_unpainted(painted, content, square())
    assert kept.shape == (1, 3, 32, 48)
    assert torch.equal(kept[..., 12:20, 16:24], painted[..., 12:20, 16:24])
    assert torch.equal(kept[..., :6, :], images.resize(content, (32, 48))[..., :6, :])


def test_nothing_given_is_changed():
    painted, content, mask = noise(seed=1), noise(seed=2), smooth()
    old = [tensor.clone() for tensor in (painted, content, mask)]
    (
        soften(mask, 0.1),
        shares(mask, (8, 12)),
        regions([mask], 2),
        keep_unpainted(painted, content, mask),
        mask_of(content),
    )
    assert all(torch.equal(now, then) for now, then in zip((painted, content, mask), old, strict=True))
