"""Refining: a few steps bring a quick painting nearer to both pictures; what cannot be refined stays as it is."""

import pytest

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.features.loading import load_network
from nst_core.instant import refine as module
from nst_core.instant.painter import Painter
from nst_core.instant.refine import refined
from nst_core.losses.gram import gram_matrix
from nst_core.steps import finish
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.instant.test_painter import CPU, network_of

STYLES = {name: images.load(ASSETS / "styles" / f"{name}.jpg") for name in ("koi_mosaic", "harvest_sun")}


@pytest.fixture(scope="module")
def painter() -> UniversalPainter:
    return UniversalPainter({name: style_picture(image) for name, image in STYLES.items()}, CPU)


@pytest.fixture(scope="module")
def photo():
    return images.fit(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), 128)


def distances(image, photo, style) -> tuple[float, float]:
    """Relative distances of conv4_2 from the photo's, and of Gram matrices from the style's, as Lite sees them."""
    network, layers = load_network("lite", CPU)[0], ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
    seen, kept, wanted = (network(each, (*layers, "conv4_2"), padding="reflect") for each in (image, photo, style))
    content = (seen["conv4_2"] - kept["conv4_2"]).square().sum() / kept["conv4_2"].square().sum()
    grams = [(gram_matrix(seen[layer]), gram_matrix(wanted[layer])) for layer in layers]
    return float(content), sum(float((one - goal).square().sum() / goal.square().sum()) for one, goal in grams)


def test_a_refined_painting_is_nearer_to_the_photo_and_to_both_pictures_together(painter, photo):
    for name, style in STYLES.items():
        quick = painter.paint(photo, {name: 1.0})
        made = finish(refined(painter, photo, quick, {name: 1.0}, 1.0, CPU))
        assert made.shape == photo.shape and made.min() >= 0 and made.max() <= 1
        before, after = (distances(image, photo, images.fit(style, 128)) for image in (quick, made))
        assert after[0] < 0.8 * before[0] and sum(after) < 0.8 * sum(before), name


def test_it_takes_a_step_of_the_optimiser_at_a_time(painter, photo):
    quick = painter.paint(photo, {"koi_mosaic": 1.0})
    assert module.STEPS <= len(list(refined(painter, photo, quick, {"koi_mosaic": 1.0}, 1.0, CPU))) <= module.STEPS + 1


def test_less_strength_and_blends_are_gone_towards_too(painter, photo):
    for weights, strength in (({"koi_mosaic": 1.0}, 0.3), ({"koi_mosaic": 1.0, "harvest_sun": 3.0}, 1.0)):
        quick = painter.paint(photo, weights, strength=strength)
        made = finish(refined(painter, photo, quick, weights, strength, CPU))
        assert made.isfinite().all() and (made - quick).abs().max() > 0
        assert strength == 1 or (made - photo).abs().mean() < 1.2 * (quick - photo).abs().mean()


def test_what_is_not_to_be_refined_stays_as_it_is(painter, photo, monkeypatch):
    assert finish(refined(Painter([network_of("waves")], CPU), photo, photo, {"waves": 1.0}, 1.0, CPU)) is photo
    assert finish(refined(painter, photo, photo, {"koi_mosaic": 1.0}, 0.0, CPU)) is photo
    monkeypatch.setattr(module, "MOST_AREA", 128 * 64)
    assert finish(refined(painter, photo, photo, {"koi_mosaic": 1.0}, 1.0, CPU)) is photo


def test_tiny_and_narrow_pictures_are_refined(painter, photo):
    for size in ((16, 16), (16, 200)):
        small = images.resize(photo, size)
        made = finish(refined(painter, small, small, {"koi_mosaic": 1.0}, 1.0, CPU))
        assert made.shape == small.shape and made.isfinite().all()


def test_more_styles_than_the_optimiser_takes_leave_the_painting(photo):
    many = UniversalPainter({str(number): style_picture(STYLES["koi_mosaic"]) for number in range(5)}, CPU)
    for count, strength in ((5, 1.0), (4, 0.5)):
        weights = {str(number): 1.0 for number in range(count)}
        assert finish(refined(many, photo, photo, weights, strength, CPU)) is photo
