"""Lays out, on the class's page, the question that is asked: its bars while votes come, and what a teacher does."""

from html import escape
from string import Template

from nst_core.analysis.figure import ANSWER_LETTERS
from nst_core.analysis.figures.catalogue import FIGURES

STYLE = """
#asked { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 12px 32px; margin: 0 20px 14px;
  padding: 16px 20px; border: 1px solid var(--line); border-radius: 14px; background: var(--paper); }
#asked h2 { font-size: 1.5rem; line-height: 1.25; }
#bars { list-style: none; margin: 12px 0 0; padding: 0; display: grid; gap: 8px; }
#bars li { display: grid; grid-template-columns: 2.2em minmax(0, 1fr) 3ch; gap: 2px 8px; align-items: baseline;
  font-size: 1.2rem; }
#bars progress { grid-column: 2; height: 10px; }
#bars .count { grid-row: 1; grid-column: 3; text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
#bars .right { font-weight: 700; } #bars .right b::after { content: " ✓"; }
#asked .doing { display: grid; gap: 8px; align-content: start; min-width: 190px; }
#asked .doing > * { text-align: center; }
#votes { font-size: 1.2rem; font-variant-numeric: tabular-nums; }
#asked-why { margin-top: 12px; font-size: 1.2rem; }
#ask ol { list-style: upper-alpha; margin: 0; padding-left: 1.8em; }
@media (max-width: 640px) { #asked { grid-template-columns: minmax(0, 1fr); margin: 0 12px 12px; padding: 12px; } }
@media (min-width: 1600px) { #asked h2 { font-size: 2rem; } #bars li, #asked-why, #votes { font-size: 1.5rem; } }
"""

PART = """
<section id="asked" aria-labelledby="asked-text" hidden>
  <div>
    <h2 id="asked-text"></h2>
    <ol id="bars"></ol>
    <p id="asked-why" role="status"></p>
  </div>
  <div class="doing">
    <p id="votes"></p>
    <button type="button" id="close-vote" class="first">Close the vote</button>
    <a class="button" id="asked-figure" target="_blank">Show the figure</a>
    <button type="button" id="tell">Tell the answer</button>
    <button type="button" id="end-question">Take it away</button>
  </div>
</section>
"""

DIALOG = """
<dialog id="ask" aria-labelledby="ask-title">
  <form method="dialog">
    <h2 id="ask-title">Ask the class before it sees a figure</h2>
    <label>Figure<select id="ask-figure">$questions</select></label>
    <p id="ask-text"></p>
    <ol id="ask-answers"></ol>
    <p class="note">It appears on every page of this server that is open. Votes have no names.</p>
    <div class="buttons">
      <button value="ask" class="first">Ask it</button>
      <button value="">Not now</button>
    </div>
  </form>
</dialog>
"""

SCRIPT = (
    f"const LETTERS = {ANSWER_LETTERS!r};"
    + """
const asked = place('asked');
let drawn = '';  // the round, the stage and the place of the question that is drawn

const writeItems = (list, texts, item) => list.replaceChildren(...texts.map(item));

const newBar = (text, number) => {
  const made = (tag, values) => Object.assign(document.createElement(tag), values);
  const item = document.createElement('li'), bar = made('progress', {max: 1, value: 0});
  const letter = made('b', {textContent: LETTERS[number]}), words = made('span', {textContent: text});
  const count = made('span', {className: 'count'});
  bar.setAttribute('aria-label', `Votes for ${LETTERS[number]}`);
  item.append(letter, words, count, bar);
  return item;
};

const showQuestion = question => {
  asked.hidden = !question;
  const now = question ? `${question.round} ${question.stage}` : '';
  if (question && drawn.split(' ')[0] !== question.round) {
    put(place('asked-text'), question.text);
    writeItems(place('bars'), question.answers, newBar);
  }
  if (now !== drawn) {
    drawn = now;
    if (!question) return;
    const told = question.stage === 'told';
    put(place('asked-why'), told ? `${LETTERS[question.right]}: ${question.why}` : '');
    place('close-vote').hidden = question.stage !== 'open';
    place('tell').hidden = question.stage !== 'closed';
    place('asked-figure').href = `./?figure=${question.figure}&view=projector`;
  }
  if (!question) return;
  put(place('votes'), `${question.votes} vote${question.votes === 1 ? '' : 's'}${
    question.stage === 'open' ? '' : ', closed'}`);
  [...place('bars').children].forEach((item, number) => {
    const bar = item.querySelector('progress');
    bar.max = Math.max(1, question.votes);
    bar.value = question.counts[number];
    put(item.querySelector('.count'), String(question.counts[number]));
    item.classList.toggle('right', number === question.right);
  });
};

const askQuestion = async values => {
  const answer = await post('question', values).catch(() => null), problem = place('problem');
  problem.hidden = Boolean(answer?.ok);
  if (answer?.ok) { showQuestion(await answer.json()); layOut(); }
  else put(problem, answer ? await answer.text() : LOST);
};
const preview = () => {
  const {text, answers} = place('ask-figure').selectedOptions[0].dataset;
  put(place('ask-text'), text);
  writeItems(place('ask-answers'), answers.split('|'), words =>
    Object.assign(document.createElement('li'), {textContent: words}));
};
place('open-ask').addEventListener('click', () => { preview(); place('ask').showModal(); });
place('ask-figure').addEventListener('change', preview);
place('ask').addEventListener('close', event => {
  if (event.target.returnValue === 'ask') askQuestion({do: 'ask', figure: place('ask-figure').value});
  event.target.returnValue = '';
});
for (const [button, what] of [['close-vote', 'close'], ['tell', 'tell'], ['end-question', 'end']])
  place(button).addEventListener('click', () => askQuestion({do: what}));
"""
)


def dialog() -> str:
    """Write the dialog in which a question is chosen; each entry carries its words and its answers, parted by "|"."""
    questions = "".join(
        f'<option value="{escape(name)}" data-text="{escape(figure.question.text)}" '
        f'data-answers="{escape("|".join(figure.question.answers))}">{escape(figure.title)}</option>'
        for name, figure in FIGURES.items()
    )
    return Template(DIALOG).substitute(questions=questions)
