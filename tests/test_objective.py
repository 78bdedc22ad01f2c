import pytest
import torch

from nst_core.features.vgg import VGG
from nst_core.losses import (
    CONTENT_NORMALIZATIONS,
    STYLE_LOSSES,
    STYLE_NORMALIZATIONS,
    TOTAL_VARIATIONS,
    content_loss,
    gram_matrix,
    squared_distance,
)
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.objective import TV_TERM, StyleTransferObjective, content_term, style_term
from tests.conftest import DEVICES, random_state

SHALLOW = {"content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1", "conv2_2_pre")}


def values(terms: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


@pytest.fixture(scope="module")
def network(random_vgg):
    return random_vgg["vgg19"]


@pytest.fixture
def painted():
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def terms_of(network, pictures, painted):
    """Config's values -> the terms of a painted picture."""

    def terms(image=painted, **settings) -> dict[str, float]:
        config = StyleTransferConfig(**SHALLOW | settings)
        return values(StyleTransferObjective(network, *pictures, config)(image))

    return terms


def test_terms_are_named_after_their_layers(terms_of):
    assert list(terms_of(tv_weight=1)) == [
        "content conv2_1",
        "style conv1_1",
        "style conv2_1",
        "style conv2_2_pre",
        "total variation",
    ]
    assert (content_term("a"), style_term("b"), TV_TERM) == ("content a", "style b", "total variation")


@pytest.mark.parametrize("device", DEVICES)
def test_every_term_is_a_float32_scalar_with_a_gradient(device, pictures, painted):
    net = VGG("vgg19", random_state("vgg19")).to(device, torch.bfloat16)
    objective = StyleTransferObjective(
        net, *(image.to(device) for image in pictures), StyleTransferConfig(**SHALLOW, tv_weight=1)
    )
    for name in objective(painted.to(device)):
        image = painted.to(device).requires_grad_(True)
        term = objective(image)[name]
        assert term.shape == () and term.dtype == torch.float32 and term.device.type == device
        term.backward()
        assert image.grad.isfinite().all() and image.grad.abs().max() > 0, name


def test_a_term_without_weight_is_neither_listed_nor_computed(terms_of):
    every = terms_of(tv_weight=1)
    for missing, settings in {
        "content conv2_1": {"content_weight": 0},
        "style conv2_1": {"layer_weights": (1 / 3, 0, 1 / 3)},
        "total variation": {"tv_weight": 0},
    }.items():
        terms = terms_of(**{"tv_weight": 1} | settings)
        assert terms.keys() == every.keys() - {missing}
        assert all(terms[name] == pytest.approx(every[name]) for name in terms)
    assert terms_of(style_weight=0).keys() == {"content conv2_1"}
    assert terms_of(style_layers=(), style_weight=0).keys() == {"content conv2_1"}


def test_a_layer_without_weight_is_not_looked_at(pictures, painted):
    asked = []

    class Network:
        tap = staticmethod(lambda layer: None)

        def __call__(self, image, layers, **_):
            asked.append(tuple(layers))
            return {layer: torch.ones(1, 2, 3, 3) for layer in layers}

    config = StyleTransferConfig(content_weight=0, layer_weights=(1, 0, 1, 0, 0))
    StyleTransferObjective(Network(), *pictures, config)(painted)
    assert {layer for layers in asked for layer in layers} == {"conv1_1", "conv3_1"}


def test_a_narrow_network_is_measured_through_its_taps(pictures, painted):
    net = VGG("lite", random_state("lite"))
    layers = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1_pre")}
    config = StyleTransferConfig(backbone="lite", **layers, content_weight=1.0, style_weight=1.0)
    terms = StyleTransferObjective(net, *pictures, config)(painted)
    seen, content, style = (net(image, ["conv2_2", "conv1_1", "conv2_1_pre"]) for image in (painted, *pictures))
    positions = seen["conv2_2"][0, 0].numel()
    for layer, channels in (("conv1_1", 64), ("conv2_1_pre", 128)):
        distance = squared_distance(gram_matrix(seen[layer]), gram_matrix(style[layer]))
        normalize = STYLE_NORMALIZATIONS[config.style_normalization]
        expected = config.weight_of_layer(layer) * normalize(channels, seen[layer][0, 0].numel()) * distance
        torch.testing.assert_close(terms[f"style {layer}"], expected, rtol=1e-4, atol=0)
    normalize = CONTENT_NORMALIZATIONS[config.content_normalization]
    expected = normalize(128, positions) * content_loss(seen["conv2_2"], content["conv2_2"])
    torch.testing.assert_close(terms["content conv2_2"], expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_each_picture_is_at_its_own_goal(pictures, painted, precision, style_loss):
    net = VGG("vgg19", random_state("vgg19")).to(precision)
    content_image, style_image = pictures
    objective = StyleTransferObjective(net, *pictures, StyleTransferConfig(**SHALLOW, style_loss=style_loss))
    at_content, at_style = values(objective(content_image)), values(objective(painted))
    assert at_content["content conv2_1"] == 0
    assert all(loss > 0 for name, loss in at_content.items() if name.startswith("style"))
    same = StyleTransferObjective(net, style_image, style_image, StyleTransferConfig(**SHALLOW, style_loss=style_loss))
    assert all(loss == 0 for loss in values(same(style_image)).values())
    assert all(loss > 0 for loss in at_style.values())


def test_a_weight_scales_its_own_terms_and_no_other(terms_of):
    once = terms_of(tv_weight=1)
    for settings, prefix in (
        ({"content_weight": 3.0, "tv_weight": 1}, "content"),
        ({"style_weight": 3e7, "tv_weight": 1}, "style"),
        ({"tv_weight": 3}, "total"),
        ({"layer_weights": (1.0, 1 / 3, 1 / 3), "tv_weight": 1}, "style conv1_1"),
    ):
        terms = terms_of(**settings)
        assert terms.keys() == once.keys()
        for name, loss in terms.items():
            assert loss == pytest.approx(once[name] * (3 if name.startswith(prefix) else 1), rel=1e-5), name


def test_layer_weights_left_out_are_equal_and_add_up_to_one(terms_of):
    assert terms_of() == terms_of(layer_weights=(1 / 3, 1 / 3, 1 / 3))


def test_a_style_picture_of_any_size_and_shape_compares(network, pictures, painted):
    content_image, style_image = pictures
    config = StyleTransferConfig(content_weight=0, style_layers=("conv1_1",), padding="reflect")
    one = StyleTransferObjective(network, content_image, style_image, config)(painted)
    tiled = torch.cat([torch.cat([style_image, style_image.flip(3)], 3)] * 2, 2)
    four = StyleTransferObjective(network, content_image, tiled, config)(painted)
    assert one["style conv1_1"].item() == pytest.approx(four["style conv1_1"].item(), rel=0.2)
    for shape in ((16, 100), (100, 16), (48, 64)):
        objective = StyleTransferObjective(network, content_image, torch.rand(1, 3, *shape), config)
        assert objective(painted)["style conv1_1"].isfinite()


@pytest.mark.parametrize("name", STYLE_NORMALIZATIONS)
def test_a_style_normalization_is_asked_with_the_layers_channels_and_positions(name, terms_of, monkeypatch):
    asked = []
    monkeypatch.setitem(
        STYLE_NORMALIZATIONS, name, lambda channels, positions: asked.append((channels, positions)) or 1
    )
    terms_of(style_normalization=name)
    assert asked == [(64, 48 * 64), (128, 24 * 32), (128, 24 * 32)]


@pytest.mark.parametrize("name", CONTENT_NORMALIZATIONS)
def test_a_content_normalization_is_asked_with_the_layers_channels_and_positions(name, terms_of, monkeypatch):
    asked = []
    monkeypatch.setitem(CONTENT_NORMALIZATIONS, name, lambda *shape: asked.append(shape) or 1)
    terms_of(content_normalization=name, content_layers=("conv1_2", "conv2_1"))
    assert asked == [(64, 48 * 64), (128, 24 * 32)]


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_is_of_the_pixels(name, terms_of, painted):
    term = terms_of(total_variation=name, tv_weight=2.5)[TV_TERM]
    assert term == pytest.approx(2.5 * TOTAL_VARIATIONS[name](painted).item(), rel=1e-6)


def test_no_picture_is_modified_and_no_target_has_a_gradient(network, pictures, painted):
    before = [image.clone() for image in (*pictures, painted)]
    content_image = pictures[0].requires_grad_(True)
    objective = StyleTransferObjective(network, *pictures, StyleTransferConfig(**SHALLOW, tv_weight=1))
    sum(objective(painted.requires_grad_(True)).values()).backward()
    for image, old in zip((*pictures, painted), before, strict=True):
        assert torch.equal(image.detach(), old)
    assert content_image.grad is None
    targets = (*objective.content_targets.values(), *objective.style_targets.values())
    assert not any(target.requires_grad for target in targets)
