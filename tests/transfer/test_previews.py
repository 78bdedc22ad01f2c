import io

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.transfer.previews import encode_preview, picture_of
from tests.pretend_gpu import NAME, pretend_gpu


@pytest.mark.parametrize("size", [(48, 64), (40, 20), (300, 200)])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_devices_preview_is_the_cpus_and_no_more_of_the_picture_leaves_it(monkeypatch, size, channels):
    coarse = torch.rand(1, channels, 3, 4, generator=torch.Generator().manual_seed(0))
    image = 1.2 * torch.nn.functional.interpolate(coarse, size, mode="bilinear") - 0.1
    image[:, 3:] = 0.5
    copied = []
    with pretend_gpu(monkeypatch) as log:
        there = image.to(NAME)
        monkeypatch.setattr(
            "nst_core.transfer.previews.on_its_way", lambda values: copied.append(values.cpu()) or (lambda: copied[-1])
        )
        log.clear()
        jpeg = encode_preview(there, max_side=64, quality=95)
    shown, expected = (
        images.from_pil(Image.open(io.BytesIO(data))) for data in (jpeg, encode_preview(image, max_side=64, quality=95))
    )
    assert max(images.size_of(shown)) == min(64, max(size)) and (shown - expected).abs().mean() < 0.01
    assert copied[0].dtype == torch.uint8 and copied[0].numel() == shown.numel()


def test_a_picture_is_given_as_it_is_or_when_it_is_wanted():
    image = torch.rand(1, 3, 2, 2)
    assert picture_of(image) is image and picture_of(lambda: image) is image
