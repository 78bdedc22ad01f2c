"""The network that paints in one pass."""

import pytest
import torch
from torch import nn

from nst_core.errors import ConfigError
from nst_core.instant.network import ConditionalNorm, TransformationNetwork
from tests.conftest import DEVICES

STYLES = ("waves", "stars", "photo")


@pytest.fixture(scope="module")
def network() -> TransformationNetwork:
    torch.manual_seed(0)
    made = TransformationNetwork(STYLES, width=4)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "scale" in name or "shift" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return made.requires_grad_(False)


@pytest.mark.parametrize("shape", [(16, 16), (17, 31), (64, 48), (30, 101), (99, 18)])
@pytest.mark.parametrize("device", DEVICES)
def test_a_painting_has_the_size_of_its_picture(network, shape, device):
    painted = network.to(device)(torch.rand(1, 3, *shape, device=device), torch.tensor([1.0, 0, 0]))
    assert painted.shape == (1, 3, *shape) and painted.dtype == torch.float32
    assert painted.min() >= 0 and painted.max() <= 1
    network.to("cpu")


def test_johnsons_network_has_johnsons_size():
    """His table 1: convolutions 9·9·3·32, 3·3·32·64, 3·3·64·128, ten of 3·3·128·128, and back."""
    weights = 9 * 9 * 3 * 32 * 2 + 9 * (32 * 64 + 64 * 128) * 2 + 10 * 9 * 128 * 128
    layers = [layer for layer in TransformationNetwork(["waves"]).modules() if isinstance(layer, nn.Conv2d)]
    assert sum(layer.weight.numel() for layer in layers) == weights
    assert [layer.stride[0] for layer in layers[:3]] == [1, 2, 2] and len(layers) == 16


def test_every_picture_of_a_batch_is_painted_as_if_alone(network):
    pictures = torch.rand(3, 3, 24, 20)
    shares = torch.eye(3)
    together = network(pictures, shares)
    for number in range(3):
        alone = network(pictures[number : number + 1], shares[number])
        torch.testing.assert_close(together[number : number + 1], alone, rtol=1e-4, atol=1e-5)


def test_styles_differ_and_a_blend_lies_between_them_in_the_norms_alone(network):
    picture = torch.rand(1, 3, 32, 32)
    waves, stars = (network(picture, network.shares_of({name: 1.0})) for name in ("waves", "stars"))
    half = network(picture, network.shares_of({"waves": 2.0, "stars": 2.0}))
    assert (waves - stars).abs().max() > 0.05
    assert (half - (waves + stars) / 2).abs().max() > 1e-3  # no fade of pixels
    assert (half - waves).abs().mean() < (stars - waves).abs().mean()


def test_a_conditional_norm_is_instance_normalisation_with_the_styles_own_scale_and_shift():
    norm, features = ConditionalNorm(2, 5), torch.randn(1, 5, 8, 9) * 3 + 1
    nn.init.normal_(norm.scale)
    nn.init.normal_(norm.shift)
    for style in range(2):
        seen = norm(features, nn.functional.one_hot(torch.tensor([style]), 2).float())
        torch.testing.assert_close(seen.mean((2, 3))[0], norm.shift[style], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen.std((2, 3), correction=0)[0], norm.scale[style].abs(), rtol=1e-3, atol=1e-4)


def test_contrast_and_brightness_of_a_photograph_do_not_matter_to_the_norms(network):
    """What instance normalisation is for (Ulyanov et al. 2016): away from the borders' padding it forgets both."""
    features = torch.randn(1, 4, 8, 8)
    norm = ConditionalNorm(1, 4)
    torch.testing.assert_close(
        norm(features, torch.ones(1, 1)), norm(5 * features + 3, torch.ones(1, 1)), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("styles", [(), ("waves", "waves")])
def test_styles_have_names_of_their_own(styles):
    with pytest.raises(ConfigError, match="name each once"):
        TransformationNetwork(styles)


@pytest.mark.parametrize("weights", [{}, {"waves": 0.0}, {"waves": -1.0, "stars": 2.0}, {"waves": float("nan")}])
def test_shares_without_a_sense_are_refused(network, weights):
    with pytest.raises(ConfigError, match="weight above 0"):
        network.shares_of(weights)


def test_an_unknown_style_is_refused_by_name(network):
    with pytest.raises(ConfigError, match="no style 'picasso'; choose of waves, stars, photo"):
        network.shares_of({"picasso": 1.0})
