import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.pictures import pixels

IMAGE = torch.rand(1, 3, 37, 20, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_is_made_of_its_rows_some_at_a_time(monkeypatch, channels):
    image = torch.rand(1, channels, 37, 20, generator=torch.Generator().manual_seed(1)) * 1.2 - 0.1
    whole = images.to_pil(image)
    monkeypatch.setattr(pixels, "STRIP_NUMBERS", 20 * channels * 8)
    picture = images.to_pil(image)
    assert (picture.mode, picture.size) == (whole.mode, whole.size) == ("RGB" if channels == 3 else "RGBA", (20, 37))
    assert picture.tobytes() == whole.tobytes() == images.to_bytes(image).tobytes()


def test_a_png_says_that_its_colours_are_srgb(tmp_path):
    images.save_png(IMAGE, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["srgb"] == 0 and "icc_profile" not in picture.info
    assert torch.equal(images.load(tmp_path / "a.png"), (IMAGE * 255).round() / 255)


def test_print_size_is_written_where_it_is_asked_for(tmp_path):
    for save, name in ((images.save_png, "a.png"), (images.save_jpeg, "a.jpg"), (images.save_tiff, "a.tif")):
        save(IMAGE, tmp_path / name, dpi=254)
        with Image.open(tmp_path / name) as picture:
            assert picture.info["dpi"] == pytest.approx((254, 254), abs=0.02)
        save(IMAGE, tmp_path / name)
        with Image.open(tmp_path / name) as picture:
            assert picture.info.get("dpi", (1, 1)) != pytest.approx((254, 254), abs=1)
