"""A pass of a trained network: in one piece, in strips, or refused, by the memory there is."""

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import DeviceError
from nst_core.instant import memory as module
from nst_core.instant import painter as painting
from nst_core.instant.memory import KEPT_BYTES, STRIP_BYTES, WHOLE_BYTES, in_one_piece
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter

CPU = Compute(device="cpu", precision="fp32")


@pytest.fixture
def free(monkeypatch):
    """Say how many bytes are free."""
    return lambda count: monkeypatch.setattr(module, "free_memory", lambda device: count)


def proposed(size: tuple[int, int], width: int = 32, compute: Compute = CPU) -> int:
    with pytest.raises(DeviceError) as raised:
        in_one_piece(size, width, compute)
    text = str(raised.value)
    assert f"{size[1]}×{size[0]} pixels in one pass takes about" in text and "GB free" in text and "CPU" in text
    return int(text.split("at most ")[1])


@pytest.mark.parametrize("precision", WHOLE_BYTES)
def test_a_small_picture_is_painted_whole_and_a_large_one_in_strips(free, precision):
    free(10**12)
    compute = Compute(device="cpu", precision=precision)
    assert in_one_piece((1024, 1024), 32, compute)
    assert not in_one_piece((1024, 1025), 32, compute)
    assert not in_one_piece((40, 52), 32, compute, whole_area=2000)


@pytest.mark.parametrize("precision", WHOLE_BYTES)
def test_strips_do_where_the_whole_does_not_fit(free, precision):
    compute = Compute(device="cpu", precision=precision)
    free(1000 * 1000 * WHOLE_BYTES[precision])
    assert in_one_piece((1000, 1000), 32, compute)
    free(1000 * 1000 * WHOLE_BYTES[precision] - 1)
    assert not in_one_piece((1000, 1000), 32, compute)


@pytest.mark.parametrize("precision", WHOLE_BYTES)
def test_what_just_fits_in_strips_is_let_through(free, precision):
    compute = Compute(device="cpu", precision=precision)
    needed = int(STRIP_BYTES[precision] + KEPT_BYTES[precision] * 4000 * 6000)
    free(needed)
    assert not in_one_piece((4000, 6000), 32, compute)
    free(needed - 1)
    assert proposed((4000, 6000), compute=compute) in (5984, 5968)


@pytest.mark.parametrize("count", [50e6, 300e6, 700e6, 1.5e9])
@pytest.mark.parametrize("size", [(4000, 6000), (6000, 1500), (9999, 9999)])
@pytest.mark.parametrize("width", [16, 32, 48])
def test_the_size_that_is_proposed_fits_and_a_larger_one_does_not(free, count, size, width):
    free(count)
    side = proposed(size, width)

    def scaled(side: int) -> tuple[int, int]:
        return round(size[0] * side / max(size)), round(size[1] * side / max(size))

    in_one_piece(scaled(side), width, CPU)
    with pytest.raises(DeviceError):
        in_one_piece(scaled(side + 32), width, CPU)


def test_a_wider_network_takes_more(free):
    free(1000 * 1000 * WHOLE_BYTES["fp32"])
    assert in_one_piece((1000, 1000), 32, CPU) and not in_one_piece((1000, 1000), 64, CPU)


def test_no_size_is_proposed_that_cannot_be_chosen(free):
    free(1000)
    with pytest.raises(DeviceError, match="close other programs"):
        in_one_piece((4000, 6000), 32, CPU)


def test_a_painter_refuses_before_it_computes_and_paints_the_same_with_less(free, monkeypatch):
    torch.manual_seed(0)
    painter = Painter([TransformationNetwork(["waves", "photo"], width=4).requires_grad_(False)], CPU)
    image, asked = torch.rand(1, 3, 40, 52), []
    free(10**12)
    whole = painter.paint(image, {"waves": 1.0})
    in_strips = painting.steps_in_strips
    monkeypatch.setattr(painting, "steps_in_strips", lambda *given: asked.append(1) or in_strips(*given))
    free(40 * 52 * 1000)
    monkeypatch.setattr(module, "STRIP_BYTES", {"fp32": 0})
    torch.testing.assert_close(painter.paint(image, {"waves": 1.0}), whole, rtol=0, atol=2 / 255)
    assert asked
    free(1000)
    with pytest.raises(DeviceError, match="52×40 pixels in one pass"):
        painter.paint(image, {"waves": 1.0})
