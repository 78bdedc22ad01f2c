"""The scale of features: what changes is their size, never what is seen."""

import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.features.checkpoint import MEANS, PRE, plan, tap_name, unit_tap_name
from nst_core.features.compress import root_of
from nst_core.features.loading import load_network
from nst_core.features.scale import (
    AS_TRAINED,
    CAFFE,
    CAFFE_FACTOR,
    CAFFE_MEANS,
    SMALLEST_SHARE,
    UNIT,
    means_in,
    rescaled,
    unit_tap,
)
from nst_core.features.vgg import POOLINGS, VGG, layer_names
from nst_core.losses.gram import gram_matrix, squared_distance
from tests.runs import CPU
from tests.stand_ins import random_state

TORCHVISIONS = ("vgg19", "vgg16")
LAYERS = ("conv1_1", "conv1_2_pre", "conv2_2", "conv3_1", "conv4_2_pre", "conv5_1")


def image(seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed))


def of(factor: torch.Tensor) -> torch.Tensor:
    return factor[None, :, None, None]


@pytest.fixture(scope="module", params=TORCHVISIONS)
def plain(request):
    """(backbone, state) of a random network."""
    state = random_state(request.param, scaled=True)
    return request.param, state, means_in(state)


def test_as_trained_changes_nothing(plain):
    backbone, state, means = plain
    same = rescaled(state, backbone, AS_TRAINED)
    assert same.keys() == state.keys() and all(same[name] is tensor for name, tensor in state.items())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_filter_is_divided_by_its_mean_activation_and_sees_what_it_saw(plain, pooling):
    backbone, state, means = plain
    before = VGG(backbone, state)(image(), LAYERS, pooling=pooling)
    after = VGG(backbone, rescaled(state, backbone, UNIT))(image(), LAYERS, pooling=pooling)
    for layer in LAYERS:
        torch.testing.assert_close(
            after[layer] * of(means[layer.removesuffix(PRE)]), before[layer], rtol=1e-3, atol=1e-4
        )


def test_a_filter_that_hardly_ever_answers_does_not_outweigh_its_layer(plain):
    backbone, state, means = plain
    rare = {layer: mean.clone() for layer, mean in means.items()}
    rare["conv3_1"][7] = 1e-9
    changed = rescaled(state | {MEANS + layer: mean for layer, mean in rare.items()}, backbone, UNIT)
    index = next(index for name, index, _ in plan(backbone) if name == "conv3_1")
    bias = changed[f"features.{index}.bias"][7] / state[f"features.{index}.bias"][7]
    assert bias.item() == pytest.approx(1 / (SMALLEST_SHARE * rare["conv3_1"].mean().item()), rel=1e-4)


