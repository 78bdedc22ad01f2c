"""Paints a sheet of variations: the handlers behind its buttons."""

import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.sheet import compose_sheet
from nst_core.engine.begin import moved, waited_for
from nst_core.engine.devices import DEVICES
from nst_core.engine.limits import check_work
from nst_core.engine.zero import painting_compute
from nst_core.errors import ConfigError, NSTError, OutputError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.sheet import CELL_SIDES, save_sheet
from nst_core.transfer.steering import Steering
from nst_core.transfer.variations import SheetCell, SheetProgress, paint_sheet
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.results import painting_name
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.variations.axes import NOTHING, SheetPlan, planned
from nst_core.ui.variations.table import SheetGrowth

VIEW_SECONDS = 2.0  # at least, between two views of a sheet that grows


class Sheet(PageState):
    """An open page's sheet."""

    def __init__(self) -> None:
        self.steering = Steering()
        self.running = False
        self.language = ENGLISH  # the page's, in which a sheet that is kept is labelled
        self.varied: set[str] = set()
        self.cells: dict[tuple[int, int], SheetCell] = {}  # that are painted
        self.names: dict[str, str] = {}  # "rows" or "columns" -> the setting for which the page put values there
        self.filled: dict[str, str] = {}  # and these values

    def leave(self) -> None:
        """End the sheet of a page that was closed after its present step."""
        self.steering.stop.set()


class Choice(NamedTuple):
    """A person's choice of a sheet."""

    rows: str
    row_values: str
    columns: str
    column_values: str
    cell_size: int | None
    cell_steps: int | None
    settings: Mapping[str, Any]  # what the page shows, by the names of PAINTED_WITH

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Choice":
        """Take the choice out of what the page shows."""
        return cls(**{name: shown[name] for name in CHOICE}, settings=shown)

    def base(self, session: Session) -> StyleTransferConfig:
        """Give the page's settings, at the size and number of steps of a cell.

        Raises:
            ConfigError: a value that is missing, unknown or out of range.
        """
        for name in ("size", "steps"):
            if getattr(self, f"cell_{name}") is None:
                raise ConfigError(f"the cells' {name} is empty; give a whole number")
        config = config_of(session.base or self.settings["preset"], self.settings)
        return config.changed(size=self.cell_size, steps=self.cell_steps)

    def plan(self, base: StyleTransferConfig) -> SheetPlan:
        """Plan the sheet's cells; raises ConfigError as `planned`."""
        return planned(base, self.rows, self.row_values, self.columns, self.column_values)


CHOICE = Choice._fields[:-1]  # what a sheet asks for beside the page's settings


def paint(sheet: Sheet, session: Session, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint the sheet that was chosen, showing it as it grows in "status", "grid" and "download".

    Args:
        sheet: the page's.
        session: the page's, too.
        shown: what it shows, by the names of PAINTED_WITH and CHOICE.
    """
    uploads, choice = Uploads.of(shown), Choice.of(shown)
    try:
        sheet.running = True
        base = choice.base(session)
        plan = choice.plan(base.changed(blend=base.blend[: max(1, len(uploads.styles))]))
        check_work(sum(cell.config.steps * cell.config.size**2 for cell in plan.cells), 1)
        for backbone in dict.fromkeys(cell.config.backbone for cell in plan.cells):
            for status in fetch_weights(backbone, sheet.steering):
                yield {"status": status}
        painting = DEVICES.submit(_begun, plan, uploads, sheet.steering).result()
        yield from _shown(sheet, plan, painting, painting_name(uploads, base, "sheet"))
    except NSTError as error:
        yield {"status": _problem(error)}
    finally:
        sheet.running = False


def _begun(plan: SheetPlan, uploads: Uploads, steering: Steering) -> Generator[SheetProgress, None, None]:
    """Begin the sheet's painting, all that it needs read and checked."""
    material = uploads.read(
        with_start=any(cell.config.start == "image" for cell in plan.cells),
        size=max(cell.config.size for cell in plan.cells),
    )
    return paint_sheet(
        material.content_image,
        material.style_images,
        plan.cells,
        painting_compute(),
        steering,
        start_image=material.start_image,
        masks=material.masks,
        begun=moved(material),
    )


def _shown(
    sheet: Sheet, plan: SheetPlan, painting: Generator[SheetProgress, None, None], name: str
) -> Iterator[Updates]:
    """Step through a sheet that was begun; whatever ends it, what is painted by then stays."""
    side = min(max(cell.config.size for cell in plan.cells), CELL_SIDES[1])
    growth, told = SheetGrowth(plan.rows, plan.columns, plan.cells, side), -VIEW_SECONDS
    last: SheetProgress | None = None
    problem: str | None = None
    sheet.cells, sheet.varied = {}, {plan.rows.name, plan.columns.name if plan.columns else NOTHING}
    try:
        with DEVICES.stepped(waited_for(painting)) as stepped:
            for progress in stepped:
                last = progress
                sheet.cells = {(result.cell.row, result.cell.column): result.cell for result in progress.results}
                if time.monotonic() - told >= VIEW_SECONDS:
                    told = time.monotonic()
                    grid, download = growth.shows(progress), gr.DownloadButton(visible=False)
                    yield {"status": _progress(plan, progress), "grid": grid, "download": download}
    except NSTError as error:
        problem = _problem(error)
    if last is None or not last.results:
        nothing = status_html("No cell was painted.", " ".join(last.notes if last else ()))
        yield {"status": problem or nothing}
        return
    try:
        download = gr.DownloadButton(
            value=_file(plan, last, max(side, CELL_SIDES[0]), name, sheet.language), visible=True
        )
    except OutputError as error:  # it is shown all the same
        problem, download = problem or _problem(error), gr.DownloadButton(visible=False)
    status = problem or status_html(_ended(plan, last), " ".join(last.notes), share=1)
    yield {"status": status, "grid": growth.shows(last), "download": download}


def _problem(error: NSTError) -> str:
    warn(error, "Cannot paint the sheet")
    return status_html(str(error), kind="problem")


def _progress(plan: SheetPlan, progress: SheetProgress) -> str:
    cell, count = progress.cell, progress.count
    steps = max(1, cell.config.steps)
    made = sum(before.config.steps for before in plan.cells[: progress.index]) + progress.step
    text = f"Cell {progress.index + 1} of {count} · {cell.label} · step {progress.step} of {steps}"
    return status_html(text, " ".join(progress.notes), share=min(1.0, made / plan.steps))


def _ended(plan: SheetPlan, last: SheetProgress) -> str:
    done = sum(not result.record.stopped for result in last.results)
    seconds = sum(result.record.seconds for result in last.results)
    begun = "Done" if done + len(last.notes) == len(plan.cells) else "Stopped"
    return f"{begun}: {done} of {len(plan.cells)} cells in {duration(seconds)}. Click one to use its settings."


def _file(plan: SheetPlan, last: SheetProgress, cell_side: int, name: str, language: Language) -> Path:
    """Save the labelled sheet as a PNG with the records of its cells, in gradio's cache, which deletes it in time."""
    path = new_file(name)
    save_sheet(compose_sheet(last.results, plan.rows, plan.columns, cell_side, language), last.results, path)
    return path
