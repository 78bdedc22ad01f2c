import numpy as np
import pytest
import torch

from nst_core.analysis.cutouts import paste
from nst_core.analysis.cutouts.paste import BLENDS, RIM, box_of, nearest_spot, place
from nst_core.errors import ConfigError, ImageError
from tests.every import every

SPOT = {"x": 0.5, "y": 0.5, "scale": 0.4}


def noise(channels=3, height=60, width=90, seed=0) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def rectangle(height=20, width=30, seed=1) -> torch.Tensor:
    """An opaque cut-out."""
    return torch.cat([noise(3, height, width, seed), torch.ones(1, 1, height, width)], 1)


def ellipse(height=40, width=30, seed=1) -> torch.Tensor:
    """A cut-out of noise, transparent outside of an ellipse."""
    cutout = rectangle(height, width, seed)
    down, across = torch.arange(height) + 0.5 - height / 2, torch.arange(width) + 0.5 - width / 2
    cutout[0, 3] = (((down[:, None] * 2 / height) ** 2 + (across * 2 / width) ** 2) < 1).float()
    return cutout


def flat(color, height=60, width=90) -> torch.Tensor:
    return torch.tensor(color).view(1, -1, 1, 1).expand(1, -1, height, width).contiguous()


def ramp(channels=3, height=60, width=90) -> torch.Tensor:
    """Rises from left to right by 0.005 a pixel."""
    return (0.2 + 0.005 * torch.arange(width)).expand(1, channels, height, width).contiguous()


# What both compositions keep


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("cutout", [rectangle(), ellipse(), 0.7 * ellipse()], ids=["rectangle", "ellipse", "faint"])
def test_where_the_mask_is_zero_nothing_changes(blend, cutout):
    background = noise()
    placed = place(background, cutout, **SPOT, blend=blend)
    outside = (placed.mask == 0).expand_as(background)
    assert outside.float().mean() > 0.5 and not outside.all()
    for image in (placed.plain, placed.blended):
        assert image.shape == background.shape and image.dtype == torch.float32
        assert torch.equal(image[outside], background[outside])
        assert image.min() >= 0 and image.max() <= 1


def test_the_mask_is_one_on_the_cutout_and_reaches_a_little_around_it():
    placed = place(noise(), ellipse(), **SPOT)
    top, left, height, width = placed.box
    assert (placed.mask[placed.outline == 1] == 1).all()
    reach = max(RIM, round(paste.FADE * max(height, width)))
    beyond = placed.mask.clone()
    beyond[..., top - reach : top + height + reach, left - reach : left + width + reach] = 0
    assert (beyond == 0).all()


def test_a_cutout_lies_where_it_is_said_to_the_pixel():
    background, cutout = noise(), rectangle(20, 36)
    placed = place(background, cutout, x=0.3, y=0.7, scale=0.4)  # its longer side is 36 of 90 pixels: as it is
    assert placed.box == (32, 9, 20, 36)
    assert torch.equal(placed.plain[..., 32:52, 9:45], cutout[:, :3])
    assert torch.equal(placed.outline[0, 0].nonzero().amin(0), torch.tensor([32, 9]))
    assert torch.equal(placed.outline[0, 0].nonzero().amax(0), torch.tensor([51, 44]))


