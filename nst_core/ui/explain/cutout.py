"""Before a composed picture is painted: a cut-out, by its transparency or by a brush, is put into its place by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.paste import nearest_spot
from nst_core.assets import ASSETS
from nst_core.errors import NSTError
from nst_core.ui.explain.session import Pictures
from nst_core.ui.page.events import INSTANT, QUEUED
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.device_thread import DEVICE_THREAD
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
            label="Cut-out", elem_id="cutout", height=150,
            sources=["upload", "clipboard"], buttons=["fullscreen"], alt_text="Cut-out",
        )  # fmt: skip
        examples = sorted(str(path) for path in (ASSETS / "cutouts").glob("*.png"))
        gr.Examples(examples, cutout, label="", elem_id="cutout-examples", cache_examples=False)
        with gr.Accordion("Cut out with a brush", open=False, elem_id="cutting"):
            take = gr.Button("Take the picture", size="sm", elem_id="take-cutout")
            brush = BrushInput(
                type="pil", show_label=False, label="What to cut out", elem_id="cut-brush", layers=False,
                transforms=(), sources=["upload"], format="png", height=320, eraser=gr.Eraser(default_size=30),
                brush=gr.Brush(colors=["#ff3b30"], color_mode="fixed", default_size=30),
            )  # fmt: skip
            cut = gr.Button("Cut it out", size="sm", elem_id="cut-out")
        placer = Placer(elem_id="placer")
    return Composing(area, cutout, brush, take, cut, placer)


def connect_composing(composing: Composing, content: PictureInput, place: list[Any]) -> None:
    """What is put somewhere by hand sets the numbers, and numbers typed put it there.

    Args:
        place: the controls of PLACE.
    """
    given = [content, composing.cutout, composing.brush, *place]
    once: dict[str, Any] = {"trigger_mode": "always_last", **QUEUED}
    # strokes over another picture cut out nothing of this one
    composing.cutout.change(lambda: None, None, composing.brush, **INSTANT).then(
        put_first, given, [composing.placer, *place], **once
    )
    content.change(put_first, given, [composing.placer, *place], **once)
    composing.cut.click(put_first, given, [composing.placer, *place], **once)
    for number in place:  # not at `change`, which the placer itself causes
        number.submit(put, given, composing.placer, **once)
        number.blur(put, given, composing.placer, **once)
    composing.placer.place(placed, None, place, trigger_mode="multiple", **INSTANT)
    composing.take.click(ground, composing.cutout, composing.brush, **QUEUED)


def placed(event: gr.EventData) -> tuple[float, float, float]:
    """Where the cut-out was put by hand."""
    return event.x, event.y, event.scale


def put_first(content: Path | None, cutout: Path | None, brush: dict[str, Any] | None, *place: float) -> list[Any]:
    """A new picture or cut-out: where it lies, or the nearest place where it fits."""
    nothing = [gr.skip()] * (1 + len(PLACE))
    if content is None or cutout is None:
        return nothing
    try:
        return _computed(_first_placement, *_read(content, cutout, brush), place)
    except NSTError as error:
        _tell(error)
        return nothing


def _read(content: Path, cutout: Path, brush: dict[str, Any] | None) -> tuple[Tensor, Tensor]:
    """Picture and cut-out; decoded on this thread, so that a painting on the device's need not wait for large files."""
    return images.load(content), Pictures(cutout=cutout, brush=brush).read_cutout(_computed)


def _computed(what: Callable[..., Any], *given: Any) -> Any:
    return DEVICE_THREAD.submit(what, *given).result()


def _first_placement(background: Tensor, piece: Tensor, place: tuple[float, ...]) -> list[Any]:
    x, y, scale = (value if value is not None else default for value, default in zip(place, CENTRE, strict=True))
    spot = nearest_spot(images.size_of(background), images.size_of(piece), x=x, y=y, scale=scale)
    return [placement(background, piece, *spot), *(round(value, 4) for value in spot)]


def put(content: Path | None, cutout: Path | None, brush: dict[str, Any] | None, *place: float) -> Any:
    """Numbers were typed: the cut-out lies there."""
    if content is None or cutout is None or None in place:
        return gr.skip()
    try:
        return _computed(placement, *_read(content, cutout, brush), *place)
    except NSTError as error:
        _tell(error)
        return gr.skip()


def _tell(error: Exception) -> None:
    warn(error, "Cannot place the cut-out", 10)


def ground(cutout: Path | None) -> Any:
    """The picture for the brush to paint over what is to be cut out."""
    try:
        if cutout is None:
            raise NSTError("there is no picture to cut from; drop one")
        return images.to_pil(images.fit(images.load(cutout), GROUND_SIDE))
    except NSTError as error:
        warn(error, "Nothing to paint over", 10)
        return gr.skip()
