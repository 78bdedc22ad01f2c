"""Painting strip by strip: the same picture, and memory for a strip."""

import pytest
import torch

from nst_core.devices import Compute
from nst_core.instant import strips as module
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.instant.strips import Kept, steps_in_strips, strips
from nst_core.steps import finish
from tests.stand_ins import DEVICES


@pytest.fixture(scope="module")
def network() -> TransformationNetwork:
    torch.manual_seed(0)
    made = TransformationNetwork(["waves", "photo"], width=4).requires_grad_(False)
    for name, value in made.named_parameters():
        if ".norm." in name:
            value.add_(0.3 * torch.randn_like(value))
    return made


@pytest.fixture(autouse=True)
def small_strips(monkeypatch):
    monkeypatch.setattr(module, "STRIP_AREA", 1200)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("shape", [(130, 90), (64, 200), (99, 101), (16, 16), (33, 17)])
def test_a_picture_painted_in_strips_is_the_one_painted_whole(network, device, precision, shape):
    placed = Painter([network], Compute(device=device, precision=precision)).networks[0]
    image, shares = torch.rand(1, 3, *shape), torch.tensor([0.8, 0.2])
    with torch.no_grad():
        whole = placed(image.to(device), shares)
    in_strips = finish(steps_in_strips(placed, image, shares))
    assert in_strips.shape == image.shape and in_strips.device == image.device
    assert (whole.cpu() - in_strips).abs().max() <= 2 / 255


def test_strips_cover_every_row_once():
    for height in (1, 16, 33, 100):
        rows = [row for first, end in strips(Kept(torch.zeros(1, 1, height, 40), 2)) for row in range(first, end)]
        assert rows == list(range(height))


def test_no_convolution_sees_more_than_a_strip_and_its_surroundings(network, monkeypatch):
    seen, convolve = [], torch.nn.Conv2d.forward

    def watched(layer, features):
        seen.append(features.shape[2] * features.shape[3])
        return convolve(layer, features)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", watched)
    finish(steps_in_strips(network, torch.rand(1, 3, 400, 40), torch.tensor([1.0, 0.0])))
    assert max(seen) < 3000 < 400 * 40
