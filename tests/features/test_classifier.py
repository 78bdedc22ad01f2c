import gc
import hashlib
import weakref

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from nst_core.devices import Compute
from nst_core.errors import DownloadError, WeightsError
from nst_core.features import checkpoint, classifier, download, remote, weights
from nst_core.features.checkpoint import CLASSIFIER, expected_shapes
from tests import weights_server as manners
from tests.classifier_file import OTHER, OTHER_LABEL, RED, RED_LABEL, known_state, save_known
from tests.stand_ins import DEVICES
from tests.weights_server import WeightsServer

CPU = Compute(device="cpu", precision="fp32")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer without weights."""
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def small(monkeypatch):
    """Networks so small that their files are a few kilobytes; nothing can be classified with them."""
    monkeypatch.setitem(checkpoint.ARCHITECTURES, "vgg19", (4, "M", 8, "M"))
    for name, shape in {"classifier.0": (32, 6), "classifier.3": (6, 5), "classifier.6": (5, 4)}.items():
        monkeypatch.setitem(checkpoint.CLASSIFIER_LAYERS, name, shape)


def state_of(network=CLASSIFIER, **changes):
    torch.manual_seed(0)
    return {name: torch.randn(shape) for name, shape in expected_shapes(network).items()} | changes


def put(path, state=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    save = save_file if path.suffix == ".safetensors" else torch.save
    save(state or state_of(), path)
    return path


def plain(red, green, blue, size=(40, 60)):
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1).expand(1, 3, *size)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """The classifier whose answers are known."""
    path = save_known(tmp_path_factory.mktemp("known") / "vgg19-00000000.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_WEIGHTS", str(path))
        yield classifier.load_classifier(CPU)
        classifier.forget_classifier()


# What it is


def torchvisions_network(state):
    """torchvision's own, with these weights."""
    with torch.device("meta"):
        network = torchvision.models.vgg19()
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def test_the_checkpoint_is_torchvisions():
    with torch.device("meta"):
        state = torchvision.models.vgg19().state_dict()
    assert expected_shapes(CLASSIFIER) == {name: tuple(tensor.shape) for name, tensor in state.items()}


def test_the_size_that_is_shown_is_the_files():
    theirs = torchvision.models.VGG19_Weights.IMAGENET1K_V1
    assert f"{theirs.meta['_file_size']:.0f} MB" in weights.download_label(CLASSIFIER)


def test_it_says_what_torchvisions_network_says(home):
    generator = torch.Generator().manual_seed(0)
    state = known_state() | {"classifier.6.weight": 0.01 * torch.randn(1000, 4096, generator=generator)}
    spreads = {"features.0.bias": 0.3, "classifier.0.bias": 3.0, "classifier.3.bias": 3.0, "classifier.6.bias": 0.3}
    for name, spread in spreads.items():  # so that about a third of each layer is below 0
        state[name] = spread * torch.randn(state[name].shape, generator=generator)
    image = torch.rand(1, 3, 300, 401, generator=generator) * plain(1.0, 0.6, 0.2, (300, 401))
    theirs = torchvision.models.VGG19_Weights.IMAGENET1K_V1.transforms()
    expected = torchvisions_network(state)(theirs(image)).softmax(1)[0]
    assert expected.max() < 0.5 and expected.std() > 5e-4  # no two alike, none sure
    torch.testing.assert_close(classifier.Classifier(state)(image), expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("size", [(300, 401), (500, 224), (40, 60), (1000, 257)])
def test_pictures_enter_as_torchvisions_do(size):
    theirs = torchvision.models.VGG19_Weights.IMAGENET1K_V1.transforms()
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (theirs.mean, theirs.std))
    torch.testing.assert_close((classifier.prepared(image) - mean) / deviation, theirs(image))


def test_what_is_outside_of_the_pixel_range_counts_as_its_edge():
    torch.testing.assert_close(classifier.prepared(plain(1.5, -1.0, 0.5)), classifier.prepared(plain(1.0, 0.0, 0.5)))


@pytest.mark.parametrize("colour, number", [((1.0, 0.0, 0.0), RED), ((0.0, 0.0, 1.0), OTHER), ((0.5, 0.5, 0.5), OTHER)])
def test_a_known_network_gives_its_known_answer(known, colour, number):
    first = known.classify(plain(*colour))[0]
    assert first.number == number and first.probability > 0.9
    assert first.label == {RED: RED_LABEL, OTHER: OTHER_LABEL}[number]


def test_guesses_are_of_all_categories_the_likeliest_first(known):
    guesses = known.classify(plain(1.0, 0.0, 0.2))
    assert sorted(guess.number for guess in guesses) == list(range(1000))
    probabilities = [guess.probability for guess in guesses]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    assert classifier.categories()[guesses[0].number] == guesses[0].label


