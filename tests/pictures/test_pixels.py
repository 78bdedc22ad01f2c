import numpy as np
import pytest
import torch

from nst_core.pictures import pixels as module
from nst_core.pictures.pixels import shrunk, strips, to_bytes
from tests.stand_ins import DEVICES

IMAGE = torch.rand(1, 3, 23, 9, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(module, "STRIP_NUMBERS", 3 * 9 * 4)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_strips_are_all_of_the_picture_in_the_nearest_whole_numbers(narrow, depth):
    parts = list(strips(IMAGE, depth))
    assert [top for top, _ in parts] == [0, 4, 8, 12, 16, 20] and parts[0][1].dtype == depth
    white = np.iinfo(depth).max
    expected = np.rint(IMAGE[0].numpy().astype(float).clip(0, 1) * white).transpose(1, 2, 0)
    assert np.abs(np.concatenate([part for _, part in parts]) - expected).max() <= (depth is np.uint16)
    assert np.array_equal(to_bytes(IMAGE), np.concatenate([part for _, part in strips(IMAGE)]))


@pytest.mark.parametrize("device", DEVICES)
def test_a_large_picture_is_shrunk_on_its_device_to_once_to_twice_a_side(device):
    image = torch.rand(1, 3, 90, 41, generator=torch.Generator().manual_seed(1)).to(device)
    small = shrunk(image, 20)
    assert small.shape == (1, 3, 22, 10) and small.device == image.device
    torch.testing.assert_close(small[0, :, 2, 3], image[0, :, 8:12, 12:16].mean((1, 2)))
    assert shrunk(image, 46) is image
