import numpy as np
import pytest
import torch

from nst_core.losses import (
    CONTENT_NORMALIZATIONS,
    STYLE_LOSSES,
    STYLE_NORMALIZATIONS,
    TOTAL_VARIATIONS,
    content_loss,
    gram_matrix,
)
from tests.conftest import DEVICES

SHAPES = [(1, 1, 1, 1), (1, 3, 4, 5), (2, 8, 6, 7), (3, 5, 9, 2)]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# Gram matrices


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


# Style losses


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_style_statistics_ignore_where_features_occur(name, device):
    features = torch.rand(2, 8, 6, 6, device=device)
    shuffled = features.flatten(2)[..., torch.randperm(36, device=device)].view_as(features)
    statistics = STYLE_LOSSES[name].statistics
    torch.testing.assert_close(statistics(shuffled), statistics(features))


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_style_statistics_ignore_how_large_a_repeating_picture_is(name):
    features = torch.rand(1, 8, 5, 6)
    statistics = STYLE_LOSSES[name].statistics
    torch.testing.assert_close(statistics(features.repeat(1, 1, 2, 3)), statistics(features))


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_style_statistics_tell_other_textures_apart(name):
    loss = STYLE_LOSSES[name]
    memory = loss.statistics(torch.rand(1, 8, 6, 6))
    assert loss.distance(memory, memory) == 0
    assert loss.distance(loss.statistics(torch.rand(1, 8, 6, 6) * 2), memory) > 0
    mixed = torch.rand(1, 8, 6, 6).roll(1, 1)
    assert loss.distance(loss.statistics(mixed), memory) > 0


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_a_style_distance_is_a_scalar_the_same_both_ways(name):
    loss = STYLE_LOSSES[name]
    one, other = loss.statistics(torch.rand(1, 8, 6, 6)), loss.statistics(torch.rand(1, 8, 3, 9))
    assert loss.distance(one, other).shape == ()
    torch.testing.assert_close(loss.distance(one, other), loss.distance(other, one))


def test_the_gram_distance_is_the_sum_of_squared_differences():
    one, other = random(1, 3, 3), random(1, 3, 3, seed=1)
    expected = sum((a - b) ** 2 for a, b in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
    assert STYLE_LOSSES["gram"].distance(one, other).item() == pytest.approx(expected, rel=1e-5)


# What systems write down for one layer's style: Gram matrices of painted and style picture undivided, N channels,
# M and M_s positions.
WRITTEN = {
    "paper": lambda G, A, N, M, M_s: np.sum((G / M - A / M_s) ** 2) / (4 * N**2),
    "mean": lambda G, A, N, M, M_s: np.mean((G / (N * M) - A / (N * M_s)) ** 2),
    "sum": lambda G, A, N, M, M_s: np.sum((G / (N * M) - A / (N * M_s)) ** 2),
    "undivided": lambda G, A, N, M, M_s: np.mean((G - A * M / M_s) ** 2),
}


@pytest.mark.parametrize("name", STYLE_NORMALIZATIONS)
@pytest.mark.parametrize(("shape", "style_shape"), [((4, 6), (4, 6)), ((4, 6), (7, 5))])
def test_a_style_normalization_is_what_its_system_writes(name, shape, style_shape):
    features, style = random(1, 5, *shape), random(1, 5, *style_shape, seed=1)
    F, S = (values.numpy().astype(float).reshape(5, -1) for values in (features, style))
    expected = WRITTEN[name](F @ F.T, S @ S.T, 5, F.shape[1], S.shape[1])
    loss = STYLE_LOSSES["gram"]
    ours = STYLE_NORMALIZATIONS[name](5, F.shape[1]) * loss.distance(loss.statistics(features), loss.statistics(style))
    assert ours.item() == pytest.approx(expected, rel=1e-4)


def test_equation_4_of_the_paper_holds_as_printed():
    features, style = random(1, 5, 4, 6), random(1, 5, 4, 6, seed=1)
    F, S = (values.numpy().astype(float).reshape(5, 24) for values in (features, style))
    expected = ((F @ F.T - S @ S.T) ** 2).sum() / (4 * 5**2 * 24**2)
    loss = STYLE_LOSSES["gram"]
    ours = STYLE_NORMALIZATIONS["paper"](5, 24) * loss.distance(loss.statistics(features), loss.statistics(style))
    assert ours.item() == pytest.approx(expected, rel=1e-4)


# Content


@pytest.mark.parametrize(
    ("name", "written"),
    [("half sum", lambda F, P: np.sum((F - P) ** 2) / 2), ("mean", lambda F, P: np.mean((F - P) ** 2))],
)
def test_a_content_normalization_is_what_its_system_writes(name, written):
    features, target = random(1, 6, 5, 4), random(1, 6, 5, 4, seed=1)
    ours = CONTENT_NORMALIZATIONS[name](6, 20) * content_loss(features, target)
    assert ours.item() == pytest.approx(written(features.numpy().astype(float), target.numpy()), rel=1e-5)


def test_every_normalization_is_held_against_what_is_written():
    assert WRITTEN.keys() == STYLE_NORMALIZATIONS.keys()
    assert CONTENT_NORMALIZATIONS.keys() == {"half sum", "mean"}


def test_the_content_loss_of_bf16_features_is_float32():
    features = random(1, 6, 5, 4).bfloat16().requires_grad_(True)
    loss = content_loss(features, torch.zeros(1, 6, 5, 4))
    loss.backward()
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, features.float().square().sum() / 20)
    torch.testing.assert_close(features.grad.float(), features.float() * 2 / 20, rtol=0.01, atol=1e-4)


