"""Offers recipes: a photograph, a style and a look that go well together, with the painting that comes of them."""

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.ui.page.events import INSTANT, QUEUED
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.studio.controls_and_config import CONTROLS
from nst_core.ui.studio.links import CONTENT_KEY, STYLE_KEY, linked_picture
from nst_core.ui.studio.looks import LOOKS, Look
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.looks import LookParts, reflect, take_look
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


BALANCED = next(look for look in LOOKS if look.name == "balanced")
RECIPES = (
    Recipe("cat × mosaic", "chelsea_cat", "koi_mosaic"),
    Recipe("pagoda × sun", "china_temple", "harvest_sun", BALANCED),
    Recipe("face × birches", "astronaut", "autumn_birches"),
    Recipe("dahlia × glass", "dahlia", "dawn_window"),
)


def recipes_value(chosen: int = 0) -> StripValue:
    """Write what the strip of recipes shows; chosen: the number of one, 0: none."""
    return {"items": [*_thumbnails()], "chosen": chosen, "label": "Try one", "empty": ""}


@cache
def _thumbnails() -> tuple[Thumbnail, ...]:
    items: list[Thumbnail] = []
    for number, recipe in enumerate(RECIPES, 1):
        small = images.encode_jpeg(images.load(recipe.painting), max_side=THUMBNAIL_SIDE)
        uri = f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"
        items.append({"number": number, "thumbnail": uri, "name": f"Try {recipe.title}", "caption": recipe.title})
    return tuple(items)


def connect_recipes(session: gr.State, strip: Strip, form: Form) -> None:
    """Let a click set photo, style and look, and show their painting.

    Args:
        session: holds the page's Session.
        strip: shows RECIPES.
        form: PAINTED_WITH, "about", "status", "result", "preview" and "download".
    """
    shown = form.only("content", "style", "preset", "about", *CONTROLS, "status", "result", "preview", "download")
    strip.pick(
        shown.filled_by(pick_recipe), [session, form["backbone"]], list(shown), trigger_mode="multiple", **QUEUED
    )


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


def show_chosen(session: gr.State, looks: LookParts, strip: Strip, form: Form) -> None:
    """Show which look and which recipe the pictures and controls are set to, and where the handle is.

    Args:
        session: holds the page's Session.
        looks: of `look_area`.
        strip: shows RECIPES.
        form: PAINTED_WITH.
    """
    asked = form.only("content", "style", "preset", "backbone", "style_weight", "color", "start")
    shown = Form({"looks": looks.strip, "balance": looks.balance, "recipes": strip})
    show = shown.filled_by(asked.given_to(reflect_all))
    gr.on(asked.changes(), show, [session, *asked], list(shown), trigger_mode="always_last", **INSTANT)


def reflect_all(session: Session, shown: Mapping[str, Any]) -> Updates:
    """Give what `reflect` does, and "recipes"; shown: as of `reflect`, with "content" and "style"."""
    updates = reflect(session, shown)
    number = updates["looks"]["chosen"]
    look = LOOKS[number - 1] if number else None
    fits = [recipe.look == look and _is_of(recipe, shown["content"], shown["style"]) for recipe in RECIPES]
    return {**updates, "recipes": recipes_value(fits.index(True) + 1 if True in fits else 0)}


def _is_of(recipe: Recipe, content: Path | None, style: Path | None) -> bool:
    """Whether those files are a recipe's: copies by the same name, as long."""
    wanted = (ASSETS / "photos" / f"{recipe.photo}.jpg", ASSETS / "styles" / f"{recipe.style}.jpg")
    return all(
        given is not None and given.name == own.name and given.exists() and given.stat().st_size == own.stat().st_size
        for given, own in zip((content, style), wanted, strict=True)
    )
