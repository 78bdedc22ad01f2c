"""The network that paints in one pass."""

import pytest
import torch
from torch import nn

from nst_core.errors import ConfigError
from nst_core.instant.network import TransformationNetwork, gather, same_convolutions
from tests.stand_ins import DEVICES

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


@pytest.mark.parametrize(("height", "width"), [(17, 20), (20, 30)])
def test_the_border_of_an_odd_picture_is_painted_as_if_its_last_pixels_went_on(network, height, width):
    picture, stars = torch.rand(1, 3, height, width), network.shares_of({"stars": 1.0})
    longer = nn.functional.pad(picture, (0, -width % 4, 0, -height % 4), mode="replicate")
    torch.testing.assert_close(network(picture, stars), network(longer, stars)[..., :height, :width])


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


def test_gathered_styles_paint_as_where_they_are_from(network):
    torch.manual_seed(4)
    other = TransformationNetwork(["rain", "photo"], width=4).requires_grad_(False)
    convolutions = {key: value for key, value in network.state_dict().items() if ".norm." not in key}
    other.load_state_dict({**{key: value + 0.2 for key, value in other.state_dict().items()}, **convolutions})
    assert same_convolutions(network, other)
    both = gather([(other, "rain"), (network, "stars"), (network, "photo")], names=["rain", "sky", "photo"])
    picture = torch.rand(1, 3, 24, 20)
    for made, name, source, old in ((both, "rain", other, "rain"), (both, "sky", network, "stars")):
        torch.testing.assert_close(
            made(picture, made.shares_of({name: 1.0})), source(picture, source.shares_of({old: 1.0}))
        )


def test_styles_of_different_networks_are_not_gathered(network):
    torch.manual_seed(9)
    for stranger in (TransformationNetwork(STYLES, width=4), TransformationNetwork(STYLES, width=8)):
        assert not same_convolutions(network, stranger)
        with pytest.raises(ConfigError, match="different networks"):
            gather([(network, "waves"), (stranger, "photo")])