def test_caffes_features_are_larger_by_what_goes_in_and_otherwise_the_same(plain):
    backbone, state, means = plain
    before = VGG(backbone, state)(image(), LAYERS)
    after = VGG(backbone, rescaled(state, backbone, CAFFE))(image(), LAYERS)
    for layer in LAYERS:
        name = layer.removesuffix(PRE)
        share = CAFFE_MEANS[name] / means[name].mean() if backbone == "vgg19" else 1.0
        expected = before[layer] * CAFFE_FACTOR * share
        torch.testing.assert_close(after[layer], expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("scale", [UNIT, CAFFE])
def test_a_file_whose_layers_are_of_another_scale_comes_to_the_same(scale):
    state = random_state("vgg19", scaled=True)
    means, generator = means_in(state), torch.Generator().manual_seed(5)
    factors = {layer: 0.2 + 5 * torch.rand(1, generator=generator) for layer in means}
    other, before = dict(state), None
    for name, index, _ in plan("vgg19"):
        if name.startswith("conv"):
            weight, bias = f"features.{index}.weight", f"features.{index}.bias"
            other[weight] = state[weight] * factors[name] / (1 if before is None else before)
            other[bias], before = state[bias] * factors[name], factors[name]
    others = {layer: mean * factors[layer] for layer, mean in means.items()}
    one = VGG("vgg19", rescaled(state, "vgg19", scale))(image(), LAYERS)
    named = {MEANS + layer: mean for layer, mean in others.items()}
    two = VGG("vgg19", rescaled(other | named, "vgg19", scale))(image(), LAYERS)
    for layer in LAYERS:
        torch.testing.assert_close(one[layer], two[layer], rtol=1e-3, atol=1e-3 * one[layer].abs().max().item())


def test_lite_reads_its_other_taps_and_its_own_convolutions_stay():
    state = random_state("lite", scaled=True)
    means = means_in(state)
    unit, caffe = (rescaled(state, "lite", scale) for scale in (UNIT, CAFFE))
    for name in ("conv1_1", "conv3_2" + PRE):
        assert torch.equal(unit[tap_name(name)], state[unit_tap_name(name)])
        share = CAFFE_FACTOR * CAFFE_MEANS[name.removesuffix(PRE)] / means[name.removesuffix(PRE)].mean()
        torch.testing.assert_close(caffe[tap_name(name)], state[tap_name(name)] * share)
    assert torch.equal(unit["features.0.weight"], state["features.0.weight"])
    before, after = (VGG("lite", of_it)(image(), ["conv5_1"])["conv5_1"] for of_it in (state, unit))
    torch.testing.assert_close(after * of(means["conv5_1"]), before, rtol=1e-3, atol=1e-4)


def test_the_other_tap_measures_as_the_rescaled_teacher_would():
    generator = torch.Generator().manual_seed(1)
    tap, mean = torch.randn(9, 4, generator=generator), 0.5 + torch.rand(9, generator=generator)
    features = torch.randn(4, 20, generator=generator)
    ours, teachers = root_of(unit_tap(tap, mean)) @ features, (tap @ features) / mean[:, None]
    torch.testing.assert_close(ours.T @ ours, teachers.T @ teachers, rtol=1e-3, atol=1e-3)


def test_caffes_means_are_of_every_layer():
    assert list(CAFFE_MEANS) == layer_names("vgg19") and min(CAFFE_MEANS.values()) > 0


def squared_norm(features: torch.Tensor, other: torch.Tensor | None = None) -> float:
    """Of features, or of how far their Gram matrix is from another's."""
    if other is None:
        return features.square().sum().item()
    return squared_distance(gram_matrix(features), gram_matrix(other)).item()


@pytest.mark.weights
@pytest.mark.parametrize("scale", [UNIT, CAFFE])
def test_lite_measures_on_every_scale_as_vgg19_does(scale):
    photo = images.fit(images.load(ASSETS / "photos" / "china_temple.jpg"), 160)
    painting = images.fit(images.load(ASSETS / "styles" / "harvest_sun.jpg"), 160)
    measured = []
    for backbone in ("vgg19", "lite"):
        network, _ = load_network(backbone, CPU, scale)
        seen = [network(picture, layer_names("lite")) for picture in (photo, painting)]
        measured.append(
            {layer: (squared_norm(one[layer]), squared_norm(one[layer], other[layer])) for layer in one}
            for one, other in [seen]
        )
    (wanted,), (ours,) = measured
    for layer in wanted:
        assert ours[layer][0] == pytest.approx(wanted[layer][0], rel=0.3), layer  # the photo's energy
        assert ours[layer][1] == pytest.approx(wanted[layer][1], rel=0.6), layer  # from one style to the other


@pytest.mark.weights
def test_caffes_own_network_is_larger_by_the_same_everywhere():
    plain, caffe = (load_network("vgg19", CPU, scale)[0] for scale in (AS_TRAINED, CAFFE))
    for layer in LAYERS:
        before, after = plain(image(), [layer])[layer], caffe(image(), [layer])[layer]
        torch.testing.assert_close(after, before * CAFFE_FACTOR, rtol=5e-3, atol=5e-2)