def test_classifying_leaves_no_gradient_and_no_trace(known):
    image = plain(1.0, 0.0, 0.0).clone().requires_grad_(True)
    before = image.detach().clone()
    assert not known(image).requires_grad and torch.is_grad_enabled()
    assert torch.equal(image.detach(), before)


@pytest.mark.parametrize("device", [name for name in DEVICES if name != "cpu"])
def test_other_devices_say_the_same(known, device, home, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(save_known(home / "vgg19-00000000.pth")))
    other = classifier.load_classifier(Compute(device=device, precision="fp32"))
    image = plain(1.0, 0.0, 0.5)
    torch.testing.assert_close(other(image).cpu(), known(image), rtol=1e-2, atol=1e-4)
    classifier.forget_classifier()


def test_in_half_precision_it_holds_half_the_bytes_and_says_the_same(home, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(save_known(home / "vgg19-00000000.pth")))
    half = classifier.load_classifier(Compute(device="cpu", precision="bf16"))
    assert {tensor.dtype for tensor in half.buffers()} == {torch.bfloat16}
    probabilities = half(plain(1.0, 0.0, 0.0))
    assert probabilities.dtype == torch.float32 and probabilities.argmax() == RED
    classifier.forget_classifier()


@pytest.mark.parametrize(
    "probability, text", [(0.614, "tabby 61 %"), (1.0, "tabby 100 %"), (0.01, "tabby 1 %"), (0.004, "tabby < 1 %")]
)
def test_a_guess_reads_as_people_say_it(probability, text):
    assert str(classifier.Guess("tabby", probability, 281)) == text


# Where it is


def test_places_are_searched_in_their_order(home, small, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(home / "mine"))
    files = [
        ("NST_WEIGHTS", put(home / "mine/vgg19_classifier.safetensors")),
        ("NST_WEIGHTS", put(home / "mine/vgg19-0123abcd.pth")),
        ("cache", put(home / "cache/vgg19_classifier.safetensors")),
        ("cache", put(home / "cache/vgg19-dcbb9e9d.pth")),
        ("torch.hub cache", put(home / "torch/hub/checkpoints/vgg19-dcbb9e9d.pth")),
    ]
    assert len(weights.places(CLASSIFIER)) == len(files)
    for origin, path in files:
        assert classifier.find() == weights.Checkpoint(CLASSIFIER, path, origin)
        path.unlink()
    assert classifier.find() is None


@pytest.mark.parametrize("name", ["vgg19-dcbb9e9d.pth", "vgg19_features.safetensors", "vgg16-0.pth", "model.pth"])
def test_a_named_file_is_a_classifier_by_what_it_holds_and_not_by_its_name(name, home, small, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(put(home / name)))
    assert classifier.find().path == home / name
    put(home / name, state_of("vgg19"))
    assert classifier.find() is None


@pytest.mark.parametrize("name", ["vgg19_features.safetensors", "vgg19-0.pth", "vgg19_classifier.safetensors"])
def test_a_file_with_the_convolutions_alone_is_passed_over(name, home, small, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(put(home / "mine" / name, state_of("vgg19")).parent))
    assert classifier.find() is None
    whole = put(home / "torch/hub/checkpoints/vgg19-1.pth")
    assert classifier.find().path == whole


def test_a_network_of_other_categories_is_passed_over(home, small):
    put(home / "cache/vgg19-1.pth", state_of(**{"classifier.6.weight": torch.ones(9, 5)}))
    assert classifier.find() is None


def test_a_broken_file_in_a_cache_is_passed_over_and_one_that_was_named_is_said(home, small, monkeypatch):
    path = home / "cache/vgg19-dcbb9e9d.pth"
    path.parent.mkdir()
    path.write_bytes(b"<html>")
    assert classifier.find() is None
    monkeypatch.setenv("NST_WEIGHTS", str(path))
    with pytest.raises(WeightsError, match="NST_WEIGHTS is .*damaged"):
        classifier.find()


def test_a_missing_classifier_says_how_large_it_is_and_how_to_get_it(home):
    with pytest.raises(WeightsError) as caught:
        classifier.require()
    message = str(caught.value)
    for place in weights.places(CLASSIFIER):
        assert str(place) in message
    for way in ("“Download the classifier (548 MB)”", "weights --classifier --download", "put vgg19-dcbb9e9d.pth into"):
        assert way in message


