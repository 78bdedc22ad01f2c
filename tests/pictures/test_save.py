import pytest
import torch
from PIL import Image

from nst_core import images

IMAGE = torch.rand(1, 3, 37, 20, generator=torch.Generator().manual_seed(0))


def test_print_size_is_written_where_it_is_asked_for(tmp_path):
    for save, name in ((images.save_png, "a.png"), (images.save_jpeg, "a.jpg"), (images.save_tiff, "a.tif")):
        save(IMAGE, tmp_path / name, dpi=254)
        with Image.open(tmp_path / name) as picture:
            assert picture.info["dpi"] == pytest.approx((254, 254), abs=0.02)
        save(IMAGE, tmp_path / name)
        with Image.open(tmp_path / name) as picture:
            assert picture.info.get("dpi", (1, 1)) != pytest.approx((254, 254), abs=1)
