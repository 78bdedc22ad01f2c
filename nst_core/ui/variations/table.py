"""Shows a sheet of variations on the page: a table of small paintings, each of which is a button."""

from collections.abc import Sequence
from html import escape
from typing import TypedDict

from torch import Tensor

from nst_core.transfer.variations import Axis, CellResult, SheetCell, SheetProgress
from nst_core.ui.widgets.own_html import OwnHTML
from nst_core.ui.widgets.pictures import data_uri

MAX_SIDE = 320  # pixels; of a cell as the page shows it


class ShownCell(TypedDict):
    """A cell as the page has it."""

    picture: str  # a URL; "": none yet
    label: str
    done: bool
    note: str


class ShownSheet(TypedDict):
    """A sheet as the page has it."""

    heads: list[str]  # of the columns
    sides: list[str]  # of the rows
    rows: list[list[ShownCell]]
    side: int  # of a cell, pixels
    aspect: float


class SheetGrid(OwnHTML):
    """Grows while the sheet is painted; a click tells the cell's row and column.

    Its value is what `SheetGrowth` gives, or None. gradio sends of a value only what changed since the last, and puts
    only that into the page, so that a finished cell travels once and keeps the keyboard's focus.
    """

    TEMPLATE = """
${value ? `
<div class="sheet" tabindex="0" role="group" aria-label="The sheet of variations">
<table style="--columns: ${value.rows[0].length}; --side: ${value.side}px; --aspect: ${value.aspect}">
  <thead ${value.heads.length ? '' : 'hidden'}><tr><td></td>
    ${value.heads.map(head => `<th scope="col">${head}</th>`).join('')}
  </tr></thead>
  <tbody>${value.rows.map((row, r) => `<tr><th scope="row">${value.sides[r]}</th>${row.map((cell, c) => `
    <td><button type="button" data-row="${r}" data-column="${c}" ${cell.done ? '' : 'disabled'}
      aria-label="${cell.label}" title="${cell.label}" aria-pressed="false">
      ${cell.picture ? `<img src="${cell.picture}" alt="">` : ''}
      ${cell.note ? `<span>${cell.note}</span>` : ''}
    </button></td>`).join('')}</tr>`).join('')}
  </tbody>
</table></div>` : ''}"""
    STYLE = """
.sheet { overflow-x: auto; }
.sheet table { border: 0; border-collapse: separate; border-spacing: 4px; margin: 0; width: auto; }
.sheet td, .sheet th { border: 0; padding: 0; background: none; }
.sheet th { font-weight: 500; font-size: var(--text-sm); color: var(--body-text-color); overflow-wrap: anywhere; }
.sheet th[scope=col] { text-align: center; vertical-align: bottom; }
.sheet th[scope=row] { text-align: right; padding-right: 4px; min-width: 44px; max-width: 110px; }
.sheet td button { display: block; position: relative; padding: 0; border: 0; border-radius: 4px; overflow: hidden;
  width: calc(var(--side) * min(1, var(--aspect))); min-width: 72px; aspect-ratio: var(--aspect); cursor: pointer;
  background: var(--background-fill-secondary); }
.sheet td button { max-width: calc((var(--room, 100vw) - 120px) / var(--columns)); }
.sheet td button:disabled { cursor: default; }
.sheet td button img { display: block; width: 100%; height: 100%; object-fit: contain; border-radius: 0; }
.sheet td button span { position: absolute; inset: auto 0 0 0; padding: 1px 4px; font-size: var(--text-xs);
  background: var(--background-fill-primary); color: var(--body-text-color); }
.sheet td button:not(:disabled):hover, .sheet td button:focus-visible, .sheet td button[aria-pressed=true] {
  outline: 3px solid var(--color-accent); outline-offset: -1px; }
"""
    SCRIPT = """
element.addEventListener('click', event => {
  const cell = event.target.closest('button[data-row]');
  if (!cell || cell.disabled) return;
  element.querySelectorAll('button[data-row]').forEach(other => other.ariaPressed = other === cell);
  trigger('click', {row: Number(cell.dataset.row), column: Number(cell.dataset.column)});
});
new ResizeObserver(([entry]) => element.style.setProperty('--room', entry.contentRect.width + 'px')).observe(element);
"""


class SheetGrowth:
    """A sheet that is being painted, as SheetGrid's value; every finished cell is made a JPEG once."""

    def __init__(self, rows: Axis, columns: Axis | None, cells: Sequence[SheetCell], side: int) -> None:
        self.side = min(side, MAX_SIDE)
        self.aspect = 1.0
        self.sides, self.heads = ([escape(label) for label in axis.labels] if axis else [] for axis in (rows, columns))
        self.cells: dict[tuple[int, int], ShownCell] = {(cell.row, cell.column): self._cell(cell) for cell in cells}

    def shows(self, progress: SheetProgress) -> ShownSheet:
        """Make SheetGrid's value for a moment."""
        for result in progress.results:
            place = result.cell.row, result.cell.column
            if not self.cells[place]["done"]:
                self.cells[place] = self._finished(result)
        shown, place = dict(self.cells), (progress.cell.row, progress.cell.column)
        if progress.image is not None:
            self.aspect = round(progress.image.shape[3] / progress.image.shape[2], 4)
            if not shown[place]["done"]:
                shown[place] = self._cell(progress.cell, progress.image)
        width = max(column for _, column in self.cells) + 1
        rows = [[shown[row, column] for column in range(width)] for row in range(len(self.sides))]
        return {"heads": self.heads, "sides": self.sides, "rows": rows, "side": self.side, "aspect": self.aspect}

    def _finished(self, result: CellResult) -> ShownCell:
        note = f"stopped at step {result.record.steps}" if result.record.stopped else ""
        return {**self._cell(result.cell, result.image), "done": True, "note": note}

    def _cell(self, cell: SheetCell, image: Tensor | None = None) -> ShownCell:
        picture = "" if image is None else data_uri(image, max_side=self.side)
        return {"picture": picture, "label": escape(cell.label), "done": False, "note": ""}
