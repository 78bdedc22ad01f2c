"""Painting in the style of any picture: what comes of it, in pieces too, and what is refused."""

import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError
from nst_core.steps import finish
from nst_core.universal import levels
from nst_core.universal import painter as module
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.stand_ins import DEVICES

CPU = Compute(device="cpu", precision="fp32")
STYLES = {name: ASSETS / "styles" / f"{name}.jpg" for name in ("koi_mosaic", "harvest_sun")}


@pytest.fixture(scope="module")
def painter() -> UniversalPainter:
    return UniversalPainter({name: style_picture(images.load(path)) for name, path in STYLES.items()}, CPU)


@pytest.fixture(scope="module")
def photo():
    return images.fit(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), 101)


def test_a_painting_has_the_photos_size_and_the_styles_colours(painter, photo):
    assert photo.shape[2] % 8 and photo.shape[3] % 8
    means = {}
    for name in painter.styles:
        painted = painter.paint(photo, {name: 1.0})
        assert painted.shape == photo.shape and painted.min() >= 0 and painted.max() <= 1
        means[name] = painted.mean((0, 2, 3))
        goal = (painter.pictures[name].float() / 255).mean((0, 2, 3))
        assert (means[name] - goal).abs().max() < 0.1 < (photo.mean((0, 2, 3)) - goal).abs().max()


def test_strength_goes_from_the_picture_itself_to_the_style_without_a_jump(painter, photo):
    steps = [painter.paint(photo, {"koi_mosaic": 1.0}, strength=share) for share in (0, 1e-4, 0.5, 1 - 1e-4, 1)]
    assert torch.equal(steps[0], photo)
    torch.testing.assert_close(steps[1], steps[0], rtol=0, atol=1 / 255)
    torch.testing.assert_close(steps[3], steps[4], rtol=0, atol=1 / 255)
    near, far = ((step - photo).abs().mean() for step in (steps[2], steps[4]))
    assert near < far


def test_two_styles_are_blended_by_the_ratio_of_their_weights(painter, photo):
    mixed = [painter.paint(photo, {"koi_mosaic": one, "harvest_sun": 3 * one}) for one in (1.0, 2.0)]
    torch.testing.assert_close(*mixed)
    alone = [painter.paint(photo, {name: 1.0}) for name in ("koi_mosaic", "harvest_sun")]
    torch.testing.assert_close(painter.paint(photo, {"koi_mosaic": 1.0, "harvest_sun": 0.0}), alone[0])
    distances = [float((mixed[0] - one).abs().mean()) for one in alone]
    assert 0 < distances[1] < distances[0]


def test_a_style_is_looked_at_in_the_pictures_size_times_its_scale_within_bounds(photo, monkeypatch):
    looked, seen = [], UniversalPainter._looked_at
    monkeypatch.setattr(
        UniversalPainter, "_looked_at", lambda self, name, side: looked.append(side) or seen(self, name, side)
    )
    style = style_picture(images.load(STYLES["koi_mosaic"]))
    painted = [UniversalPainter({"a": style}, CPU, scale).paint(photo, {"a": 1.0}) for scale in (1.0, 1.5, 2.0)]
    assert looked == [128, 152, 202]
    assert not torch.equal(painted[1], painted[2])


@pytest.mark.parametrize("device", DEVICES)
def test_a_picture_in_bands_is_painted_as_in_one_piece(photo, device, monkeypatch):
    painter = UniversalPainter(
        {"a": style_picture(images.load(STYLES["koi_mosaic"]))}, Compute(device=device, precision="fp32")
    )
    tall = images.resize(photo, (400, 40))
    whole = painter.paint(tall, {"a": 1.0})
    monkeypatch.setattr(levels, "WHOLE_AREA", 40 * 200)
    monkeypatch.setattr(levels, "BAND_AREA", 40 * 80)
    steps = painter.steps(tall, {"a": 1.0})
    for _ in range(4 * 5 + 1):  # at least so many
        next(steps)
    torch.testing.assert_close(finish(steps), whole, rtol=0, atol=2e-3)


