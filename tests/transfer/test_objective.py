import pytest
import torch

from nst_core.errors import ConfigError
from nst_core.features.vgg import VGG
from nst_core.losses.content import CONTENT_NORMALIZATIONS, content_loss
from nst_core.losses.gram import gram_matrix, squared_distance
from nst_core.losses.style import STYLE_LOSSES, STYLE_NORMALIZATIONS, magnitude
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.masks import shares
from nst_core.transfer.objective import StyleTransferObjective, normalized
from nst_core.transfer.terms import TV_TERM, content_term, style_term
from tests.stand_ins import DEVICES, random_state

SHALLOW = {"content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1", "conv2_2_pre")}


def objective_of(network, content_image, style_image, config) -> StyleTransferObjective:
    return StyleTransferObjective(network, content_image, [style_image], config)


def values(terms: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


@pytest.fixture
def network(narrow_vgg):
    return narrow_vgg["vgg19"]


@pytest.fixture
def painted():
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def terms_of(network, pictures, painted):
    """Config's values -> the terms of a painted picture."""

    def terms(image=painted, **settings) -> dict[str, float]:
        config = StyleTransferConfig(**SHALLOW | settings)
        return values(objective_of(network, *pictures, config)(image))

    return terms


def test_other_weights_are_weighed_without_a_look_at_any_picture(network, pictures, painted, monkeypatch):
    """A slider that is moved while it paints waits for no network."""
    config = StyleTransferConfig(**SHALLOW)
    objective = objective_of(network, *pictures, config)
    looks, look = [], StyleTransferObjective.features
    monkeypatch.setattr(
        StyleTransferObjective,
        "features",
        lambda self, image, layers, **how: (looks.append(layers), look(self, image, layers, **how))[1],
    )
    steered = config.changed(content_weight=3.0, style_weight=5.0, layer_weights=(0.1, 0.2, 0.3), tv_weight=2.0)
    objective.steer(steered)
    assert not looks
    assert values(objective(painted)) == values(objective_of(network, *pictures, steered)(painted))
    looks.clear()
    more = steered.changed(style_layers=("conv1_1", "conv1_2"), content_layers=("conv2_1", "conv2_2"))
    objective.steer(more)
    assert looks == [("conv2_2",), ("conv1_2",)]  # only what is new
    assert values(objective(painted)) == values(objective_of(network, *pictures, more)(painted))


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
    objective = objective_of(
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
    objective_of(Network(), *pictures, config)(painted)
    assert {layer for layers in asked for layer in layers} == {"conv1_1", "conv3_1"}


def test_a_narrow_network_is_measured_through_its_taps(pictures, painted):
    net = VGG("lite", random_state("lite"))
    layers = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1_pre")}
    config = StyleTransferConfig(backbone="lite", **layers, content_weight=1.0, style_weight=1.0)
    terms = objective_of(net, *pictures, config)(painted)
    seen, content, style = (net(image, ["conv2_2", "conv1_1", "conv2_1_pre"]) for image in (painted, *pictures))
    positions = seen["conv2_2"][0, 0].numel()
    for layer, channels in (("conv1_1", 64), ("conv2_1_pre", 128)):
        distance = squared_distance(gram_matrix(seen[layer]), gram_matrix(style[layer]))
        normalize = STYLE_NORMALIZATIONS[config.style_normalization]
        expected = config.weight_of_layer(layer) * normalize(channels, seen[layer][0, 0].numel(), 1.0, None) * distance
        torch.testing.assert_close(terms[f"style {layer}"], expected, rtol=1e-4, atol=0)
    normalize = CONTENT_NORMALIZATIONS[config.content_normalization]
    expected = normalize(128, positions, 1.0) * content_loss(seen["conv2_2"], content["conv2_2"])
    torch.testing.assert_close(terms["content conv2_2"], expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_each_picture_is_at_its_own_goal(pictures, painted, precision, style_loss):
    net = VGG("vgg19", random_state("vgg19")).to(precision)
    content_image, style_image = pictures
    objective = objective_of(net, *pictures, StyleTransferConfig(**SHALLOW, style_loss=style_loss))
    at_content, elsewhere = values(objective(content_image)), values(objective(painted))
    assert at_content["content conv2_1"] == 0
    assert all(loss > 0 for name, loss in at_content.items() if name.startswith("style"))
    assert all(loss > 0 for loss in elsewhere.values())
    same = objective_of(net, style_image, style_image, StyleTransferConfig(**SHALLOW, style_loss=style_loss))
    at_home, in_the_dark = values(same(style_image)), values(same(style_image / 2))
    # two take roots of matrices in float32, one draws 2048 of conv1_1's 2240 positions for each side
    slack = {"wasserstein": 1e-3, "gram and wasserstein": 1e-3, "sliced wasserstein": 0.03}.get(style_loss, 0)
    for name, loss in at_home.items():
        assert abs(loss) <= slack * in_the_dark[name], name


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
    one = objective_of(network, content_image, style_image, config)(painted)
    tiled = torch.cat([torch.cat([style_image, style_image.flip(3)], 3)] * 2, 2)
    four = objective_of(network, content_image, tiled, config)(painted)
    assert one["style conv1_1"].item() == pytest.approx(four["style conv1_1"].item(), rel=0.2)
    for shape in ((16, 100), (100, 16), (48, 64)):
        objective = objective_of(network, content_image, torch.rand(1, 3, *shape), config)
        assert objective(painted)["style conv1_1"].isfinite()


@pytest.mark.parametrize("name", STYLE_NORMALIZATIONS)
def test_a_style_normalization_is_asked_with_the_layers_channels_and_positions(name, terms_of, monkeypatch):
    asked = []
    monkeypatch.setitem(STYLE_NORMALIZATIONS, name, lambda *shape: asked.append((*shape[:2], shape[3])) or 1)
    terms_of(style_normalization=name)
    assert asked == [(16, 48 * 64, 48 * 64), (24, 24 * 32, 48 * 64), (24, 24 * 32, 48 * 64)]


@pytest.mark.parametrize("name", CONTENT_NORMALIZATIONS)
def test_a_content_normalization_is_asked_with_the_layers_channels_and_positions(name, terms_of, monkeypatch):
    asked = []
    monkeypatch.setitem(CONTENT_NORMALIZATIONS, name, lambda *shape: asked.append(shape[:2]) or 1)
    terms_of(content_normalization=name, content_layers=("conv1_2", "conv2_1"))
    assert asked == [(16, 48 * 64), (24, 24 * 32)]


@pytest.mark.parametrize("name", TOTAL_VARIATIONS)
def test_total_variation_is_of_the_pixels(name, terms_of, painted):
    term = terms_of(total_variation=name, tv_weight=2.5)[TV_TERM]
    assert term == pytest.approx(2.5 * TOTAL_VARIATIONS[name](painted).item(), rel=1e-6)


def test_no_picture_is_modified_and_no_target_has_a_gradient(network, pictures, painted):
    before = [image.clone() for image in (*pictures, painted)]
    content_image = pictures[0].requires_grad_(True)
    objective = objective_of(network, *pictures, StyleTransferConfig(**SHALLOW, tv_weight=1))
    sum(objective(painted.requires_grad_(True)).values()).backward()
    for image, old in zip((*pictures, painted), before, strict=True):
        assert torch.equal(image.detach(), old)
    assert content_image.grad is None
    memories = [target.memory for targets in objective.style_targets.values() for target in targets]
    assert memories and not any(target.requires_grad for target in (*objective.content_targets.values(), *memories))


# Normalisations by the target's own size


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_relative_terms_are_their_weights_for_a_picture_that_shows_nothing(pictures, style_loss):
    generator = torch.Generator().manual_seed(0)
    known = {id(picture): torch.rand(1, 64, 6, 7, generator=generator) for picture in pictures}

    class Blind:
        """Sees something in the two pictures and nothing in any other."""

        tap = staticmethod(lambda layer: None)

        def __call__(self, image, layers, **_):
            return {layer: known.get(id(image), torch.zeros(1, 64, 6, 7)) for layer in layers}

    config = StyleTransferConfig(
        content_layers=("conv1_2",),
        style_layers=("conv1_1", "conv2_1"),
        style_loss=style_loss,
        content_weight=3.0,
        style_weight=8.0,
        content_normalization="relative",
        style_normalization="relative",
    )
    terms = values(objective_of(Blind(), *pictures, config)(torch.zeros(1, 3, 12, 14)))
    # with the sliced distance each draw is another
    assert terms == pytest.approx({"content conv1_2": 3, "style conv1_1": 4, "style conv2_1": 4}, rel=0.2)
    if "sliced" not in style_loss:
        assert terms == pytest.approx({"content conv1_2": 3, "style conv1_1": 4, "style conv2_1": 4}, rel=1e-4)


def test_normalizations_are_asked_with_the_targets_magnitude(network, pictures, painted, monkeypatch):
    asked = {}
    monkeypatch.setitem(STYLE_NORMALIZATIONS, "relative", lambda *shape: asked.update(style=shape[2]) or 1)
    monkeypatch.setitem(CONTENT_NORMALIZATIONS, "relative", lambda *shape: asked.update(content=shape[2]) or 1)
    relative = {"content_normalization": "relative", "style_normalization": "relative"}
    config = StyleTransferConfig(content_layers=("conv2_1",), style_layers=("conv1_1",), **relative)
    objective_of(network, *pictures, config)(painted)
    content = network(pictures[0], ["conv2_1"])["conv2_1"]
    gram = gram_matrix(network(pictures[1], ["conv1_1"])["conv1_1"])
    assert asked["style"] == pytest.approx(magnitude(STYLE_LOSSES["gram"], gram, gram).item(), rel=1e-5)
    assert asked["content"] == pytest.approx(content_loss(torch.zeros_like(content), content).item(), rel=1e-5)


# Several styles


def test_shares_are_of_sum_one_and_equal_where_none_are_given():
    assert normalized((), 4) == [0.25] * 4
    assert normalized((1, 3), 2) == [0.25, 0.75] == normalized((0.5, 1.5), 2)
    for given, count in (((1, 1), 1), ((1,), 2), ((1, 1, 1), 2)):
        with pytest.raises(ConfigError, match=f"{len(given)} shares for {count} style pictures"):
            normalized(given, count)


def mean_values(objective, image, draws: bool) -> dict[str, float]:
    """The terms; of a loss that draws, as they are on the average."""
    terms = [values(objective(image)) for _ in range(10 if draws else 1)]
    return {name: sum(each[name] for each in terms) / len(terms) for name in terms[0]}


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_a_style_blended_with_none_of_another_is_alone(network, pictures, painted, style_loss):
    content_image, style_image, painted = (image[..., :32, :32] for image in (*pictures, painted))
    config = StyleTransferConfig(**SHALLOW, style_loss=style_loss)
    draws = style_loss in ("sliced wasserstein", "mmd gaussian")
    alone = mean_values(objective_of(network, content_image, style_image, config), painted / 2, draws)
    for styles, blend in (
        ([style_image, style_image / 4], (1.0, 0.0)),
        ([style_image / 4, style_image], (0.0, 2.0)),
        ([style_image, style_image, style_image], (0.2, 0.5, 0.3)),
    ):
        config = StyleTransferConfig(**SHALLOW, style_loss=style_loss, blend=blend)
        blended = mean_values(StyleTransferObjective(network, content_image, styles, config), painted / 2, draws)
        assert blended == pytest.approx(alone, rel=0.15 if draws else 1e-3)


def test_shares_count(network, pictures, painted):
    content_image, style_image = pictures
    config = StyleTransferConfig(**SHALLOW, blend=(1.0, 3.0))
    terms = values(StyleTransferObjective(network, content_image, [style_image, style_image / 2], config)(painted))
    for layer in SHALLOW["style_layers"]:
        grams = [gram_matrix(network(image, [layer])[layer]) for image in (style_image, style_image / 2, painted)]
        distance = squared_distance(grams[2], 0.25 * grams[0] + 0.75 * grams[1]).item()
        other = squared_distance(grams[2], grams[0]).item()
        ratio = values(objective_of(network, *pictures, StyleTransferConfig(**SHALLOW))(painted))[style_term(layer)]
        assert terms[style_term(layer)] / ratio == pytest.approx(distance / other, rel=1e-3)


# Regions


def halves(height: int = 48, width: int = 64) -> list[torch.Tensor]:
    """The left and the right half of a picture."""
    left = torch.zeros(1, 1, height, width)
    left[..., : width // 2] = 1
    return [left, 1 - left]


def test_a_region_of_all_is_no_region(network, pictures, painted):
    content_image, style_image = pictures
    for style_loss in STYLE_LOSSES:
        config = StyleTransferConfig(**SHALLOW, style_loss=style_loss)
        everywhere = StyleTransferObjective(network, content_image, [style_image], config, [torch.ones(1, 1, 48, 64)])
        expected = values(objective_of(network, *pictures, config)(painted / 2))
        assert values(everywhere(painted / 2)) == pytest.approx(expected, rel=1e-3), style_loss


def test_each_region_has_the_statistics_of_its_positions_and_its_own_style(network, pictures, painted):
    content_image, style_image = pictures
    styles, config = [style_image, style_image / 2], StyleTransferConfig(**SHALLOW, style_weight=1.0)
    terms = values(StyleTransferObjective(network, content_image, styles, config, halves())(painted))
    for layer in SHALLOW["style_layers"]:
        seen = network(painted, [layer])[layer]
        distances = [
            squared_distance(
                gram_matrix(seen, share=shares(region, seen.shape[2:])), gram_matrix(network(style, [layer])[layer])
            )
            for region, style in zip(halves(), styles, strict=True)
        ]
        normalize = STYLE_NORMALIZATIONS[config.style_normalization](seen.shape[1], seen[0, 0].numel(), 1.0, None)
        expected = config.weight_of_layer(layer) * normalize * sum(distances).item() / 2
        assert terms[style_term(layer)] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_a_region_is_painted_and_nothing_far_from_it(network, pictures, painted, style_loss):
    content_image, style_image = pictures
    settings = {"style_layers": ("conv1_1", "conv2_1"), "content_weight": 0, "style_loss": style_loss}
    objective = StyleTransferObjective(
        network, content_image, [style_image], StyleTransferConfig(**settings), halves()[:1]
    )
    image = painted.clone().requires_grad_(True)
    sum(objective(image).values()).backward()
    assert image.grad[..., 40:].abs().max() == 0 < image.grad[..., :32].abs().min(dim=1).values.median()


def test_a_region_too_small_for_a_layer_is_skipped_there(network, pictures, painted):
    content_image, style_image = pictures
    dot = torch.zeros(1, 1, 48, 64)
    dot[..., 20, 20] = 1
    settings = {"style_layers": ("conv1_1", "conv5_1"), "content_layers": ("conv1_1",)}
    objective = StyleTransferObjective(network, content_image, [style_image], StyleTransferConfig(**settings), [dot])
    assert values(objective(painted)).keys() == {"content conv1_1", "style conv1_1"}
    both = [dot, 1 - dot]
    styles = [style_image, style_image / 2]
    objective = StyleTransferObjective(network, content_image, styles, StyleTransferConfig(**settings), both)
    assert values(objective(painted)).keys() == {"content conv1_1", "style conv1_1", "style conv5_1"}
    config = StyleTransferConfig(content_weight=0, style_layers=("conv5_1",))
    objective = StyleTransferObjective(network, content_image, [style_image], config, [dot])
    with pytest.raises(ConfigError, match="masks are too small"):
        objective(painted)


# Steering


STEERED = [
    {"content_weight": 4.0},
    {"content_weight": 0.0},
    {"style_weight": 3.0},
    {"tv_weight": 2.0},
    {"style_layers": ("conv2_1", "conv3_1")},
    {"style_layers": (), "style_weight": 0.0},
    {"content_layers": ("conv1_1", "conv2_2")},
    {"layer_weights": (1.0, 0.0, 2.0)},
    {"blend": (1.0, 4.0)},
]


@pytest.mark.parametrize("settings", STEERED, ids=str)
def test_a_steered_objective_is_one_made_with_those_settings(network, pictures, painted, settings):
    content_image, style_image = pictures
    styles = [style_image, style_image / 2]
    before, after = StyleTransferConfig(**SHALLOW), StyleTransferConfig(**SHALLOW | settings)
    objective = StyleTransferObjective(network, content_image, styles, before)
    was = values(objective(painted))
    objective.steer(after)
    expected = values(StyleTransferObjective(network, content_image, styles, after)(painted))
    assert values(objective(painted)) == expected != was
    objective.steer(before)
    assert values(objective(painted)) == was


def test_steering_looks_at_a_style_picture_once_for_each_layer(pictures, painted):
    content_image, style_image = pictures
    asked = []

    class Network:
        tap = staticmethod(lambda layer: None)

        def __call__(self, image, layers, **_):
            if image is style_image and layers:
                asked.append(tuple(layers))
            return {layer: torch.ones(1, 2, 3, 3) for layer in layers}

    objective = objective_of(Network(), *pictures, StyleTransferConfig(style_layers=("conv1_1",)))
    for layers in (("conv1_1", "conv2_1"), ("conv2_1",), ("conv1_1", "conv2_1")):
        objective.steer(StyleTransferConfig(style_layers=layers, style_weight=5.0))
    assert asked == [("conv1_1",), ("conv2_1",)]
