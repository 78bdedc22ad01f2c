"""Lays out the Explain tab: the papers' figures, made while one watches, with words and the equation behind each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from nst_core.analysis.figures.catalogue import FIGURES, FIRST
from nst_core.engine.lane import DEVICE_LANE
from nst_core.errors import NSTError
from nst_core.ui.explain.controls import OptionControl, key_of, option_controls, shown_value
from nst_core.ui.explain.cutout import CENTRE, Composing, build_composing, connect_composing
from nst_core.ui.explain.enlarged import build_enlarged, connect_enlarged
from nst_core.ui.explain.examples import CONTENT, STYLE, example_of
from nst_core.ui.explain.exhibit import exhibit
from nst_core.ui.explain.figure_table import FigureView
from nst_core.ui.explain.links import LessonLink, read_link
from nst_core.ui.explain.position import connect_position
from nst_core.ui.explain.predict import Predict, asked
from nst_core.ui.explain.run import go_on, make_figure
from nst_core.ui.explain.save import build_keeping
from nst_core.ui.explain.session import Board
from nst_core.ui.explain.tour import TOUR, Tour, build_tour
from nst_core.ui.explain.words import words_html
from nst_core.ui.page.buttons import hand_over
from nst_core.ui.page.classifier_button import classifier_button
from nst_core.ui.page.events import INSTANT, QUEUED, Update, page_at_hand
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.jobs import not_begun, press, ready
from nst_core.ui.serving.turns import Handler, JobHandler, in_lane
from nst_core.ui.studio.shared_components import Studio
from nst_core.ui.studio.uploads import checked
from nst_core.ui.widgets.pictures import PICTURE_FILES, PictureInput

# Areas that are there for figures which want such a picture, by their names in the form -> its kind.
AREAS = {"content_area": "content", "style_area": "style", "more_area": "contents", "cutout_area": "cutout"}
CLASSIFY = "classify"  # the figure that asks the classifier, which may have to be fetched
TITLES = [(f"{number}. {figure.title}", name) for number, (name, figure) in enumerate(FIGURES.items(), 1)]


class FigurePictures(NamedTuple):
    """The places for a figure's pictures, and the areas that hold them."""

    content: PictureInput
    style: PictureInput
    more_contents: gr.File
    more_styles: gr.File
    content_area: gr.Column
    style_area: gr.Column
    more_area: gr.Row


class FigureInputs(NamedTuple):
    """The components that say what a figure is made of."""

    figure: gr.Radio
    pictures: FigurePictures
    composing: Composing
    classifier: gr.Column  # what fetches it, for the figure that asks it
    groups: dict[str, gr.Column]  # figure -> its controls
    controls: dict[str, dict[str, OptionControl]]  # figure -> option -> its control

    def form(self) -> Form:
        """Name the figure's menu, its pictures as Pictures does, and its options' controls by their keys."""
        places, composing = self.pictures._asdict(), self.composing
        pictures = {name: places[name] for name in ("content", "style", "more_contents", "more_styles")}
        cutting = {"cutout": composing.cutout, "brush": composing.brush}
        options = {
            key_of(figure, option): self.controls[name][option.name]
            for name, figure in FIGURES.items()
            for option in figure.options
        }
        return Form({"figure": self.figure}) | pictures | cutting | options

    def areas(self) -> Mapping[str, Block]:
        """Name the areas that the choice of a figure shows and hides."""
        return {
            "content_area": self.pictures.content_area,
            "style_area": self.pictures.style_area,
            "more_area": self.pictures.more_area,
            "cutout_area": self.composing.area,
            "classifier": self.classifier,
            **{f"options of {name}": group for name, group in self.groups.items()},
        }


class Stage(NamedTuple):
    """The components in which the figure grows."""

    words: gr.HTML
    predict: Predict
    view: Form  # "status", "figure", "go_on" and "after"
    go_on: gr.Button
    enlarged: gr.Column


