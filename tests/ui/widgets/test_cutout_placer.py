import base64
import io
import re

import pytest
import torch
from PIL import Image

from nst_core.analysis.cutouts.paste import LEAST_SCALE
from nst_core.errors import ImageError
from nst_core.ui.widgets.cutout_placer import MAX_SIDE, Placer, placement


def cutout(height=100, width=50, around=20) -> torch.Tensor:
    """An opaque rectangle in empty space."""
    canvas = torch.zeros(1, 4, height + 2 * around, width + 2 * around)
    canvas[..., around : around + height, around : around + width] = torch.tensor([0.8, 0.2, 0.1, 1.0]).view(1, 4, 1, 1)
    return canvas


def opened(uri: str) -> Image.Image:
    kind, data = re.fullmatch(r"data:image/(\w+);base64,(.+)", uri).groups()
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.format.lower() == kind
    return picture


def test_a_placement_holds_both_pictures_and_the_place():
    value = placement(torch.full((1, 3, 60, 90), 0.5), cutout(), 0.3, 0.6, 0.4)
    assert opened(value["background"]).size == (90, 60)
    assert (value["x"], value["y"], value["scale"]) == (0.3, 0.6, 0.4)
    assert value["aspect"] == 1.5 and value["cut_aspect"] == 0.5


def test_a_placed_cutout_comes_without_the_space_around_it_and_with_its_transparency():
    cut = cutout()
    cut[:, 3, 60:80, 40:50] = 0
    picture = opened(placement(torch.zeros(1, 3, 60, 90), cut, 0.5, 0.5, 0.4)["cutout"])
    assert picture.size == (50, 100) and picture.mode == "RGBA"
    assert picture.getpixel((25, 50))[3] == 0 and picture.getpixel((5, 5))[3] == 255
    assert picture.getpixel((5, 5))[:3] == pytest.approx((204, 51, 26), abs=6)


def test_large_pictures_travel_small():
    value = placement(torch.zeros(1, 3, 900, 1800), cutout(2000, 100), 0.5, 0.5, 0.4)
    assert opened(value["background"]).size == (MAX_SIDE, MAX_SIDE // 2)
    assert max(opened(value["cutout"]).size) == MAX_SIDE
    assert value["cut_aspect"] == 0.05  # of the picture itself, as where it is pasted


def test_an_empty_cutout_is_refused_and_nothing_given_is_changed():
    with pytest.raises(ImageError, match="cut-out is empty"):
        placement(torch.zeros(1, 3, 60, 90), torch.zeros(1, 4, 9, 9), 0.5, 0.5, 0.4)
    background, cut = torch.rand(1, 3, 60, 90), cutout()
    before = background.clone(), cut.clone()
    placement(background, cut, 0.5, 0.5, 0.4)
    assert torch.equal(background, before[0]) and torch.equal(cut, before[1])


def test_the_placer_takes_a_placement_or_nothing_and_tells_of_a_place():
    value = placement(torch.zeros(1, 3, 60, 90), cutout(), 0.5, 0.5, 0.4)
    assert Placer(value).value == value and Placer().value is None
    assert Placer().api_info() == {"type": "object"}
    assert callable(Placer().place)
    assert f"LEAST = {LEAST_SCALE}" in Placer.SCRIPT
