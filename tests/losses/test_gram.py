import numpy as np
import pytest
import torch

from nst_core.losses.gram import gram_matrix
from tests.stand_ins import DEVICES

SHAPES = [(1, 1, 1, 1), (1, 3, 4, 5), (2, 8, 6, 7), (3, 5, 9, 2)]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_gram_matrix_is_the_mean_product_of_each_pair_of_channels(shape):
    features = random(*shape)
    expected = np.zeros((shape[0], shape[1], shape[1]))
    for batch, row in np.ndindex(shape[:2]):
        for column in range(shape[1]):
            expected[batch, row, column] = np.mean(features[batch, row].numpy() * features[batch, column].numpy())
    gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    np.testing.assert_allclose(gram, expected, atol=1e-5)


def test_a_known_gram_matrix():
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])  # two channels, two positions
    torch.testing.assert_close(gram_matrix(features), torch.tensor([[[2.5, 1.5], [1.5, 4.5]]]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gram_matrix_gradient_is_autograds_own(shape, device):
    features = random(*shape).to(device).requires_grad_(True)
    plain = random(*shape).to(device).requires_grad_(True)
    weights = random(shape[0], shape[1], shape[1], seed=1).to(device)  # not symmetric
    (gram_matrix(features) * weights).sum().backward()
    flat = plain.flatten(2)
    (flat @ flat.transpose(1, 2) / flat.shape[2] * weights).sum().backward()
    torch.testing.assert_close(features.grad, plain.grad, atol=1e-5, rtol=1e-4)


def test_the_gram_matrix_gradient_is_the_slope_of_its_values():
    features = random(1, 3, 2, 4).requires_grad_(True)
    target = random(1, 3, 3, seed=1)
    (gram_matrix(features) - target).square().sum().backward()

    def loss(values: np.ndarray) -> float:
        flat = values.reshape(3, 8)
        return float(((flat @ flat.T / 8 - target[0].numpy().astype(float)) ** 2).sum())

    start, step = features.detach().numpy().astype(float), 1e-5
    for index in np.ndindex(start.shape):
        there, back = start.copy(), start.copy()
        there[index] += step
        back[index] -= step
        assert features.grad[index].item() == pytest.approx((loss(there) - loss(back)) / (2 * step), abs=1e-3)


@pytest.mark.parametrize(
    "view",
    [
        lambda features: features.to(memory_format=torch.channels_last),
        lambda features: features.transpose(2, 3).contiguous().transpose(2, 3),
        lambda features: torch.stack([features, features], -1)[..., 0],
        lambda features: torch.cat([features, features], 1)[:, : features.shape[1]],
    ],
    ids=["channels last", "transposed", "strided", "part"],
)
def test_how_features_lie_in_memory_does_not_matter(view):
    features, plain = random(2, 6, 5, 7).requires_grad_(True), random(2, 6, 5, 7).requires_grad_(True)
    weights = random(2, 6, 6, seed=1)
    other = view(features)
    assert not other.is_contiguous()
    gram, expected = gram_matrix(other), gram_matrix(plain)
    torch.testing.assert_close(gram, expected)
    (gram * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(features.grad, plain.grad)


def test_each_picture_of_a_batch_has_its_own_gram_matrix():
    features = random(3, 4, 5, 6)
    alone = torch.cat([gram_matrix(features[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(gram_matrix(features), alone)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(2, 8, 64, 64), (1, 8, 61, 67), (1, 8, 13, 17), (1, 8, 1, 3)])
def test_a_bf16_gram_matrix_is_more_exact_than_bf16_is(shape, device):
    features = random(*shape).relu().bfloat16()
    exact = features.double().flatten(2)
    exact = exact @ exact.transpose(1, 2) / exact.shape[2]
    gram = gram_matrix(features.to(device))
    assert gram.dtype == torch.float32
    error = (gram.cpu() - exact).norm() / exact.norm()
    assert error < (6e-4 if shape[2] * shape[3] > 4000 else 2e-3)  # many pieces, or one


@pytest.mark.parametrize("shape", [(2, 5, 8, 6), (1, 5, 1, 3)])
def test_a_gram_matrix_through_a_tap_is_that_of_the_tapped_features(shape):
    features, tap = random(*shape).requires_grad_(True), random(7, 5, seed=2)
    wide = torch.einsum("nc,bchw->bnhw", tap, features)
    torch.testing.assert_close(gram_matrix(features, tap), gram_matrix(wide), rtol=1e-4, atol=1e-4)
    weights = random(shape[0], 7, 7, seed=3)
    (narrow,) = torch.autograd.grad((gram_matrix(features, tap) * weights).sum(), features)
    (whole,) = torch.autograd.grad((gram_matrix(wide) * weights).sum(), features)
    torch.testing.assert_close(narrow, whole, rtol=1e-4, atol=1e-4)


def test_bf16_features_get_a_gradient_of_their_own_kind():
    features = random(1, 4, 8, 8).bfloat16().requires_grad_(True)
    plain = features.detach().float().requires_grad_(True)
    gram_matrix(features).square().sum().backward()
    gram_matrix(plain).square().sum().backward()
    assert features.grad.dtype == torch.bfloat16
    torch.testing.assert_close(features.grad.float(), plain.grad, rtol=0.03, atol=0.01 * plain.grad.abs().max().item())


def test_a_bf16_gradient_is_that_of_float32_but_for_rounding():
    features = random(2, 6, 30, 35).relu().bfloat16()
    exact, rounded = (features.to(dtype).requires_grad_(True) for dtype in (torch.float32, torch.bfloat16))
    weights = random(2, 6, 6)
    for given in (exact, rounded):
        (gram_matrix(given) * weights).sum().backward()
    torch.testing.assert_close(rounded.grad.float(), exact.grad, rtol=2e-2, atol=1e-2 * exact.grad.abs().max().item())