# Total variation


def pixel(image: np.ndarray, row: int, column: int) -> np.ndarray:
    """A pixel's channels, the edge repeated outwards."""
    height, width = image.shape[1:]
    return image[:, min(max(row, 0), height - 1), min(max(column, 0), width - 1)]


def absolute_by_hand(image: np.ndarray) -> float:
    _, height, width = image.shape
    total = 0.0
    for row, column in np.ndindex(height, width):
        if column + 1 < width:
            total += np.abs(image[:, row, column + 1] - image[:, row, column]).sum()
        if row + 1 < height:
            total += np.abs(image[:, row + 1, column] - image[:, row, column]).sum()
    return total


def squares_by_hand(image: np.ndarray) -> float:
    _, height, width = image.shape
    total = 0.0
    for row, column in np.ndindex(height - 1, width - 1):  # the last row and column are left out
        total += ((image[:, row, column + 1] - image[:, row, column]) ** 2).sum() / 2
        total += ((image[:, row + 1, column] - image[:, row, column]) ** 2).sum() / 2
    return total


def nine_point_by_hand(image: np.ndarray) -> float:
    """2·[mean dx²/3 + mean dy²/3 + mean d₄₅²/12 + mean d₁₃₅²/12], a repeated pixel around."""
    _, height, width = image.shape
    squares: dict[str, list[np.ndarray]] = {"x": [], "y": [], "45": [], "135": []}
    for row, column in np.ndindex(height + 2, width + 2):
        here = pixel(image, row - 1, column - 1)
        if column <= width:
            squares["x"].append((pixel(image, row - 1, column) - here) ** 2)
        if row <= height:
            squares["y"].append((pixel(image, row, column - 1) - here) ** 2)
        if column <= width and row <= height:
            squares["45"].append((pixel(image, row, column) - here) ** 2)
            squares["135"].append((pixel(image, row, column - 1) - pixel(image, row - 1, column)) ** 2)
    means = {direction: np.mean(values) for direction, values in squares.items()}
    return 2 * (means["x"] / 3 + means["y"] / 3 + means["45"] / 12 + means["135"] / 12)


BY_HAND = {"absolute": absolute_by_hand, "squares": squares_by_hand, "nine point": nine_point_by_hand}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
@pytest.mark.parametrize("shape", [(7, 9), (16, 5)])
def test_total_variation_is_counted_pixel_by_pixel(name, shape, device):
    image = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    expected = BY_HAND[name](image[0].numpy().astype(float))
    assert TOTAL_VARIATIONS[name](image.to(device)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_a_plain_picture_has_no_total_variation(name):
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 12, 17)
    assert TOTAL_VARIATIONS[name](image) == 0


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_ignores_brightness_and_sees_contrast(name):
    variation, image = TOTAL_VARIATIONS[name], torch.rand(1, 3, 12, 17) / 2
    torch.testing.assert_close(variation(image + 0.25), variation(image))
    power = 1 if name == "absolute" else 2
    torch.testing.assert_close(variation(image * 2), variation(image) * 2**power)
    assert variation(image) > variation(torch.nn.functional.avg_pool2d(image, 3, 1, 1)) > 0


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_ignores_turns_and_flips(name):
    variation, image = TOTAL_VARIATIONS[name], torch.rand(1, 3, 12, 12)
    image[..., [0, -1], :] = image[..., [0, -1]] = 0.5  # a plain frame: "squares" leaves the last row and column out
    for seen in (image.flip(2), image.flip(3), image.transpose(2, 3), image.rot90(1, (2, 3))):
        torch.testing.assert_close(variation(seen), variation(image))


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_has_a_gradient_and_leaves_the_picture_alone(name):
    image = torch.rand(1, 3, 8, 9).requires_grad_(True)
    before = image.detach().clone()
    TOTAL_VARIATIONS[name](image).backward()
    assert image.grad.abs().max() > 0 and image.grad.isfinite().all()
    assert torch.equal(image.detach(), before)


def stripes(degrees: float, cycle: float = 8.0) -> torch.Tensor:
    """Soft stripes across a picture, as close to each other in every direction, fading out before the edge."""
    rows, columns = torch.meshgrid(torch.arange(192.0) - 95.5, torch.arange(192.0) - 95.5, indexing="ij")
    angle = torch.tensor(degrees).deg2rad()
    wave = torch.cos((rows * angle.sin() + columns * angle.cos()) * 2 * torch.pi / cycle)
    return (0.5 + 0.5 * wave * torch.exp(-(rows**2 + columns**2) / 30**2)).expand(1, 3, -1, -1)


def test_nine_points_see_stripes_alike_in_every_direction():
    def spread(name):
        values = [TOTAL_VARIATIONS[name](stripes(degrees)).item() for degrees in (0, 15, 30, 45, 60, 90)]
        return max(values) / min(values) - 1

    assert spread("nine point") < 0.005
    assert spread("squares") > 0.02


def test_nine_points_count_the_same_at_every_size():
    image = stripes(30)
    variation = TOTAL_VARIATIONS["nine point"]
    tiled = image.repeat(1, 1, 2, 2)  # plain at the edge, so nothing is added where tiles meet
    torch.testing.assert_close(variation(tiled), variation(image), rtol=0.02, atol=0)
