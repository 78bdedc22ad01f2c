from pathlib import Path

import gradio as gr
import pytest

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize import recipes
from nst_core.ui.stylize.recipes import RECIPES, SIZE, pick_recipe, recipes_value, reflect_all
from nst_core.ui.stylize.window import look
from nst_core.ui.widgets.channel import Channel


def clicked(number: int) -> gr.EventData:
    return gr.EventData(None, {"number": number})


@pytest.mark.parametrize("number", range(1, len(RECIPES) + 1))
def test_a_recipe_sets_pictures_and_look_and_shows_the_painting_that_comes_of_them(number):
    recipe, session = RECIPES[number - 1], Session()
    shown = pick_recipe(session, "lite", clicked(number))
    for name, folder, picture in (("content", "photos", recipe.photo), ("style", "styles", recipe.style)):
        assert Path(shown[name]).read_bytes() == (ASSETS / folder / f"{picture}.jpg").read_bytes()
        assert str(session.placed[name]) == shown[name]  # for when the page is opened again
    config = config_of(recipe.look.preset, shown)
    assert config == session.noted == recipe.look.config("lite").changed(size=SIZE)
    value = shown["result"].value
    assert look(session)["result"] is shown["result"]  # also after a Paint that is refused
    photo = images.load(ASSETS / "photos" / f"{recipe.photo}.jpg")
    fitted = images.fitted_size(images.size_of(photo), config.size, config.size_rule)
    assert (value["height"], value["width"]) == fitted == images.size_of(images.load(recipe.painting))


@pytest.mark.parametrize("number", range(1, len(RECIPES) + 1))
def test_a_recipe_is_seen_to_be_chosen_until_a_picture_or_the_look_is_another(number, tmp_path):
    session = Session()
    shown = pick_recipe(session, "lite", clicked(number))
    shown |= {"preset": RECIPES[number - 1].look.preset, **{name: Path(shown[name]) for name in ("content", "style")}}
    assert reflect_all(session, shown)["recipes"]["chosen"] == number
    other = tmp_path / shown["content"].name
    other.write_bytes(b"another of that name")
    for changed in ({"content": other}, {"style": None}, {"color": "content"}, {"content": tmp_path / "gone.jpg"}):
        assert reflect_all(session, shown | changed)["recipes"]["chosen"] == 0


def test_a_painting_at_work_goes_on_when_a_recipe_is_clicked(monkeypatch):
    told = []
    monkeypatch.setattr(recipes.gr, "Info", lambda text, **kind: told.append(text))
    session = Session()
    session.channel = Channel()
    shown = pick_recipe(session, "lite", clicked(1))
    assert not {"result", "status", "preview"} & shown.keys() and len(told) == 1
    session.channel.close()


def test_recipes_are_small_in_the_page():
    items = recipes_value()["items"]
    assert len(items) == len(RECIPES) and sum(len(item["thumbnail"]) for item in items) < 50_000
