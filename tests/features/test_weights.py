import hashlib
import json
import os
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save_file

from nst_core.errors import ConfigError, WeightsError
from nst_core.features import checkpoint, weights
from nst_core.features.checkpoint import TEACHERS
from nst_core.features.weights import ARCHITECTURES, Checkpoint, find, load, places, require


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer without weights, and networks so small that their files are a few kilobytes."""
    monkeypatch.setitem(ARCHITECTURES, "vgg19", (4, "M", 8, 4))
    monkeypatch.setitem(ARCHITECTURES, "vgg16", (4, "M", 8))
    monkeypatch.setitem(ARCHITECTURES, "lite", (2, "M", 4, 4))
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for folder in ("cache", "torch/hub/checkpoints", "mine"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def state_of(backbone="vgg19", **changes):
    """Random weights of a backbone, with a classifier as published files have."""
    torch.manual_seed(0)
    state = {name: torch.randn(shape) for name, shape in checkpoint.expected_shapes(backbone).items()}
    return state | {"classifier.0.weight": torch.randn(4, 4)} | changes


def put(path: Path, state=None) -> Path:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(state or state_of(), path)
    else:
        torch.save(state or state_of(), path)
    return path


# What the networks are


@pytest.mark.parametrize("backbone", sorted(ARCHITECTURES.keys() - TEACHERS.keys()))
def test_a_checkpoint_holds_the_convolutions_of_torchvisions_network(backbone):
    with torch.device("meta"):
        features = getattr(torchvision.models, backbone)().features
    theirs = {f"features.{name}": tuple(tensor.shape) for name, tensor in features.state_dict().items()}
    assert checkpoint.expected_shapes(backbone) == theirs
    assert weights.download_size(backbone) == sum(4 * tensor.numel() for tensor in features.parameters())


def test_every_backbone_has_a_title():
    assert weights.TITLES.keys() == ARCHITECTURES.keys()


# Finding


def test_places_are_searched_in_their_order(home, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(home / "mine"))
    files = [
        ("NST_WEIGHTS", put(home / "mine/vgg19_features.safetensors")),
        ("NST_WEIGHTS", put(home / "mine/vgg19-0123abcd.pth")),
        ("cache", put(home / "cache/vgg19_features.safetensors")),
        ("cache", put(home / "cache/vgg19-dcbb9e9d.pth")),
        ("torch.hub cache", put(home / "torch/hub/checkpoints/vgg19-dcbb9e9d.pth")),
    ]
    assert len(places("vgg19")) == len(files)
    for (origin, path), place in zip(files, places("vgg19"), strict=True):
        assert path.match(str(place))
        assert find("vgg19") == Checkpoint("vgg19", path, origin)
        path.unlink()
    assert find("vgg19") is None


def test_the_cache_is_where_the_platform_keeps_caches(home, monkeypatch):
    monkeypatch.delenv("NST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert places("vgg19")[0] == home / "xdg/neural-style-lab/vgg19_features.safetensors"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(home))
    assert places("vgg19")[0] == home / ".cache/neural-style-lab/vgg19_features.safetensors"


def test_a_network_with_batch_normalisation_is_another_network(home):
    put(home / "torch/hub/checkpoints/vgg19_bn-c79401a0.pth")
    assert find("vgg19") is None


@pytest.mark.parametrize("name", ["my_VGG19.safetensors", "vgg19-dcbb9e9d.pth"])
def test_a_named_file_is_for_the_backbone_in_its_name(name, home, monkeypatch):
    path = put(home / "mine" / name)
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    assert find("vgg19") == Checkpoint("vgg19", path, "NST_WEIGHTS")
    assert find("vgg16") is None


@pytest.mark.parametrize("name", ["model.safetensors", "weights.pth"])
def test_a_named_file_with_a_plain_name_is_for_the_backbone_it_fits(name, home, monkeypatch):
    path = put(home / "mine" / name, {k: v for k, v in state_of("vgg16").items() if "classifier" not in k})
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    assert find("vgg16") == Checkpoint("vgg16", path, "NST_WEIGHTS")
    assert find("vgg19") is None


def test_a_named_place_without_this_backbone_leads_on_to_the_cache(home, monkeypatch):
    put(home / "mine/vgg16_features.safetensors", state_of("vgg16"))
    path = put(home / "cache/vgg19_features.safetensors")
    for named in ("mine", "mine/vgg16_features.safetensors"):
        monkeypatch.setenv("NST_WEIGHTS", str(home / named))
        assert find("vgg19") == Checkpoint("vgg19", path, "cache")


def test_a_named_place_that_does_not_exist_is_said_and_not_passed_over(home, monkeypatch):
    put(home / "cache/vgg19_features.safetensors")
    monkeypatch.setenv("NST_WEIGHTS", str(home / "typo"))
    for ask in (find, require, weights.download):
        with pytest.raises(WeightsError, match=r"NST_WEIGHTS is .*typo', which does not exist"):
            ask("vgg19")


def test_a_named_file_that_cannot_be_read_is_said(home, monkeypatch):
    path = home / "mine/weights.pth"
    path.write_bytes(b"<html>")
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    with pytest.raises(WeightsError, match=r"weights\.pth.*damaged.*set it to another"):
        find("vgg19")


def test_looking_for_weights_reads_no_file(home, monkeypatch):
    path = home / "cache/vgg19_features.safetensors"
    path.write_bytes(b"not read")
    assert find("vgg19").path == path


def test_missing_weights_say_where_they_were_looked_for_and_how_to_get_them(home):
    with pytest.raises(WeightsError) as caught:
        require("vgg16")
    message = str(caught.value)
    for place in places("vgg16"):
        assert str(place) in message
    for way in ("Download VGG-16 (0 MB)", "-m nst_core weights --backbone vgg16 --download", "NST_WEIGHTS"):
        assert way in message


@pytest.mark.parametrize("ask", [find, require, places, weights.download])
def test_an_unknown_backbone_is_refused_with_the_choices(ask, home):
    with pytest.raises(ConfigError, match="'vgg11'; choose one of vgg19, vgg16"):
        ask("vgg11")


# Loading


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth", "old.pth"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_any_format_and_precision_gives_the_convolutions_in_float32(name, dtype, tmp_path, home):
    stored = {key: tensor.to(dtype) for key, tensor in state_of().items()}
    if name == "old.pth":  # as torchvision's own files are
        torch.save(stored, tmp_path / name, _use_new_zipfile_serialization=False)
    else:
        put(tmp_path / name, stored)
    loaded = load(Checkpoint("vgg19", tmp_path / name, "cache"))
    assert list(loaded) == [f"features.{index}.{kind}" for index in (0, 3, 5) for kind in ("weight", "bias")]
    for key, tensor in loaded.items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, stored[key].float(), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
def test_loaded_weights_do_not_hang_on_their_file(name, tmp_path, home):
    path = put(tmp_path / name)
    loaded = load(Checkpoint("vgg19", path, "cache"))
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    torch.testing.assert_close(loaded["features.0.weight"], state_of()["features.0.weight"])


def _without(name):
    state = state_of()
    del state[name]
    return state


DAMAGES = {
    "a missing tensor": (lambda: _without("features.3.bias"), r"features\.3\.bias is missing"),
    "a wrong shape": (lambda: state_of(**{"features.3.weight": torch.ones(8, 4, 1, 1)}), "8×4×1×1, not 8×4×3×3"),
    "NaN": (lambda: state_of(**{"features.3.bias": torch.full((8,), torch.nan)}), r"features\.3\.bias holds NaN"),
    "infinity": (lambda: state_of(**{"features.3.bias": torch.full((8,), torch.inf)}), r"features\.3\.bias holds NaN"),
    "integers": (lambda: state_of(**{"features.3.bias": torch.ones(8, dtype=torch.int64)}), "not floating-point"),
}


@pytest.mark.parametrize("name", ["vgg19_features.safetensors", "vgg19-dcbb9e9d.pth"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_checkpoint_with_a_flaw_is_refused_by_name(damage, name, home):
    make, words = DAMAGES[damage]
    path = put(home / "mine" / name, make())
    with pytest.raises(WeightsError, match=words) as caught:
        load(Checkpoint("vgg19", path, "cache"))
    assert str(path) in str(caught.value)
    assert "delete it and download VGG-19 again" in str(caught.value)


@pytest.mark.parametrize("name", ["vgg19_features.safetensors", "vgg19-dcbb9e9d.pth"])
@pytest.mark.parametrize("part", ["nothing", "a web page", "its first half", "its second half", "noise", "a text"])
def test_a_damaged_file_is_refused_by_name(part, name, home):
    path = put(home / "mine" / name)
    whole = path.read_bytes()
    contents = {
        "nothing": b"",
        "a web page": b"<html>Not here</html>" * 9,
        "its first half": whole[: len(whole) // 2],
        "its second half": whole[len(whole) // 2 :],
        "noise": torch.randint(256, (999,), generator=torch.manual_seed(0), dtype=torch.uint8).numpy().tobytes(),
        "a text": "Gewichte für später".encode("latin-1"),
    }
    path.write_bytes(contents[part])
    with pytest.raises(WeightsError) as caught:
        load(Checkpoint("vgg19", path, "cache"))
    assert str(path) in str(caught.value)


def changed(path: Path, old: bytes, new: bytes) -> None:
    """Overwrite bytes of a file, wherever they are."""
    data = path.read_bytes()
    assert old in data and len(old) == len(new)
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("vgg19-a.pth", b"vgg19-a/data/0", b"v\x11g19\x03a/data/0"),
        ("vgg19-a.pth", b"little", b"litt\0e"),
        ("vgg19_features.safetensors", b'"F32"', b'"F\x7f2"'),
    ],
)
def test_what_a_damaged_file_is_refused_with_can_be_read(name, old, new, home):
    path = put(home / name)
    changed(path, old, new)
    with pytest.raises(WeightsError, match="vgg19") as caught:
        load(Checkpoint("vgg19", path, "cache"))
    assert str(caught.value).isprintable()


def test_a_pickle_that_calls_itself_another_kind_brings_no_warning_of_torchs(home):
    torch.save(state_of(), home / "vgg19.pth", _use_new_zipfile_serialization=False)
    changed(home / "vgg19.pth", b"\x80\x02", b"\x80\x06")
    with warnings.catch_warnings(record=True) as told, suppress(WeightsError):
        warnings.simplefilter("always")
        load(Checkpoint("vgg19", home / "vgg19.pth", "cache"))
    assert not told


def test_a_checkpoint_that_vanished_is_refused_by_name(home):
    for name in ("gone.pth", "gone.safetensors"):
        with pytest.raises(WeightsError, match=name):
            load(Checkpoint("vgg19", home / name, "cache"))


def test_a_file_that_is_no_dictionary_is_refused(home):
    torch.save([torch.ones(3)], home / "list.pth")
    with pytest.raises(WeightsError, match="it holds a list"):
        load(Checkpoint("vgg19", home / "list.pth", "cache"))


def test_the_remedy_for_a_named_file_is_not_to_delete_it(home):
    (home / "mine/vgg19.pth").write_bytes(b"")
    with pytest.raises(WeightsError, match="set NST_WEIGHTS to another file or folder, or unset it") as caught:
        load(Checkpoint("vgg19", home / "mine/vgg19.pth", "NST_WEIGHTS"))
    assert "delete" not in str(caught.value)


class _MakesFolder:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_none(zipped, home):
    state = state_of(extra=_MakesFolder(str(home / "trace")))
    torch.save(state, home / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="more than numbers"):
        load(Checkpoint("vgg19", home / "evil.pth", "cache"))
    assert not (home / "trace").exists()


# The hash


def test_the_hash_is_that_of_the_file_and_follows_its_changes(home):
    found = Checkpoint("vgg19", put(home / "a.pth"), "cache")
    assert found.sha256() == hashlib.sha256(found.path.read_bytes()).hexdigest()
    found.path.write_bytes(b"another")
    assert found.sha256() == hashlib.sha256(b"another").hexdigest()


def test_the_hash_is_computed_once(home, monkeypatch):
    found = Checkpoint("vgg19", put(home / "a.pth"), "cache")
    once = found.sha256()
    monkeypatch.delattr(hashlib, "file_digest")
    assert found.sha256() == once


# The real thing


@pytest.mark.weights
def test_the_weights_of_this_computer_are_those_of_vgg19():
    state = load(require("vgg19"))
    assert len(state) == 32
    assert sum(4 * tensor.numel() for tensor in state.values()) == weights.download_size("vgg19") == 80_097_536


# What comes with the program


@pytest.mark.parametrize("named", [None, "vgg19_features.safetensors"])
def test_lite_is_the_programs_own_unless_a_file_of_its_name_is_given(home, monkeypatch, named):
    monkeypatch.setattr(weights, "BUNDLED", home / "bundled")
    bundled = put(home / "bundled/vgg19_lite.safetensors", {"features.0.bias": torch.zeros(1)})
    if named:
        put(home / "mine" / named)
        monkeypatch.setenv("NST_WEIGHTS", str(home / "mine"))
    assert find("lite") == Checkpoint("lite", bundled, "this program")
    own = put(home / "mine/vgg19_lite.safetensors", {"features.0.bias": torch.zeros(1)})
    for path in (own, own.parent):
        monkeypatch.setenv("NST_WEIGHTS", str(path))
        assert find("lite") == Checkpoint("lite", own, "NST_WEIGHTS")
    assert find("vgg19") != Checkpoint("vgg19", own, "NST_WEIGHTS")


def test_a_program_without_lite_says_how_to_mend_that(home, monkeypatch):
    monkeypatch.setattr(weights, "BUNDLED", home / "nothing")
    for attempt in (require, weights.download):
        with pytest.raises(WeightsError, match="fetch the program again") as caught:
            attempt("lite")
        assert "vgg19_lite.safetensors" in str(caught.value)
    put(home / "nothing/vgg19_lite.safetensors", {"features.0.bias": torch.zeros(1)})
    with pytest.raises(WeightsError, match="features.0.weight is missing; it is part of this program"):
        load(require("lite"))


def test_lite_is_small_half_precision_and_says_where_it_comes_from():
    path = weights.BUNDLED / "vgg19_lite.safetensors"
    assert path.stat().st_size <= 10_000_000
    with safe_open(path, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        header = file.metadata()
    assert header["licence"] == "distilled from VGG-19 (Simonyan & Zisserman 2014, CC BY 4.0)"
    assert header.keys() >= {"teacher", "images", "recipe", "date", "errors"}
    load(require("lite"))


def test_lites_errors_are_as_small_as_promised():
    with safe_open(weights.BUNDLED / "vgg19_lite.safetensors", framework="pt") as file:
        errors = json.loads(file.metadata()["errors"])
    limits = {"conv1_1": 0.005, "conv2_1": 0.089, "conv3_1": 0.135, "conv4_1": 0.129, "conv4_2": 0.13, "conv5_1": 0.3}
    for layer, limit in limits.items():
        assert errors[layer] < limit