def build(tabs: gr.Tabs, studio: Studio, below: Callable[[PictureInput], None]) -> None:
    """Lay out the tab and connect it; call inside its Tab.

    Args:
        below: lays out what stands below the options, given the style picture.
    """
    board = gr.State(Board())
    tour = build_tour()
    with gr.Row(equal_height=False, elem_id="explain"):
        with gr.Column(elem_id="explain-inputs", min_width=300):
            figure = gr.Radio(TITLES, value=FIRST, label="Figure", elem_id="figure-choice")
            pictures = _pictures()
        with gr.Column(elem_id="explain-stage", min_width=300):
            words = gr.HTML(words_html(FIRST), elem_id="figure-words")
            predict = Predict(asked(FIRST), elem_id="predict")
            composing = build_composing()
            with gr.Row(elem_id="making"):
                make = gr.Button("Make the figure", variant="primary", elem_id="make", scale=3, min_width=130)
                stop = gr.Button("Stop", variant="stop", elem_id="make-stop", interactive=False, min_width=70)
                go_on_button = gr.Button("Continue", visible=False, elem_id="make-go-on", min_width=90)
            status = gr.HTML(status_html("Choose a figure, then press Make the figure."), elem_id="make-status")
            with gr.Column(visible=FIRST == CLASSIFY, elem_id="classifier") as classifier:
                classifier_button(status)
            view = FigureView(first.shows() if (first := example_of(FIRST)) else None, elem_id="figure")
            enlarged = build_enlarged()
            after = build_keeping(board)
        with gr.Column(elem_id="explain-knobs", min_width=300):
            groups, controls = _options()
            below(pictures.style)
    inputs = FigureInputs(figure, pictures, composing, classifier, groups, controls)
    shown = Form({"status": status, "figure": view, "go_on": go_on_button, "after": after})
    stage = Stage(words, predict, shown, go_on_button, enlarged.area)
    _connect_inputs(board, inputs, stage)
    _connect_making(board, inputs, stage, (make, stop), tour)
    compose = controls["compose"]
    place = {name: control for name in CENTRE if isinstance(control := compose[name], gr.Number)}
    connect_position(view, controls["position"])
    connect_composing(composing, figure, pictures.content, place)
    _follow_preset(studio, inputs)
    connect_enlarged(board, enlarged, view, tabs, studio)
    filled = _filled(inputs, stage) | {"tabs": tabs, "status": status}
    page_at_hand().load(filled.filled_by(_opened), None, list(filled), **QUEUED)
    page_at_hand().load(None, js=hand_over("make", "make-stop", "make-go-on", "tour-show"), **INSTANT)
    AUDIENCE.when_left(Board.leave_page)


def _pictures() -> FigurePictures:
    with gr.Row():
        content_area, content = _picture("content", "Photo", CONTENT)
        style_area, style = _picture("style", "Style", STYLE)
    with gr.Row(visible=False) as more_area:
        more_contents, more_styles = _further("photos"), _further("styles")
    return FigurePictures(content, style, more_contents, more_styles, content_area, style_area, more_area)


def _further(kind: str) -> gr.File:
    return gr.File(
        label=f"More {kind}",
        elem_id=f"more-{kind}",
        file_count="multiple",
        file_types=PICTURE_FILES,
        height=120,
        min_width=250,
    )


def _options() -> tuple[dict[str, gr.Column], dict[str, dict[str, OptionControl]]]:
    """Lay out each figure's controls: figure -> their area, figure -> option -> control."""
    groups: dict[str, gr.Column] = {}
    controls: dict[str, dict[str, OptionControl]] = {}
    for name, figure in FIGURES.items():
        with gr.Column(visible=name == FIRST, elem_id=f"options-{name}") as groups[name]:
            controls[name] = option_controls(figure)
    return groups, controls


def _picture(name: str, label: str, chosen: Path) -> tuple[gr.Column, PictureInput]:
    """Lay out the place for a picture, with the examples of the chosen one's folder."""
    with gr.Column(min_width=140, visible=_wants(FIRST, name)) as area:
        picture = PictureInput(
            str(chosen),
            label=label,
            elem_id=f"explain-{name}",
            height=170,
            sources=["upload", "clipboard"],
            buttons=["fullscreen"],
            alt_text=label,
        )
        files, elem_id = sorted(map(str, chosen.parent.glob("*.jpg"))), f"explain-{name}-examples"
        gr.Examples(files, picture, label="", elem_id=elem_id, examples_per_page=12, cache_examples=False)
    return area, picture


def _wants(name: str, kind: str) -> bool:
    return any(wanted.startswith(kind) for wanted in FIGURES[name].pictures)


def choose(name: str) -> Updates:
    """Show another figure's words, question, pictures and options."""
    kinds = {area: gr.Column(visible=_wants(name, kind)) for area, kind in AREAS.items()}
    options = {f"options of {other}": gr.Column(visible=name == other) for other in FIGURES}
    shown = {"classifier": gr.Column(visible=name == CLASSIFY), **kinds, **options}
    return {"words": words_html(name), "predict": asked(name), **shown}


