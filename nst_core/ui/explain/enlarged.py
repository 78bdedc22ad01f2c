"""Shows a part of a figure enlarged, with what it was made of, and hands it to the studio."""

import json
from html import escape
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Part
from nst_core.errors import NSTError
from nst_core.ui.explain.figure_table import FigureView
from nst_core.ui.explain.session import Board
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import INSTANT, PRIVATE, QUEUED
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import refusal
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import Studio
from nst_core.ui.widgets.pictures import data_uri

MAX_SIDE = 1024  # pixels
MOST_TIMES = 5  # larger than it is
SCROLL = "() => document.querySelector('#enlarged')?.scrollIntoView({behavior: 'smooth', block: 'nearest'})"


class Enlarged(NamedTuple):
    """The area's components."""

    area: gr.Column
    picture: gr.HTML
    send: gr.Button
    close: gr.Button


def build_enlarged() -> Enlarged:
    """Lay out the area, hidden at first."""
    with gr.Column(visible=False, elem_id="enlarged") as area:
        picture = gr.HTML(elem_id="enlarged-picture")
        with gr.Row():
            send = gr.Button("Go on with it in the studio", elem_id="to-studio", size="sm", min_width=170)
            close = gr.Button("Close", elem_id="enlarged-close", size="sm", min_width=80)
    return Enlarged(area, picture, send, close)


def connect_enlarged(board: gr.State, enlarged: Enlarged, figure: FigureView, tabs: gr.Tabs, studio: Studio) -> None:
    """Let a click on a part enlarge it, and a button hand it to the studio, with its pictures and settings."""
    shown = Form({"area": enlarged.area, "picture": enlarged.picture, "send": enlarged.send})
    looked = figure.look(shown.filled_by(look), board, list(shown), trigger_mode="multiple", **INSTANT)
    looked.then(None, js=SCROLL, **PRIVATE)
    enlarged.close.click(lambda: gr.Column(visible=False), None, enlarged.area, **INSTANT)
    form = studio.form | {"tabs": tabs}
    enlarged.send.click(form.filled_by(send), [board, studio.session], list(form), **QUEUED).success(
        None, js="() => window.scrollTo({top: 0})", **PRIVATE
    )


def look(board: Board, event: gr.EventData) -> Updates:
    """Enlarge the part that was clicked."""
    board.looked_at = (int(event.row), int(event.column))
    part = board.part(board.looked_at)
    if part is None or part.image is None:
        return {}
    send_button = gr.Button(visible=part.config is not None)
    return {"area": gr.Column(visible=True), "picture": enlarged_html(part), "send": send_button}


def enlarged_html(part: Part) -> str:
    """Write the part as HTML: as large as the page allows, with all that is known of it.

    Raises:
        ValueError: there is nothing to see of it yet.
    """
    if part.image is None:
        raise ValueError(f"{part.label} has no picture yet")
    height, width = images.size_of(part.image)
    made = part.record.to_dict() if part.record else dict(part.facts)
    told = f"<pre>{escape(json.dumps(made, indent=1, ensure_ascii=False, default=str))}</pre>" if made else ""
    details = f"<details><summary>How it was made</summary>{told}</details>" if told else ""
    caption = f'<span class="told">{escape(part.caption)}</span>'  # a sentence, whatever its lines
    size = f"--aspect: {width / height:.4f}; --most: {MOST_TIMES * width}px"
    return (
        f'<figure class="enlarged"><img src="{data_uri(part.image, max_side=MAX_SIDE)}" '
        f'alt="{escape(part.label, quote=True)}" style="{size}">'
        f"<figcaption><b>{escape(part.label)}</b> · {width}×{height} pixels<br>{caption}</figcaption>{details}</figure>"
    )


def send(board: Board, session: Session) -> Updates:
    """Hand a painting's pictures and settings to the studio."""
    part = board.part(board.looked_at)
    if part is None or part.config is None:
        raise refusal("no painting is enlarged; click one in the figure")
    try:
        content, style = sources(board, part)
        config = part.config.changed(last_step=0)
    except NSTError as error:
        raise refusal(error) from None
    text = f"{part.label}: its settings are in the studio; press Paint to paint it, larger if you like."
    pictures = {"content": content or gr.skip(), "style": style or gr.skip()}
    return {"tabs": gr.Tabs(selected="stylize"), "status": status_html(text), **pictures, **session.take(config)}


def sources(board: Board, part: Part) -> tuple[str | None, str | None]:
    """Find the files of the content and style picture of a painting, None where it had none or the file is gone.

    Raises:
        NSTError: the part is of no figure.
    """
    if board.figure is None:
        raise NSTError("there is no figure any more; make it again")
    contents, styles, wanted = board.pictures.contents, board.pictures.styles, board.figure.pictures
    if "contents" in wanted:
        return _there(contents[part.row - 1]), _there(styles[part.column - 1])
    content = contents[0] if contents else None
    if "cutout" in wanted:
        composed = board.part((part.row, part.column - 2))  # painted from the paste, and from the blend
        content = _saved(composed.image) if composed and composed.image is not None else content
    if "content" not in wanted:  # a texture has the style's own shape
        content = styles[0]
    return _there(content), _there(styles[0] if "style" in wanted else content)


def _there(path: Path | None) -> str | None:
    """Give the path as text; None once gradio has deleted the file."""
    return str(path) if path and path.exists() else None


def _saved(image: Tensor) -> Path:
    path = new_file("composed.png")
    images.save_png(image, path)
    return path
