"""`weights` on the command line."""

import hashlib

import pytest
import torch

from nst_core.__main__ import main
from nst_core.features import checkpoint, download, weights
from nst_core.transfer.config import SETTINGS
from tests.classifier_file import save_known
from tests.weights_server import WeightsServer


@pytest.mark.parametrize("backbone", SETTINGS["backbone"].choices)
def test_weights_says_which_file_is_used(narrow_weights, capsys, backbone):
    assert main(["weights", "--backbone", backbone]) == 0
    out = capsys.readouterr().out
    assert str(narrow_weights / weights._file_name(backbone)) in out and "NST_WEIGHTS" in out


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A computer without weights."""
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.mark.parametrize("words", [[], ["--classifier"]])
def test_weights_that_are_not_here_are_said_to_be_missing(bare, capsys, words):
    assert main(["weights", *words]) == 1
    err = capsys.readouterr().err
    assert "error: " in err and "--download" in err and "Traceback" not in err


def test_a_classifier_that_is_here_is_said(bare, capsys):
    path = save_known(bare / "cache/vgg19-dcbb9e9d.pth")
    assert main(["weights", "--classifier"]) == 0
    assert capsys.readouterr().out == f"VGG-19's classifier: {path} (cache)\n"


def test_the_classifier_is_fetched_when_that_is_asked_for_and_only_then(bare, capsys, monkeypatch):
    monkeypatch.setitem(checkpoint.ARCHITECTURES, "vgg19", (4,))
    for name in checkpoint.CLASSIFIER_LAYERS:
        monkeypatch.setitem(checkpoint.CLASSIFIER_LAYERS, name, (4, 4))
    shapes = checkpoint.expected_shapes(checkpoint.CLASSIFIER)
    torch.save({name: torch.ones(shape) for name, shape in shapes.items()}, bare / "whole.pth")
    whole = (bare / "whole.pth").read_bytes()
    with WeightsServer() as server:
        path = f"/vgg19-{hashlib.sha256(whole).hexdigest()[:8]}.pth"
        server.files[path] = whole
        published = download.Publication("someone/vgg19", "0" * 40, server.url + path, len(whole))
        monkeypatch.setitem(download.PUBLISHED, "vgg19", published)
        assert main(["weights", "--classifier"]) == 1
        assert not server.requests
        assert main(["weights", "--classifier", "--download"]) == 0
        assert main(["weights", "--classifier", "--download"]) == 0
    assert str(bare / "cache" / path[1:]) in capsys.readouterr().out
    assert len(server.requests) == 1


def test_a_network_is_named_once(bare, capsys):
    with pytest.raises(SystemExit):
        main(["weights", "--classifier", "--backbone", "vgg16"])
    assert "not allowed with" in capsys.readouterr().err