def _filled(inputs: FigureInputs, stage: Stage) -> Form:
    """Name what a lesson fills in."""
    return inputs.form() | {"words": stage.words, "predict": stage.predict} | inputs.areas()


def fill(link: LessonLink) -> Updates:
    """Fill in a lesson's figure, pictures and settings; what it does not name stays."""
    figure, pictures = link.figure, {name: str(path) for name, path in link.pictures.items()}
    values = {key_of(figure, option): shown_value(option, link.settings[option.name]) for option in figure.options}
    return {"figure": figure.name, **pictures, **choose(figure.name), **values}


def _opened(request: gr.Request) -> Updates:
    """Fill in the lesson at whose link the page was opened, if any."""
    try:
        link = read_link(dict(request.query_params))
    except NSTError as error:
        warn(error, "This link leads nowhere")
        return {"tabs": gr.Tabs(selected="explain"), "status": status_html(str(error), kind="problem")}
    if link is None:
        return {}
    text = f"The lesson “{link.figure.title}” is set; press Make the figure."
    return {"tabs": gr.Tabs(selected="explain"), "status": status_html(text), **fill(link)}


def _follow_preset(studio: Studio, inputs: FigureInputs) -> None:
    """Let the formulas be those of the preset that the studio uses, until another is chosen here."""
    chosen = inputs.controls["formula"]["preset"]
    studio.preset.change(lambda name: name or gr.skip(), studio.preset, chosen, **INSTANT)


def _connect_inputs(board: gr.State, inputs: FigureInputs, stage: Stage) -> None:
    chosen = Form({"words": stage.words, "predict": stage.predict}) | inputs.areas()
    inputs.figure.change(chosen.filled_by(choose), inputs.figure, list(chosen), **INSTANT)
    shown = stage.view.only("figure", "go_on", "after") | {"enlarged": stage.enlarged}
    inputs.figure.change(shown.filled_by(exhibit), [board, inputs.figure], list(shown), **INSTANT)
    for picture in (inputs.pictures.content, inputs.pictures.style, inputs.composing.cutout):
        checked(picture)


def _connect_making(
    board: gr.State, inputs: FigureInputs, stage: Stage, buttons: tuple[gr.Button, gr.Button], tour: Tour
) -> None:
    """Connect Make, Stop, Continue, and the tour's "Show me", which sets a lesson and makes it."""
    (run, stop), view = buttons, stage.view
    again = view.only("go_on") | {"run": run, "stop": stop, "show": tour.show}
    refused = again | {"status": view["status"]}
    pressed = refused | {"enlarged": stage.enlarged}
    press_make, ready_again = pressed.filled_by(_pressed), again.filled_by(_ready)
    form, filled = inputs.form(), _filled(inputs, stage)
    given, making = [board, *form], _in_turn(form.given_to(make_figure), view)
    set_lesson = filled.filled_by(lambda place: fill(TOUR[place].link()))
    turned = filled.filled_by(lambda board, place: {} if board.job.busy else fill(TOUR[place].link()))
    for leads_on in (tour.area.expand, tour.words.change):  # to a step, whose example is seen at once
        leads_on(turned, [board, tour.place], list(filled), **INSTANT)
    shown = tour.show.click(set_lesson, tour.place, list(filled), **INSTANT)
    works = [
        event.then(press_make, board, list(pressed), **INSTANT).then(making, given, list(view), **QUEUED)
        for event in (run.click(lambda: None, None, None, **INSTANT), shown)
    ]
    continued = stage.go_on.click(press_make, board, list(pressed), **INSTANT)
    works.append(continued.then(_in_turn(go_on, view), board, list(view), **QUEUED))
    for work in works:
        work.then(ready_again, board, list(again), **INSTANT)
        work.failure(refused.filled_by(lambda board: not_begun() | _ready(board)), board, list(refused), **INSTANT)
    stop.click(lambda board: board.job.steering.stop.set(), board, None, **INSTANT)


def _in_turn(work: JobHandler[Board], view: Form) -> Handler[list[Update]]:
    """Make a handler that makes a figure, in its turn."""
    return in_lane(DEVICE_LANE, work, lambda board: board.job.steering, view)


def _pressed(board: Board, request: gr.Request) -> Updates:
    board.enter(request)
    board.left = False  # a connection that was lost is back
    off = gr.Button(interactive=False)
    return press(board.job) | {"show": off, "go_on": off, "enlarged": gr.Column(visible=False)}


def _ready(board: Board) -> dict[str, Update]:
    """Let figures be made again, however the last one ended."""
    on = gr.Button(interactive=True)
    return ready(board.job) | {"show": on, "go_on": on}
