"""Writes plans of lessons, to be read on the page or printed: each step with a link that opens its figure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from string import Template
from urllib.parse import urlencode

from nst_core.ui.classroom.address import LESSON_CODE
from nst_core.ui.studio.links import FIGURE_KEY, PRESET_KEY

PROJECTOR = {"view": "projector"}  # of a link: the figure is opened as slides
LINKED = re.compile(r'href="\./([^"]*)"')

LOOK = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2333; --pale: #5a6478; --line: #d9deea; --accent: #4f46e5; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1120; --ink: #eef1f8; --pale: #a5afc4; --line: #2c3550; --accent: #8b93ff; }
}
body { margin: 0 auto; padding: 24px 20px 60px; max-width: 860px; background: var(--ground); color: var(--ink);
  font: 17px/1.45 "Source Sans Pro", system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 1.7rem; line-height: 1.2; } h2 { margin: 32px 0 6px; font-size: 1.35rem; }
p { margin: 0 0 6px; } .pale, .minutes { color: var(--pale); }
ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 7em 1fr auto; gap: 0 16px; padding: 10px 0; break-inside: avoid;
  border-top: 1px solid var(--line); }
.minutes { font-variant-numeric: tabular-nums; } h3 { margin: 0 0 4px; font-size: 1.05rem; }
.ask { padding-left: 10px; border-left: 3px solid var(--accent); }
a { color: var(--accent); } .links { display: flex; flex-wrap: wrap; gap: 2px 18px; }
.code { width: 110px; height: 110px; background: #fff; }
@media (max-width: 520px) { li { grid-template-columns: 1fr; } }
@media print {
  :root { color-scheme: light; --ground: #fff; --ink: #000; --pale: #444; --line: #bbb; --accent: #000; }
  body { padding: 0; font-size: 11pt; } section + section { break-before: page; }
  .links a::after { content: " (" attr(data-address) ")"; font-size: 9pt; }
}
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script nonce="$nonce" src="words/script.js"></script>
<title>Plans of lessons · Neural Style Lab</title>
<style nonce="$nonce">$look</style>
</head>
<body>
<h1>Plans of lessons</h1>
<p class="pale">For a class with one projector. Every figure asks first what it will show, and has a finished
example; the space bar makes it live, arrows turn the slides. Print this page to have it in your hand; a code opens the
step's figure on a phone.</p>
$lessons
</body>
</html>
"""


@dataclass(frozen=True)
class LessonStep:
    """A step of a lesson.

    Attributes:
        minutes: that it takes.
        title: what it is about.
        words: what the teacher shows and says.
        ask: what the class is asked, "" for nothing.
        query: of the address that opens its figure, or the studio; empty: nothing is opened.
    """

    minutes: int
    title: str
    words: str
    ask: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


LONG = (
    LessonStep(
        4,
        "What is a style?",
        "Show photos and paintings of them. Collect on the board what a painting took from the photo, and what from "
        "the other painting; leave the two lists there.",
        "What would you have to tell a painter by telephone, so that they paint this photo in that style?",
        {FIGURE_KEY: "sheet"},
    ),
    LessonStep(
        6,
        "What a network keeps of a picture",
        "A network sees a picture in layers. Go from the shallow layer to the deep one; then show the chart.",
        "Which layer would you paint from, if the style shall be free to change colours and strokes?",
        {FIGURE_KEY: "content"},
    ),
    LessonStep(
        5,
        "Style is what occurs together",
        "Read the figure from left to right: grain, then larger and larger pieces. The two rows begin with different "
        "noise.",
        "What do the two rows share, and what not?",
        {FIGURE_KEY: "style"},
    ),
    LessonStep(
        6,
        "A Gram matrix by hand",
        "On the board: two feature maps of four positions, F₁ = (1, 0, 1, 0) and F₂ = (1, 0, 0, 1). G₁₁ = 2, G₂₂ = 2, "
        "G₁₂ = G₂₁ = 1. Swap two positions in both maps: G stays. Then show the large ones.",
        "Swap two positions in one map only: which entries of G can change?",
        {FIGURE_KEY: "gram"},
    ),
    LessonStep(
        6,
        "One step",
        "Before the figure is shown, tell how it begins: with the photo itself. Then go through the first row, x, the "
        "gradient, x − t ∇L(x), and on.",
        "At first the content loss is 0. What will it do, and why is that step worth it all the same?",
        {FIGURE_KEY: "step"},
    ),
    LessonStep(
        5,
        "Two weights",
        "From left to right the photo counts more, from top to bottom deeper layers of the style join in.",
        "All stand up; sit down at the column that you like best. Why do you differ?",
        {FIGURE_KEY: "grid"},
    ),
    LessonStep(
        8,
        "Your own",
        "Everybody paints: a photo, a style, Paint, and then α and β while it paints. The wall of the class shows all "
        "paintings, where there is one.",
        "Close with three sentences to be completed: Content is …, style is …, to paint is to make … small.",
        {PRESET_KEY: "studio"},
    ),
)