@pytest.mark.parametrize(("height", "width"), [(20, 36), (21, 36), (20, 35), (33, 35), (4, 36), (36, 4)])
@pytest.mark.parametrize("form", [rectangle, ellipse])
def test_the_blend_lies_where_the_paste_does_to_the_pixel(height, width, form):
    """A lone dark dot in a light cut-out is found at its own pixel, however odd the sides and the outline are."""
    cutout = form(height, width)
    cutout[:, :3] = 0.9
    cutout[:, :3, height // 2, width // 2] = 0.1
    placed = place(flat([0.6, 0.6, 0.6]), cutout, x=0.4, y=0.45, scale=max(height, width) / 90)
    assert placed.plain.mean(1).argmin() == placed.blended.mean(1).argmin()
    assert placed.plain.mean(1).min() < 0.2 and placed.blended.mean(1).min() < 0.2


def test_empty_space_around_a_cutout_is_of_no_concern():
    cutout, wide = ellipse(), torch.zeros(1, 4, 100, 70)
    wide[..., 13:53, 2:32] = cutout
    one, other = place(noise(), cutout, **SPOT), place(noise(), wide, **SPOT)
    assert one.box == other.box and torch.equal(one.plain, other.plain) and torch.equal(one.blended, other.blended)


def test_colours_hidden_where_a_cutout_is_transparent_never_show():
    clean, dirty = ellipse(), ellipse()
    dirty[:, :3] = torch.where(dirty[:, 3:] > 0, dirty[:, :3], torch.tensor([1.0, 0.0, 1.0]).view(1, 3, 1, 1))
    clean[:, :3] *= clean[:, 3:]
    for blend in BLENDS:
        one, other = place(noise(), clean, **SPOT, blend=blend), place(noise(), dirty, **SPOT, blend=blend)
        assert torch.equal(one.plain, other.plain) and torch.equal(one.blended, other.blended)


# Poisson's law


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("color", [[0.0, 0.0, 0.0, 1.0], [1.0, 0.2, 0.6, 1.0]])
def test_a_cutout_without_gradients_is_not_to_be_seen_in_a_plain_picture(blend, color):
    background = flat([0.3, 0.5, 0.8])
    placed = place(background, flat(color, 20, 30), **SPOT, blend=blend)
    torch.testing.assert_close(placed.blended, background, atol=2.5 / 255, rtol=0)
    assert (placed.plain - background).abs().max() > 0.2


@pytest.mark.parametrize("form", [rectangle, ellipse])
def test_a_cutout_takes_its_colours_from_the_border_and_its_gradients_from_itself(form):
    """The same ramp, only darker: f = g + a constant solves the equation, which is the background's own ramp."""
    cutout = form(30, 36)
    cutout[:, :3] = ramp(3, 30, 36) - 0.2
    background = ramp()
    placed = place(background, cutout, **SPOT)
    torch.testing.assert_close(placed.blended, background, atol=3 / 255, rtol=0)
    assert (placed.plain - background).abs().max() > 0.3


def poisson(background: np.ndarray, source: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Pérez et al.'s eq. 7 for a picture (H, W), solved as the linear system that it is."""
    number = -np.ones(inside.shape, int)
    number[inside] = range(inside.sum())
    matrix, right = np.zeros((inside.sum(),) * 2), np.zeros(inside.sum())
    for row, column in zip(*inside.nonzero(), strict=True):
        here = number[row, column]
        for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            there = row + down, column + across
            matrix[here, here] += 1
            right[here] += source[row, column] - source[there]
            if inside[there]:
                matrix[here, number[there]] -= 1
            else:
                right[here] += background[there]
    solved = background.copy()
    solved[inside] = np.linalg.solve(matrix, right)
    return solved


def test_a_rectangle_is_blended_as_the_papers_linear_system_has_it():
    """In a smooth picture, as OpenCV lets the rectangle begin RIM pixels farther out; at its very edge it differs."""
    background = ramp(3, 40, 60)
    down, across = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    cutout = torch.ones(1, 4, 16, 24)
    cutout[:, :3] = 0.3 + 0.2 * torch.sin(down / 3) * torch.cos(across / 4)
    placed = place(background, cutout, x=0.5, y=0.5, scale=0.4)
    assert placed.box == (12, 18, 16, 24)
    canvas, inside = np.zeros((40, 60)), np.zeros((40, 60), bool)
    canvas[12:28, 18:42], inside[12:28, 18:42] = cutout[0, 0].numpy(), True
    edged = np.pad(canvas[12:28, 18:42], RIM, mode="edge")  # outside of the cut-out its gradient is unknown
    canvas[12 - RIM : 28 + RIM, 18 - RIM : 42 + RIM] = edged
    expected = poisson(background[0, 0].numpy().astype(float), canvas, inside)
    found = placed.blended[0, 0].numpy()
    inner = (slice(15, 25), slice(21, 39))
    plain_error = np.abs(placed.plain[0, 0].numpy()[inner] - expected[inner]).mean()
    assert np.abs(found[inner] - expected[inner]).mean() < min(0.03, plain_error / 3)


def test_mixed_lets_the_background_through_where_the_cutout_has_nothing_to_say():
    background = noise()
    smooth = flat([0.4, 0.4, 0.4, 1.0], 20, 36)
    box = place(background, smooth, **SPOT).box.inside
    kept = {blend: place(background, smooth, **SPOT, blend=blend).blended[..., box[0], box[1]] for blend in BLENDS}
    own = background[..., box[0], box[1]]
    assert (kept["mixed"] - own).abs().mean() < (kept["normal"] - own).abs().mean() / 3


def test_monochrome_brings_no_colours_along():
    background, cutout = flat([0.5, 0.5, 0.5]), rectangle(30, 36)
    cutout[:, 1:3] = 0.2  # all structure is in red
    chroma = {}
    for blend in BLENDS:
        blended = place(background, cutout, **SPOT, blend=blend).blended
        chroma[blend] = (blended - blended.mean(1, keepdim=True)).abs().max()
    assert chroma["monochrome"] < 2 / 255 < chroma["normal"]


def test_red_weighs_as_red_in_the_grey_of_monochrome():
    """OpenCV's pictures are BGR: red counts 0.299, blue 0.114."""
    contrast = []
    for channel in (0, 2):
        cutout = flat([0.2, 0.2, 0.2, 1.0], 30, 36)
        cutout[:, channel, 12:18, 15:21] = 1.0
        blended = place(flat([0.5, 0.5, 0.5]), cutout, **SPOT, blend="monochrome").blended
        contrast.append((blended.max() - blended.min()).item())
    assert contrast[0] / contrast[1] == pytest.approx(0.299 / 0.114, rel=0.3)


# Where OpenCV is touchy


@pytest.mark.parametrize("form", [rectangle, ellipse])
@pytest.mark.parametrize(("x", "y"), [(0.2, 1 / 6), (0.8, 5 / 6), (0.2, 5 / 6), (0.5, 1 / 6)])
def test_a_cutout_may_touch_the_pictures_border(form, x, y):
    """And keeps all it has there: its outermost rows are as bright as in the middle of the picture."""
    cutout = form(20, 36)
    cutout[:, :3] = 0.5
    cutout[:, :3, [1, -2]] = 1.0
    cutout[:, :3, :, [1, -2]] = 1.0
    gray = flat([0.5, 0.5, 0.5])
    at_border, within = (place(gray, cutout, **spot, scale=0.4) for spot in ({"x": x, "y": y}, {"x": 0.5, "y": 0.5}))
    assert at_border.outline.sum() == within.outline.sum()
    seen, expected = (placed.blended[..., *placed.box.inside] for placed in (at_border, within))
    torch.testing.assert_close(seen, expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("form", [rectangle, ellipse])
def test_a_cutout_may_be_as_large_as_the_picture(form):
    placed = place(noise(), form(60, 90), x=0.5, y=0.5, scale=1)
    assert placed.box == (0, 0, 60, 90) and placed.blended.isfinite().all()


@pytest.mark.parametrize(("height", "width"), [(4, 40), (40, 4), (4, 4), (5, 4)])
def test_a_thin_cutout_does_not_vanish(height, width):
    cutout = flat([0.9, 0.9, 0.9, 1.0], height, width)
    cutout[:, :3, :, : width // 2] = 0.1
    placed = place(flat([0.5, 0.5, 0.5]), cutout, x=0.5, y=0.5, scale=max(height, width) / 90)
    assert placed.blended.max() - placed.blended.min() > 0.3


def test_a_cutout_in_pieces_with_a_hole_is_blended_in_all_of_them():
    cutout = rectangle(30, 36)
    cutout[:, 3, 10:20, 10:20] = 0
    cutout[:, 3, :, 25:30] = 0
    background = noise()
    placed = place(background, cutout, **SPOT)
    assert torch.equal(placed.plain[..., 15 + 12 : 15 + 18, 27 + 12 : 27 + 18], background[..., 27:33, 39:45])
    changed = (placed.blended - background).abs().mean(1)[0]
    assert changed[15:45, 27:37].mean() > 0.05 and changed[15:45, 57:63].mean() > 0.05


def test_a_faint_cutout_is_pasted_as_faintly_and_blended_all_the_same():
    cutout = flat([1.0, 1.0, 1.0, 0.2], 20, 36)
    placed = place(flat([0.5, 0.5, 0.5]), cutout, **SPOT)
    inside = placed.outline.expand(1, 3, -1, -1) == 1
    assert inside.sum() == 3 * 20 * 36
    torch.testing.assert_close(placed.plain[inside], torch.full((3 * 20 * 36,), 0.6))


# What is refused


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": 0.1}, "beyond the picture by 9 pixels at the left; make it smaller or move it"),
        ({"x": 0.9}, "9 pixels at the right"),
        ({"y": 0.0}, "10 pixels at the top"),
        ({"x": 0.0, "y": 1.0}, "18 pixels at the left and 10 pixels at the bottom"),
        ({"scale": 0.02}, "is 2×1 pixels at scale 0.02, too small to be seen; make it larger"),
    ],
)
def test_a_cutout_that_does_not_fit_is_refused_with_by_how_much(given, words):
    with pytest.raises(ConfigError, match=words):
        place(noise(), rectangle(20, 36), **SPOT | given)


def test_a_cutout_larger_than_the_picture_is_refused_with_the_largest_scale_that_fits():
    with pytest.raises(
        ConfigError, match="is 45×90 pixels at scale 1, larger than the picture with its 90×60"
    ) as error:
        box_of((60, 90), (40, 20), x=0.5, y=0.5, scale=1)
    most = float(str(error.value).split("may be ")[1].split()[0])
    assert most == 0.666
    assert box_of((60, 90), (40, 20), x=0.5, y=0.5, scale=most)[2] == 60


@every(
    scale=[0.111, 0.25, 0.3334, 0.45],
    cutout=[(20, 36), (37, 19), (30, 30)],
    background=[(60, 90), (61, 89), (90, 61), (97, 97)],
)
def test_a_place_that_fits_but_for_rounding_is_taken(background, cutout, scale):
    """As the page keeps a cut-out within the picture: shares of four digits, before sides become whole pixels."""
    side = scale * max(background) / max(cutout)
    half = [round(side * length / 2 / room, 4) for length, room in zip(cutout, background, strict=True)]
    for y in (half[0], 1 - half[0]):
        for x in (half[1], 1 - half[1]):
            top, left, height, width = box_of(background, cutout, x=x, y=y, scale=scale)
            assert 0 <= top <= background[0] - height and 0 <= left <= background[1] - width


def test_a_single_pixel_beyond_the_border_is_rounding_and_two_are_not():
    assert box_of((60, 90), (20, 36), x=0.19, y=0.85, scale=0.4) == (40, 0, 20, 36)  # 17.1 - 18 and 51 + 10 pixels
    with pytest.raises(ConfigError, match="by 2 pixels at the left"):
        box_of((60, 90), (20, 36), x=0.18, y=0.5, scale=0.4)


@every(
    wanted=[(0.5, 0.5, 0.4), (0.0, 1.0, 1.0), (1.0, 0.1, 0.6)],
    cutout=[(20, 36), (60, 10), (30, 30), (10, 100)],
    background=[(60, 90), (400, 100), (97, 97)],
)
def test_the_nearest_spot_fits_and_one_that_fits_is_its_own(background, cutout, wanted):
    x, y, scale = nearest_spot(background, cutout, **dict(zip(("x", "y", "scale"), wanted, strict=True)))
    box_of(background, cutout, x=x, y=y, scale=scale)
    again = nearest_spot(background, cutout, x=x, y=y, scale=scale)
    assert again == pytest.approx((x, y, scale), abs=1e-4) and scale <= wanted[2]
    if wanted[:2] == (0.5, 0.5):
        assert (x, y) == (0.5, 0.5)


def test_an_empty_cutout_and_an_unknown_blend_are_refused():
    with pytest.raises(ImageError, match="empty"):
        place(noise(), torch.zeros(1, 4, 20, 20), **SPOT)
    with pytest.raises(ConfigError, match="blend is 'glue'; choose one of normal, mixed, monochrome"):
        place(noise(), rectangle(), **SPOT, blend="glue")


@pytest.mark.parametrize("blend", BLENDS)
def test_the_same_place_gives_the_same_picture_and_nothing_given_is_changed(blend):
    background, cutout = noise(), ellipse()
    old = background.clone(), cutout.clone()
    one, other = (place(background, cutout, **SPOT, blend=blend) for _ in range(2))
    assert torch.equal(one.plain, other.plain) and torch.equal(one.blended, other.blended)
    assert torch.equal(background, old[0]) and torch.equal(cutout, old[1])
    for image in (one.plain, one.blended):
        image.zero_()
    assert torch.equal(background, old[0])
