"""Lays out the variations: a sheet of small paintings over two settings, to find the ones worth painting large."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gradio as gr

from nst_core.engine.lane import DEVICE_LANE
from nst_core.errors import NSTError
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.jobs import not_begun
from nst_core.ui.serving.turns import in_lane
from nst_core.ui.studio.controls_and_config import CONTROLS, default_config
from nst_core.ui.studio.page_language import TELL, language_of
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH, Studio
from nst_core.ui.variations.axes import MENU, NOTHING, advice, default_values, extent
from nst_core.ui.variations.run import Choice, Sheet, paint
from nst_core.ui.variations.table import SheetGrid

SIZE = 176  # pixels of a cell's painting
STEPS = 100
ROWS, COLUMNS = "style_weight", "style_scale"  # to begin with
VALUES = {"rows": "Values of the rows", "columns": "Values of the columns"}


class Side(NamedTuple):
    """One of the two settings, and the values that it takes."""

    menu: gr.Dropdown
    values: gr.Textbox


class Parts(NamedTuple):
    """The accordion's components."""

    area: gr.Accordion
    rows: Side
    columns: Side
    size: gr.Number
    steps: gr.Number
    extent: gr.HTML
    paint: gr.Button
    stop: gr.Button
    status: gr.HTML
    grid: SheetGrid
    download: gr.DownloadButton

    @property
    def choice(self) -> Form:
        """Name the components that a sheet asks for, as Choice does."""
        sides = {"rows": self.rows.menu, "columns": self.columns.menu}
        values = {"row_values": self.rows.values, "column_values": self.columns.values}
        return Form({**sides, **values, "cell_size": self.size, "cell_steps": self.steps})


def build_variations(studio: Studio) -> None:
    """Lay out the accordion and connect it to the studio, whose pictures and settings it varies."""
    session, sheet, parts = studio.session, gr.State(Sheet()), _parts()
    given = studio.form.only(*PAINTED_WITH) | parts.choice.parts
    _connect_choice(session, sheet, parts, given)
    _connect_painting(session, sheet, parts, given)
    shown = studio.form.only("preset", "about", *CONTROLS) | {"sheet_status": parts.status}
    parts.grid.click(shown.filled_by(_click), [sheet, session], list(shown), **QUEUED)
    AUDIENCE.when_left(Sheet.leave_page)


def _parts() -> Parts:
    config = default_config(DEFAULT_PRESET, BUNDLED_BACKBONE).changed(size=SIZE, steps=STEPS)
    menu = [(title, name) for name, title in MENU.items()]
    with gr.Accordion("Variations: a sheet over two settings", open=False, elem_id="sheet-area") as area:
        rows = _side("rows", ROWS, menu, config)
        columns = _side("columns", COLUMNS, [*menu, ("Nothing", NOTHING)], config)
        with gr.Row():
            size = gr.Number(SIZE, label="Size of a cell, pixels", elem_id="sheet-size", min_width=120)
            steps = gr.Number(STEPS, label="Steps of a cell", elem_id="sheet-steps", min_width=120)
        shown = gr.HTML(elem_id="sheet-extent")
        with gr.Row():
            paint_it = gr.Button("Paint the sheet", elem_id="sheet-paint", scale=2, min_width=100)
            stop = gr.Button("Stop", variant="stop", elem_id="sheet-stop", interactive=False, scale=1, min_width=80)
        status = gr.HTML(elem_id="sheet-status")
        grid = SheetGrid(elem_id="sheet")
        download = gr.DownloadButton("Download the sheet, PNG", elem_id="sheet-download", visible=False)
    return Parts(area, rows, columns, size, steps, shown, paint_it, stop, status, grid, download)


def _side(side: str, name: str, menu: list[tuple[str, str]], config: StyleTransferConfig) -> Side:
    """Lay out the setting that varies along the rows or the columns.

    Args:
        side: "rows" or "columns".
        name: what varies to begin with.
        menu: what may vary, with its title.
        config: of the cells.
    """
    with gr.Row():
        chosen = gr.Dropdown(menu, value=name, label=side.capitalize(), elem_id=f"sheet-{side}", min_width=160)
        values = gr.Textbox(
            default_values(name, config),
            label=VALUES[side],
            lines=1,
            max_lines=1,
            elem_id=f"sheet-{side}-values",
            min_width=160,
            info="separated by commas",
        )
    return Side(chosen, values)


def _connect_choice(session: gr.State, sheet: gr.State, parts: Parts, given: Form) -> None:
    """Let settings bring values that suit them, and say at once what is wrong with these."""
    for name, side in (("rows", parts.rows), ("columns", parts.columns)):
        chooses = given.given_to(_chooses(name))
        side.menu.input(chooses, [sheet, session, *given], side.values, trigger_mode="always_last", **INSTANT)
    shown = parts.choice.only("row_values", "column_values") | {"extent": parts.extent}
    parts.area.expand(shown.filled_by(given.given_to(refresh)), [sheet, session, *given], list(shown), **INSTANT)
    once: dict[str, Any] = {"trigger_mode": "always_last", **INSTANT}
    changes = [part.change for part in (*parts.rows, *parts.columns, parts.size, parts.steps)]
    gr.on(changes, given.given_to(describe), [session, *given], parts.extent, **once)


