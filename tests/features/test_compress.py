"""Making Lite: the laws of its measure, and the whole command on a small scale."""

import dataclasses
import json
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import OutputError, WeightsError
from nst_core.features import compress as module
from nst_core.features import distill, weights
from nst_core.features.checkpoint import expected_shapes, load, scale_shapes
from nst_core.features.compress import compress, root_of
from nst_core.features.distill import CompressionRecipe
from nst_core.features.scale import means_in
from nst_core.features.vgg import layer_names, through
from nst_core.losses.gram import gram_matrix, squared_distance
from tests.stand_ins import random_state

SMALL = {"vgg19": (12, 12, "M", 16, 16, "M", 24), "lite": (6, 6, "M", 8, 8, "M", 24)}
CPU = Compute(device="cpu", precision="fp32")
RECIPE = CompressionRecipe(refit_crops=4, steps=4, batch=2, crop=32)


@pytest.fixture
def taps():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(24, 10, generator=generator), torch.randn(2, 1, 10, 6, 7, generator=generator)


def test_distances_through_the_root_are_those_through_the_tap(taps):
    tap, (features, target) = taps
    wide = (through(tap, features) - through(tap, target)).square().sum()
    narrow = (through(root_of(tap), features) - through(root_of(tap), target)).square().sum()
    torch.testing.assert_close(narrow, wide)


def test_gram_matrices_are_as_far_apart_through_the_root_as_through_the_tap(taps):
    tap, pair = taps
    wide = squared_distance(*(gram_matrix(through(tap, features)) for features in pair))
    narrow = squared_distance(*(gram_matrix(through(root_of(tap), features)) for features in pair))
    torch.testing.assert_close(narrow, wide)


def test_the_root_of_an_axis_aligned_tap_keeps_the_axes():
    tap = torch.diag(torch.tensor([2.0, 3.0, 0.0]))
    torch.testing.assert_close(root_of(torch.cat([tap, torch.zeros(4, 3)])), tap)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    generator = torch.Generator().manual_seed(0)
    for number in range(20):
        coarse = torch.rand(1, 3, 6, 8, generator=generator)
        images.save_png(
            torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1),
            folder / f"{number}.png",
        )
    return folder


@pytest.fixture(autouse=True)
def small_networks(tmp_path_factory, monkeypatch):
    """A small random teacher, a smaller student."""
    for backbone, architecture in SMALL.items():
        monkeypatch.setitem(weights.ARCHITECTURES, backbone, architecture)
    folder = tmp_path_factory.mktemp("teacher")
    save_file(random_state("vgg19"), folder / "vgg19_features.safetensors")
    monkeypatch.setenv("NST_WEIGHTS", str(folder))


def made(photographs, output, recipe=RECIPE):
    return list(compress(weights.require("vgg19"), photographs, output, recipe, CPU))


def test_compressing_writes_a_checkpoint_with_its_provenance(photographs, tmp_path):
    output = tmp_path / "vgg19_lite.safetensors"
    last = made(photographs, output)[-1]
    state = load(weights.Checkpoint("lite", output, "test"))
    assert state.keys() == (expected_shapes("lite") | scale_shapes("lite")).keys()
    means = means_in(state)
    assert means.keys() == set(layer_names("lite")) and all((mean > 0).any() for mean in means.values())
    with safe_open(output, framework="pt") as file:
        header = file.metadata()
    assert header["teacher"].endswith(weights.require("vgg19").sha256())
    assert json.loads(header["recipe"]) == dataclasses.asdict(RECIPE)
    assert "20 pictures" in header["images"]
    assert json.loads(header["errors"]) == {layer: round(error, 4) for layer, error in last.errors.items()}
    assert last.errors["conv1_1"] < 0.5
    assert [path.name for path in tmp_path.iterdir()] == [output.name]  # no partial file stays


def test_fine_tuning_lowers_the_errors(photographs, tmp_path):
    untuned = dataclasses.replace(RECIPE, refit_crops=16, batch=4, step_size=3e-3, steps=0)
    before = made(photographs, tmp_path / "a.safetensors", untuned)[-1].errors
    after = made(photographs, tmp_path / "b.safetensors", dataclasses.replace(untuned, steps=120))[-1].errors
    tuned = ("conv1_2", "conv2_1", "conv2_2", "conv3_1")
    assert sum(map(after.get, tuned)) < 0.95 * sum(map(before.get, tuned))


def test_an_interrupted_run_goes_on_to_the_very_same_network(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(distill, "REPORT_STEPS", 2)
    whole, halved = tmp_path / "whole.safetensors", tmp_path / "halved.safetensors"
    made(photographs, whole)
    run = compress(weights.require("vgg19"), photographs, halved, RECIPE, CPU)
    while next(run).step < 2:
        pass
    run.close()  # after the checkpoint of step 2
    assert halved.with_name("halved.safetensors.partial").exists()
    made(photographs, halved)
    states = [load(weights.Checkpoint("lite", path, "test")) for path in (whole, halved)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_run_of_another_recipe_or_folder_is_not_gone_on_with(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(distill, "REPORT_STEPS", 2)
    output = tmp_path / "lite.safetensors"
    run = compress(weights.require("vgg19"), photographs, output, RECIPE, CPU)
    while next(run).step < 2:
        pass
    run.close()
    with pytest.raises(WeightsError, match="made with other settings .recipe"):
        made(photographs, output, dataclasses.replace(RECIPE, seed=5))
    shutil.copytree(photographs, tmp_path / "others")
    shutil.copy(photographs / "1.png", tmp_path / "others" / "one_more.png")
    with pytest.raises(WeightsError, match="made with other settings .images"):
        made(tmp_path / "others", output)


@pytest.mark.parametrize("name", ["lite.pt", "absent/lite.safetensors"])
def test_a_bad_output_is_refused_before_any_work(photographs, tmp_path, name):
    with pytest.raises(OutputError, match="name a .safetensors file|does not exist"):
        next(compress(weights.require("vgg19"), photographs, tmp_path / name, RECIPE, CPU))
