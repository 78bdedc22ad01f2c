import numpy as np
import pytest
import torch

from nst_core.losses import content as module
from nst_core.losses.content import CONTENT_NORMALIZATIONS, content_loss, content_magnitude


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# What systems write down for one layer's content: F of the painted, P of the content picture.
WRITTEN = {
    "half sum": lambda F, P: np.sum((F - P) ** 2) / 2,
    "mean": lambda F, P: np.mean((F - P) ** 2),
    "half mean": lambda F, P: np.mean((F - P) ** 2) / 2,
    "relative": lambda F, P: np.sum((F - P) ** 2) / np.sum(P**2),
}


@pytest.mark.parametrize("name", CONTENT_NORMALIZATIONS)
def test_a_content_normalization_is_what_its_system_writes(name):
    features, target = random(1, 6, 5, 4), random(1, 6, 5, 4, seed=1)
    magnitude = content_loss(torch.zeros_like(target), target)
    ours = CONTENT_NORMALIZATIONS[name](6, 20, magnitude) * content_loss(features, target)
    expected = WRITTEN[name](features.numpy().astype(float), target.numpy().astype(float))
    assert ours.item() == pytest.approx(expected, rel=1e-5)


def test_every_content_normalization_is_held_against_what_is_written():
    assert WRITTEN.keys() == CONTENT_NORMALIZATIONS.keys()


def test_the_content_loss_of_bf16_features_is_float32():
    features = random(1, 6, 5, 4).bfloat16().requires_grad_(True)
    loss = content_loss(features, torch.zeros(1, 6, 5, 4))
    loss.backward()
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, features.float().square().sum() / 20)
    torch.testing.assert_close(features.grad.float(), features.float() * 2 / 20, rtol=0.01, atol=1e-4)


def test_the_content_loss_of_large_pictures_is_as_exact_as_float32_allows():
    generator = torch.Generator().manual_seed(0)
    features, target = (torch.rand(1, 256, 96, 96, generator=generator) for _ in range(2))
    expected = (features.double() - target.double()).square().sum() / 96**2
    assert content_loss(features, target).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("most", [1, 77, 10**9])
def test_the_distance_from_nothing_is_the_same_by_rows(monkeypatch, most):
    monkeypatch.setattr(module, "MOST_SQUARED", most)
    target = torch.rand(2, 6, 5, 4, generator=torch.Generator().manual_seed(1)).bfloat16()
    expected = content_loss(torch.zeros_like(target), target.float()).item()
    assert content_magnitude(target).item() == pytest.approx(expected, rel=1e-6)
