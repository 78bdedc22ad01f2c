"""Decoders: their shape, what they begin as, their file."""

import pytest
import torch
from safetensors.torch import save_file

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import WeightsError
from nst_core.features.loading import load_network
from nst_core.universal.decoders import BUNDLED, LEVELS, Decoders, load_decoders, save_decoders

CPU = Compute(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def decoders() -> Decoders:
    return load_decoders()


def test_each_level_becomes_a_picture_of_its_size(decoders):
    network, _ = load_network("lite", CPU)
    image = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(0))
    seen = network(image, LEVELS, padding="reflect")
    for level in LEVELS:
        made = decoders(level, seen[level])
        assert made.shape == image.shape and made.dtype == torch.float32


def test_those_that_come_along_give_back_a_photograph_the_shallower_the_better(decoders):
    network, _ = load_network("lite", CPU)
    photo = images.cover(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), (128, 128))
    seen = network(photo, LEVELS, padding="reflect")
    lost = [float((decoders(level, seen[level]) - photo).square().mean() / photo.var()) for level in LEVELS]
    assert lost == sorted(lost, reverse=True) and lost[0] < 0.3 and lost[-1] < 0.01


def test_they_take_few_bytes():
    assert BUNDLED.stat().st_size <= 6e6


def test_a_file_gives_back_what_was_written(decoders, tmp_path):
    save_decoders(decoders, tmp_path / "d.safetensors", {"steps": "3"})
    again = load_decoders(tmp_path / "d.safetensors")
    for (name, value), (_, other) in zip(decoders.state_dict().items(), again.state_dict().items(), strict=True):
        assert torch.equal(value, other), name


def test_a_file_that_holds_something_else_is_refused(decoders, tmp_path):
    path, state = tmp_path / "d.safetensors", {name: value.clone() for name, value in decoders.state_dict().items()}
    with pytest.raises(WeightsError, match="there is no file"):
        load_decoders(path)
    first = next(iter(state))
    wrong = {
        "cannot be read as decoders": b"Dear reader",
        "holds other tensors": {name: value for name, value in state.items() if name != first},
        "holds other tensors than": state | {first: state[first][:1].clone()},
        "no finite numbers": state | {first: state[first] * torch.nan},
    }
    for words, content in wrong.items():
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save_file(content, path)
        with pytest.raises(WeightsError, match=words):
            load_decoders(path)