ODD = {
    "a plain style": (lambda photo: torch.full((1, 3, 64, 64), 0.7), lambda photo: photo),
    "a tiny style": (lambda photo: torch.rand(1, 3, 16, 16), lambda photo: photo),
    "a grey photo": (lambda photo: photo.flip(3), lambda photo: photo.mean(1, keepdim=True).expand(-1, 3, -1, -1)),
    "a black photo": (lambda photo: photo, torch.zeros_like),
    "a tiny photo": (lambda photo: photo, lambda photo: photo[..., :16, :16]),
    "a narrow photo": (lambda photo: photo, lambda photo: images.resize(photo, (16, 300))),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_pictures_are_painted_sensibly(case, photo):
    style, content = (make(photo) for make in ODD[case])
    painted = UniversalPainter({"a": style_picture(style)}, CPU).paint(content, {"a": 1.0})
    assert painted.shape == content.shape and painted.isfinite().all()
    assert (painted.mean((0, 2, 3)) - style.mean((0, 2, 3))).abs().max() < 0.2
    if case in ("a plain style", "a black photo"):
        assert painted[..., 8:-8, 8:-8].std((2, 3)).max() < 0.1  # no grain where there is nothing


def test_large_pictures_are_begun_small_and_small_ones_are_not():
    assert module.scales((512, 384)) == [128, 256, 512] and module.scales((149, 120)) == [149]
    assert module.scales((256, 257)) == [128, 257] and module.scales((16, 2000)) == [2000]


def test_the_style_grows_on_flat_ground(painter):
    ground = torch.cat([torch.full((1, 3, 160, 128), 0.6), torch.rand(1, 3, 96, 128)], 2)
    for name in painter.styles:
        assert painter.paint(ground, {name: 1.0})[..., 20:120, 20:-20].std((2, 3)).mean() > 0.04


def test_a_picture_in_its_own_style_stays_as_good_as_it_is(photo):
    painted = UniversalPainter({"own": style_picture(photo)}, CPU).paint(photo, {"own": 1.0})
    assert (painted - photo).square().mean() < 0.5 * photo.var()


def test_a_style_is_looked_at_once_for_each_size(painter, photo, monkeypatch):
    painter.paint(photo, {"koi_mosaic": 1.0})
    network, sizes = painter._levels.network, []

    def seen(image, *given, **more):
        sizes.append(images.size_of(image))
        return network(image, *given, **more)

    monkeypatch.setattr(painter._levels, "network", seen)
    painter.paint(photo, {"koi_mosaic": 1.0})
    assert len(sizes) == len(module.LEVELS)


@pytest.mark.parametrize(
    ("weights", "strength", "words"),
    [
        ({"waves": 1.0}, 1.0, "there is no style 'waves'; choose of koi_mosaic"),
        ({"koi_mosaic": 0.0}, 1.0, "weigh nothing"),
        ({"koi_mosaic": -1.0, "harvest_sun": 2.0}, 1.0, "or one less"),
        ({"koi_mosaic": 1.0}, 1.5, "strength is 1.5"),
        ({}, 1.0, "weigh nothing"),
    ],
)
def test_what_cannot_be_painted_is_refused(painter, photo, weights, strength, words):
    with pytest.raises(ConfigError, match=words):
        painter.paint(photo, weights, strength=strength)


def test_a_large_style_is_kept_as_large_as_it_is_looked_at():
    kept = style_picture(torch.rand(1, 3, 700, 1400))
    assert kept.dtype == torch.uint8 and images.size_of(kept) == (512, 1024)


@pytest.mark.parametrize("size", [(1000, 40), (30, 4000)])
def test_narrow_styles_are_looked_at_as_large_as_they_have_to_be(photo, size):
    style = style_picture(torch.rand(1, 3, *size))
    assert min(images.size_of(style)) >= images.MIN_SIDE
    assert UniversalPainter({"a": style}, CPU).paint(photo, {"a": 1.0}).isfinite().all()


def test_what_memory_does_not_hold_is_refused_with_a_size_that_fits(painter, photo, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: int(module.WORK_BYTES["fp32"] + 120 * 64 * 64))
    with pytest.raises(DeviceError, match=r"painting 101×\d+ pixels in a picture's style takes about .*at most \d+"):
        painter.paint(photo, {"koi_mosaic": 1.0})
    monkeypatch.setattr(module, "free_memory", lambda device: 1000)
    with pytest.raises(DeviceError, match="close other programs"):
        painter.paint(photo, {"koi_mosaic": 1.0})
