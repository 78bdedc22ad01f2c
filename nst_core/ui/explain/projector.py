"""Shows a figure to a class: words at the left, at the right a slide that fits the screen, turned by keys."""

from nst_core.ui.explain.projector_look import LOOK
from nst_core.ui.widgets.own_html import OwnHTML


class Projector(OwnHTML):
    """A button that turns the Explain tab into slides and back; it keeps nothing, and has no value.

    The first slide asks what the figure will show, and one behind its pictures and charts tells; not in the tour, whose
    words tell all. Keys while it is on: arrows and the page keys turn slides, and lead on to the next figure, or step
    of an open tour; up and down go there at once; A to D answer the question, V has the class vote; 1 to 9 and 0 choose
    a figure; the space bar makes it, or stops it; T opens the tour; Escape ends.
    """

    TEMPLATE = """
<a class="plans" target="_blank"
  href="${(window.gradio_config?.root ?? '').replace(/[/]$/, '')}/lesson">Plans of lessons</a>
<button type="button" id="projector" aria-pressed="false">Projector view</button>
<span class="keys" hidden><b role="status"></b> ← → slides · ↑ ↓ 1…0 figures · A…D answer · space makes · T tour · Esc
  ends</span>"""
    STYLE = """
:host, & { display: flex; gap: 14px; align-items: center; justify-content: flex-end; }
#projector { flex: none; padding: 5px 14px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color);
  font-size: var(--text-sm); cursor: pointer; }
.keys { flex: 1; font-size: clamp(11px, .8vw, 34px); color: var(--body-text-color-subdued); white-space: nowrap; }
.keys[hidden], .plans[hidden] { display: none; }
.plans { font-size: var(--text-sm); color: var(--body-text-color-subdued); }
"""
    SCRIPT = (
        f"const LOOK = {LOOK!r};"
        + """
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const LEAST_CELL = 150, MOST_PAGES = 4;  // pixels of a cell, below which a figure's rows take several slides
const SAID = [1, .8, .62], WORTH = .7;  // sizes of captions, of words; the share of a cell's width that they may cost
const STEP = 4;  // pixels between two widths that are tried
let on = false, slides = [], at = 0;

// ---- fitting

const room = () => { const figure = $('#figure .figure'); return [figure.clientWidth, figure.clientHeight]; };
const hide = (elements, hidden) => elements.forEach(element => element.classList.toggle('off', hidden));

const known = {};  // widths that were found before: a figure that grows is seldom another size

function fitted(figure, from, to) {  // the widest cells with which these rows of pictures fit, pixels; 0: none do
  const [width, height] = room(), table = $('.parts table', figure), rows = $$('tbody tr', table);
  rows.forEach((row, number) => row.classList.toggle('off', number < from || number >= to));
  const columns = Math.max(1, ...rows.map(row => row.children.length - 1));
  const key = [$('#figure-words h2')?.textContent, columns, width, height, from, to,
    figure.style.getPropertyValue('--said')];
  const fits = cell => {
    figure.style.setProperty('--cell', cell + 'px');
    return table.offsetWidth <= width && table.offsetHeight <= height;
  };
  if (known[key] === 0 || (known[key] && !fits(known[key] + STEP) && fits(known[key]))) return known[key];
  for (let cell = Math.floor(width / columns); cell >= 40; cell -= STEP) {  // not halved: narrow words make high rows
    if (fits(cell)) return known[key] = cell;
  }
  return known[key] = 0;
}

function pagesOfPictures(figure) {  // [first row, row after the last] of each slide
  const rows = $$('.parts tbody tr', figure).length;
  let best = [[0, rows]], widest = fitted(figure, 0, rows);
  for (let count = 2; widest < LEAST_CELL && count <= Math.min(rows, MOST_PAGES); count++) {
    const each = Math.ceil(rows / count), pages = [];
    for (let row = 0; row < rows; row += each) pages.push([row, Math.min(rows, row + each)]);
    const width = Math.min(...pages.map(page => fitted(figure, ...page)));
    if (width > 1.15 * widest) [best, widest] = [pages, width];
  }
  return {pages: best, widest};
}

function pagesWithCaptions(figure) {  // as large as the pictures have room for
  const tries = SAID.map(said => {
    figure.style.setProperty('--said', said);
    return {said, ...pagesOfPictures(figure)};
  });
  const least = tries.at(-1);
  const {said, pages} = tries.find(each =>
    each.pages.length <= least.pages.length && each.widest > 0 && each.widest >= WORTH * least.widest) ?? least;
  figure.style.setProperty('--said', said);
  return pages;
}

function pagesOfTable(table) {  // [first row, row after the last] of each slide
  const [, height] = room(), rows = $$('tbody tr', table), pages = [];
  hide(rows, false);
  const left = height - (table.offsetHeight - $('tbody', table).offsetHeight) - 4;
  const heights = rows.map(row => row.offsetHeight);
  const fit = (from, to) => {  // without the others' words its columns may be narrower, and rows higher
    rows.forEach((row, number) => hide([row], number < from || number >= to));
    return table.offsetHeight <= height - 4;
  };
  for (let from = 0, to = 0; from < rows.length; from = to) {
    for (let used = heights[to++]; to < rows.length && used + heights[to] <= left; to++) used += heights[to];
    while (to > from + 1 && !fit(from, to)) to--;
    pages.push([from, to]);
  }
  return pages;
}

function layOut() {  // what the slides are, and the one at hand
  const figure = $('#figure .figure'), words = $('#figure-words'), box = $('#figure-words .figure-words');
  document.body.classList.toggle('touring', touring());
  slides = [];
  if (words && box) {
    const equation = $('.equation', words);
    words.classList.remove('formulas');
    equation?.classList.remove('aside');
    const long = box.getBoundingClientRect().bottom > words.getBoundingClientRect().bottom;
    equation?.classList.toggle('aside', long);
    slides.long = long;
  }
  const asks = Boolean($('#predict .predict')) && !touring();
  if (asks) slides.push({kind: 'question'});
  if (!figure && asks) slides.push({kind: 'nothing'}, {kind: 'answer'});
  if (figure) {
    hide([$('.parts', figure)], false);
    for (const rows of pagesWithCaptions(figure)) slides.push({kind: 'parts', rows});
    if (slides.long && !touring()) slides.push({...slides[Number(asks)], formulas: true});
    if ($('.findings', figure) || $('.chart', figure)) slides.push({kind: 'outcome'});
    if (asks) slides.push({kind: 'answer'});
    const tables = $$('.figure-table', figure);
    hide([$('.parts', figure), $('.charts', figure), $('.findings', figure)].filter(Boolean), true);
    hide([$('.tables', figure)], false);
    tables.forEach((table, number) => {
      hide(tables, true);
      hide([table], false);
      for (const rows of pagesOfTable(table)) slides.push({kind: 'table', number, rows});
    });
  }
  at = Math.max(0, Math.min(at, slides.length - 1));
  show();
}

function show() {
  showSlide();
  changes.takeRecords();  // of what was changed here
}

function showSlide() {
  const figure = $('#figure .figure'), slide = slides[at], told = $('.keys b', element);
  told.textContent = slides.length > 1 ? `${at + 1} / ${slides.length} ·` : '';
  document.body.dataset.slide = slide?.kind ?? '';
  document.dispatchEvent(new CustomEvent('figure-slide', {detail: slide?.kind ?? 'nothing'}));
  if (!figure || !slide) return;
  $('#figure-words')?.classList.toggle('formulas', Boolean(slide.formulas || (slides.long && slide.kind !== 'parts')));
  hide([$('.parts', figure)], slide.kind !== 'parts');
  hide([$('.charts', figure), $('.findings', figure)].filter(Boolean), slide.kind !== 'outcome');
  hide([$('.tables', figure)], slide.kind !== 'table');
  if (slide.kind === 'parts') fitted(figure, ...slide.rows);
  if (slide.kind === 'table') $$('.figure-table', figure).forEach((table, number) => {
    hide([table], number !== slide.number);
    $$('tbody tr', table).forEach((row, place) => hide([row], place < slide.rows[0] || place >= slide.rows[1]));
  });
}

let asked = 0;  // for a frame in which all is laid out again
const soon = () => { if (on && !asked) asked = requestAnimationFrame(() => { asked = 0; if (on) layOut(); }); };
const changes = new MutationObserver(() => { if (on) layOut(); });  // before what gradio changed is to be seen
const WATCHED = {childList: true, subtree: true, attributeFilter: ['style', 'src']};

// ---- turning

const touring = () => Boolean($('#tour-words')) && $('#tour [data-testid=accordion-content]')?.style.display !== 'none';
const choices = () => $$('#figure-choice input');
function choose(number) { at = 0; choices()[number]?.click(); soon(); }
function move(by) {  // to another figure, or step of the tour
  if (touring()) { at = 0; $(by > 0 ? '#tour-next' : '#tour-back')?.click(); return; }
  const number = choices().findIndex(choice => choice.checked) + by;
  if (number >= 0 && number < choices().length) choose(number);
}
function turn(by) {
  if (slides[at + by]) { at += by; show(); }
  else move(by);
}
const TURNS = {ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1}, MOVES = {ArrowDown: 1, ArrowUp: -1};

function pressed(event) {
  if (!on || !element.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input:not([type=radio]), textarea, select, [contenteditable]')) return;
  const key = event.key;
  if (key === ' ') {
    if (event.target.closest('button, a')) return;  // it is pressed itself
    const make = $('#make');
    if (slides[at]?.kind === 'question') turn(1);  // to where it grows
    (make && !make.disabled ? make : $('#make-stop'))?.click();
  }
  else if (key in TURNS) turn(TURNS[key]);
  else if (key in MOVES) move(MOVES[key]);
  else if (/^[0-9]$/.test(key)) choose((Number(key) + 9) % 10);
  else if (slides[at]?.kind === 'question' && /^[a-dv]$/i.test(key)) {
    const detail = key.toLowerCase() === 'v' ? 'vote' : 'abcd'.indexOf(key.toLowerCase());
    document.dispatchEvent(new CustomEvent('figure-answer', {detail}));
  }
  else if (key === 't' || key === 'T') { $('#tour .label-wrap')?.click(); soon(); }
  else if (key === 'Escape') project(false);
  else return;
  event.preventDefault();
}

function project(wanted) {
  on = wanted;
  if (on && !$('#projector-look')) {
    const look = document.createElement('style');
    look.id = 'projector-look';
    look.textContent = LOOK;
    document.head.append(look);
  }
  document.body.classList.toggle('projector', on);
  const button = $('#projector', element);
  button.textContent = on ? 'Leave' : 'Projector view';
  button.ariaPressed = on;
  $('.keys', element).hidden = !on;
  $('.plans', element).hidden = on;
  document.activeElement?.blur();  // so that the space bar presses no button
  changes.disconnect();
  if (on) {
    for (const place of $$('#figure, #figure-words, #tour')) changes.observe(place, WATCHED);
    at = 0;
    layOut();
    return;
  }
  delete document.body.dataset.slide;
  document.dispatchEvent(new CustomEvent('figure-slide', {detail: ''}));
  for (const name of ['--cell', '--said']) $('#figure .figure')?.style.removeProperty(name);
  hide($$('#figure .off'), false);
  $('#figure-words')?.classList.remove('formulas');
  $('#figure-words .equation')?.classList.remove('aside');
}

element.addEventListener('click', event => { if (event.target.closest('#projector')) project(!on); });
document.addEventListener('keydown', pressed);
window.addEventListener('resize', soon);
if (new URLSearchParams(location.search).get('view') === 'projector') {  // as soon as there is something to project
  const begin = () => { if ($('#figure .html-container > *')) project(true); else requestAnimationFrame(begin); };
  begin();
}
"""
    )
