"""Lets a pupil of a class say a name, and start where the teacher's link says."""

from typing import Any

import gradio as gr

from nst_core.errors import NSTError
from nst_core.ui.page.events import INSTANT
from nst_core.ui.page.form import Updates
from nst_core.ui.page.toasts import noting, warn
from nst_core.ui.studio.controls_and_config import controls_of, default_config, preset_text
from nst_core.ui.studio.links import FIGURE_KEY, STYLE_KEY, Start, linked_picture, read_start
from nst_core.ui.studio.pupils import LONGEST_NAME, class_key, written_name
from nst_core.ui.studio.session import Session


def name_field() -> gr.Textbox:
    """Lay out the field for a pupil's name, which is seen where a class paints."""
    return gr.Textbox(
        label="Your name, for the class",
        info="Your teacher's wall shows your painting to the class, with this name or a number.",
        max_length=LONGEST_NAME,
        visible=bool(class_key()),
        elem_id="pupil",
    )


def connect_name(field: gr.Textbox, session: gr.State) -> None:
    """Note the name when it is written."""
    for written in (field.blur, field.submit):
        written(take_name, [session, field], None, trigger_mode="always_last", **INSTANT)


def take_name(session: Session, name: Any) -> None:
    """Note what a pupil wants to be called."""
    session.name = written_name(name)


def shown_name(session: Session) -> Updates:
    """Show the pupil's name in "pupil"; nothing where no class paints."""
    return {"pupil": gr.Textbox(value=session.name, visible=True)} if class_key() else {}


def follow(session: Session, request: gr.Request) -> Updates:
    """Start where the link says by which a page was opened, if it says anything; what is wrong is noted to be told.

    Who has painted from it goes on with that when the page is loaded again, and starts anew by another link only. A
    link to a figure leaves a painting alone.

    Args:
        session: the browser's.
        request: of the page.
    """
    query = dict(request.query_params) if request.request else {}
    try:
        start = read_start(query)
        if start is None:
            return {}
        painted_from = session.config is not None and start.query() == session.started_by
        return {} if painted_from or session.config and start.figure else _started(session, start)
    except NSTError as error:
        if FIGURE_KEY not in query:  # else the Explain tab tells it
            with noting(session.toasts):
                warn(error, "This link leads nowhere")
        return {}


def _started(session: Session, start: Start) -> Updates:
    updates: dict[str, Any] = {}
    another, session.link = start.query() != session.link, start.query()
    if start.preset:
        config = default_config(start.preset)
        session.base, session.noted = None, config
        updates = {"preset": start.preset, "about": preset_text(start.preset, config.backbone), **controls_of(config)}
    if start.style and (another or STYLE_KEY not in session.placed):
        session.placed[STYLE_KEY] = linked_picture(STYLE_KEY, start.style)
        updates[STYLE_KEY] = str(session.placed[STYLE_KEY])
    return updates
