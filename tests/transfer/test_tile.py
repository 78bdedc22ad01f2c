"""Tiles: opposite edges meet, in a photo that was made one, and in what is painted of it."""

import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from nst_core.transfer.tile import BAND, STEP, as_tile, fit_tile, mirrored, periodic

CPU = choose_compute(device="cpu", precision="fp32")


def photo(name: str) -> torch.Tensor:
    return images.load(ASSETS / "photos" / f"{name}.jpg")


def seam_and_inside(image: torch.Tensor) -> tuple[float, float]:
    """Mean differences of neighbouring pixels: across the edges, and within."""
    seam = [image[..., :, 0] - image[..., :, -1], image[..., 0, :] - image[..., -1, :]]
    inside = [image.diff(dim=-1), image.diff(dim=-2)]
    across, within = (torch.cat([part.flatten() for part in parts]).abs().mean().item() for parts in (seam, inside))
    return across, within


@pytest.mark.parametrize("name", ["china_temple", "coffee", "chelsea_cat", "rocket"])
def test_edges_of_a_photograph_meet_and_its_middle_keeps_its_shapes(name):
    before = images.fit(photo(name), 160)
    after = as_tile(before)
    (seam_before, inside_before), (seam, inside) = seam_and_inside(before), seam_and_inside(after)
    assert seam_before > 2 * inside_before and seam < 0.5 * inside
    assert after.min() >= 0 and after.max() <= 1
    middle = slice(40, -40)
    old, new = (image[..., middle, middle].diff(dim=-1) for image in (before, after))
    assert (new - old).abs().mean() < 0.1 * old.abs().mean()


def test_only_what_jumps_between_edges_is_taken():
    plain = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 17, 24)
    torch.testing.assert_close(periodic(plain), plain)
    waves = torch.sin(2 * torch.pi * torch.arange(32) / 8).view(1, 1, 1, 32).expand(1, 3, 24, 32) / 4 + 0.5
    jumping = waves + torch.linspace(-0.2, 0.2, 32)
    assert (periodic(jumping) - waves).abs().mean() < 0.5 * (jumping - waves).abs().mean()
    torch.testing.assert_close(periodic(jumping).mean(), jumping.mean())


def test_mirror_images_are_blended_within_the_band_alone():
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    blended, rows, columns = mirrored(image), round(64 * BAND), round(96 * BAND)
    inner = (..., slice(rows, -rows), slice(columns, -columns))
    assert torch.equal(blended[inner], image[inner])
    torch.testing.assert_close(blended[..., 0, :], blended[..., -1, :], atol=0.1, rtol=0)


@pytest.mark.parametrize("rule", images.SIZE_RULES)
@pytest.mark.parametrize("size", [16, 100, 333])
def test_a_tiles_sides_are_whole_steps_near_those_of_the_picture(rule, size):
    own = photo("coffee")
    fitted = images.fitted_size(images.size_of(own), max(size, 24), rule)
    tile = fit_tile(own, max(size, 24), rule)
    for side, wanted in zip(images.size_of(tile), fitted, strict=True):
        assert side % STEP == 0 and side > 0 and abs(side - wanted) <= STEP // 2


@pytest.mark.parametrize(
    ("preset", "name", "style"), [("studio", "china_temple", "starlit_valley"), ("lab", "coffee", "koi_mosaic")]
)
def test_opposite_edges_of_a_painting_meet(preset, name, style):
    pictures = photo(name), images.load(ASSETS / "styles" / f"{style}.jpg")
    config = PRESETS[preset].config.on("lite").changed(size=64, steps=8)
    *_, last = stylize(*pictures, config.changed(wrap=True), compute=CPU)
    seam, inside = seam_and_inside(last.image)
    assert seam <= inside
    *_, last = stylize(*pictures, config, compute=CPU)
    seam, inside = seam_and_inside(last.image)
    assert seam > 1.5 * inside


@pytest.mark.parametrize("start", ["content", "noise", "style"])
def test_every_scale_and_start_of_a_tile_is_one(narrow_weights, pictures, start):
    config = StyleTransferConfig(backbone="vgg16", size=80, steps=6, smallest_scale=32, wrap=True, start=start)
    painting = stylize(*pictures, config, compute=CPU).painting
    frames, sizes = painting.frames(), set()
    next(frames)
    for _ in range(6):
        sizes.add(images.size_of(frames.send(config).pixels))
    assert len(sizes) > 1 and all(side % STEP == 0 for size in sizes for side in size)
    assert images.size_of(painting.content_image) == max(sizes)


def test_total_variation_of_a_tile_counts_its_seam(narrow_weights, pictures):
    config = StyleTransferConfig(backbone="vgg16", size=32, tv_weight=1.0, total_variation="absolute")
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)

    def variation(*, wrap: bool) -> float:
        of = stylize(ramp, pictures[1], config.changed(wrap=wrap), compute=CPU).painting
        return float(of.laid_out()[0].variation(ramp))

    assert variation(wrap=False) == pytest.approx(3 * 32 * 1.0, rel=1e-4)  # from 0 to 1 in every row
    assert variation(wrap=True) == pytest.approx(2 * variation(wrap=False), rel=0.05)  # and back again


def test_a_tile_is_its_own_content(narrow_weights):
    config = StyleTransferConfig(backbone="vgg16", size=64, style_weight=0.0, wrap=True, content_layers=("conv3_1",))
    own = photo("coffee")
    painting = stylize(own, own, config, compute=CPU).painting
    objective, start = painting.laid_out()
    assert torch.equal(start, painting.content_image)
    assert float(objective(painting.content_image)["content conv3_1"]) == 0
