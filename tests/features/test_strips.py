import pytest
import torch

from nst_core.features import strips as module
from nst_core.features.strips import Strips

LAYERS = ("conv1_1_pre", "conv1_2", "conv2_1", "conv3_4_pre", "conv4_2")
SIZE = 83, 22  # odd, at the pools, too; of 6 strips in the first block


@pytest.fixture(autouse=True)
def narrow_strips(monkeypatch):
    monkeypatch.setattr(module, "STRIP_NUMBERS", 1)


@pytest.fixture
def image():
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))


WAYS = [
    {"pooling": pooling, "padding": padding, "wrap": wrap}
    for pooling, padding, wrap in (
        ("max", "zeros", False),
        ("average", "reflect", False),
        ("rescaled average", "replicate", False),
        ("max", "zeros", True),
    )
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_strips_see_what_the_network_sees_at_once(random_vgg, image, way):
    network, found, places = random_vgg["lite"], {}, {}

    def seen(layer, features, place):
        places.setdefault(layer, []).append((place.first, place.end))
        found.setdefault(layer, []).append(features)

    Strips(network, LAYERS, **way).up(image, seen)
    expected = network(image, LAYERS, bare=True, **way)
    assert found.keys() == expected.keys() and len(found["conv1_2"]) == 6
    for layer, features in expected.items():
        torch.testing.assert_close(torch.cat(found[layer], 2), features, rtol=1e-4, atol=1e-5)
        edges = [0, *(end for _, end in places[layer])]
        assert places[layer] == list(zip(edges, edges[1:], strict=False)) and edges[-1] == features.shape[2]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_strips_have_the_gradient_of_the_whole(random_vgg, image, way, again, monkeypatch):
    """Also where the first pooling's output is not kept meanwhile."""
    monkeypatch.setattr(module, "MOST_KEPT", 0 if again else 2**28)
    network = random_vgg["lite"]
    generator = torch.Generator().manual_seed(1)
    leaf = image.clone().requires_grad_(True)
    features = network(leaf, LAYERS, bare=True, **way)
    slopes = {layer: torch.randn(seen.shape, generator=generator) for layer, seen in features.items()}
    sum((slopes[layer] * seen).sum() for layer, seen in features.items()).backward()

    strips, kept = Strips(network, LAYERS, **way), image.clone()
    maps = strips.up(image, lambda layer, features, place: None, keep=True)
    assert [tuple(each.shape[2:]) for each in maps] == [(83, 22), () if again else (42, 11), (21, 6), (11, 3)]
    gradient = strips.down(maps, lambda layer, features, place: (place.of(slopes[layer]) * features).sum())
    assert not maps and torch.equal(kept, image)
    off = (gradient - leaf.grad).abs() / leaf.grad.abs().max()
    assert off.quantile(0.99) < 1e-6  # rounding may open or close a single ReLU


def test_the_gradient_in_a_poolings_output_takes_its_place(random_vgg, image, monkeypatch):
    """So that of a large picture there are never two as large as one of these; the picture stays."""
    places, of = [], Strips._gradient

    def noted(strips, block, below, *rest, **options):
        found = of(strips, block, below, *rest, **options)
        places.append(found.data_ptr() == below.data_ptr())
        return found

    monkeypatch.setattr(Strips, "_gradient", noted)
    strips = Strips(random_vgg["lite"], LAYERS)
    strips.down(strips.up(image, lambda *seen: None, keep=True), lambda layer, features, place: features.sum())
    assert places == [True, True, True, False]
