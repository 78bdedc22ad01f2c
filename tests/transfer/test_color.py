import numpy as np
import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.transfer.color import COLORS, chroma, grey, luma, match_covariance, match_histogram, match_luma
from nst_core.transfer.color import with_colors_of as recolored
from tests.stand_ins import DEVICES

MATCHES = {"luma": match_luma, "covariance": match_covariance, "histogram": match_histogram}


def picture(height=40, width=56, seed=0, low=0.0, high=1.0) -> torch.Tensor:
    """Colours that go together in their own way for each seed, all of them within low and high."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.rand(3, 3, generator=generator) @ torch.rand(3, height * width, generator=generator)
    return (low + (high - low) * (mixed - mixed.min()) / (mixed.max() - mixed.min())).view(1, 3, height, width)


def mild(seed: int, height=40, width=56) -> torch.Tensor:
    """Nothing that is done to it reaches black or white."""
    return picture(height, width, seed, 0.35, 0.65)


def flat(*color: float) -> torch.Tensor:
    return torch.tensor(color, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 24, 32).contiguous()


FLATS = {"black": flat(0, 0, 0), "white": flat(1, 1, 1), "grey": flat(0.5, 0.5, 0.5), "red": flat(0.9, 0.1, 0.2)}
EXTREMES = FLATS | {
    "greys": grey(picture(seed=4)),
    "two colours": torch.where(picture(24, 32, 5)[:, :1] > 0.5, FLATS["red"], FLATS["black"]),
    "one pixel differs": torch.cat([FLATS["grey"].flatten(2)[..., 1:], flat(1, 0, 0)[..., :1, 0]], 2).view(
        1, 3, 24, 32
    ),
}


def mean_and_covariance(image: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    pixels = image[0].flatten(1).double().numpy()
    return pixels.mean(1), np.cov(pixels, bias=True)


# All choices


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", COLORS)
def test_a_choice_of_colours_keeps_sizes_devices_and_the_pixel_range(name, device):
    content, style = picture(40, 56, 1).to(device), picture(64, 48, 2).to(device)
    toned_content, toned_style = COLORS[name].before(content, style)
    finished = COLORS[name].after(picture(32, 44, 3).to(device), content)
    for image, size in ((toned_content, (40, 56)), (toned_style, (64, 48)), (finished, (32, 44))):
        assert image.shape == (1, 3, *size) and image.dtype == torch.float32 and image.device.type == device
        assert image.min() >= 0 and image.max() <= 1 and image.is_contiguous()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", COLORS)
def test_every_device_finds_the_same_colours(name, device):
    content, style = picture(40, 56, 1), picture(64, 48, 2)
    here, there = COLORS[name].before(content, style), COLORS[name].before(content.to(device), style.to(device))
    for image, same in zip(here, there, strict=True):
        torch.testing.assert_close(same.cpu(), image, atol=1e-5, rtol=0)
    finished = COLORS[name].after(style.to(device), content)  # the content stayed on the CPU
    torch.testing.assert_close(finished.cpu(), COLORS[name].after(style, content), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", COLORS)
def test_greys_and_flat_pictures_are_as_good_as_any(name):
    for content in EXTREMES.values():
        for style in EXTREMES.values():
            for image in (*COLORS[name].before(content, style), COLORS[name].after(style, content)):
                assert torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1


@pytest.mark.parametrize("name", COLORS)
def test_a_choice_of_colours_leaves_the_pictures_alone(name):
    given = [picture(40, 56, 1), picture(64, 48, 2)]
    old = [image.clone() for image in given]
    COLORS[name].before(*given)
    COLORS[name].after(*given)
    assert all(torch.equal(image, before) for image, before in zip(given, old, strict=True))


@pytest.mark.parametrize("name", ["content", "luminance"])
def test_what_is_done_afterwards_remembers_no_gradients(name):
    assert not COLORS[name].after(picture(seed=1).requires_grad_(), picture(seed=2)).requires_grad


@pytest.mark.parametrize("name", COLORS)
def test_titles_are_words_of_their_own(name):
    assert COLORS[name].title and [choice.title for choice in COLORS.values()].count(COLORS[name].title) == 1


def test_the_contents_colours_can_be_had_without_another_run():
    assert COLORS["content"].before is COLORS["style"].before


def test_the_styles_colours_are_left_alone():
    content, style = picture(seed=1), picture(seed=2)
    assert all(a is b for a, b in zip(COLORS["style"].before(content, style), (content, style), strict=True))
    assert torch.equal(COLORS["style"].after(style, content), style)


# Afterwards: the content's chroma


def test_an_image_is_its_luma_and_its_chroma_and_grey_has_none():
    image = picture()
    torch.testing.assert_close(luma(image) + chroma(image), image)
    torch.testing.assert_close(luma(chroma(image)), torch.zeros(1, 1, 40, 56), atol=1e-6, rtol=0)
    torch.testing.assert_close(chroma(grey(image)), torch.zeros_like(image), atol=1e-6, rtol=0)
    torch.testing.assert_close(luma(grey(image)), luma(image))


def test_luma_is_that_of_television():
    image = picture()
    levels = np.asarray(Image.fromarray(images.to_bytes(image)).convert("L"), np.float32) / 255
    torch.testing.assert_close(luma(image)[0, 0], torch.from_numpy(levels), atol=1.1 / 255, rtol=0)


@pytest.mark.parametrize("name", ["content", "luminance"])
def test_the_painted_luma_stays_and_the_chroma_becomes_the_contents(name):
    painted, content = mild(1), mild(2)
    finished = COLORS[name].after(painted, content)
    torch.testing.assert_close(luma(finished), luma(painted), atol=1e-6, rtol=0)
    torch.testing.assert_close(chroma(finished), chroma(content), atol=1e-6, rtol=0)


def test_the_contents_colours_are_those_of_swapped_iq_and_of_swapped_cbcr():
    painted, content = mild(1), mild(2)
    yiq = np.array([[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
    swapped = yiq @ content[0].flatten(1).double().numpy()  # (3, H*W)
    swapped[0] = (yiq @ painted[0].flatten(1).double().numpy())[0]
    expected = torch.from_numpy(np.linalg.inv(yiq) @ swapped).float().view_as(painted)
    torch.testing.assert_close(recolored(painted, content), expected, atol=1e-5, rtol=0)

    bands = [Image.fromarray(images.to_bytes(image)).convert("YCbCr").split() for image in (painted, content)]
    merged = Image.merge("YCbCr", (bands[0][0], *bands[1][1:])).convert("RGB")  # as most of the field does
    torch.testing.assert_close(recolored(painted, content), images.from_pil(merged), atol=4 / 255, rtol=0)


def test_the_contents_colours_twice_are_those_once():
    once = recolored(mild(1), mild(2))
    torch.testing.assert_close(recolored(once, mild(2)), once, atol=1e-6, rtol=0)


def test_the_content_in_its_own_colours_is_itself():
    content = picture()
    torch.testing.assert_close(recolored(content, content), content, atol=1e-6, rtol=0)
    torch.testing.assert_close(recolored(grey(content), content), content, atol=1e-6, rtol=0)


def test_a_grey_content_makes_a_grey_picture():
    finished = recolored(picture(seed=1), grey(picture(seed=2)))
    torch.testing.assert_close(finished, grey(picture(seed=1)), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [(20, 28), (80, 112), (41, 55)])
def test_a_content_of_another_size_gives_its_colours_in_the_same_places(size):
    halves = torch.cat([flat(0.6, 0.4, 0.4), flat(0.4, 0.4, 0.6)], 3)  # red, blue
    painted = mild(1, *size)
    finished = recolored(painted, halves)
    torch.testing.assert_close(luma(finished), luma(painted), atol=1e-6, rtol=0)
    left, right = chroma(finished)[..., : size[1] // 3], chroma(finished)[..., -size[1] // 3 :]
    torch.testing.assert_close(left, chroma(flat(0.6, 0.4, 0.4))[..., :1, :1].expand_as(left), atol=0.02, rtol=0)
    torch.testing.assert_close(right, chroma(flat(0.4, 0.4, 0.6))[..., :1, :1].expand_as(right), atol=0.02, rtol=0)


# Before: in greys


def test_luminance_paints_greys_with_the_contents_brightness_and_contrast():
    content, style = mild(1), picture(64, 48, 2, 0.1, 0.9)
    toned_content, toned_style = COLORS["luminance"].before(content, style)
    for image in (toned_content, toned_style):
        torch.testing.assert_close(chroma(image), torch.zeros_like(image), atol=1e-6, rtol=0)
    torch.testing.assert_close(luma(toned_content), luma(content))
    assert toned_style.mean().item() == pytest.approx(luma(content).mean().item(), abs=1e-5)
    assert toned_style.std().item() == pytest.approx(luma(content).std().item(), rel=0.01)


def test_matching_luma_moves_no_pixel_out_of_the_order_of_brightness():
    image, other = mild(1), mild(2)
    order = luma(image).flatten().argsort()
    assert (luma(match_luma(image, other)).flatten()[order].diff() >= -1e-6).all()


# Before: the palette


@pytest.mark.parametrize("name", MATCHES)
def test_a_picture_matched_to_itself_is_itself(name):
    image = grey(picture()) if name == "luma" else picture()
    torch.testing.assert_close(MATCHES[name](image, image), image, atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", MATCHES)
@pytest.mark.parametrize("color", ["grey", "red"])
def test_matched_to_a_flat_picture_all_is_flat(name, color):
    matched = MATCHES[name](mild(1), FLATS[color])
    expected = grey(FLATS[color]) if name == "luma" else FLATS[color]
    # LEAST_VARIANCE is what is left of contrast
    torch.testing.assert_close(matched, expected[..., :1, :1].expand_as(matched), atol=0.02, rtol=0)


@pytest.mark.parametrize("name", MATCHES)
def test_where_things_are_in_the_reference_is_of_no_concern(name):
    image, other = mild(1), mild(2)
    shuffled = other.flatten(2)[..., torch.randperm(40 * 56, generator=torch.Generator().manual_seed(0))]
    matched = MATCHES[name](image, shuffled.view(1, 3, 28, 80))
    torch.testing.assert_close(matched, MATCHES[name](image, other), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["match covariance", "match histogram"])
def test_matching_changes_the_style_and_not_the_content(name):
    content, style = mild(1), mild(2, 64, 48)
    toned_content, toned_style = COLORS[name].before(content, style)
    assert toned_content is content
    assert torch.equal(toned_style, MATCHES[name.removeprefix("match ")](style, content))
    assert not torch.allclose(toned_style, style, atol=0.01)


def test_covariance_matching_gives_mean_and_covariance_of_the_reference():
    matched, other = match_covariance(mild(1), mild(2, 64, 48)), mild(2, 64, 48)
    assert matched.min() > 0 and matched.max() < 1  # nothing was clipped
    for found, expected in zip(mean_and_covariance(matched), mean_and_covariance(other), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_map_of_covariance_matching_is_symmetric_and_turns_no_colour_round():
    image, matched = mild(1), match_covariance(mild(1), mild(2))
    pixels, moved = (picture[0].flatten(1).double().numpy() for picture in (image, matched))
    pixels, moved = (part - part.mean(1, keepdims=True) for part in (pixels, moved))
    found = moved @ pixels.T @ np.linalg.inv(pixels @ pixels.T)  # the map, by least squares
    np.testing.assert_allclose(found, found.T, atol=1e-3)
    assert (np.linalg.eigvalsh((found + found.T) / 2) > 0).all()


def test_no_map_to_the_same_covariance_moves_colours_less():
    image, other = mild(1), mild(2)
    mean, covariance = mean_and_covariance(image)
    other_mean, other_covariance = mean_and_covariance(other)
    cholesky = np.linalg.cholesky(other_covariance) @ np.linalg.inv(np.linalg.cholesky(covariance))
    pixels = image[0].flatten(1).double().numpy()
    by_cholesky = cholesky @ (pixels - mean[:, None]) + other_mean[:, None]
    by_symmetry = match_covariance(image, other)[0].flatten(1).double().numpy()
    assert np.square(by_symmetry - pixels).mean() < np.square(by_cholesky - pixels).mean()


def test_histogram_matching_gives_the_values_of_the_reference():
    tones = torch.stack([torch.randperm(40 * 56) for _ in range(6)]) / (40 * 56)  # no two alike in a channel
    image, other = tones[:3].view(1, 3, 40, 56), tones[3:].square().view(1, 3, 56, 40)
    matched = match_histogram(image, other)
    torch.testing.assert_close(matched.flatten(2).sort().values, other.flatten(2).sort().values, atol=1e-6, rtol=0)
    for channel, own in zip(matched[0], image[0], strict=True):
        assert (channel.flatten()[own.flatten().argsort()].diff() >= 0).all()


def test_histogram_matching_gives_the_quantiles_of_a_reference_of_another_size():
    image, other = picture(60, 80, seed=1), picture(seed=2)
    at = np.linspace(0.02, 0.98, 25)
    for found, expected in zip(match_histogram(image, other)[0], other[0], strict=True):
        np.testing.assert_allclose(np.quantile(found, at), np.quantile(expected, at), atol=0.01)


def test_histogram_matching_keeps_flat_areas_flat():
    image = (picture(seed=1) * 8).round() / 8
    matched = match_histogram(image, picture(seed=2))
    for channel, own in zip(matched[0], image[0], strict=True):
        assert all(len(channel[own == tone].unique()) == 1 for tone in own.unique())


def test_histogram_matching_gives_a_flat_picture_the_middle_tone():
    other = picture(seed=2)
    matched = match_histogram(FLATS["grey"], other)
    torch.testing.assert_close(matched[0, :, 0, 0], other[0].flatten(1).median(1).values, atol=0.005, rtol=0)
    turned = match_histogram(1 - picture(), 1 - other)
    torch.testing.assert_close(1 - turned, match_histogram(picture(), other), atol=1e-3, rtol=0)
