"""Lets a person cut something out, by transparency or with a brush, and put it into its place in a picture."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.paste import nearest_spot
from nst_core.assets import ASSETS
from nst_core.engine.devices import DEVICES, Given, Result
from nst_core.errors import NSTError
from nst_core.ui.explain.session import cut_out
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.toasts import Toast, noting, warn
from nst_core.ui.studio.uploads import Drawn, is_usable
from nst_core.ui.widgets.cutout_placer import Placer, placement
from nst_core.ui.widgets.pictures import BrushInput, PictureInput

FIGURE = "compose"  # that has cut-outs
CUTOUT = ASSETS / "cutouts" / "rocket.png"  # chosen at first
GROUND_SIDE = 512  # pixels of the picture under the brush
# Of the placer's value, where the cut-out lies: of an event that waited, gradio 6.31 has the data of the one before.
PLACE = "({x, y, scale}) => ({x, y, scale})"
CENTRE = {"x": 0.5, "y": 0.5, "scale": 0.4}  # of the figure's options, those that the placer sets


class Composing(NamedTuple):
    """The area's components."""

    area: gr.Column
    cutout: PictureInput
    brush: BrushInput
    take: gr.Button
    cut: gr.Button
    placer: Placer


def build_composing() -> Composing:
    """Lay out the area, hidden at first."""
    with gr.Column(visible=False, elem_id="composing") as area:
        gr.Markdown("Give a PNG with transparent parts, or any picture and cut out of it with the brush below.")
        cutout = PictureInput(
            str(CUTOUT),
            label="Cut-out",
            elem_id="cutout",
            height=150,
            sources=["upload", "clipboard"],
            buttons=["fullscreen"],
            alt_text="Cut-out",
        )
        examples = sorted(map(str, CUTOUT.parent.glob("*.png")))
        gr.Examples(examples, cutout, label="", elem_id="cutout-examples", cache_examples=False)
        with gr.Accordion("Cut out with a brush", open=False, elem_id="cutting"):
            take = gr.Button("Take the picture", size="sm", elem_id="take-cutout")
            brush = BrushInput(
                type="pil",
                show_label=False,
                label="What to cut out",
                elem_id="cut-brush",
                layers=False,
                transforms=(),
                sources=(),
                format="png",
                height=320,
                eraser=gr.Eraser(default_size=30),
                brush=gr.Brush(colors=["#ff3b30"], color_mode="fixed", default_size=30),
            )
            cut = gr.Button("Cut it out", size="sm", elem_id="cut-out")
        placer = Placer(elem_id="placer")
    return Composing(area, cutout, brush, take, cut, placer)


def connect_composing(
    composing: Composing, figure: gr.Radio, content: PictureInput, numbers: Mapping[str, gr.Number]
) -> None:
    """Let a cut-out that is put somewhere by hand set the numbers, and numbers typed put it there.

    Args:
        composing: the area.
        figure: the menu of figures; the cut-out is put into its place when its figure is chosen.
        content: the picture that it is put into.
        numbers: the controls of where it lies, by the names of CENTRE.
    """
    place = Form(numbers)
    form = place | {"content": content, "cutout": composing.cutout, "brush": composing.brush}
    shown = place | {"placer": composing.placer}
    first, typed = shown.filled_by(form.given_to(put_first)), form.given_to(put)
    given, outputs = list(form), list(shown)
    once: dict[str, Any] = {"trigger_mode": "always_last", **QUEUED}
    with_figure = form | {"figure": figure}
    # strokes over another picture cut out nothing of this one
    bare = composing.cutout.change(lambda: None, None, composing.brush, **INSTANT)
    for changed in (figure.change, content.change, bare.then):
        changed(shown.filled_by(with_figure.given_to(put_when_chosen)), list(with_figure), outputs, **once)
    composing.cut.click(first, given, outputs, **once)
    for number in numbers.values():  # not at `change`, which the placer itself causes
        number.submit(typed, given, composing.placer, **once)
        number.blur(typed, given, composing.placer, **once)
    in_order: dict[str, Any] = {"trigger_mode": "always_last", **INSTANT}  # else an older answer may be the last
    composing.placer.place(place.filled_by(placed), composing.placer, list(place), js=PLACE, **in_order)
    composing.take.click(ground, composing.cutout, composing.brush, **QUEUED)


def placed(place: object) -> Updates:
    """Tell the numbers where the cut-out was put by hand."""
    return {name: place[name] for name in CENTRE if name in place} if isinstance(place, dict) else {}


def put_when_chosen(shown: Mapping[str, Any]) -> Updates:
    """Put the cut-out that is there into its place, as `put_first`, where its figure is chosen as "figure".

    What is no picture, or not all of one, is told where it is uploaded, and stays in its place for no longer.
    """
    if shown["figure"] != FIGURE:
        return {}
    told: list[Toast] = []
    with noting(told):
        updates = put_first(shown)
    if told and all(is_usable(shown[name], whole=True) for name in ("content", "cutout")):
        for toast in told:
            warn(*toast)
    return updates


def put_first(shown: Mapping[str, Any]) -> Updates:
    """Put a new cut-out, or one over a new picture, where the numbers say, or to the nearest place where it fits.

    Args:
        shown: what the page shows: the files "content" and "cutout", what a "brush" painted, and the numbers.
    """
    content, cutout = shown["content"], shown["cutout"]
    if content is None or cutout is None:
        return {}
    try:
        return _computed(_first_placement, *_read(content, cutout, shown["brush"]), shown)
    except NSTError as error:
        _tell(error)
        return {}


def _read(content: Path, cutout: Path, brush: Drawn | None) -> tuple[Tensor, Tensor]:
    """Read picture and cut-out, on this thread, so that a painting on the device's need not wait for large files."""
    return images.load(content), cut_out(cutout, brush, _computed)


def _computed(what: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    return DEVICES.submit(what, *given, **named).result()


def _first_placement(background: Tensor, piece: Tensor, shown: Mapping[str, Any]) -> Updates:
    wanted = {name: centre if shown[name] is None else shown[name] for name, centre in CENTRE.items()}
    x, y, scale = nearest_spot(images.size_of(background), images.size_of(piece), **wanted)
    return {"placer": placement(background, piece, x, y, scale), "x": x, "y": y, "scale": scale}


def put(shown: Mapping[str, Any]) -> Update:
    """Put the cut-out where the numbers say that were typed, as Placer's value; of `shown` as of `put_first`."""
    content, cutout, place = shown["content"], shown["cutout"], {name: shown[name] for name in CENTRE}
    if content is None or cutout is None or None in place.values():
        return gr.skip()
    try:
        return _computed(placement, *_read(content, cutout, shown["brush"]), **place)
    except NSTError as error:
        _tell(error)
        return gr.skip()


def _tell(error: Exception) -> None:
    warn(error, "Cannot place the cut-out", 10)


def ground(cutout: Path | None) -> Update:
    """Give the picture for the brush to paint over what is to be cut out."""
    try:
        if cutout is None:
            raise NSTError("there is no picture to cut from; drop one")
        return images.to_pil(images.fit(images.load(cutout), GROUND_SIDE))
    except NSTError as error:
        warn(error, "Nothing to paint over", 10)
        return gr.skip()