def test_a_damaged_classifier_says_what_is_wrong(home, small):
    put(home / "cache/vgg19-1.pth", state_of(**{"classifier.3.bias": torch.full((5,), torch.nan)}))
    with pytest.raises(WeightsError, match="no use as VGG-19's classifier: classifier.3.bias holds NaN.*; delete it"):
        classifier.load_classifier(CPU)


# What it keeps


def test_it_is_loaded_once_and_forgotten_when_told(home, small):
    put(home / "cache/vgg19-1.pth")
    first = classifier.load_classifier(CPU)
    assert classifier.load_classifier(CPU) is first
    kept = weakref.ref(first)
    del first
    assert kept() is not None
    classifier.forget_classifier()
    gc.collect()
    assert kept() is None


def test_torchvisions_own_file_is_not_held_twice(home, small):
    path = home / "vgg19-1.pth"
    torch.save(state_of(), path, _use_new_zipfile_serialization=False)
    read = checkpoint._tensors
    handed = {}

    def noting(*arguments):
        tensors = read(*arguments)
        handed.update({name: tensor.data_ptr() for name, tensor in tensors.items()})
        return tensors

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "_tensors", noting)
        state = checkpoint.read(path, CLASSIFIER)
    assert {name: tensor.data_ptr() for name, tensor in state.items()} == handed


# How it comes here


@pytest.fixture
def server(home, small, monkeypatch):
    """A server that stands for torchvision's."""
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.01)
    torch.save(state_of(), home / "whole.pth", _use_new_zipfile_serialization=False)
    whole = (home / "whole.pth").read_bytes()
    with WeightsServer() as server:
        server.path = f"/models/vgg19-{hashlib.sha256(whole).hexdigest()[:8]}.pth"
        server.files = {server.path: whole}
        published = download.Publication("someone/vgg19", "0" * 40, server.url + server.path, len(whole))
        monkeypatch.setitem(download.PUBLISHED, "vgg19", published)
        yield server


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if not path.name.endswith(".lock"))


def test_a_download_is_torchvisions_file_and_serves_as_the_backbone_too(server, home):
    steps = list(classifier.download())
    assert steps[-1].note == "done" and steps[-1].done_bytes == len(server.files[server.path])
    name = server.path.rpartition("/")[2]
    assert files_in(home / "cache") == [name]
    assert (home / "cache" / name).read_bytes() == server.files[server.path]
    assert classifier.require() == weights.Checkpoint(CLASSIFIER, home / "cache" / name, "cache")
    assert weights.find("vgg19") == weights.Checkpoint("vgg19", home / "cache" / name, "cache")
    for key, tensor in weights.load(classifier.find()).items():
        assert torch.equal(tensor, state_of()[key])


def test_what_is_here_is_not_fetched_again_and_what_is_damaged_is(server, home):
    list(classifier.download())
    server.requests.clear()
    assert list(classifier.download())[-1].note == "already here" and not server.requests
    classifier.find().path.write_bytes(b"damaged")
    list(classifier.download())
    assert server.requests and classifier.find()


def test_asking_for_a_classifier_downloads_nothing(server):
    for ask in (classifier.find, lambda: weights.places(CLASSIFIER)):
        ask()
    with pytest.raises(WeightsError):
        classifier.load_classifier(CPU)
    assert not server.requests


def test_another_file_than_the_one_published_is_refused(server, home):
    server.files[server.path] += b"tampered with"
    with pytest.raises(DownloadError, match="VGG-19's classifier could not be downloaded.*sha256.*set NST_WEIGHTS"):
        list(classifier.download())
    assert files_in(home / "cache") == []


def test_a_file_that_is_no_classifier_is_refused_though_its_hash_is_right(server, home, monkeypatch):
    monkeypatch.setitem(checkpoint.CLASSIFIER_LAYERS, "classifier.6", (5, 7))
    with pytest.raises(DownloadError, match="classifier.6.weight is 4×5, not 7×5"):
        list(classifier.download())
    assert files_in(home / "cache") == []


def test_a_cut_connection_goes_on_where_it_was_cut(server):
    server.manners[server.path] = manners.first(manners.cut)
    list(classifier.download())
    assert server.sent[server.path] == len(server.files[server.path])
    assert classifier.find()


def test_a_download_closed_half_way_leaves_nothing_behind(server, home):
    server.manners[server.path] = manners.pausing
    server.files[server.path] += b"0" * 100_000  # so that it pauses
    steps = classifier.download()
    next(step for step in steps if step.done_bytes)
    steps.close()
    server.go_on.set()
    assert files_in(home / "cache") == []


def test_a_disk_without_room_is_said_before_anything_is_fetched(server, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(DownloadError, match="make room or set NST_CACHE"):
        list(classifier.download())
    assert not server.requests
