import json
from functools import cache

import pytest
import torch
import torchvision
from safetensors import safe_open
from torch.nn import functional as F

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import ConfigError, ImageError
from nst_core.features import vgg, weights
from nst_core.features.loading import load_network
from nst_core.features.vgg import (
    BACKBONES,
    NORMALIZATIONS,
    PADDINGS,
    POOLINGS,
    PRE,
    VGG,
    channels_of,
    layer_names,
    nearest_layer,
)
from tests.stand_ins import DEVICES, random_state

MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])  # ImageNet's

# Index in torchvision's `features`, as programs of the field write it: the convolution, its ReLU being the next.
KNOWN = {
    "vgg19": {"conv1_1": 0, "conv2_1": 5, "conv3_1": 10, "conv4_1": 19, "conv4_2": 21, "conv5_1": 28, "conv5_4": 34},
    "vgg16": {"conv1_2": 2, "conv2_2": 7, "conv3_3": 14, "conv4_3": 21, "conv5_3": 28},
}


TORCHVISIONS = tuple(KNOWN)


@cache
def state_of(backbone: str) -> dict[str, torch.Tensor]:
    return random_state(backbone)


@cache
def torchvisions(backbone: str) -> torch.nn.Sequential:
    """torchvision's own network with the tests' random weights; ReLU in place, as it comes."""
    with torch.device("meta"):
        features = getattr(torchvision.models, backbone)(weights=None).features
    state = {name.removeprefix("features."): tensor for name, tensor in state_of(backbone).items()}
    features.load_state_dict(state, assign=True)
    for module in features:
        if isinstance(module, torch.nn.MaxPool2d):
            module.ceil_mode = True  # as in Caffe
    return features.eval().requires_grad_(False)


def names_of(network: torch.nn.Sequential) -> dict[str, int]:
    """The literature's name of each convolution -> its index: numbered afresh after each pooling."""
    names, block, number = {}, 1, 1
    for index, module in enumerate(network):
        if isinstance(module, torch.nn.Conv2d):
            names[f"conv{block}_{number}"], number = index, number + 1
        elif isinstance(module, torch.nn.MaxPool2d):
            block, number = block + 1, 1
    return names