def _chooses(side: str) -> Callable[..., Update]:
    """Make a handler: `choose` for one of the sides."""

    def chosen(sheet: Sheet, session: Session, shown: Mapping[str, Any]) -> Update:
        return choose(sheet, session, side, shown)

    return chosen


def _connect_painting(session: gr.State, sheet: gr.State, parts: Parts, given: Form) -> None:
    shown = Form({"status": parts.status, "grid": parts.grid, "download": parts.download})
    pressed = Form({"status": parts.status, "paint": parts.paint, "stop": parts.stop})
    again = pressed.only("paint", "stop")
    language = gr.Textbox(visible=False)
    press = pressed.filled_by(press_paint)
    waiting = parts.paint.click(press, [sheet, language], list(pressed), js=TELL, **INSTANT)
    handler = in_lane(DEVICE_LANE, given.given_to(paint), lambda sheet: sheet.steering, shown)
    painting = waiting.then(handler, [sheet, session, *given], list(shown), **QUEUED)
    painting.then(again.filled_by(_ready), sheet, list(again), **INSTANT)
    refused = pressed.filled_by(lambda sheet: {**not_begun(), **_ready(sheet)})
    painting.failure(refused, sheet, list(pressed), **INSTANT)
    parts.stop.click(lambda sheet: sheet.steering.stop.set(), sheet, None, **INSTANT)


def describe(session: Session, shown: Mapping[str, Any]) -> str:
    """Write how much there is to paint, or what is wrong with the values."""
    try:
        choice = Choice.of(shown)
        plan = choice.plan(choice.base(session))
        return status_html(extent(plan), advice(plan))
    except NSTError as error:
        return status_html(str(error), kind="problem")


def fill(sheet: Sheet, session: Session, side: str, shown: Mapping[str, Any]) -> str:
    """Give values about the page's own for the setting chosen on a side, "rows" or "columns"."""
    choice = Choice.of(shown)
    name = sheet.names[side] = getattr(choice, side)
    try:
        base = choice.base(session)
    except NSTError:  # of the page's settings, which the line below the values tells
        base = default_config(DEFAULT_PRESET)
    sheet.filled[side] = "" if name == NOTHING else default_values(name, base)
    return sheet.filled[side]


def choose(sheet: Sheet, session: Session, side: str, shown: Mapping[str, Any]) -> Update:
    """Give values as `fill` if another setting was chosen: gradio 6.31 tells of input whenever a menu loses focus."""
    return gr.skip() if sheet.names.get(side) == shown[side] else fill(sheet, session, side, shown)


def refresh(sheet: Sheet, session: Session, shown: Mapping[str, Any]) -> Updates:
    """Update the values of rows and columns, which follow the page's settings unless typed, and their extent."""
    new = {
        values: fill(sheet, session, side, shown)
        for side, values in (("rows", "row_values"), ("columns", "column_values"))
        if sheet.filled.get(side, shown[values]) == shown[values]
    }
    extent_text = describe(session, {**shown, **new})
    return {**{name: value for name, value in new.items() if value != shown[name]}, "extent": extent_text}


def take(sheet: Sheet, session: Session, place: tuple[int, int]) -> Updates:
    """Put a cell's settings into the page, and say so.

    Size and steps are small for the sheet's sake: the page keeps its own, unless they are what the sheet varies.
    """
    cell = sheet.cells.get(place)
    if cell is None:
        return {}
    kept = {"size", "steps"} - sheet.varied
    shown = {name: value for name, value in session.take(cell.config).items() if name not in kept}
    return {**shown, "sheet_status": status_html(f"{cell.label} is in the page's settings; press Paint to paint it.")}


def press_paint(sheet: Sheet, chosen: str, request: gr.Request) -> Updates:
    """Answer the click on Paint at once: forget an earlier stop, say that a place in the queue is taken.

    Args:
        sheet: the page's, which is labelled in the language that the page speaks.
        chosen: that language's short name, as `TELL` has it.
        request: who asks.
    """
    sheet.language = language_of(chosen, request.headers)
    sheet.steering.stop.clear()
    sheet.enter(request)
    status = status_html("Waiting for the device …")
    return {"status": status, "paint": gr.Button(interactive=False), "stop": gr.Button(interactive=True)}


def _ready(sheet: Sheet) -> Updates:
    """Let the sheet be painted again, however the last one ended."""
    sheet.running = False
    return {"paint": gr.Button(interactive=True), "stop": gr.Button(interactive=False)}


def _click(sheet: Sheet, session: Session, event: gr.EventData) -> Updates:
    return take(sheet, session, (event.row, event.column))
