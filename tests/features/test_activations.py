"""Mean activations: known, said by the file, kept, or measured."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from nst_core import images
from nst_core.errors import WeightsError
from nst_core.features import activations
from nst_core.features.activations import ASSETS, SIDE, measure, scale_tensors
from nst_core.features.checkpoint import Checkpoint, expected_shapes, scale_shapes
from nst_core.features.scale import CAFFE_MEANS, means_in
from nst_core.features.vgg import POOLINGS, VGG, layer_names
from nst_core.features.weights import BUNDLED, load, require
from tests.stand_ins import random_state


@pytest.fixture(autouse=True)
def forgotten():
    activations._scale_tensors.cache_clear()
    yield
    activations._scale_tensors.cache_clear()


@pytest.fixture
def bare(narrow_weights, tmp_path, monkeypatch):
    """A random VGG-16 whose file does not say its means, and an empty cache."""
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    state = {name: tensor for name, tensor in random_state("vgg16").items() if name in expected_shapes("vgg16")}
    save_file(state, tmp_path / "vgg16_features.safetensors")
    return Checkpoint("vgg16", tmp_path / "vgg16_features.safetensors", "NST_WEIGHTS")


@pytest.fixture
def quickly(monkeypatch):
    """Measuring takes a moment; the list grows with every time."""
    times = []
    means = {layer: torch.full((4,), 2.0) for layer in layer_names("vgg16")}
    monkeypatch.setattr(activations, "measure", lambda network: times.append(network.backbone) or means)
    return times


def test_a_mean_is_over_positions_and_photographs(narrow_vgg):
    network = narrow_vgg["vgg16"]
    measured = measure(network)
    photos = [images.fit(images.load(path), SIDE) for path in sorted((ASSETS / "photos").glob("*.jpg"))]
    expected = sum(network(photo, ["conv1_2"])["conv1_2"].mean((0, 2, 3)) for photo in photos) / len(photos)
    torch.testing.assert_close(measured["conv1_2"], expected)
    assert list(measured) == layer_names("vgg16")


def test_what_a_file_says_is_believed(narrow_weights, quickly):
    for backbone in ("vgg19", "lite"):
        said, own = scale_tensors(require(backbone)), random_state(backbone, scaled=True)
        assert said.keys() == scale_shapes(backbone).keys()
        assert all(torch.equal(tensor, own[name]) for name, tensor in said.items())
    assert quickly == []


def test_an_unknown_file_is_measured_once_and_kept(bare, quickly):
    first = scale_tensors(bare)
    activations._scale_tensors.cache_clear()
    second = scale_tensors(bare)
    assert quickly == ["vgg16"] and first.keys() == second.keys()
    assert all(torch.equal(first[layer], second[layer]) for layer in first)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\xff" * 40])
def test_a_damaged_cache_is_measured_anew(bare, quickly, content):
    scale_tensors(bare)
    (kept,) = activations.cache_folder().iterdir()
    kept.write_bytes(content)
    activations._scale_tensors.cache_clear()
    assert means_in(scale_tensors(bare)).keys() == set(layer_names("vgg16")) and len(quickly) == 2


def test_without_a_place_to_keep_them_they_are_measured_all_the_same(bare, quickly, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "file" / "cache"))
    assert means_in(scale_tensors(bare))["conv1_1"].tolist() == [2.0] * 4


def test_a_lite_that_does_not_say_its_teachers_means_is_refused_with_what_to_do(tmp_path):
    state = {name: tensor for name, tensor in random_state("lite").items() if name in expected_shapes("lite")}
    save_file(state, tmp_path / "vgg19_lite.safetensors")
    with pytest.raises(WeightsError, match="compress.*'as trained'"):
        scale_tensors(Checkpoint("lite", tmp_path / "vgg19_lite.safetensors", "NST_WEIGHTS"))


def test_of_the_bundled_lite_its_teachers_means_are_known():
    means = means_in(scale_tensors(Checkpoint("lite", BUNDLED / "vgg19_lite.safetensors", "this program")))
    assert means.keys() == set(layer_names("lite"))
    for layer, mean in means.items():
        assert mean.mean().item() == pytest.approx(CAFFE_MEANS[layer], rel=2e-3), layer


@pytest.mark.weights
def test_what_is_known_of_caffes_network_is_what_is_measured(monkeypatch):
    monkeypatch.setitem(POOLINGS, "max", lambda features: F.max_pool2d(features, 2))  # as it was when it was measured
    checkpoint = require("vgg19")
    known = means_in(scale_tensors(checkpoint))
    measured = measure(VGG("vgg19", load(checkpoint)))
    for layer, mean in measured.items():
        torch.testing.assert_close(known[layer], mean, rtol=1e-3, atol=1e-5)
        assert mean.mean().item() == pytest.approx(CAFFE_MEANS[layer], rel=2e-3), layer