def seen_by_torchvision(network: torch.nn.Sequential, entering: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every convolution's output before (…_pre) and after ReLU, copied out by hooks."""
    seen, names, hooks = {}, names_of(network), []
    for name, index in names.items():
        for key, module in ((name + "_pre", network[index]), (name, network[index + 1])):
            hooks.append(module.register_forward_hook(lambda _m, _i, out, key=key: seen.update({key: out.clone()})))
    network(entering)
    for hook in hooks:
        hook.remove()
    return seen


def entered(image: torch.Tensor) -> torch.Tensor:
    return (image - MEAN.view(1, 3, 1, 1)) / DEVIATION.view(1, 3, 1, 1)


def poisoned(backbone: str, deepest: str) -> VGG:
    """A network whose convolutions below `deepest` are NaN."""
    state, names = dict(state_of(backbone)), names_of(torchvisions(backbone))
    for index in names.values():
        if index > names[deepest]:
            weight = state[f"features.{index}.weight"]
            state[f"features.{index}.weight"] = weight.new_full((), torch.nan).expand_as(weight)
    return VGG(backbone, state)


@pytest.fixture
def image():
    return torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module", params=DEVICES)
def network(request):
    """VGG-19 with random weights on each device."""
    return VGG("vgg19", dict(state_of("vgg19"))).to(request.param)


# Names


@pytest.mark.parametrize("backbone", TORCHVISIONS)
def test_layers_are_named_and_ordered_as_in_the_literature(backbone):
    names = names_of(torchvisions(backbone))
    assert layer_names(backbone) == list(names)
    assert layer_names(backbone, pre=True) == [name + "_pre" for name in names]
    assert KNOWN[backbone].items() <= names.items()


@pytest.mark.parametrize("backbone", TORCHVISIONS)
def test_every_layer_sees_what_torchvisions_sees_before_and_after_relu(backbone, random_vgg, image):
    expected = seen_by_torchvision(torchvisions(backbone), entered(image))
    features = random_vgg[backbone](image, [*layer_names(backbone), *layer_names(backbone, pre=True)])
    assert features.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(features[name], expected[name], atol=1e-4, rtol=1e-4, msg=lambda m, n=name: n + m)
        assert (features[name].min() < 0) == name.endswith(PRE)


def test_asking_for_both_keeps_what_was_before_relu(random_vgg, image):
    both = random_vgg["vgg19"](image, ["conv1_1", "conv1_1_pre", "conv2_1_pre"])
    assert both["conv1_1_pre"].min() < 0
    torch.testing.assert_close(both["conv1_1"], both["conv1_1_pre"].relu())
    for name in both:
        assert torch.equal(random_vgg["vgg19"](image, [name])[name], both[name])


def test_exactly_what_is_asked_for_comes_in_whatever_order(random_vgg, image):
    layers = ["conv3_1", "conv1_1", "conv2_2_pre", "conv1_1"]
    assert random_vgg["vgg19"](image, iter(layers)).keys() == set(layers)
    assert random_vgg["vgg19"](image, []) == {}


@pytest.mark.parametrize("backbone", TORCHVISIONS)
@pytest.mark.parametrize("layer", ["conv1_1", "conv2_1", "conv3_3"])
def test_nothing_deeper_than_asked_for_is_computed(backbone, layer, image, monkeypatch):
    calls = []
    convolve = torch.nn.functional.conv2d
    monkeypatch.setattr(vgg.F, "conv2d", lambda *given, **named: calls.append(1) or convolve(*given, **named))
    network = poisoned(backbone, layer)
    for ending in ("", PRE):
        calls.clear()
        assert network(image, [layer + ending])[layer + ending].isfinite().all()
        assert len(calls) == list(names_of(torchvisions(backbone))).index(layer) + 1


def test_what_is_poisoned_shows(image):
    assert poisoned("vgg19", "conv1_1")(image, ["conv1_2"])["conv1_2"].isnan().any()


# Pooling, padding, normalisation


class Averages(torch.nn.AvgPool2d):
    """Means of four values, or of fewer at the end of an odd side, some times over."""

    def __init__(self, factor: int):
        super().__init__(2, ceil_mode=True)
        self.factor = factor

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.factor * super().forward(features)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_as_it_is_called(pooling, random_vgg, image):
    network = torchvisions("vgg19")[:20]
    if pooling != "max":
        factor = {"average": 1, "rescaled average": 2}[pooling]
        network = torch.nn.Sequential(
            *(Averages(factor) if isinstance(module, torch.nn.MaxPool2d) else module for module in network)
        )
    expected = network(entered(image)).relu()
    torch.testing.assert_close(
        random_vgg["vgg19"](image, ["conv4_1"], pooling=pooling)["conv4_1"], expected, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("padding", PADDINGS)
def test_padding_is_as_it_is_called_and_at_the_first_convolution_only(padding, random_vgg, image):
    network = torchvisions("vgg19")
    first = torch.nn.Conv2d(3, 64, 3, padding=1, padding_mode=padding)
    first.load_state_dict(network[0].state_dict())
    seen = torch.nn.Sequential(first, *network[1:12])(entered(image))  # to conv3_1 and its ReLU
    features = random_vgg["vgg19"](image, ["conv3_1"], padding=padding)["conv3_1"]
    torch.testing.assert_close(features, seen, atol=1e-4, rtol=1e-4)


def test_a_repeated_edge_leaves_a_plain_picture_plain(random_vgg):
    plain = torch.full((1, 3, 20, 20), 0.9)
    flat = random_vgg["vgg19"](plain, ["conv1_1"], padding="replicate")["conv1_1"]
    torch.testing.assert_close(flat, flat[..., :1, :1].expand_as(flat), atol=1e-5, rtol=1e-5)
    edged = random_vgg["vgg19"](plain, ["conv1_1"])["conv1_1"]
    assert (edged - edged[..., 10:11, 10:11]).abs().max() > 0.1


# What each program feeds torchvision's weights, of RGB in [0, 1].
FED = {
    "imagenet": entered,
    "caffe": lambda image: image * 255 - torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1),
    "none": lambda image: image,
}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_picture_enters_as_its_program_feeds_it(normalization, random_vgg, image):
    expected = seen_by_torchvision(torchvisions("vgg19"), FED[normalization](image))["conv2_1"]
    features = random_vgg["vgg19"](image, ["conv2_1"], normalization=normalization)["conv2_1"]
    torch.testing.assert_close(features, expected, atol=1e-5 * expected.max().item(), rtol=1e-4)


# Sizes and unknown layers


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(("layer", "smallest"), [("conv1_2", 1), ("conv2_1", 2), ("conv3_2_pre", 4), ("conv5_1", 16)])
def test_a_picture_too_small_for_a_layer_is_refused_and_the_smallest_is_not(backbone, layer, smallest, random_vgg):
    network = random_vgg[backbone]
    assert network(torch.rand(1, 3, smallest, smallest + 5), ["conv1_1", layer])[layer].numel() > 0
    if smallest > 1:
        for size in ((smallest - 1, 40), (40, smallest - 1)):
            with pytest.raises(ImageError) as raised:
                network(torch.rand(1, 3, *size), ["conv1_1", layer])
            for word in (f"{size[1]}×{size[0]}", layer, BACKBONES[backbone], f"{smallest}×{smallest}", "larger size"):
                assert word in str(raised.value)


@pytest.mark.parametrize("layer", ["conv6_1", "conv1_3", "pool1", "relu4_2", "conv4_2_pre_pre", "_pre", "", "CONV1_1"])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_an_unknown_layer_is_refused_with_those_there_are(backbone, layer, random_vgg, image):
    with pytest.raises(ConfigError) as raised:
        random_vgg[backbone](image, ["conv1_1", layer])
    for word in (repr(layer), BACKBONES[backbone], *layer_names(backbone), PRE):
        assert word in str(raised.value)


def test_vgg16_has_no_fourth_convolution_in_its_deep_blocks():
    for layer in ("conv3_4", "conv4_4", "conv5_4_pre"):
        vgg.check_layers("vgg19", [layer])
        with pytest.raises(ConfigError, match="VGG-16"):
            vgg.check_layers("vgg16", [layer])


# Precision, gradients, batches


@pytest.mark.parametrize("device", DEVICES)
def test_bf16_sees_nearly_what_float32_sees(device, random_vgg, image):
    layers = ["conv1_1", "conv2_1_pre", "conv4_2", "conv5_1"]
    network = VGG("vgg19", dict(state_of("vgg19"))).to(device, torch.bfloat16, memory_format=torch.channels_last)
    exact = random_vgg["vgg19"](image, layers)
    for name, seen in network(image.to(device), layers).items():
        assert seen.dtype == torch.bfloat16
        assert ((seen.float().cpu() - exact[name]).norm() / exact[name].norm()).item() < 0.02, name


def test_gradients_are_torchvisions(network, image):
    device = network.conv1_1_weight.device
    layers = ["conv1_1", "conv2_1_pre", "conv3_1", "conv4_2", "conv4_2_pre"]
    ours = image.clone().to(device).requires_grad_(True)
    theirs = image.clone().requires_grad_(True)
    weights = {name: torch.randn(1, generator=torch.Generator().manual_seed(i)) for i, name in enumerate(layers)}
    sum(
        (features.float().square().mean() * weights[name].to(device)).sum()
        for name, features in network(ours, layers).items()
    ).backward()
    seen = seen_by_torchvision(torchvisions("vgg19"), entered(theirs))
    sum((seen[name].square().mean() * weights[name]).sum() for name in layers).backward()
    torch.testing.assert_close(ours.grad.cpu(), theirs.grad, atol=1e-3 * theirs.grad.abs().max().item(), rtol=1e-3)
    assert theirs.grad.abs().max() > 0


def test_a_network_has_nothing_to_train(random_vgg):
    for network in random_vgg.values():
        assert not list(network.parameters())
        assert not any(buffer.requires_grad for buffer in network.buffers())


def test_each_picture_of_a_batch_is_seen_alone(random_vgg):
    images = torch.rand(3, 3, 24, 32)
    together = random_vgg["vgg19"](images, ["conv3_1"])["conv3_1"]
    alone = torch.cat([random_vgg["vgg19"](images[i : i + 1], ["conv3_1"])["conv3_1"] for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_looking_leaves_the_picture_alone(random_vgg, image):
    before = image.clone()
    for normalization in NORMALIZATIONS:
        random_vgg["vgg19"](image, ["conv1_1", "conv2_1_pre"], normalization=normalization)
    assert torch.equal(image, before)


# Real weights


@pytest.mark.weights
def test_the_real_network_has_activations_of_a_known_scale():
    network, _ = load_network("vgg19", Compute(device="cpu", precision="fp32"))
    rows, columns = torch.meshgrid(torch.linspace(0, 9, 96), torch.linspace(0, 14, 128), indexing="ij")
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    image = (0.5 + 0.3 * (rows.sin() * columns.cos()) + 0.2 * (noise - 0.5)).clamp(0, 1)
    features = network(image, ["conv1_1", "conv3_1", "conv4_2", "conv5_1"])
    # torchvision's convention: about 1, 7, 20 and 4 on photographs; Caffe's raw one is 50 to 100 times as much
    for name, usual in {"conv1_1": 1, "conv3_1": 7, "conv4_2": 20, "conv5_1": 4}.items():
        assert usual / 6 < features[name].std().item() < usual * 6, name


# Lite


def test_lite_has_vgg19s_layers_to_conv5_1():
    names = layer_names("vgg19")
    assert layer_names("lite") == names[: names.index("conv5_1") + 1]


@pytest.mark.parametrize("layer", layer_names("vgg19"))
def test_a_layer_counts_as_many_channels_on_lite_as_on_vgg19(layer, random_vgg):
    image = torch.rand(1, 3, 32, 32)
    assert channels_of("vgg19", layer) == random_vgg["vgg19"](image, [layer])[layer].shape[1]
    assert channels_of("lite", layer + PRE) == channels_of("vgg19", layer)


def test_a_tap_changes_the_measure_of_its_own_layer_and_nothing_deeper(image):
    state = dict(state_of("lite"))
    layers = ["conv2_1_pre", "conv2_1", "conv3_1"]
    before = VGG("lite", state)(image, layers)
    tap = state["taps.conv2_1"] = torch.randn(64, 64, generator=torch.Generator().manual_seed(7))
    after = VGG("lite", state)(image, layers)
    bare = VGG("lite", {name: tensor for name, tensor in state.items() if "taps" not in name})(image, layers)
    torch.testing.assert_close(
        after["conv2_1"], torch.einsum("kl,blhw->bkhw", tap, bare["conv2_1"]), atol=1e-4, rtol=1e-4
    )
    for layer in ("conv2_1_pre", "conv3_1"):
        torch.testing.assert_close(after[layer], before[layer])


@pytest.mark.parametrize("layer", ["conv5_2", "conv5_4_pre"])
def test_a_layer_that_lite_lacks_is_refused_naming_who_has_it(layer, random_vgg, image):
    with pytest.raises(ConfigError, match=f"layer is '{layer}', which VGG-19.* has; VGG-19 Lite has conv1_1 … conv5_1"):
        random_vgg["lite"](image, [layer])


@pytest.mark.parametrize(
    ("layer", "near"),
    [
        ("conv3_3", "conv3_3"),
        ("conv5_3", "conv5_1"),
        ("conv5_4_pre", "conv5_1_pre"),
        ("conv9_1", "conv9_1"),
        ("x", "x"),
    ],
)
def test_the_nearest_layer_is_the_deepest_of_its_block(layer, near):
    assert nearest_layer("lite", layer) == near
    assert nearest_layer("vgg19", layer) == layer


with safe_open(weights.BUNDLED / "vgg19_lite.safetensors", framework="pt") as file:
    PROMISED = json.loads(file.metadata()["errors"])  # layer -> relative squared error on pictures held out


def likeness(network: VGG, image: torch.Tensor, layer: str) -> torch.Tensor:
    """Inner products of a layer's features at 300 positions, whatever axes the features are seen along."""
    flat = network(image, [layer])[layer].flatten(2)[0].T
    drawn = torch.randperm(len(flat), generator=torch.Generator().manual_seed(0))[:300]
    return flat[drawn] @ flat[drawn].T


@pytest.mark.weights
@pytest.mark.parametrize("layer", [*layer_names("lite"), "conv2_2_pre", "conv4_2_pre", "conv5_1_pre"])
def test_lite_sees_what_vgg19_sees_on_its_own_scale(layer):
    networks = [load_network(name, Compute(device="cpu", precision="fp32"))[0] for name in ("vgg19", "lite")]
    photo = images.fit(images.load(ASSETS / "photos" / "china_temple.jpg"), 256)
    wanted, ours = (likeness(network, photo, layer) for network in networks)
    assert (ours - wanted).norm() / wanted.norm() < 0.1 + PROMISED[layer]


# As a tile


def deepest(network: VGG, image: torch.Tensor, **how) -> torch.Tensor:
    return network(image, ["conv5_1"], wrap=True, **how)["conv5_1"]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("backbone", ["vgg19", "lite"])
def test_a_tile_that_is_moved_around_has_its_features_moved(random_vgg, backbone, pooling):
    network, tile = random_vgg[backbone], torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    moved = deepest(network, tile.roll((16, 32), (2, 3)), pooling=pooling)
    torch.testing.assert_close(
        moved, deepest(network, tile, pooling=pooling).roll((1, 2), (2, 3)), rtol=1e-4, atol=1e-5
    )


def test_a_tile_is_seen_as_the_middle_one_of_nine(random_vgg):
    tile = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    among = random_vgg["vgg16"](tile.tile(1, 1, 9, 7), ["conv5_1"])["conv5_1"]  # of which some is far from any edge
    torch.testing.assert_close(deepest(random_vgg["vgg16"], tile), among[..., 8:10, 9:12], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pixel_of_a_side_of_any_length_is_seen_by_the_deepest_layer(random_vgg, pooling):
    """Of the last 8 columns and rows, about as much as of those that are as far from the other edge."""
    network = random_vgg["vgg19"]
    image = torch.rand(1, 3, 63, 79, generator=torch.Generator().manual_seed(0), requires_grad=True)
    network(image, ["conv5_1"], pooling=pooling, padding="reflect")["conv5_1"].square().sum().backward()
    seen = image.grad.abs().sum((0, 1))
    for along in (seen.mean(0), seen.mean(1)):
        assert along[-8:].sum() > 0.7 * along[:8].sum()


def test_even_sides_are_pooled_as_ever():
    features = torch.rand(1, 4, 12, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(POOLINGS["max"](features), F.max_pool2d(features, 2))
    assert torch.equal(POOLINGS["average"](features), F.avg_pool2d(features, 2))
    odd = features[..., :11, :19]
    assert torch.equal(POOLINGS["max"](odd)[..., :5, :9], F.max_pool2d(odd, 2))
    assert torch.equal(POOLINGS["average"](odd)[..., -1, -1], odd[..., -1, -1])
