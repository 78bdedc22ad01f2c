"""Norms and borders in the layout that is fast: as torch has them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nst_core.instant.layers import REACH, ConditionalNorm, Convolution, Residual, moments, moments_of_rows
from tests.stand_ins import DEVICES


def test_a_conditional_norm_is_instance_normalisation_with_the_styles_own_scale_and_shift():
    norm, features = ConditionalNorm(2, 5), torch.randn(1, 5, 8, 9) * 3 + 1
    nn.init.normal_(norm.scale)
    nn.init.normal_(norm.shift)
    for style in range(2):
        seen = norm(features, nn.functional.one_hot(torch.tensor([style]), 2).float())
        torch.testing.assert_close(seen.mean((2, 3))[0], norm.shift[style], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen.std((2, 3), correction=0)[0], norm.scale[style].abs(), rtol=1e-3, atol=1e-4)


def test_contrast_and_brightness_do_not_matter_to_a_norm():
    """What instance normalisation is for (Ulyanov et al. 2016)."""
    features = torch.randn(1, 4, 8, 8)
    norm = ConditionalNorm(1, 4)
    torch.testing.assert_close(
        norm(features, torch.ones(1, 1)), norm(5 * features + 3, torch.ones(1, 1)), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("device", DEVICES)
def test_a_norm_and_its_gradients_are_those_of_torch(device):
    torch.manual_seed(0)
    norm = ConditionalNorm(2, 5).to(device)
    nn.init.normal_(norm.scale)
    nn.init.normal_(norm.shift)
    features = (torch.randn(2, 5, 6, 7, device=device) * 2 + 1).requires_grad_()
    towards, shares = torch.randn(2, 5, 6, 7, device=device), torch.tensor([[1.0, 0.0], [0.3, 0.7]], device=device)
    scale, shift = ((shares @ value)[:, :, None, None] for value in (norm.scale, norm.shift))
    both = norm(features, shares), F.instance_norm(features) * scale + shift
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-5)
    ours, theirs = (torch.autograd.grad((made * towards).sum(), (features, norm.scale, norm.shift)) for made in both)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_a_part_is_normalised_by_the_moments_of_the_whole():
    norm, features, shares = ConditionalNorm(1, 5), torch.randn(1, 5, 9, 7) + 2, torch.ones(1, 1)
    parts = [features[:, :, :4], features[:, :, 4:]]
    mean, variance = moments(torch.cat([moments_of_rows(part) for part in parts], 2))
    torch.testing.assert_close(mean, features.mean((2, 3)))
    torch.testing.assert_close(variance, features.var((2, 3), correction=0))
    together = torch.cat([norm.with_moments(part, shares, mean, variance) for part in parts], 2)
    assert torch.equal(together, norm(features, shares))


@pytest.mark.parametrize("kernel", [3, 9])
def test_a_convolution_sees_reflected_borders_and_so_does_its_gradient(kernel):
    torch.manual_seed(0)
    layer, shares = Convolution(1, 3, 4, kernel, enlarge=2), torch.ones(1, 1)
    features = torch.randn(2, 3, 7, 6, requires_grad=True)
    wide = F.pad(F.interpolate(features, scale_factor=2), (kernel // 2,) * 4, mode="reflect")
    theirs = F.instance_norm(layer.convolution(wide))
    ours, towards = layer(features, shares), torch.randn_like(theirs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    one, other = (torch.autograd.grad((made * towards).sum(), features)[0] for made in (ours, theirs))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def spiked() -> torch.Tensor:
    """Features of which one place makes nearly all of the variance."""
    features = torch.randn(1, 4, 12, 12)
    features[..., 5, 5] = 60
    return features


@torch.no_grad()
def test_bounded_features_are_normalised_by_the_moments_of_those_that_are_not():
    torch.manual_seed(0)
    layer, shares, features = Convolution(1, 4, 4, 3), torch.ones(1, 1), spiked()
    bounded = features.clamp(-6, 6)
    made, apart = layer.beside(features, bounded, shares)
    torch.testing.assert_close(made, layer(features, shares))
    far = (..., slice(8, None), slice(8, None))  # where the spike is not seen
    torch.testing.assert_close(apart[far], layer(features, shares)[far])
    assert (apart - layer(bounded, shares))[far].abs().max() > 0.5  # its own moments would raise these
    assert apart.abs().max() < 2 < made.abs().max()


@torch.no_grad()
def test_a_block_adds_so_many_deviations_at_most_to_what_is_bounded():
    torch.manual_seed(0)
    block, shares, features = Residual(1, 4), torch.ones(1, 1), spiked()
    nn.init.normal_(block.second.norm.scale)
    nn.init.normal_(block.second.norm.shift)
    scale, shift = (value[0, :, None, None] for value in (block.second.norm.scale, block.second.norm.shift))
    for bounded in (None, features.clamp(-2, 2)):
        made, apart = block.beside(features, bounded, shares)
        torch.testing.assert_close(made, block(features, shares))
        added = apart - (features if bounded is None else bounded)
        assert ((added - shift).abs() <= REACH * scale.abs() + 1e-4).all()
        assert ((made - features - shift).abs() > REACH * scale.abs()).any()
