"""Shows a figure to a class: words at the left, at the right a slide that fits the screen, turned by keys."""

from nst_core.ui.explain.projector_fit import FIT
from nst_core.ui.explain.projector_look import LOOK
from nst_core.ui.widgets.own_html import OwnHTML


class Projector(OwnHTML):
    """A button that turns the Explain tab into slides and back; it keeps nothing, and has no value.

    The first slide asks what the figure will show, and one behind its pictures and charts tells; not in the tour, whose
    words tell all. Keys while it is on: arrows and the page keys turn slides, and lead on to the next figure, or step
    of an open tour; up and down go there at once; A to D answer the question, V has the class vote; 1 to 9 and 0 choose
    a figure; the space bar makes it, or stops it; T opens the tour; Escape ends. What only who operates it reads, the
    keys and the buttons, is there while the mouse moves, and where the keyboard's focus is.
    """

    TEMPLATE = """
<a class="plans" target="_blank"
  href="${(window.gradio_config?.root ?? '').replace(/[/]$/, '')}/lesson">Plans of lessons</a>
<button type="button" id="projector" aria-pressed="false">Projector view</button>
<div class="keys" hidden><b role="status"></b><span>← → slides · ↑ ↓ 1…0 figures · A…D answer · space makes ·
  T tour · Esc ends</span></div>"""
    STYLE = """
:host, & { display: flex; gap: 14px; align-items: center; justify-content: flex-end; }
#projector { flex: none; padding: 5px 14px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color);
  font-size: var(--text-sm); cursor: pointer; }
.keys { flex: 1; min-width: 0; display: flex; gap: .6em; align-items: center; line-height: 1.1;
  color: var(--body-text-color-subdued); }
.keys b { flex: none; }
.keys span { font-size: clamp(11px, .8vw, 34px); }
.keys[hidden], .plans[hidden] { display: none; }
.plans { font-size: var(--text-sm); color: var(--body-text-color-subdued); }
"""
    SCRIPT = (
        f"const LOOK = {LOOK!r};"
        + """
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
let on = false, slides = [], at = 0;
"""
        + FIT
        + """
// ---- slides

function layOut() {  // what the slides are, and the one at hand
  const figure = $('#figure .figure'), equation = $('#figure-words .equation');
  document.body.classList.toggle('touring', touring());
  slides = [];
  $('#figure-words')?.classList.remove('formulas');
  equation?.classList.remove('aside');
  const asks = Boolean($('#predict .predict')) && !touring();
  if (asks) slides.push({kind: 'question'});
  if (!figure) slides.push({kind: 'nothing'});
  if (figure) {
    slides.push(...slidesOfPictures(figure));
    const formulas = Boolean(equation?.matches('.aside'));
    if ($('.findings, .chart', figure)) slides.push({kind: 'outcome', formulas});
  }
  if (asks) slides.push({kind: 'answer'});
  if (figure) slides.push(...slidesOfTables(figure));
  at = Math.max(0, Math.min(at, slides.length - 1));
  show();
}

function show() {
  showSlide();
  changes.takeRecords();  // of what was changed here
}

function showSlide() {
  const figure = $('#figure .figure'), slide = slides[at], told = $('.keys b', element);
  told.textContent = slides.length > 1 ? `${at + 1} / ${slides.length}` : '';
  document.body.dataset.slide = slide.kind;
  $('#figure-words')?.classList.toggle('formulas', Boolean(slide.formulas));
  document.dispatchEvent(new CustomEvent('figure-slide', {detail: slide.kind}));
  if (figure) only(figure, slide);
  fill(figure, slide);
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
  if (key === ' ' || key === 'Tab') operate();
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
  else if (key === 't' || key === 'T') { at = 0; $('#tour .label-wrap')?.click(); soon(); }
  else if (key === 'Escape') project(false);
  else return;
  event.preventDefault();
}

let resting = 0;  // what ends that
function operate() {  // show for a while what only who operates it reads
  clearTimeout(resting);
  document.body.classList.toggle('operated', on);
  if (on) resting = setTimeout(() => document.body.classList.remove('operated'), 3000);
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
  operate();
  const button = $('#projector', element);
  button.textContent = on ? 'Leave' : 'Projector view';
  button.ariaPressed = on;
  $('.keys', element).hidden = !on;
  $('.plans', element).hidden = on;
  document.activeElement?.blur();  // so that the space bar presses no button
  changes.disconnect();
  if (on) {
    for (const place of $$('#figure, #figure-words, #tour, #predict')) changes.observe(place, WATCHED);
    at = 0;
    layOut();
    return;
  }
  for (const name of ['slide', 'layout']) delete document.body.dataset[name];
  for (const name of ['--left', '--grown', '--head']) document.body.style.removeProperty(name);
  document.dispatchEvent(new CustomEvent('figure-slide', {detail: ''}));
  for (const name of ['--cell', '--said']) $('#figure .figure')?.style.removeProperty(name);
  hide($$('#figure .off'), false);
  $('#figure-words')?.classList.remove('formulas');
  $('#figure-words .equation')?.classList.remove('aside');
}

element.addEventListener('click', event => { if (event.target.closest('#projector')) project(!on); });
document.addEventListener('keydown', pressed);
for (const event of ['pointermove', 'pointerdown']) document.addEventListener(event, () => { if (on) operate(); });
window.addEventListener('resize', soon);
if (new URLSearchParams(location.search).get('view') === 'projector') {  // as soon as there is something to project
  const begin = () => { if ($('#figure .html-container > *')) project(true); else requestAnimationFrame(begin); };
  begin();
}
"""
    )
