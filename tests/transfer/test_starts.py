from dataclasses import replace

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import ConfigError
from nst_core.transfer import starts as module
from nst_core.transfer.starts import STARTS, StartMaterial
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.stand_ins import DEVICES


def material(device="cpu", seed=0, noise_deviation=0.25, **pictures) -> StartMaterial:
    generator = torch.Generator().manual_seed(5)
    images = {
        "content_image": torch.rand(1, 3, 48, 64, generator=generator),
        "style_image": torch.rand(1, 3, 56, 40, generator=generator),
        "start_image": torch.rand(1, 3, 30, 90, generator=generator),
    } | pictures
    images = {name: image if image is None else image.to(device) for name, image in images.items()}
    images["style_images"] = [images.pop("style_image")]
    compute = Compute(device=device, precision="fp32")
    return StartMaterial(**images, noise_deviation=noise_deviation, seed=seed, compute=compute)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", STARTS)
def test_a_start_has_the_contents_shape_and_device_and_the_pixel_range(name, device):
    start = STARTS[name](material(device))
    assert start.shape == (1, 3, 48, 64) and start.dtype == torch.float32 and start.device.type == device
    assert start.min() >= 0 and start.max() <= 1


@pytest.mark.parametrize("name", STARTS)
def test_the_same_seed_starts_the_same_and_only_noise_hears_another(name):
    start = STARTS[name](material(seed=7))
    torch.manual_seed(99)  # of no concern
    assert torch.equal(STARTS[name](material(seed=7)), start)
    assert torch.equal(STARTS[name](material(seed=8)), start) == (name != "noise")


@pytest.mark.parametrize("name", STARTS)
def test_the_worlds_random_numbers_are_left_alone(name):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    STARTS[name](material())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("device", DEVICES)
def test_noise_is_the_same_on_every_device(device):
    torch.testing.assert_close(STARTS["noise"](material(device)).cpu(), STARTS["noise"](material()))


@pytest.mark.parametrize("deviation", [0.0, 0.001, 0.05, 0.1])
def test_noise_spreads_about_the_networks_mean_colour_as_far_as_said(deviation):
    large = torch.zeros(1, 3, 200, 200)
    noise = STARTS["noise"](material(noise_deviation=deviation, content_image=large))
    mean = torch.tensor([0.485, 0.456, 0.406])  # ImageNet's
    torch.testing.assert_close(noise.mean((0, 2, 3)), mean, atol=deviation / 20 + 1e-6, rtol=0)
    assert noise.std((0, 2, 3)).tolist() == pytest.approx([deviation] * 3, rel=0.05, abs=1e-7)


def test_the_content_start_is_a_copy_of_the_content():
    given = material()
    start = STARTS["content"](given)
    assert torch.equal(start, given.content_image)
    start.zero_()
    assert given.content_image.max() > 0


def ramps(height: int, width: int) -> torch.Tensor:
    """Two ramps of the same slope, one a row and one a column."""
    rows, columns = torch.meshgrid(torch.arange(height * 1.0), torch.arange(width * 1.0), indexing="ij")
    longest = max(height, width)
    return torch.stack([rows / longest, columns / longest, torch.zeros_like(rows)])[None]


@pytest.mark.parametrize("name", ["style", "image"])
@pytest.mark.parametrize("shape", [(30, 90), (90, 30), (48, 64), (200, 100)])
def test_a_picture_of_another_shape_is_cut_and_never_squashed(name, shape):
    picture = ramps(*shape)
    start = STARTS[name](material(**{f"{'start' if name == 'image' else name}_image": picture}))
    inner = start[..., 4:-4, 4:-4]
    down, right = inner[0, 0].diff(dim=0).mean(), inner[0, 1].diff(dim=1).mean()
    torch.testing.assert_close(down, right, rtol=0.03, atol=0)
    seen = start[0, :2].flatten(1).max(1).values - start[0, :2].flatten(1).min(1).values
    filled = seen / torch.tensor([shape[0], shape[1]]) * max(shape)
    assert filled.max() > 0.93  # one side is there as a whole


def test_an_image_start_without_an_image_is_refused():
    with pytest.raises(ConfigError, match="start is 'image'.*give one, or choose another"):
        STARTS["image"](material(start_image=None))


@pytest.mark.parametrize("name", sorted(set(STARTS) - {"image"}))
def test_the_other_starts_need_no_picture(name):
    assert torch.equal(STARTS[name](material(start_image=None)), STARTS[name](material()))


@pytest.mark.parametrize("name", STARTS)
def test_a_start_leaves_the_pictures_alone(name):
    given = material()
    before = [image.clone() for image in (given.content_image, *given.style_images, given.start_image)]
    STARTS[name](given)
    for image, old in zip((given.content_image, *given.style_images, given.start_image), before, strict=True):
        assert torch.equal(image, old)


def test_a_quick_start_is_one_pass_in_the_style_or_between_several():
    given = material()
    pictures = {"a": style_picture(given.style_images[0]), "b": style_picture(given.start_image)}
    painter = UniversalPainter(pictures, given.compute)
    assert torch.equal(STARTS["quick"](given), painter.paint(given.content_image, {"a": 1.0}))
    large = UniversalPainter(pictures, given.compute, 3.0).paint(given.content_image, {"a": 1.0})
    assert torch.equal(STARTS["quick"](replace(given, style_scale=3.0)), large)
    both = replace(given, style_images=[given.style_images[0], given.start_image], blend=(3.0, 1.0))
    assert torch.equal(STARTS["quick"](both), painter.paint(given.content_image, {"a": 3.0, "b": 1.0}))


def test_a_quick_start_paints_regions_each_in_its_style_and_leaves_the_rest(monkeypatch):
    given = material()
    left, right = torch.zeros(1, 1, 48, 64), torch.zeros(1, 1, 48, 64)
    left[..., :20], right[..., 40:] = 1, 1
    styles = [given.style_images[0], given.start_image]
    start = STARTS["quick"](replace(given, style_images=styles, regions=[left, right]))
    assert torch.equal(start[..., 20:40], given.content_image[..., 20:40])
    for style, part in zip(styles, (slice(0, 20), slice(40, 64)), strict=True):
        alone = STARTS["quick"](replace(given, style_images=[style]))
        torch.testing.assert_close(start[..., part], alone[..., part], rtol=0, atol=1e-5)
    monkeypatch.setattr(module, "QUICK_SIDE", 32)  # of a large picture in a smaller size
    assert STARTS["quick"](given).shape == given.content_image.shape
