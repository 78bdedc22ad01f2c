"""The pictures that come with the app."""

import numpy as np
import pytest
from PIL import Image

from assets.paint.__main__ import STYLES, paint
from nst_core import images
from nst_core.assets import ASSETS

QUICK = ("harbour_dots", "great_swell")  # a second each
FOLDERS = ("photos", "styles", "instant", "recipes")
PICTURES = sorted(path for folder in FOLDERS for path in (ASSETS / folder).glob("*.jpg"))


def test_every_style_picture_is_one_that_the_code_paints():
    assert {path.stem for path in (ASSETS / "styles").glob("*.jpg")} == set(STYLES)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_every_picture_can_be_painted_with(path):
    assert min(images.size_of(images.load(path))) >= 300


@pytest.mark.parametrize("name", QUICK)
def test_the_code_paints_the_picture_that_is_shipped(name, tmp_path):
    paint(name, tmp_path)
    with Image.open(tmp_path / f"{name}.jpg") as again, Image.open(ASSETS / "styles" / f"{name}.jpg") as shipped:
        difference = np.abs(np.asarray(again, dtype=float) - np.asarray(shipped, dtype=float))
    assert difference.mean() < 2  # of 255; JPEG libraries differ a little
