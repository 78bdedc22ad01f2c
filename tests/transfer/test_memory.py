import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import DeviceError
from nst_core.transfer import memory as module
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.memory import BYTES_PER_PIXEL, check_memory
from nst_core.transfer.stylize import stylize

CPU = Compute(device="cpu", precision="fp32")


def small(**settings) -> StyleTransferConfig:
    return StyleTransferConfig(**{"content_layers": ("conv2_1",), "style_layers": ("conv1_1",), "size": 32} | settings)


@pytest.mark.parametrize("backbone", SETTINGS["backbone"].choices)
@pytest.mark.parametrize("precision", BYTES_PER_PIXEL)
def test_a_size_beyond_the_memory_is_refused_and_the_one_proposed_is_not(
    random_weights, pictures, monkeypatch, precision, backbone
):
    monkeypatch.setattr(module, "free_memory", lambda device: 10**9)
    compute = Compute(device="cpu", precision=precision)
    with pytest.raises(DeviceError) as raised:
        stylize(*pictures, small(size=4096, backbone=backbone), compute=compute)
    text = str(raised.value)
    assert "4096×3072" in text and "0.9 GB free" in text and "CPU" in text
    proposed = int(text.split("at most ")[1].split()[0])
    assert 300 < proposed < 4096
    stylize(*pictures, small(size=proposed, backbone=backbone), compute=compute)
    with pytest.raises(DeviceError):
        stylize(*pictures, small(size=proposed + 32, backbone=backbone), compute=compute)


def test_a_style_picture_beyond_the_memory_is_refused_too(random_weights, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 64 * 64 * BYTES_PER_PIXEL["fp32"] * 2)
    square, panorama = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 4096)
    config = small(size=64, size_rule="shortest side")
    stylize(square, [square, square], config, compute=CPU)
    for styles in (panorama, [square, panorama]):
        with pytest.raises(DeviceError):
            stylize(square, styles, config, compute=CPU)


def test_a_style_that_is_looked_at_larger_takes_more(random_weights, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 64 * 64 * BYTES_PER_PIXEL["fp32"] * 2)
    square = torch.rand(1, 3, 64, 64)
    stylize(square, square, small(size=64, style_scale=2.0), compute=CPU)
    with pytest.raises(DeviceError, match="in a 256×256 style"):
        stylize(square, square, small(size=64, style_scale=4.0), compute=CPU)


def test_a_tile_takes_more(random_weights, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 64 * 64 * BYTES_PER_PIXEL["fp32"] * 1.2)
    square = torch.rand(1, 3, 64, 64)
    stylize(square, square, small(size=64), compute=CPU)
    with pytest.raises(DeviceError, match="choose a size of at most 48"):
        stylize(square, square, small(size=64, wrap=True), compute=CPU)


def test_a_style_beyond_the_memory_is_refused_before_it_is_enlarged(random_weights, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 10**6)
    enlarged = []
    monkeypatch.setattr(images, "resize", lambda image, size: enlarged.append(size))
    with pytest.raises(DeviceError):
        stylize(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 40, 40), small(size=64, style_scale=4.0), compute=CPU)
    assert not enlarged


def test_no_size_is_proposed_that_cannot_be_chosen(random_weights, pictures, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 1000)
    with pytest.raises(DeviceError) as raised:
        stylize(*pictures, small(), compute=CPU)
    assert "at most 0" not in str(raised.value)


@pytest.mark.parametrize("precision", BYTES_PER_PIXEL)
def test_what_just_fits_is_let_through(monkeypatch, precision):
    square, compute = (40, 50), Compute(device="cpu", precision=precision)
    needed = 40 * 50 * BYTES_PER_PIXEL[precision]
    monkeypatch.setattr(module, "free_memory", lambda device: needed)
    check_memory(square, square, small(), compute)
    monkeypatch.setattr(module, "free_memory", lambda device: needed - 1)
    with pytest.raises(DeviceError):
        check_memory(square, square, small(), compute)
