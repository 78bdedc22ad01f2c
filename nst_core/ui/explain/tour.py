"""Lays out the guided tour: five figures for a newcomer, in words that a teacher can project."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import gradio as gr

from nst_core.ui.explain.links import LessonLink, read_link
from nst_core.ui.explain.projector import Projector
from nst_core.ui.page.events import INSTANT
from nst_core.ui.page.form import Form, Updates


@dataclass(frozen=True)
class Station:
    """A step of the tour: what to look at, and the lesson that shows it."""

    title: str
    words: str
    query: dict[str, str]

    def link(self) -> LessonLink:
        """Make the link of "Show me"."""
        link = read_link(self.query)
        if link is None:
            raise ValueError(f"the step “{self.title}” names no figure")
        return link


TOUR = (
    Station(
        "A network looks at pictures in layers",
        "Each layer of VGG-19 sees the picture its own way. We forget the photo, keep only what one layer saw, and "
        "rebuild a picture from that. Watch how much of the photo comes back: nearly all of it from a shallow layer, "
        "only the arrangement of things from a deep one. That deep memory is what style transfer calls *content*.",
        {"figure": "content", "content": "china_temple"},
    ),
    Station(
        "Style is which features occur together",
        "Now we keep only which features occur together and forget where: Gram matrices. From noise grows a texture "
        "of the painting. The more layers take part, the larger the pieces of it. The two rows start from different "
        "noise: two pictures, one texture. That memory is what style transfer calls *style*.",
        {"figure": "style", "style": "dawn_window"},
    ),
    Station(
        "What a Gram matrix looks like",
        "Here is that memory itself, for one layer. Bright squares are features that fire together. Watch the right "
        "column while it paints: its matrix becomes the style's, though no pixel was copied.",
        {"figure": "gram", "content": "china_temple", "style": "dawn_window"},
    ),
    Station(
        "Two weights share the picture",
        "A painting lowers α times the content loss plus β times the style loss. From left to right α counts more, "
        "from top to bottom deeper layers of the style join in. Press Show me, find the picture that you like best "
        "and click it: you can go on with it in the studio.",
        {"figure": "grid", "content": "china_temple", "style": "dawn_window", "size": "128", "steps": "80"},
    ),
    Station(
        "How it gets there",
        "The same loss from three starts, with two optimisers. Compare the pictures down a column, then the lines: "
        "which one falls fastest by step, and which by second? Then open the studio and paint your own.",
        {"figure": "start", "content": "china_temple", "style": "dawn_window", "size": "128", "steps": "250"},
    ),
)


class Tour(NamedTuple):
    """The tour's components."""

    area: gr.Accordion
    place: gr.State  # 0 … len(TOUR) - 1
    words: gr.HTML
    back: gr.Button
    show: gr.Button
    forward: gr.Button


def build_tour() -> Tour:
    """Lay out the tour and connect its pages; call inside the tab."""
    with gr.Accordion("Guided tour: five steps, under ten minutes", open=False, elem_id="tour") as area:
        words = gr.HTML(page(0), elem_id="tour-words")
        with gr.Row():
            back = gr.Button("Back", elem_id="tour-back", size="sm", min_width=70, interactive=False)
            show = gr.Button("Show me", variant="primary", elem_id="tour-show", size="sm", min_width=110)
            forward = gr.Button("Next", elem_id="tour-next", size="sm", min_width=70)
    Projector(elem_id="projector-bar")
    tour = Tour(area, gr.State(0), words, back, show, forward)
    form = Form({"place": tour.place, "words": words, "back": back, "forward": forward})
    for button, move in ((back, -1), (forward, 1)):
        button.click(form.filled_by(turn(move)), tour.place, list(form), **INSTANT)
    return tour


def turn(move: int) -> Callable[[int], Updates]:
    """Make a handler that goes on or back by a page."""

    def turned(place: int) -> Updates:
        place = min(max(place + move, 0), len(TOUR) - 1)
        back, forward = gr.Button(interactive=place > 0), gr.Button(interactive=place < len(TOUR) - 1)
        return {"place": place, "words": page(place), "back": back, "forward": forward}

    return turned


def page(place: int) -> str:
    """Write a page of the tour as HTML."""
    station = TOUR[place]
    words = escape(station.words)
    for italic in ("content", "style"):
        words = words.replace(f"*{italic}*", f"<em>{italic}</em>")
    return (
        f'<div class="tour-page"><div class="count">Tour, step {place + 1} of {len(TOUR)}</div>'
        f"<h2>{escape(station.title)}</h2><p>{words}</p></div>"
    )
