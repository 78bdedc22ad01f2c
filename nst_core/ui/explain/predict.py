"""Asks what a figure will show before it is shown: one learner, a class by hands, or a class that votes."""

from html import escape

from nst_core.analysis.figure import ANSWER_LETTERS
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.widgets.own_html import OwnHTML

LOOK_SECONDS = 1.5  # from one look at the votes to the next


def asked(name: str) -> dict[str, object]:
    """Make Predict's value of the question of a figure."""
    question = FIGURES[name].question
    return {
        "figure": name,
        "text": escape(question.text),
        "answers": [escape(answer) for answer in question.answers],
        "right": question.right,
        "why": escape(question.why),
    }


class Predict(OwnHTML):
    """The question of the figure at hand, folded above it; open and unanswered, it hides what would tell the answer.

    Its value is what `asked` gives. Open it is where the page's address names the figure, and as slides of a projector.
    What was answered stays in this browser's tab. A teacher, who gave the class's password here, can have it voted on.
    """

    TEMPLATE = """
${value ? `
<details class="predict">
<summary>Predict first, then see</summary>
<div class="question">
  <fieldset role="radiogroup"><legend>${value.text}</legend>
  ${value.answers.map((answer, number) => `
    <div class="row"><label><input type="radio" name="predicted" value="${number}"><b>${'ABCD'[number]}</b>
      <span>${answer}</span></label>
      <span class="count"></span>
      <input class="hands" type="number" min="0" max="999" aria-label="Hands for ${'ABCD'[number]}" hidden>
      <span class="bar" aria-hidden="true"></span></div>`).join('')}
  </fieldset>
  <aside class="join" hidden><div class="code"></div><span class="address"></span></aside>
</div>
<div class="buttons">
  <button type="button" class="answer" disabled>That is my answer</button>
  <button type="button" class="skip">Skip it</button>
  <button type="button" class="by-hands" aria-pressed="false">Count hands</button>
  <button type="button" class="by-vote" hidden>Let the class vote</button>
  <button type="button" class="again" hidden>Ask again</button>
</div>
<p class="told" role="status"></p>
</details>` : ''}"""
    STYLE = """
.predict { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 8px 14px; }
.predict summary { cursor: pointer; font-weight: 700; scroll-margin: 16px; }
.predict .question { display: flex; gap: 24px; align-items: start; margin-top: 8px; }
.predict fieldset { flex: 1; margin: 0; padding: 0; border: 0; min-width: 0; }
.predict legend { padding: 0 0 8px; font-size: 1.15em; line-height: 1.3; }
.predict .row { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; align-items: center; margin: 0 0 6px;
  border: 1px solid var(--border-color-primary); border-radius: 8px; overflow: hidden; }
.predict label { display: flex; gap: 10px; align-items: baseline; padding: .45em .8em; cursor: pointer; }
.predict label:has(:disabled) { cursor: default; }
.predict input { accent-color: var(--color-accent); flex: none; }
.predict .row:has(:checked) { border-color: var(--color-accent); box-shadow: inset 0 0 0 1px var(--color-accent); }
.predict .row.right { border-color: #2f9e44; box-shadow: inset 0 0 0 2px #2f9e44; }
.predict .row.right b::after { content: " ✓"; }
.predict .count { padding-right: .8em; font-weight: 700; font-variant-numeric: tabular-nums; }
.predict .hands { width: 5em; margin-right: 8px; padding: 3px 6px; border: 1px solid var(--border-color-primary);
  border-radius: 6px; background: var(--input-background-fill); color: var(--body-text-color); }
.predict .bar { grid-column: 1 / -1; height: 6px; width: var(--share, 0%); background: var(--color-accent);
  transition: width .4s; }
.predict .bar:not(.counted) { display: none; }
.predict .buttons { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 4px; }
.predict button { padding: 4px 14px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color); cursor: pointer; }
.predict button.answer:not(:disabled) { border-color: transparent; color: var(--button-primary-text-color);
  background: var(--button-primary-background-fill); }
.predict button:disabled { cursor: default; opacity: .6; }
.predict [hidden] { display: none; }
.predict .told { margin: 8px 0 0; } .predict .told:empty { display: none; }
.predict .join { flex: none; width: 170px; text-align: center; overflow-wrap: anywhere; font-size: var(--text-sm); }
.predict .join svg { display: block; width: 100%; height: auto; background: #fff; border-radius: 6px; }
@media (max-width: 500px) { .predict .question { flex-direction: column; } .predict .join { align-self: center; } }
"""
    SCRIPT = (
        f"const LETTERS = {ANSWER_LETTERS!r}, EVERY = {round(LOOK_SECONDS * 1000)};"
        + """
const $ = selector => element.querySelector(selector), $$ = selector => [...element.querySelectorAll(selector)];
const root = (window.gradio_config?.root ?? '').replace(/[/]$/, ''), KEEP = 'neural-style-lab-predicted', SKIPPED = -1;
const linked = new URLSearchParams(location.search).get('figure');
let slide = '', counts = null, vote = null, here = {class: true, teacher: false}, following = false, said = '';

// ---- what was answered, which this tab alone keeps

let kept = {};
try { kept = JSON.parse(sessionStorage.getItem(KEEP)) ?? {}; } catch { /* in memory alone */ }
const answered = () => kept[props.value?.figure];
const keep = answer => {
  kept[props.value.figure] = answer;  // undefined: forgotten
  try { sessionStorage.setItem(KEEP, JSON.stringify(kept)); } catch { /* not allowed here */ }
  show();
};
const most = () => counts && Math.max(...counts) > 0 ? counts.indexOf(Math.max(...counts)) : SKIPPED;

// ---- what is to be seen

const sentence = answer => {
  const {right, answers, why} = props.value;
  const begin = answer === right ? 'Right: ' : answer >= 0 ? `Not ${LETTERS[answer]}: ` : '';
  return `<b>${begin}${LETTERS[right]}.</b> ${answers[right]}. ${why}`;
};

const show = () => {
  const box = $('.predict');
  if (!box) return;
  const answer = answered(), is = answer >= 0, tells = slide ? slide === 'answer' : is, {right} = props.value;
  const given = Math.max(1, (counts ?? []).reduce((sum, each) => sum + each, 0));
  $$('.row').forEach((row, number) => {
    const radio = row.querySelector('[type=radio]'), bar = row.querySelector('.bar');
    radio.disabled = is || tells;
    if (is) radio.checked = number === answer;
    row.classList.toggle('right', tells && number === right);
    bar.classList.toggle('counted', Boolean(counts));
    if (counts) bar.style.setProperty('--share', `${100 * counts[number] / given}%`);
    row.querySelector('.count').textContent = counts && $('.hands').hidden ? counts[number] : '';
  });
  const isOpen = vote?.stage === 'open', voting = vote?.figure === props.value.figure;
  $('.answer').hidden = $('.skip').hidden = is || (voting && isOpen);
  $('.answer').disabled = !$('[type=radio]:checked') && most() < 0;
  $('.by-hands').hidden = is || (voting && isOpen);
  $('.by-vote').hidden = !here.teacher || is;
  $('.by-vote').textContent = voting && isOpen ? 'Close the vote' : 'Let the class vote';
  $('.again').hidden = !is;
  $('.join').hidden = !(voting && isOpen);
  const text = tells ? sentence(is ? answer : SKIPPED)
    : is ? `${LETTERS[answer]} it is. Now see the figure.`
    : voting && isOpen ? `${vote.votes} vote${vote.votes === 1 ? '' : 's'}` : '';
  if (text !== said) $('.told').innerHTML = said = text;  // once, as it is read out
  document.body.classList.toggle('predicting', box.open && answer === undefined && !slide);
  if (tells && voting && vote.stage === 'closed') command({do: 'tell'});
};

const skip = () => {
  if (answered() === undefined && $('.predict')?.open) { keep(SKIPPED); $('.predict').open = Boolean(slide); show(); }
};

const begin = () => {  // with another figure's question
  counts = said = null;
  const box = $('.predict');
  if (!box) return;
  $$('[type=radio]').forEach(radio => { radio.checked = false; });  // gradio keeps the fields of the last one
  $$('.hands').forEach(field => { field.value = ''; field.hidden = true; });
  $('.by-hands').ariaPressed = false;
  if (vote && vote.figure === props.value.figure) counts = vote.counts;
  box.open = Boolean(slide) || (linked === props.value.figure && answered() === undefined);
  show();
};

// ---- a class that votes

const know = async () => {
  if (!here.class) return;  // nor will there be one
  try { here = await (await fetch(`${root}/question`)).json(); } catch { return; }
  take(here.question);
};
const take = question => {
  vote = here.teacher ? question : null;
  if (vote && vote.figure === props.value?.figure) counts = vote.counts;
  show();
  if (vote?.stage === 'open' && !following) follow();
};
const follow = () => {
  following = true;
  setTimeout(async () => {
    if (!document.hidden) await know();
    following = false;
    if (vote?.stage === 'open') follow();
  }, EVERY);
};
const command = async values => {
  if (values.do === 'tell') vote.stage = 'told';  // once
  const sent = await fetch(`${root}/class/question`, {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(values)}).catch(() => null);
  if (sent?.ok) take(await sent.json());
};
const join = async () => {  // how pupils come here
  const sent = await fetch(`${root}/class/link`).catch(() => null);
  if (!sent?.ok) return;
  const {address, code} = await sent.json();
  $('.join .code').innerHTML = code;  // which the server drew
  $('.join .address').textContent = address.replace(/[?]$/, '');
};
const voted = async () => {
  if (vote?.stage === 'open' && vote.figure === props.value.figure) {
    await command({do: 'close'});
    if (vote?.counts) { counts = vote.counts; keep(most()); }
    return;
  }
  join();
  await command({do: 'ask', figure: props.value.figure});
};

// ---- what is pressed

const PRESSES = {
  // what was pressed is hidden then: the focus goes to what is in its place
  answer: () => { keep(Number($('[type=radio]:checked')?.value ?? most())); $('.again').focus(); },
  skip: () => { skip(); if (!slide) $('summary').focus(); },
  again: () => {
    counts = null;
    $$('[type=radio]').forEach(radio => { radio.checked = false; });
    keep(undefined);
    $('[type=radio]').focus();
  },
  'by-vote': voted,
  'by-hands': () => {
    const hidden = !$('.hands').hidden;
    $$('.hands').forEach(field => { field.hidden = hidden; });
    $('.by-hands').ariaPressed = !hidden;
    if (!hidden) $('.hands').focus();
    show();
  },
};
let pressed = false;
element.addEventListener('click', event => {
  pressed = Boolean(event.target.closest('summary'));
  const button = event.target.closest('.buttons button');
  if (button) PRESSES[button.className]();
});
element.addEventListener('input', event => {
  if (event.target.matches('.hands')) {
    counts = $$('.hands').map(field => Math.max(0, Number(field.value) || 0));
    $$('[type=radio]').forEach(radio => { radio.checked = false; });  // hands decide
  }
  show();
});
element.addEventListener('toggle', () => {
  show();
  if (pressed) $('summary').scrollIntoView({block: 'nearest'});  // what it hides above has moved it
  pressed = false;
}, true);
document.addEventListener('click', event => {
  if (event.target.closest?.('#make, #make-go-on, #tour-show')) skip();
});

// ---- as slides of a projector, see Projector

document.addEventListener('figure-slide', event => {
  const was = slide;
  slide = event.detail;  // 'question', 'answer', another one, or '' in the tab
  const box = $('.predict');
  if (!box) return;
  if (Boolean(was) !== Boolean(slide)) box.open = Boolean(slide);
  if (slide === 'question' && was !== slide) know();
  show();
});
document.addEventListener('figure-answer', event => {  // the place of an answer, or "vote"
  if (answered() >= 0) return;
  if (event.detail === 'vote') { if (here.teacher) voted(); }
  else keep(event.detail);
});

watch('value', begin);
begin();
know();
"""
    )
