"""Files of trained styles: what is written comes back, and nothing else is taken for one."""

import io
import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from nst_core import images
from nst_core.errors import WeightsError
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.styles import SHOWN, StyleFile, load_styles, save_styles, thumbnails


@pytest.fixture
def file(tmp_path):
    network = TransformationNetwork(["waves", "photo"], width=4)
    path = tmp_path / "styles.safetensors"
    save_styles(StyleFile(network, {"waves": b"small"}, {"images": "some"}), path)
    return network, path


def test_a_network_comes_back_as_it_was_in_half_precision(file):
    network, path = file
    file = load_styles(path)
    back = file.network
    assert (file.thumbnails, file.header) == ({"waves": b"small"}, {"images": "some"})
    assert (back.styles, back.width) == (network.styles, network.width)
    for name, tensor in network.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor.half().float())
    picture = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        shares = network.shares_of({"waves": 1.0})
        torch.testing.assert_close(back(picture, shares), network(picture, shares), rtol=0, atol=0.02)


def rewritten(path, *, header=None, tensors=None):
    """The file with another header or other tensors."""
    state = load_file(path) | (tensors or {})
    save_file(state, path, {"styles": json.dumps(["waves", "photo"]), "width": "4"} | (header or {}))


SPOILT = {
    "a text": lambda path: path.write_text("Dear reader"),
    "a pickle": lambda path: path.write_bytes(pickle.dumps({"styles": 1})),
    "a torch checkpoint": lambda path: torch.save({"a": torch.ones(2)}, path),
    "half a file": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "an empty file": lambda path: path.write_bytes(b""),
    "no header": lambda path: save_file(load_file(path), path),
    "another number of styles": lambda path: rewritten(path, header={"styles": json.dumps(["waves"])}),
    "no style": lambda path: rewritten(path, header={"styles": "[]"}),
    "another width": lambda path: rewritten(path, header={"width": "8"}),
    "a width that is no number": lambda path: rewritten(path, header={"width": "wide"}),
    "a tensor more": lambda path: rewritten(path, tensors={"more": torch.ones(2)}),
    "no photo": lambda path: rewritten(path, header={"styles": json.dumps(["waves", "stars"])}),
    "thumbnails that are none": lambda path: rewritten(path, header={"thumbnails": '["waves"]'}),
    "a thumbnail that is none": lambda path: rewritten(path, header={"thumbnails": '{"waves": "§"}'}),
    "not a number": lambda path: rewritten(path, tensors={"last.norm.scale": torch.full((2, 3), torch.nan)}),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_nothing_else_is_taken_for_a_file_of_styles(file, kind):
    _, path = file
    SPOILT[kind](path)
    with pytest.raises(WeightsError, match="styles.safetensors"):
        load_styles(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match="there is no file"):
        load_styles(tmp_path / "none.safetensors")


def test_a_file_that_cannot_be_written_is_named(file, tmp_path):
    with pytest.raises(WeightsError, match="could not be written"):
        save_styles(StyleFile(file[0]), tmp_path / "none" / "styles.safetensors")


def test_a_thumbnail_is_a_photograph_painted_in_its_style(file):
    network, _ = file
    small = {name: images.load(io.BytesIO(jpeg)) for name, jpeg in thumbnails(network).items()}
    assert small.keys() == {"waves"} and images.size_of(small["waves"]) == (160, 160)
    photo = images.cover(images.load(SHOWN), (256, 256))
    painted = network(photo, network.shares_of({"waves": 1.0})).detach()
    seen, there = (images.resize(image, (16, 16)) for image in (small["waves"], painted))
    assert (seen - there).abs().mean() < 0.02 < (seen - images.resize(photo, (16, 16))).abs().mean()