SHORT = (
    LessonStep(
        3,
        "Content",
        "What layers keep of a photo: nearly all of it, or only what is where.",
        "Which layer would you paint from?",
        {FIGURE_KEY: "content"},
    ),
    LessonStep(
        2,
        "Style",
        "Which features occur together, but not where. Read from left to right, then compare the rows.",
        "What do the two rows share?",
        {FIGURE_KEY: "style"},
    ),
    LessonStep(
        2,
        "One step",
        "The method in one row: a picture, its gradient, the picture a step further. The loss is smaller.",
        "Why does the content loss grow?",
        {FIGURE_KEY: "step"},
    ),
    LessonStep(
        3,
        "Two weights",
        "The same loss with other weights, all at once.",
        "Which picture would you hang up, and what does it cost in content?",
        {FIGURE_KEY: "grid"},
    ),
)

LESSONS = {"A lesson of 40 minutes": LONG, "A lesson of 10 minutes": SHORT}


def plan_page(nonce: str, note: str = "", root: str = ".") -> str:
    """Write the page of all plans.

    Args:
        nonce: of the policy under which it is answered.
        note: what should be known of its codes, "" for nothing.
        root: address of the page that the links open, as they are printed.
    """
    lessons = "".join(
        f"<section><h2>{escape(title)}</h2><ol>{_steps(steps)}</ol></section>" for title, steps in LESSONS.items()
    )
    lessons = LINKED.sub(lambda link: f'data-address="{escape(root)}/{link[1]}" {link[0]}', lessons)
    told = f'<p class="ask" role="note">{escape(note)}</p>' * bool(note)
    return Template(PAGE).substitute(nonce=nonce, look=LOOK, lessons=told + lessons)


def _steps(steps: tuple[LessonStep, ...]) -> str:
    written, begins = [], 0
    for step in steps:
        ends = begins + step.minutes
        ask = f'<p class="ask">{escape(step.ask)}</p>' if step.ask else ""
        written.append(
            f'<li><div class="minutes">{begins} – {ends} min</div><div><h3>{escape(step.title)}</h3>'
            f"<p>{escape(step.words)}</p>{ask}{_links(step)}</div>{_code(step)}</li>"
        )
        begins = ends
    return "".join(written)


def _code(step: LessonStep) -> str:
    """Show the QR code of the link that opens a step's figure in the tab."""
    if FIGURE_KEY not in step.query:
        return ""
    source = f".{LESSON_CODE}?{urlencode(step.query)}"
    return f'<img class="code" src="{escape(source)}" alt="QR code of the link to the figure" loading="lazy">'


def _links(step: LessonStep) -> str:
    """Write the links of a step: its figure as slides and as it is, or the studio; beside the page that has them."""
    slides, plain = urlencode({**step.query, **PROJECTOR}), urlencode(step.query)
    if FIGURE_KEY not in step.query:
        return f'<p class="links"><a href="./?{escape(plain)}">Open the studio</a></p>' * bool(plain)
    return (
        f'<p class="links"><a href="./?{escape(slides)}">Open it on the projector</a>'
        f'<a href="./?{escape(plain)}">Open it in the tab</a></p>'
    )
