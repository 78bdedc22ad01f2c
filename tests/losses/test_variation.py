from itertools import pairwise

import numpy as np
import pytest
import torch

from nst_core.losses.variation import TOTAL_VARIATIONS
from tests.stand_ins import DEVICES


def pixel(image: np.ndarray, row: int, column: int) -> np.ndarray:
    """A pixel's channels, the edge repeated outwards."""
    height, width = image.shape[1:]
    return image[:, min(max(row, 0), height - 1), min(max(column, 0), width - 1)]


def absolute_by_hand(image: np.ndarray) -> float:
    _, height, width = image.shape
    total = 0.0
    for row, column in np.ndindex(height, width):
        if column + 1 < width:
            total += np.abs(image[:, row, column + 1] - image[:, row, column]).sum()
        if row + 1 < height:
            total += np.abs(image[:, row + 1, column] - image[:, row, column]).sum()
    return total


def squares_by_hand(image: np.ndarray) -> float:
    _, height, width = image.shape
    total = 0.0
    for row, column in np.ndindex(height - 1, width - 1):  # the last row and column are left out
        total += ((image[:, row, column + 1] - image[:, row, column]) ** 2).sum() / 2
        total += ((image[:, row + 1, column] - image[:, row, column]) ** 2).sum() / 2
    return total


def nine_point_by_hand(image: np.ndarray) -> float:
    """2·[mean dx²/3 + mean dy²/3 + mean d₄₅²/12 + mean d₁₃₅²/12], a repeated pixel around."""
    _, height, width = image.shape
    squares: dict[str, list[np.ndarray]] = {"x": [], "y": [], "45": [], "135": []}
    for row, column in np.ndindex(height + 2, width + 2):
        here = pixel(image, row - 1, column - 1)
        if column <= width:
            squares["x"].append((pixel(image, row - 1, column) - here) ** 2)
        if row <= height:
            squares["y"].append((pixel(image, row, column - 1) - here) ** 2)
        if column <= width and row <= height:
            squares["45"].append((pixel(image, row, column) - here) ** 2)
            squares["135"].append((pixel(image, row, column - 1) - pixel(image, row - 1, column)) ** 2)
    means = {direction: np.mean(values) for direction, values in squares.items()}
    return 2 * (means["x"] / 3 + means["y"] / 3 + means["45"] / 12 + means["135"] / 12)


BY_HAND = {"absolute": absolute_by_hand, "squares": squares_by_hand, "nine point": nine_point_by_hand}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
@pytest.mark.parametrize("shape", [(7, 9), (16, 5)])
def test_total_variation_is_counted_pixel_by_pixel(name, shape, device):
    image = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    expected = BY_HAND[name](image[0].numpy().astype(float))
    assert TOTAL_VARIATIONS[name](image.to(device)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_a_plain_picture_has_no_total_variation(name):
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 12, 17)
    assert TOTAL_VARIATIONS[name](image) == 0


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_ignores_brightness_and_sees_contrast(name):
    variation, image = TOTAL_VARIATIONS[name], torch.rand(1, 3, 12, 17) / 2
    torch.testing.assert_close(variation(image + 0.25), variation(image))
    power = 1 if name == "absolute" else 2
    torch.testing.assert_close(variation(image * 2), variation(image) * 2**power)
    assert variation(image) > variation(torch.nn.functional.avg_pool2d(image, 3, 1, 1)) > 0


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_ignores_turns_and_flips(name):
    variation, image = TOTAL_VARIATIONS[name], torch.rand(1, 3, 12, 12)
    image[..., [0, -1], :] = image[..., [0, -1]] = 0.5  # a plain frame: "squares" leaves the last row and column out
    for seen in (image.flip(2), image.flip(3), image.transpose(2, 3), image.rot90(1, (2, 3))):
        torch.testing.assert_close(variation(seen), variation(image))


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_has_a_gradient_and_leaves_the_picture_alone(name):
    image = torch.rand(1, 3, 8, 9).requires_grad_(True)
    before = image.detach().clone()
    TOTAL_VARIATIONS[name](image).backward()
    assert image.grad.abs().max() > 0 and image.grad.isfinite().all()
    assert torch.equal(image.detach(), before)


def stripes(degrees: float, cycle: float = 8.0) -> torch.Tensor:
    """Soft stripes across a picture, as close to each other in every direction, fading out before the edge."""
    rows, columns = torch.meshgrid(torch.arange(192.0) - 95.5, torch.arange(192.0) - 95.5, indexing="ij")
    angle = torch.tensor(degrees).deg2rad()
    wave = torch.cos((rows * angle.sin() + columns * angle.cos()) * 2 * torch.pi / cycle)
    return (0.5 + 0.5 * wave * torch.exp(-(rows**2 + columns**2) / 30**2)).expand(1, 3, -1, -1)


def test_nine_points_see_stripes_alike_in_every_direction():
    def spread(name):
        values = [TOTAL_VARIATIONS[name](stripes(degrees)).item() for degrees in (0, 15, 30, 45, 60, 90)]
        return max(values) / min(values) - 1

    assert spread("nine point") < 0.005
    assert spread("squares") > 0.02


def test_nine_points_count_the_same_at_every_size():
    image = stripes(30)
    variation = TOTAL_VARIATIONS["nine point"]
    tiled = image.repeat(1, 1, 2, 2)  # plain at the edge, so nothing is added where tiles meet
    torch.testing.assert_close(variation(tiled), variation(image), rtol=0.02, atol=0)


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
@pytest.mark.parametrize("cuts", [(0, 13), (0, 5, 13), (0, 1, 12, 13), tuple(range(14))])
def test_rows_have_shares_of_a_pictures_variation_which_are_all_of_it(name, cuts):
    image = torch.rand(1, 3, 13, 9, generator=torch.Generator().manual_seed(0))
    parts = [
        TOTAL_VARIATIONS[name].of_rows(image[:, :, first : min(end + 1, 13)], first, end, 13)
        for first, end in pairwise(cuts)
    ]
    torch.testing.assert_close(sum(parts), TOTAL_VARIATIONS[name](image))
