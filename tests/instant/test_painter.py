"""Painting by trained networks: blends, strength, and what is refused."""

import pytest
import torch
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import ConfigError
from nst_core.instant import painter as module
from nst_core.instant.catalogue import open_styles
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import GRAIN, Painter, add_grain
from nst_core.steps import finish
from tests.stand_ins import DEVICES

CPU = Compute(device="cpu", precision="fp32")


def network_of(*styles: str, seed: int = 0) -> TransformationNetwork:
    torch.manual_seed(seed)
    made = TransformationNetwork([*styles, "photo"], width=4).requires_grad_(False)
    for name, value in made.named_parameters():
        if ".norm." in name:
            value.add_(0.3 * torch.randn_like(value))
    return made


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter([network_of("waves", "stars"), network_of("rain", seed=1)], CPU)


@pytest.fixture
def image():
    return torch.rand(1, 3, 40, 52, generator=torch.Generator().manual_seed(2))


def test_a_painter_paints_in_the_styles_of_all_its_networks(painter, image):
    assert painter.styles == ("waves", "stars", "rain")
    painted = [painter.paint(image, {name: 1.0}) for name in painter.styles]
    for one, other in zip(painted, painted[1:], strict=False):
        assert one.shape == image.shape and (one - other).abs().max() > 0.02


def test_only_the_ratio_of_weights_matters_and_a_weight_of_nothing_is_none(painter, image):
    torch.testing.assert_close(
        painter.paint(image, {"waves": 1.0, "stars": 3.0}), painter.paint(image, {"waves": 2.0, "stars": 6.0})
    )
    assert torch.equal(painter.paint(image, {"waves": 1.0, "rain": 0.0}), painter.paint(image, {"waves": 1.0}))


def test_strength_goes_from_the_picture_itself_to_the_style_without_a_jump(painter, image):
    for picture in (image, torch.ones_like(image), 0.2 * image):  # whose brightness and contrast the norms forget
        steps = [painter.paint(picture, {"waves": 1.0}, strength=share) for share in (0, 1e-4, 0.5, 1 - 1e-4, 1)]
        assert torch.equal(steps[0], picture)
        torch.testing.assert_close(steps[1], steps[0], rtol=0, atol=1 / 255)
        torch.testing.assert_close(steps[3], steps[4], rtol=0, atol=1 / 255)
        near, far = ((step - picture).abs().mean() for step in (steps[2], steps[4]))
        assert near < far
        assert min(map(Tensor.min, steps)) >= 0 and max(map(Tensor.max, steps)) <= 1


def test_a_picture_that_comes_back_as_it_is_is_a_copy(painter, image):
    painted, before = painter.paint(image, {"waves": 1.0}, strength=0), image.clone()
    painted.zero_()
    assert torch.equal(image, before)


@pytest.fixture(scope="module")
def bundled() -> Painter:
    return open_styles().painter(CPU)


def test_less_strength_is_no_fade_between_picture_and_painting(bundled):
    """Where a fade has a thin copy of every stroke, there are weaker strokes: of another pattern."""
    image = images.fit(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), 128)
    half, whole = (bundled.paint(image, {"koi_mosaic": 1.0}, strength=share) for share in (0.5, 1))
    strokes = [flat - flat.mean() for flat in ((half - image).flatten(), (whole - image).flatten())]
    assert 0.2 < torch.nn.functional.cosine_similarity(*strokes, dim=0) < 0.95


def test_a_style_grows_on_flat_ground(bundled):
    image = torch.ones(1, 3, 160, 96)
    image[..., 128:, :] = torch.rand(1, 3, 32, 96, generator=torch.Generator().manual_seed(0))
    for style in bundled.styles:
        painted = bundled.paint(image, {style: 1.0})[..., 8:88, 8:-8]
        assert painted.std((2, 3)).mean() > 8 / 255, style


def share_of_blots(painted: Tensor) -> float:
    """Tell how much of a painting (1, 3, H, W) is flat black: squares of 7 pixels."""
    means = torch.nn.functional.avg_pool2d(painted, 7, 1)
    deviation = (torch.nn.functional.avg_pool2d(painted.square(), 7, 1) - means.square()).clamp(min=0).sqrt()
    return float(((means < 0.1) & (deviation < 0.03)).all(1).float().mean())


