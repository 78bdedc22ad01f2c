"""Networks ready on a device: loaded once, on the scale that is wanted."""

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import WeightsError
from nst_core.features.loading import fitting_backbone, load_network
from nst_core.features.scale import FEATURE_SCALES
from tests.runs import CPU
from tests.stand_ins import DEVICES


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("device", DEVICES)
def test_a_network_is_loaded_once_for_each_device_and_precision(random_weights, device):
    exact, half = (Compute(device=device, precision=precision) for precision in ("fp32", "bf16"))
    network, checkpoint = load_network("vgg16", exact)
    assert load_network("vgg16", exact)[0] is network
    assert load_network("vgg16", half)[0].conv1_1_weight.dtype == torch.bfloat16
    assert network.conv1_1_weight.dtype == torch.float32
    assert network.conv1_1_weight.device.type == device
    assert checkpoint.path == random_weights / "vgg16_features.safetensors"


def test_a_loaded_network_sees_what_its_file_says(random_weights, random_vgg, image):
    network, _ = load_network("vgg19", Compute(device="cpu", precision="fp32"))
    torch.testing.assert_close(
        network(image, ["conv3_1"])["conv3_1"], random_vgg["vgg19"](image, ["conv3_1"])["conv3_1"], atol=1e-4, rtol=1e-4
    )


def test_a_network_without_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match="nowhere"):
        load_network("vgg19", Compute(device="cpu", precision="fp32"))


@pytest.mark.parametrize("backbone", ["vgg19", "vgg16", "lite"])
def test_each_scale_is_a_network_of_its_own_and_loaded_once(random_weights, image, backbone):
    networks = {scale: load_network(backbone, CPU, scale)[0] for scale in FEATURE_SCALES}
    seen = [network(image, ["conv3_1"])["conv3_1"] for network in networks.values()]
    assert not any(torch.equal(one, other) for one, other in zip(seen, seen[1:] + seen[:1], strict=True))
    assert all(load_network(backbone, CPU, scale)[0] is network for scale, network in networks.items())


def test_the_fitting_network_is_the_wanted_one_only_where_it_is_here_and_fast(random_weights, tmp_path, monkeypatch):
    cpu, cuda = Compute(device="cpu", precision="fp32"), Compute(device="cuda", precision="bf16")
    assert [fitting_backbone("vgg16", compute) for compute in (cpu, cuda)] == ["lite", "vgg16"]
    monkeypatch.setenv("NST_WEIGHTS", str(tmp_path / "typo"))
    assert fitting_backbone("vgg19", cuda) == "lite"
    for name in ("NST_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("NST_WEIGHTS")
    assert fitting_backbone("vgg19", cuda) == "lite"
