"""Before a composed picture is painted: a cut-out, by its transparency or by a brush, is put into its place by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component
from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.paste import nearest_spot
from nst_core.assets import ASSETS
from nst_core.errors import NSTError
from nst_core.ui.explain.session import cut_out
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.device_thread import DEVICE_THREAD, Given, Result
from nst_core.ui.studio.uploads import Drawn
from nst_core.ui.widgets.cutout_placer import Placer, placement
from nst_core.ui.widgets.pictures import BrushInput, PictureInput

GROUND_SIDE = 512  # pixels of the picture under the brush
PLACE = ("x", "y", "scale")  # options of the figure that the placer sets
CENTRE = (0.5, 0.5, 0.4)


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
            label="Cut-out",
            elem_id="cutout",
            height=150,
            sources=["upload", "clipboard"],
            buttons=["fullscreen"],
            alt_text="Cut-out",
        )
        examples = sorted(str(path) for path in (ASSETS / "cutouts").glob("*.png"))
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
                sources=["upload"],
                format="png",
                height=320,
                eraser=gr.Eraser(default_size=30),
                brush=gr.Brush(colors=["#ff3b30"], color_mode="fixed", default_size=30),
            )
            cut = gr.Button("Cut it out", size="sm", elem_id="cut-out")
        placer = Placer(elem_id="placer")
    return Composing(area, cutout, brush, take, cut, placer)


def connect_composing(composing: Composing, content: PictureInput, place: list[gr.Number]) -> None:
    """Let a cut-out that is put somewhere by hand set the numbers, and numbers typed put it there.

    Args:
        place: the controls of PLACE.
    """
    given: list[Component] = [content, composing.cutout, composing.brush, *place]
    shown: list[Component] = [composing.placer, *place]
    once: dict[str, Any] = {"trigger_mode": "always_last", **QUEUED}
    # strokes over another picture cut out nothing of this one
    composing.cutout.change(lambda: None, None, composing.brush, **INSTANT).then(put_first, given, shown, **once)
    content.change(put_first, given, shown, **once)
    composing.cut.click(put_first, given, shown, **once)
    for number in place:  # not at `change`, which the placer itself causes
        number.submit(put, given, composing.placer, **once)
        number.blur(put, given, composing.placer, **once)
    composing.placer.place(placed, None, place, trigger_mode="multiple", **INSTANT)
    composing.take.click(ground, composing.cutout, composing.brush, **QUEUED)


def placed(event: gr.EventData) -> tuple[float, float, float]:
    """Where the cut-out was put by hand."""
    return event.x, event.y, event.scale


def put_first(content: Path | None, cutout: Path | None, brush: Drawn | None, *place: float | None) -> list[Update]:
    """A new picture or cut-out: where it lies, or the nearest place where it fits."""
    nothing = [gr.skip()] * (1 + len(PLACE))
    if content is None or cutout is None:
        return nothing
    try:
        return _computed(_first_placement, *_read(content, cutout, brush), place)
    except NSTError as error:
        _tell(error)
        return nothing


def _read(content: Path, cutout: Path, brush: Drawn | None) -> tuple[Tensor, Tensor]:
    """Picture and cut-out; decoded on this thread, so that a painting on the device's need not wait for large files."""
    return images.load(content), cut_out(cutout, brush, _computed)


def _computed(what: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    return DEVICE_THREAD.submit(what, *given, **named).result()


def _first_placement(background: Tensor, piece: Tensor, place: tuple[float | None, ...]) -> list[Update]:
    x, y, scale = (value if value is not None else default for value, default in zip(place, CENTRE, strict=True))
    spot = nearest_spot(images.size_of(background), images.size_of(piece), x=x, y=y, scale=scale)
    return [placement(background, piece, *spot), *(round(value, 4) for value in spot)]


def put(content: Path | None, cutout: Path | None, brush: Drawn | None, *place: float | None) -> Update:
    """Numbers were typed: the cut-out lies there."""
    x, y, scale = place
    if content is None or cutout is None or x is None or y is None or scale is None:
        return gr.skip()
    try:
        return _computed(placement, *_read(content, cutout, brush), x, y, scale)
    except NSTError as error:
        _tell(error)
        return gr.skip()


def _tell(error: Exception) -> None:
    warn(error, "Cannot place the cut-out", 10)


def ground(cutout: Path | None) -> Update:
    """The picture for the brush to paint over what is to be cut out."""
    try:
        if cutout is None:
            raise NSTError("there is no picture to cut from; drop one")
        return images.to_pil(images.fit(images.load(cutout), GROUND_SIDE))
    except NSTError as error:
        warn(error, "Nothing to paint over", 10)
        return gr.skip()
