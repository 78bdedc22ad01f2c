"""Styles as plain data: who is made of it on another machine paints the same, and only the same has the same key."""

import pickle

import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.errors import ConfigError
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.instant.palette import Strokes, palette_of, plain_recipe
from nst_core.steps import finish
from nst_core.transfer.color import with_colors_of
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.instant.test_painter import CPU, network_of


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")


@pytest.fixture(scope="module")
def painters() -> dict[str, Painter | UniversalPainter]:
    """Of each kind, one who knows "waves" and "stars" and more."""
    names = {"waves": "koi_mosaic", "stars": "harvest_sun", "rain": "lake_wash"}
    pictures = {style: style_picture(images.load(ASSETS / "styles" / f"{name}.jpg")) for style, name in names.items()}
    networks = [network_of("rain", seed=1), network_of("waves", "stars").to(memory_format=torch.channels_last)]
    return {"networks": Painter(networks, CPU), "pictures": UniversalPainter(pictures, CPU)}


@pytest.fixture(scope="module")
def image():
    return images.fit(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), 70)


@pytest.mark.parametrize("kind", ["networks", "pictures"])
@pytest.mark.parametrize("strokes", [Strokes({"waves": 1.0}), Strokes({"stars": 1.0, "waves": 3.0}, 0.5, "content")])
def test_another_machine_paints_the_same(painters, image, kind, strokes):
    painter = painters[kind]
    recipe = pickle.loads(pickle.dumps(plain_recipe(painter, strokes)))
    here = painter.paint(image, strokes.weights, strength=strokes.strength)
    here = with_colors_of(here, image) if strokes.color == "content" else here
    assert torch.equal(recipe()(image), here)
    elsewhere = recipe.palette.painter(CPU)
    refined = [finish(recipe.strokes.refine(one, image, here, CPU)) for one in (painter, elsewhere)]
    assert torch.equal(*refined) and (refined[1] is here) == (kind == "networks")


def test_what_goes_along_is_what_these_styles_need_alone(painters):
    palette = palette_of(painters["networks"], {"rain": 1.0})
    assert palette.network.styles == ("rain", "photo") and not palette.pictures
    palette = palette_of(painters["pictures"], {"waves": 1.0, "rain": 1.0})
    assert palette.network is None and [*palette.pictures] == ["waves", "rain"]
    assert palette_of(painters["networks"], {"stars": 2.0}) is palette_of(painters["networks"], {"waves": 1.0})


@pytest.mark.parametrize(("kind", "other"), [("networks", "rain"), ("pictures", "stars")])
def test_styles_of_no_weight_are_as_if_they_were_not_named(painters, image, kind, other):
    for weights in ({"waves": 1.0, other: 0.0}, {"waves": 0.0, other: 1.0}):
        here = painters[kind].paint(image, weights)
        assert torch.equal(plain_recipe(painters[kind], Strokes(weights))()(image), here)


def test_the_same_styles_have_the_same_key_and_others_another(painters):
    def key(networks: list[TransformationNetwork], style: str = "waves") -> str:
        return palette_of(Painter(networks, CPU), {style: 1.0}).key

    network, other = network_of("waves", "stars"), network_of("waves", "stars", seed=1)
    same = key([network])
    assert key([network_of("waves", "stars"), network_of("rain")]) == same == key([network], "stars")
    pictures = [palette_of(painters["pictures"], weights).key for weights in ({"waves": 1.0}, {"stars": 1.0})]
    every = [same, key([other]), key([network_of("waves", "moon")]), *pictures]
    assert len(set(every)) == len(every)


def test_what_cannot_be_painted_is_refused_at_once(painters):
    for painter in painters.values():
        with pytest.raises(ConfigError, match="there is no style 'moon'"):
            plain_recipe(painter, Strokes({"moon": 1.0}))
