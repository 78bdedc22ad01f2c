import io
import json
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from nst_core import images
from nst_core.errors import OutputError
from nst_core.pictures import pixels, tiff

IMAGE = torch.rand(1, 3, 37, 20, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1


def numbers(path, channels: int) -> np.ndarray:
    """A TIFF's own numbers of 16 bits, (H, W, C), by libtiff: a colour at a time, as Pillow has no such mode."""
    with Image.open(path) as picture:
        tags = dict(picture.tag_v2)
    data, found = path.read_bytes(), []
    for place, length in zip(tags[273], tags[279], strict=True):
        rows = np.frombuffer(zlib.decompress(data[place : place + length]), "<u2").reshape(-1, tags[256], channels)
        found.append(rows.cumsum(1, dtype=np.uint16))
    return np.concatenate(found)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_tiff_holds_sixteen_bits_of_each_colour_and_says_so(monkeypatch, tmp_path, channels):
    monkeypatch.setattr(pixels, "STRIP_NUMBERS", 20 * channels * 8)
    image = torch.cat([IMAGE, IMAGE[:, :1]], 1)[:, :channels]
    images.save_tiff(image, tmp_path / "a.tif", {"key": "ü"}, dpi=300)
    with Image.open(tmp_path / "a.tif") as picture:
        assert picture.size == (20, 37) and picture.mode == ("RGB" if channels == 3 else "RGBA")
        assert picture.info["dpi"] == (300, 300)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        assert json.loads(picture.tag_v2[270]) == {"key": "ü"}
        shown = np.asarray(picture) / 255
    wanted = image[0].permute(1, 2, 0).clamp(0, 1).numpy()
    assert np.abs(shown - wanted).max() < 1 / 255
    assert np.abs(numbers(tmp_path / "a.tif", channels) / 65535 - wanted).max() <= 0.51 / 65535
    assert images.read_text(tmp_path / "a.tif") == {"key": "ü"}


def test_other_programs_descriptions_are_none_of_ours(tmp_path):
    for text in ("a scan", "[1]", '{"a": 1}', "{"):
        Image.new("RGB", (16, 16)).save(tmp_path / "a.tif", tiffinfo={270: text})
        assert images.read_text(tmp_path / "a.tif") == {}


def test_more_than_a_tiff_holds_is_refused_and_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(tiff, "MOST_BYTES", 1000)
    with pytest.raises(OutputError, match="name a .png file"):
        images.save_tiff(IMAGE, tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())
