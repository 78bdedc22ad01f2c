"""Shows a pupil the question that the class is asked, on whatever tab the page is, and takes the answer."""

from nst_core.analysis.figure import ANSWER_LETTERS
from nst_core.ui.widgets.own_html import OwnHTML

ASK_SECONDS = 3  # from one look for a question to the next, where a class is


class ClassQuestion(OwnHTML):
    """A card over the page while the teacher's question is open or was answered; nothing else, and no value.

    The answer, and the token by which it counts once, are kept by the browser alone, and for that question only. Who
    knows the teacher's password sees no card.
    """

    TEMPLATE = '<div class="asked-card" hidden></div>'
    STYLE = """
.asked-card { position: fixed; z-index: 900; right: 12px; bottom: 12px; width: min(440px, calc(100vw - 24px));
  max-height: calc(100vh - 100px); overflow: auto; border: 2px solid var(--color-accent); border-radius: 12px;
  background: var(--background-fill-primary); color: var(--body-text-color); box-shadow: var(--shadow-drop-lg); }
.asked-card[hidden] { display: none; }
.asked-card summary { padding: 10px 14px; font-weight: 700; cursor: pointer; }
.asked-card .inside { padding: 0 14px 12px; }
.asked-card fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
.asked-card legend { padding: 0 0 8px; font-size: var(--text-lg); line-height: 1.3; }
.asked-card label { display: grid; grid-template-columns: auto auto minmax(0, 1fr) auto; gap: 8px; margin: 0 0 6px;
  padding: 9px 12px; align-items: baseline; border: 1px solid var(--border-color-primary); border-radius: 8px;
  cursor: pointer; }
.asked-card label:has(:checked) { border-color: var(--color-accent); box-shadow: inset 0 0 0 1px var(--color-accent); }
.asked-card label:has(:disabled) { cursor: default; }
.asked-card label.right { border-color: #2f9e44; box-shadow: inset 0 0 0 2px #2f9e44; }
.asked-card input { accent-color: var(--color-accent); }
.asked-card p { margin: 6px 0 0; }
@media (max-width: 820px) { .asked-card { bottom: 76px; } }
"""
    SCRIPT = (
        f"const LETTERS = {ANSWER_LETTERS!r}, EVERY = {ASK_SECONDS * 1000};"
        + """
const card = element.querySelector('.asked-card'), root = (window.gradio_config?.root ?? '').replace(/[/]$/, '');
const KEEP = 'neural-style-lab-vote';
let drawn = '', question = null, mine = null;  // mine: {round, token, answer}

const made = (tag, values = {}, ...children) => {
  const one = Object.assign(document.createElement(tag), values);
  one.append(...children);
  return one;
};
const recall = round => {
  try { mine = JSON.parse(localStorage.getItem(KEEP)) ?? mine; } catch { /* kept in memory alone */ }
  if (mine?.round === round) return;
  const bytes = crypto.getRandomValues(new Uint8Array(18));  // randomUUID is not there without https
  mine = {round, token: btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_'), answer: null};
};
const keep = () => { try { localStorage.setItem(KEEP, JSON.stringify(mine)); } catch { /* not allowed here */ } };
const say = text => {
  const line = card.querySelector('[role=status]');
  if (line.said !== text) line.textContent = line.said = text;
};

const vote = async answer => {
  const own = mine, before = own.answer, undo = () => { own.answer = before; if (own === mine) keep(); };
  own.answer = answer;
  keep();
  const sent = await fetch(`${root}/question`, {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(mine)}).catch(() => null);
  if (!sent?.ok) undo();  // it is not counted
  if (!sent) return say('No connection to the server; answer again in a moment.');
  say(sent.ok ? `${LETTERS[answer]} is your answer. You can change it until the vote is closed.` : await sent.text());
};

const told = () => {
  const right = LETTERS[question.right], given = mine.answer === null ? '' : `You chose ${LETTERS[mine.answer]}. `;
  return `${mine.answer === question.right ? `Right: ${right}.` : `${given}The answer is ${right}.`} ${question.why}`;
};

const draw = () => {
  recall(question.round);
  const open = question.stage === 'open', name = `vote-${question.round}`;
  const rows = question.answers.map((text, number) => {
    const input = made('input', {type: 'radio', name, value: number, checked: mine.answer === number, disabled: !open});
    input.addEventListener('change', () => vote(number));
    const count = question.counts ? ` ${question.counts[number]}` : '';
    const cells = [LETTERS[number], text, count].map((words, place) =>
      made(place ? 'span' : 'b', {textContent: words}));
    return made('label', {className: number === question.right ? 'right' : ''}, input, ...cells);
  });
  const lines = made('p');
  lines.setAttribute('role', 'status');
  const group = made('fieldset', {}, made('legend', {textContent: question.text}), ...rows);
  group.setAttribute('role', 'radiogroup');
  card.replaceChildren(made('details', {open: true}, made('summary', {textContent: 'Your teacher asks the class'}),
    made('div', {className: 'inside'}, group, lines)));
  requestAnimationFrame(() => say(open ? 'Choose an answer; nobody sees whose it is.'  // into a region that is there
    : question.stage === 'told' ? told() : 'The vote is closed. Look at the figure.'));
};

const look = async () => {
  try {
    if (!document.hidden) {
      const answer = await (await fetch(`${root}/question`)).json();
      if (!answer.class) return;  // and there will be none
      question = answer.teacher ? null : answer.question;
      const now = question ? `${question.round} ${question.stage}` : '';
      if (now !== drawn) {
        drawn = now;
        card.hidden = !question;
        if (question) draw();
      }
    }
  } catch { /* the server is away: asked again */ }
  setTimeout(look, EVERY);
};
look();
"""
    )
