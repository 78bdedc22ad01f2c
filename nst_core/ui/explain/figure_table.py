"""Shows a figure on the page: a table of pictures that are buttons, charts, tables, and what came out."""

from collections.abc import Sequence
from html import escape
from typing import TypedDict

from torch import Tensor

from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.poster.chart import colors_of
from nst_core.ui.widgets.charts import chart_html, table_html
from nst_core.ui.widgets.own_html import OwnHTML
from nst_core.ui.widgets.pictures import data_uri

MAX_SIDE = 384  # pixels; of a part among the others


class ShownPart(TypedDict):
    """A part as the page has it."""

    picture: str  # a URL, "/…" beside the page; "": none yet
    label: str
    caption: str
    aspect: float
    crisp: str  # "crisp" where pixels are to be seen, or ""
    points: bool  # whether a click chooses a place in it


class FigureView(OwnHTML):
    """Grows while the figure is made; a click on a part triggers "look" with its row and column, or "point".

    Its value is what `Figures.shows` gives, or None; what "example" says stands above the pictures of a finished one.
    gradio sends of a value only what changed since the last.
    """

    TEMPLATE = """
${value ? `
<div class="figure" style="--columns: ${value.columns}">
${value.example ? `<p class="example">${value.example}</p>` : ''}
<div class="parts" tabindex="0" role="group" aria-label="The figure">
<table>
  <thead ${value.heads.some(head => head) ? '' : 'hidden'}><tr><td ${value.sided ? '' : 'hidden'}></td>
    ${value.heads.map(head => `<th scope="col">${head}</th>`).join('')}
  </tr></thead>
  <tbody>${value.rows.map((row, r) => `<tr>
    <th scope="row" ${value.sided ? '' : 'hidden'}>${value.sides[r]}</th>
    ${row.map((part, c) => part ? `
    <td><button type="button" data-row="${r}" data-column="${c}" aria-label="${part.label}" title="${part.label}"
      ${part.points ? 'data-points' : ''} style="--aspect: ${part.aspect}">
      ${part.picture ? `<img alt="" class="${part.crisp}" src="${
        part.picture[0] === '/' ? (window.gradio_config?.root ?? '').replace(/[/]$/, '') : ''}${part.picture}">` : ''}
    </button><p>${part.caption}</p></td>` : '<td></td>').join('')}</tr>`).join('')}
  </tbody>
</table></div>
${value.findings ? `<div class="findings" role="status">${value.findings}</div>` : ''}
<div class="charts">${value.charts}</div>
<div class="tables">${value.tables}</div>
</div>` : '<div class="no-figure"><p>The figure will grow here. Press <b>Make the figure</b>.</p></div>'}"""
    STYLE = """
.figure .example { margin: 0; color: var(--body-text-color-subdued); }
.figure { display: flex; flex-direction: column; gap: 12px; }
.no-figure { min-height: 220px; display: flex; align-items: center; justify-content: center; text-align: center;
  padding: 24px; border-radius: 8px; background: var(--background-fill-secondary);
  color: var(--body-text-color-subdued); }
.parts { overflow-x: auto; }
.parts table, .figure-table table { border: 0; border-collapse: separate; border-spacing: 4px; margin: 0; }
.parts table { width: auto; }
.parts td, .parts th { border: 0; padding: 0; background: none; vertical-align: top; }
.parts th { font-weight: 500; font-size: var(--text-sm); color: var(--body-text-color); overflow-wrap: anywhere; }
.parts th[scope=col] { text-align: center; vertical-align: bottom; }
.parts th[scope=row] { text-align: right; vertical-align: middle; padding-right: 4px; min-width: 52px;
  max-width: 100px; }
.parts th[hidden], .parts td[hidden] { display: none; }
.figure { --cell: max(50px, min(384px, calc((var(--room, 100vw) - 120px) / var(--columns)))); }
.parts button, .parts p { width: var(--cell); }
.parts button { display: block; padding: 0; border: 0; border-radius: 4px; overflow: hidden; cursor: zoom-in;
  aspect-ratio: var(--aspect); background: var(--background-fill-secondary); }
.parts button[data-points] { cursor: crosshair; }
.parts button img { display: block; width: 100%; height: 100%; object-fit: contain; border-radius: 0; }
.parts button img.crisp { image-rendering: pixelated; }
.parts p { margin: 2px 0 0; font-size: var(--text-xs); line-height: 1.3; white-space: pre-line;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
@media (max-width: 500px) {  /* a row's name stands above it: beside it, it would take a third of the width */
  .figure { --cell: max(40px, calc((var(--room, 100vw) - 26px) / var(--columns) - 4px)); }
  .parts table { border-spacing: 0; }
  .parts tr { display: flex; gap: 4px; flex-wrap: wrap; border: 0 !important; padding: 0 !important;
    width: calc((var(--cell) + 4px) * var(--columns)); }
  .parts thead[hidden], .parts thead td { display: none; }
  .parts th[scope=row] { flex: 0 0 100%; max-width: none; padding-top: 6px; text-align: left; }
  .parts th[scope=col], .parts td { flex: 0 0 var(--cell); width: var(--cell); }
}
.parts button:hover, .parts button:focus-visible { outline: 3px solid var(--color-accent); outline-offset: -1px; }
.findings p { margin: 0 0 4px; padding-left: 10px; border-left: 3px solid var(--color-accent); }
.findings p.note { border-color: var(--border-color-primary); color: var(--body-text-color-subdued); }
.charts { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.figure-table { overflow-x: auto; }
.figure-table table, .figure-table tr { border: 0 !important; }
.figure-table table { width: 100%; border-collapse: collapse; font-size: var(--text-sm); }
.figure-table caption { text-align: left; font-weight: 600; padding: 6px 0; color: var(--body-text-color); }
.figure-table th, .figure-table td { border: 0; border-bottom: 1px solid var(--border-color-primary); padding: 4px 8px;
  text-align: left; vertical-align: top; color: var(--body-text-color); }
.figure-table tr.lined td:first-child { border-left: 5px solid var(--term); white-space: nowrap; }
.figure tr.of-term td:first-child { border-left: 5px solid var(--border-color-primary); }
.figure tr:is(.lined, .of-term):focus-visible { outline: 2px solid var(--color-accent); outline-offset: -2px; }
.figure [data-line] { transition: opacity .15s; }
.figure.pointing [data-line]:not(.pointed) { opacity: .2; }
"""
    SCRIPT = """
element.addEventListener('click', event => {
  const part = event.target.closest('button[data-row]');
  if (part && 'points' in part.dataset && event.detail) {  // by a mouse or a finger; keys have the fields below
    const {left, top, width, height} = part.getBoundingClientRect();
    trigger('point', {x: (event.clientX - left) / width, y: (event.clientY - top) / height});
  } else if (part) trigger('look', {row: Number(part.dataset.row), column: Number(part.dataset.column)});
});
// a line, its entry in the legend and its row in a table belong together, and all lines of a term to it, which stands
// in the formula beside the figure: pointed at, focused, or pressed until it is pressed again
let pressed = null;
const belongs = target => {
  const {line} = target?.closest?.('[data-line]')?.dataset ?? {};
  const {term} = target?.closest?.('[data-term]')?.dataset ?? {};
  if (line !== undefined) return each => each === line;
  return term && (each => each === term || (term !== 'total' && each.startsWith(term + ' ')));
};
const light = target => {
  const figure = element.querySelector('.figure'), belong = belongs(target) || belongs(pressed?.isConnected && pressed);
  if (!figure) return;
  figure.classList.toggle('pointing', Boolean(belong));
  figure.querySelectorAll('[data-line]').forEach(each =>
    each.classList.toggle('pointed', Boolean(belong) && belong(each.dataset.line)));
};
for (const event of ['pointerover', 'focusin']) element.addEventListener(event, ({target}) => light(target));
for (const event of ['pointerleave', 'focusout']) element.addEventListener(event, () => light(null));
const term = target => target.closest?.('button[data-term]');
for (const event of ['pointerover', 'focusin'])
  document.addEventListener(event, ({target}) => { if (term(target)) light(target); });
for (const event of ['pointerout', 'focusout'])
  document.addEventListener(event, ({target}) => { if (term(target)) light(null); });
document.addEventListener('click', ({target}) => {
  const button = term(target);
  if (!button) return;
  if (pressed) pressed.ariaPressed = false;
  pressed = pressed === button ? null : button;
  button.ariaPressed = pressed === button;
  light(pressed);
});
new ResizeObserver(([entry]) => element.style.setProperty('--room', entry.contentRect.width + 'px')).observe(element);
let busy = false;  // see `calm`
watch('value', () => {
  const now = Boolean(props.value && props.value.busy);
  if (now !== busy) { window.paintings = (window.paintings ?? 0) + (now ? 1 : -1); busy = now; }
});
"""


