"""Fits a figure to a projector's screen: its words beside the pictures or above them, and all at its largest."""

# A part of Projector's script, which defines `$`, `$$` and `touring`.
FIT = """
const LEAST_CELL = 150, MOST_PAGES = 4;  // pixels of a cell, below which a figure's rows take several slides
const SAID = [1, .8, .62];  // sizes of captions, of words: the first with which cells are no smaller
const WORTH = 1.1;  // how much larger pictures must become for the equation to leave them
const WIDEST = 35, BESIDE = [24, 28, 32, WIDEST], HALF = 48, EDGE = 1.6;  // of the words' column, vw
const GROWN = [1.8, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1];  // sizes of words that have room, of what they are at least

const hide = (elements, hidden) => elements.forEach(element => element.classList.toggle('off', hidden));
const holds = box => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1;
const words = () => $(touring() ? '#tour' : '#figure-words');

// ---- places: "beside": words at the left; "above": they span the screen; "whole": their title alone does

let placed = {};
function place(layout, left = WIDEST, grown = 1) {
  placed = {layout, left};
  document.body.dataset.layout = layout;
  const {style} = document.body;
  style.setProperty('--left', `${left}vw`);
  style.setProperty('--grown', grown);
  if (layout !== 'beside') style.setProperty('--head', `${words().offsetHeight}px`);
}

function grow(slide, fits) {  // the words, as far as all fits
  const {layout, left} = placed;
  for (const grown of GROWN.slice(Math.max(0, GROWN.indexOf(slide.grown)))) {
    place(layout, left, slide.grown = grown);
    if (grown === 1 || fits()) return;
  }
}

function narrowest(widths) {  // of the widths of words beside a figure, the first that holds them
  return widths.find(left => { place('beside', left); return holds(words()); }) ?? widths.at(-1);
}

const area = elements => elements.reduce((sum, {offsetWidth, offsetHeight}) => sum + offsetWidth * offsetHeight, 0);

// ---- pictures

function fitted(figure, [from, to]) {  // the widest cells with which these rows of pictures fit, pixels; 0: none do
  const {clientWidth, clientHeight} = figure, table = $('.parts table', figure), rows = $$('tbody tr', table);
  hide(rows, true);
  hide(rows.slice(from, to), false);
  const columns = Math.max(1, ...rows.map(row => row.children.length - 1));
  const heightOf = row => Math.max(0, ...$$('button', row).map(part => 1 / part.style.getPropertyValue('--aspect')));
  const height = rows.slice(from, to).map(heightOf).reduce((sum, each) => sum + each, 0);  // of all, of a cell's width
  for (let cell = Math.floor(clientWidth / columns); cell >= 40;) {
    figure.style.setProperty('--cell', `${cell}px`);
    const wide = table.offsetWidth - clientWidth, high = table.offsetHeight - clientHeight;
    if (wide <= 0 && high <= 0) return cell;
    // no caption is lower where a cell is narrower: none of the widths between would fit
    cell -= Math.max(1, Math.floor(Math.max(wide / columns, high / (height || 1))));
  }
  return 0;
}

function pagesOfPictures(figure, places) {  // slides whose cells are large enough, each with the roomier place of words
  const count = $$('.parts tbody tr', figure).length;
  const slideOf = rows => places.map(([layout, left]) => {
    place(layout, left);
    return {kind: 'parts', rows, layout, left, cell: fitted(figure, rows)};
  }).reduce((one, other) => other.cell > one.cell ? other : one);
  const leastCell = slides => Math.min(...slides.map(({cell}) => cell));
  let best = [slideOf([0, count])];
  for (let pages = 2; leastCell(best) < LEAST_CELL && pages <= Math.min(count, MOST_PAGES); pages++) {
    const each = Math.ceil(count / pages), slides = [];
    for (let row = 0; row < count; row += each) slides.push(slideOf([row, Math.min(count, row + each)]));
    if (leastCell(slides) > 1.15 * leastCell(best)) best = slides;
  }
  return {slides: best, cell: leastCell(best)};
}

function largestPictures(figure) {  // with captions as large as they allow
  const left = narrowest(BESIDE);
  let best = {cell: -1};
  for (const said of SAID) {
    figure.style.setProperty('--said', said);
    const {slides, cell} = pagesOfPictures(figure, [['beside', left], ['above', left]]);
    if (cell > best.cell) best = {cell, slides: slides.map(slide => ({...slide, said}))};
    if (cell >= LEAST_CELL) break;
  }
  return {...best, worth: best.cell / best.slides.length};
}

const known = new Map();  // what was measured: a figure that grows is seldom another, whatever its numbers
function slidesOfPictures(figure) {
  const table = $('.parts table', figure), aspects = $$('button', table).map(part => part.style.cssText);
  const said = table.textContent.replace(/[^\\p{L}]+/gu, ' ');
  const key = JSON.stringify([words().textContent, said, aspects, window.innerWidth, window.innerHeight]);
  if (!known.has(key)) known.set(key, measured(figure));
  const {slides, aside} = known.get(key);
  $('#figure-words .equation')?.classList.toggle('aside', aside);
  return slides;
}

function measured(figure) {  // the slides, and whether the equation stands aside
  only(figure, {kind: 'parts'});
  const equation = touring() ? null : $('#figure-words .equation'), charted = $('.chart', figure);
  place('beside');
  const together = holds(words()) || !equation ? largestPictures(figure) : null;
  if (!equation || (together && !charted)) return {slides: together.slides, aside: false};
  equation.classList.add('aside');
  const apart = largestPictures(figure);
  if (together?.worth * WORTH > apart.worth) return {slides: together.slides, aside: false};
  if (charted) return {slides: apart.slides, aside: true};  // it stands beside the chart
  $('#figure-words').classList.add('formulas');
  const [formulas] = largestPictures(figure).slides;
  $('#figure-words').classList.remove('formulas');
  return {slides: [...apart.slides, {...formulas, formulas: true}], aside: true};
}

// ---- tables

const tableFits = ({clientWidth, clientHeight}, table) =>
  table.offsetHeight <= clientHeight - 4 && table.scrollWidth <= clientWidth;

function slidesOfTables(figure) {
  only(figure, {kind: 'table'});
  place('whole');
  const tables = $$('.figure-table', figure);
  return tables.flatMap((table, number) => {
    hide(tables, true);
    hide([table], false);
    const rows = $$('tbody tr', table), slides = [];
    const fit = (from, to) => {
      hide(rows, true);
      hide(rows.slice(from, to), false);
      return tableFits(figure, table);
    };
    for (let from = 0, to = 1; from < rows.length; from = to++) {
      while (to < rows.length && fit(from, to + 1)) to++;
      slides.push({kind: 'table', number, rows: [from, to]});
    }
    return slides;
  });
}

// ---- a slide

function only(figure, {kind, number, rows}) {  // what is on it
  hide([$('.parts', figure)].filter(Boolean), kind !== 'parts');
  hide([$('.charts', figure), $('.findings', figure)].filter(Boolean), kind !== 'outcome');
  hide([$('.tables', figure)].filter(Boolean), kind !== 'table');
  if (number !== undefined) $$('.figure-table', figure).forEach((table, place) => {
    hide([table], place !== number);
    $$('tbody tr', table).forEach((row, place) => hide([row], place < rows[0] || place >= rows[1]));
  });
}

function fill(figure, slide) {  // the screen
  const {kind, layout, left, said, rows, number} = slide;
  if (kind === 'parts') {
    place(layout, left);
    figure.style.setProperty('--said', said);
    fitted(figure, rows);
    const table = $('.parts table', figure), spare = 100 - EDGE - 100 * (table.offsetWidth + 2) / window.innerWidth;
    if (layout === 'beside') place(layout, Math.max(left, Math.min(HALF, spare)));
    grow(slide, () => holds(words()) && table.offsetHeight <= figure.clientHeight);
  } else if (kind === 'outcome' && !$('.chart', figure)) {
    place('whole');
    grow(slide, () => holds(figure));
  } else if (kind === 'outcome') {
    const plots = $$('.plot', figure);
    const [above, beside] = ['above', 'beside'].map(layout => { place(layout); return area(plots); });
    if (above > 1.1 * beside) return place('above');
    place('beside', narrowest([WIDEST, 40, 44, HALF]));
    grow(slide, () => holds(words()));
  } else if (kind === 'table') {
    place('whole');
    grow(slide, () => tableFits(figure, $$('.figure-table', figure)[number]));
  } else if (kind === 'nothing') {
    place('beside');
    grow(slide, () => holds(words()));
  } else {
    place('whole');
    grow(slide, () => holds($('#predict')));
  }
}
"""
