"""What is made fast is what the formula says, values and gradients."""

import pytest
import torch

from nst_core.losses.averages import (
    PIECE_LENGTHS,
    mean_and_products,
    mean_over_positions,
    mean_products,
    pieces_of,
)
from tests.stand_ins import DEVICES

SHAPES = [(1, 1, 1), (2, 5, 7), (1, 300, 6), (2, 5000, 4)]  # B, M, C
EXACT = {"rtol": 1e-4, "atol": 1e-5}
ROUNDED = {"rtol": 2e-2, "atol": 5e-3}


def formula(flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean vector and XᵀX / M, as they are written."""
    return flat.mean(1), flat.transpose(1, 2) @ flat / flat.shape[1]


def fast(flat: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    features = flat.transpose(1, 2)[..., None]
    return {"apart": (mean_over_positions(features), mean_products(flat)), "together": mean_and_products(flat)}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, EXACT), (torch.bfloat16, ROUNDED)], ids=["exact", "bf16"])
@pytest.mark.parametrize("way", ["apart", "together"])
def test_averages_and_their_gradients_are_the_formulas(way, dtype, near, shape, device):
    generator = torch.Generator().manual_seed(0)
    given = torch.randn(*shape, generator=generator).to(device, dtype).requires_grad_(True)
    plain = given.detach().double().requires_grad_(True)
    weights = torch.randn(shape[0], shape[2], shape[2], generator=generator).to(device)  # not symmetric
    lean = torch.randn(shape[0], shape[2], generator=generator).to(device)
    found, expected = fast(given)[way], formula(plain)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other.float(), **near)
    for (mean, products), kind in ((found, torch.float32), (expected, torch.float64)):
        ((mean * lean.to(kind)).sum() + (products * weights.to(kind)).sum()).backward()
    scale = plain.grad.abs().max().float()
    torch.testing.assert_close(given.grad.float() / scale, (plain.grad / scale).float(), **near)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("positions", [1, 63, 64, 65, 713, 768, 2852, 12288, 187_500, 196_608])
def test_positions_are_cut_into_pieces_that_are_all_of_them(positions, device):
    pieces, rest = pieces_of(positions, device)
    at = 0
    for first, count, length in pieces:
        assert first == at
        at += count * length
    assert at == rest and 0 <= positions - rest < PIECE_LENGTHS[0]
    assert len(pieces) <= (7 if device == "cuda" else 20)


def test_pictures_of_all_shapes_make_products_of_few():
    """As each shape of a product is compiled, and kept for good."""
    shapes = {(count, length) for positions in range(1, 60_000) for _, count, length in pieces_of(positions)[0]}
    assert len(shapes) <= 40