class Figures:
    """Turns moments into FigureView's values; what did not change since the last is not made again."""

    def __init__(self) -> None:
        self.made: dict[tuple[int, int], tuple[Tensor | None, str]] = {}

    def shows(self, moment: Moment, *, busy: bool) -> dict[str, object]:
        """Make FigureView's value for a moment.

        Args:
            moment: of one figure, each time.
            busy: whether more will come.
        """
        columns = max(1, len(moment.columns))
        rows: list[list[ShownPart | None]] = [[None] * columns for _ in moment.rows]
        for part in moment.parts:
            rows[part.row][part.column] = self._part(part)
        colors = colors_of(moment.charts)
        return {
            "columns": columns,
            "heads": [escape(text) for text in moment.columns],
            "sides": [escape(text) for text in moment.rows],
            "sided": any(moment.rows),
            "rows": rows,
            "charts": "".join(chart_html(chart, colors) for chart in moment.charts),
            "tables": "".join(table_html(table, colors) for table in moment.tables),
            "findings": _sentences(moment.findings) + _sentences(moment.notes, "note"),
            "busy": busy,
        }

    def _part(self, part: Part) -> ShownPart:
        image, uri = self.made.get((part.row, part.column), (None, ""))
        if part.image is not None and part.image is not image:
            uri = data_uri(part.image, max_side=MAX_SIDE)
            self.made[part.row, part.column] = part.image, uri
        height, width = part.image.shape[2:] if part.image is not None else (3, 4)
        return {
            "picture": uri,
            "label": escape(part.label, quote=True),
            "caption": escape(part.caption),
            "aspect": round(width / height, 4),
            "crisp": crisp(height, width),
            "points": bool(part.facts.get("points")),
        }


def crisp(height: int, width: int) -> str:
    """Tell the class of a picture: "crisp" where it is so small that its pixels are to be seen, or ""."""
    return "crisp" if max(height, width) < 100 else ""


def _sentences(texts: Sequence[str], kind: str = "") -> str:
    return "".join(f'<p class="{kind}">{escape(text)}</p>' for text in texts)