@pytest.mark.parametrize("style", ["harvest_sun", "storm_light", "the_scream", "gilded_tree"])
def test_black_ground_is_painted_without_the_blots_of_what_is_trained(bundled, style):
    photo = images.cover(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), (144, 176))
    photo[..., 32:112, 16:104] = 0
    network, shares = bundled.recipe({style: 1.0})
    with torch.no_grad():
        trained = network.finished(finish(network.unfinished(add_grain(photo), shares)))
    painted = bundled.paint(photo, {style: 1.0})
    assert share_of_blots(trained) > 0.01 > 10 * share_of_blots(painted)
    inner = (..., slice(52, 92), slice(40, 80))
    assert painted[inner].mean() > 1.5 * trained[inner].mean()
    lit = (..., slice(None), slice(120, None))  # what is lit stays
    assert (painted - trained)[lit].abs().median() < 3 / 255 and (painted - trained)[lit].abs().mean() < 8 / 255


def test_grain_is_faint_the_same_for_every_picture_and_changes_none_that_is_given():
    one, other = torch.full((1, 3, 30, 1100), 0.5), torch.full((1, 3, 20, 40), 0.25)
    grained, again = add_grain(one), add_grain(other)
    assert grained.sub(one).std() == pytest.approx(GRAIN, rel=0.05)
    torch.testing.assert_close(grained[..., :20, :40] - 0.5, again - 0.25)
    assert (one == 0.5).all()


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_large_pictures_are_painted_in_strips_as_small_ones_whole(painter, image, monkeypatch, strength):
    whole, asked = painter.paint(image, {"stars": 1.0}, strength=strength), []
    in_strips = module.steps_in_strips
    monkeypatch.setattr(module, "steps_in_strips", lambda *given: asked.append(1) or in_strips(*given))
    monkeypatch.setattr(module, "WHOLE_AREA", 1000)
    torch.testing.assert_close(painter.paint(image, {"stars": 1.0}, strength=strength), whole, rtol=0, atol=2 / 255)
    assert asked


@pytest.mark.parametrize("device", DEVICES)
def test_a_narrow_type_paints_nearly_the_same_and_the_networks_stay_as_they_were(device, image):
    network = network_of("waves")
    narrow = Painter([network], Compute(device=device, precision="bf16")).paint(image, {"waves": 1.0})
    assert narrow.dtype == torch.float32 and narrow.device == image.device
    assert (narrow - Painter([network], CPU).paint(image, {"waves": 1.0})).abs().mean() < 0.02
    assert all(value.dtype == torch.float32 for value in network.parameters())


@pytest.mark.parametrize(
    ("weights", "strength", "message"),
    [
        ({"picasso": 1.0}, 1.0, "no style 'picasso'; choose of waves, stars, rain"),
        ({"photo": 1.0}, 1.0, "no style 'photo'"),
        ({"waves": 1.0, "rain": 1.0}, 1.0, "waves and rain are styles of different networks"),
        ({}, 1.0, "weight above 0"),
        ({"waves": 0.0}, 1.0, "weight above 0"),
        ({"waves": -1.0}, 1.0, "weight above 0"),
        ({"waves": 1.0}, 1.5, "strength is 1.5; give a number from 0 to 1"),
        ({"waves": 1.0}, float("nan"), "strength is nan"),
    ],
)
def test_what_cannot_be_painted_is_refused(painter, image, weights, strength, message):
    with pytest.raises(ConfigError, match=message):
        painter.paint(image, weights, strength=strength)


@pytest.mark.parametrize("height", [64, 1100])
def test_a_painting_beside_a_pass_keeps_its_gradients(height):
    """A pass paints without gradients; between its steps, on the same thread, others need theirs."""
    painter = Painter([network_of("waves")], CPU)
    count, steps = 0, painter.steps(torch.rand(1, 3, height, 1000 if height > 1000 else 64), {"waves": 1.0})
    while True:
        try:
            next(steps)
        except StopIteration as end:
            assert end.value.shape[2] == height and not end.value.requires_grad
            break
        assert torch.is_grad_enabled()
        count += 1
    assert count >= 10
