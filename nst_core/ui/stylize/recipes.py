"""Offers recipes: a photograph, a style and a look that go well together, with the painting that comes of them."""

import base64
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.ui.page.events import QUEUED
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.studio.controls_and_config import CONTROLS
from nst_core.ui.studio.links import CONTENT_KEY, STYLE_KEY, linked_picture
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.looks import LOOKS, Look, take_look
from nst_core.ui.stylize.window import place
from nst_core.ui.widgets.pictures import comparison
from nst_core.ui.widgets.thumbnail_strip import Strip, StripValue, Thumbnail

PAINTINGS = ASSETS / "recipes"
SIZE = 640  # pixels, of the paintings
THUMBNAIL_SIDE = 96  # pixels
SHARE = 38  # percent of the picture that shows the photo: something of both is in sight


class Recipe(NamedTuple):
    """What a painting is made of.

    Attributes:
        title: on the page.
        photo: by name, in assets/photos.
        style: by name, in assets/styles.
        look: one of LOOKS.
    """

    title: str
    photo: str
    style: str
    look: Look = LOOKS[0]

    @property
    def painting(self) -> Path:
        """Its painting's file."""
        return PAINTINGS / f"{self.photo}_{self.style}.jpg"

    def comparison(self) -> dict[str, str | int]:
        """Give photo and painting as a BeforeAfter shows them."""
        painting = images.load(self.painting)
        photo = images.fit(images.load(ASSETS / "photos" / f"{self.photo}.jpg"), SIZE)
        return {**comparison(photo, painting), "share": SHARE}


WHOLE = next(look for look in LOOKS if look.name == "whole_strokes")
RECIPES = (
    Recipe("cat × mosaic", "chelsea_cat", "koi_mosaic", WHOLE),
    Recipe("pagoda × sun", "china_temple", "harvest_sun"),
    Recipe("face × birches", "astronaut", "autumn_birches", WHOLE),
    Recipe("dahlia × glass", "dahlia", "dawn_window", WHOLE),
)


def recipes_value(chosen: int = 0) -> StripValue:
    """Write what the strip of recipes shows; chosen: the number of one, 0: none."""
    items: list[Thumbnail] = []
    for number, recipe in enumerate(RECIPES, 1):
        small = images.encode_jpeg(images.load(recipe.painting), max_side=THUMBNAIL_SIDE)
        uri = f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"
        items.append({"number": number, "thumbnail": uri, "name": f"Try {recipe.title}", "caption": recipe.title})
    return {"items": items, "chosen": chosen, "label": "Try one", "empty": ""}


def connect_recipes(session: gr.State, strip: Strip, form: Form) -> None:
    """Let a click set photo, style and look, and show their painting.

    Args:
        session: holds the page's Session.
        strip: shows RECIPES.
        form: PAINTED_WITH, "about", "status", "result", "preview" and "download".
    """
    shown = form.only("content", "style", "preset", "about", *CONTROLS, "status", "result", "preview", "download")
    strip.pick(shown.filled_by(pick_recipe), [session, form["backbone"]], list(shown), **QUEUED)


def pick_recipe(session: Session, backbone: str, event: gr.EventData) -> Updates:
    """Set what a recipe names, and show its painting unless another is at work."""
    recipe = RECIPES[min(max(int(event.number), 1), len(RECIPES)) - 1]
    given = {CONTENT_KEY: recipe.photo, STYLE_KEY: recipe.style}
    pictures = {name: str(linked_picture(name, picture)) for name, picture in given.items()}
    for name, path in pictures.items():
        place(session, name, path)
    updates = {**pictures, **take_look(session, recipe.look, backbone, size=SIZE)}
    if session.busy:
        gr.Info(f"{recipe.title.capitalize()} is set; the painting at work goes on.", duration=6)
        return updates
    view = {
        "status": status_html(f"An example: {recipe.title}. Press Paint to see it painted, or drop your own photo."),
        "result": gr.HTML(value=recipe.comparison(), visible=True),
        "preview": gr.HTML(visible="hidden"),
        "download": gr.DownloadButton(visible="hidden"),
    }
    session.settled |= view  # so that it stands there again where nothing can be painted
    return {**updates, **view}
