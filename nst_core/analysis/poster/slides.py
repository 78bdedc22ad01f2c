"""Lays a figure out as slides: what each says and shows, for any program that shows slides."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any
from unicodedata import east_asian_width

from nst_core import images
from nst_core.analysis.figure import ANSWER_LETTERS, Chart, Figure, Moment, Part, Question, Table
from nst_core.analysis.poster.description import settings_line
from nst_core.analysis.poster.language import ENGLISH, Language

MOST_LINES = 3  # of a formula beside the words; a longer one has a slide of its own
# Of the width that a slide has for what it shows: its height, row labels, the gap below a row; of the letters of
# captions their size, how wide one is and how high a line.
HEIGHT, SIDE, GAP = 0.46, 0.12, 0.014
SAID, LETTER, LINE = 0.0159, 0.0089, 0.0208
MOST_HIGH = 1.4  # of a picture, of its width
LEAST_CELL = 0.13  # of that width that a picture takes, below which rows take several slides
MOST_PAGES, WIDER = 4, 1.6  # of pictures that are half as wide; more pages only where each is so many times as wide
TABLE_LINES, ROW_EDGE, LINE_LETTERS = 22, 0.4, 100  # of a slide with a table: lines, what a row adds, letters across
SHORT = 18  # letters of a column that is not narrowed
WIDE = 1.8  # of a letter of Chinese


@dataclass(frozen=True)
class Slide:
    """What one slide says and shows; what is empty takes no room.

    Attributes:
        title: above all.
        texts: paragraphs.
        formula: in lines.
        pictures: a moment of which the rows and parts are those of this slide alone.
        charts: below the pictures.
        findings: sentences, a dot before each.
        table: with the rows that find room.
        small: below all, in small letters.
    """

    title: str
    texts: tuple[str, ...] = ()
    formula: str = ""
    pictures: Moment | None = None
    charts: tuple[Chart, ...] = ()
    findings: tuple[str, ...] = ()
    table: Table | None = None
    small: str = ""


def slides_of(
    figure: Figure, settings: Mapping[str, Any], moment: Moment, language: Language = ENGLISH
) -> tuple[Slide, ...]:
    """Lay out a figure as slides: its words, its question, pictures, charts, the answer and tables.

    Args:
        figure: what it is.
        settings: name -> value of every option.
        moment: how far it is.
        language: in which their words are.
    """
    return tuple(_slides(figure, settings, language.moment(moment), language.say))


def _slides(figure: Figure, settings: Mapping[str, Any], moment: Moment, say: Callable[[str], str]) -> Iterator[Slide]:
    """Lay out a figure whose moment is in the language already."""
    title, question = say(figure.title), said_question(figure.question, say)
    yield Slide(say(f"{figure.title}: predict first"), (question.text, *lettered(question)))
    equation = figure.equation_in(say)
    short = len(equation.splitlines()) <= MOST_LINES
    small = f"{say(figure.source)}\n{settings_line(figure, settings)}"
    yield Slide(title, (say(figure.see),), equation if short else "", small=small)
    if not short:
        yield Slide(say(f"{figure.title}: the formula"), formula=equation)
    for page in pages_of_pictures(moment):
        yield Slide(title, pictures=page)
    charts = tuple(chart for chart in moment.charts if any(chart.lines.values()))
    if charts or moment.findings or moment.notes:
        findings = (*moment.findings, *moment.notes)
        yield Slide(say(f"{figure.title}: what came out"), charts=charts, findings=findings)
    answer = f"{ANSWER_LETTERS[question.right]}: {question.answers[question.right]}"
    yield Slide(say(f"{figure.title}: the answer"), (question.text, answer, question.why))
    for table in moment.tables:
        for part in pages_of_table(table):
            yield Slide(table.title, table=replace(part, title=""))  # which stands above the slide


def said_question(question: Question, say: Callable[[str], str]) -> Question:
    """Say a question in another language."""
    first, second, third, fourth = map(say, question.answers)
    return Question(say(question.text), (first, second, third, fourth), question.right, say(question.why))


def lettered(question: Question) -> tuple[str, ...]:
    """Write the answers with their letters before them."""
    return tuple(f"{letter}: {answer}" for letter, answer in zip(ANSWER_LETTERS, question.answers, strict=True))


def pages_of_pictures(moment: Moment) -> Iterator[Moment]:
    """Part the pictures into slides, by rows, so that each is large enough to be seen; none without a picture."""
    shown = [part for part in moment.parts if part.image is not None]
    if not shown:
        return
    rows = max(part.row for part in shown) + 1
    pages = [_page(moment, 0, rows)]
    for count in range(2, rows + 1):
        each, widest = math.ceil(rows / count), min(map(cell_width, pages))
        if count > MOST_PAGES and widest > LEAST_CELL / 2:
            break
        more = [_page(moment, first, min(first + each, rows)) for first in range(0, rows, each)]
        if widest < LEAST_CELL and min(map(cell_width, more)) > WIDER * widest:
            pages = more
    yield from pages


def _page(moment: Moment, first: int, end: int) -> Moment:
    """Give some rows of a figure, with the heads of columns that have a picture in them."""
    parts = tuple(
        replace(part, row=part.row - first)
        for part in moment.parts
        if part.image is not None and first <= part.row < end
    )
    filled = {part.column for part in parts}
    heads = tuple(head if column in filled else "" for column, head in enumerate(moment.columns))
    return Moment((*moment.rows, *[""] * end)[first:end], heads, parts)


def cell_width(page: Moment) -> float:
    """Tell how wide each picture of a slide is, of what the slide has across."""
    width = (1 - SIDE * any(page.rows)) / max(1, len(page.columns))
    while width > LEAST_CELL / 2 and head_height(page, width) + sum(row_heights(page, width)) > HEIGHT:
        width *= 0.97
    return width


def head_height(page: Moment, width: float) -> float:
    """Tell how high column heads are above pictures of a width; both of what a slide has across."""
    return LINE * max(lines_of(head, width) for head in page.columns) + GAP / 2 if any(page.columns) else 0.0


def row_heights(page: Moment, width: float) -> list[float]:
    """Tell how high each row of pictures is with its captions, as `head_height` does."""
    heights = []
    for number in range(len(page.rows)):
        parts = [part for part in page.parts if part.row == number and part.image is not None]
        shapes = [images.size_of(part.image) for part in parts if part.image is not None]
        high = max((min(height / wide, MOST_HIGH) for height, wide in shapes), default=0.0)
        label = LINE * lines_of(page.rows[number], SIDE)
        heights.append(max(width * high + caption_height(parts, width), label) + GAP)
    return heights


def caption_height(parts: Sequence[Part], width: float) -> float:
    """Tell how high the captions of a row are, as `head_height` does."""
    return LINE * max((lines_of(part.caption, width) for part in parts), default=0)


def lines_of(text: str, width: float) -> int:
    """Estimate in how many lines a text is written below a picture of a width, of what a slide has across."""
    letters = max(1, int((width - GAP / 2) / LETTER))
    return sum(max(math.ceil(breadth(line) / letters), len(wrap(line, letters)), 1) for line in text.splitlines())


def pages_of_table(table: Table) -> Iterator[Table]:
    """Part a table into slides, by rows, so that each finds room."""
    lines = table.lines or ("",) * len(table.rows)
    shares = column_shares(table)
    heights = [
        ROW_EDGE
        + max(1, *(math.ceil(breadth(text) / (share * LINE_LETTERS)) for text, share in zip(row, shares, strict=True)))
        for row in (table.heads, *table.rows)
    ]
    first, used = 0, heights[0]
    for number, high in enumerate(heights[1:]):
        if number > first and used + high > TABLE_LINES:
            yield replace(table, rows=table.rows[first:number], lines=lines[first:number])
            first, used = number, heights[0]
        used += high
    yield replace(table, rows=table.rows[first:], lines=lines[first:])


def breadth(text: str) -> float:
    """Estimate how wide a text is, in Latin letters: one of Chinese is WIDE of them."""
    return sum(WIDE if east_asian_width(letter) in "WF" else 1 for letter in text)


def column_shares(table: Table) -> Sequence[float]:
    """Share a table's width among its columns, by their longest texts; of 1. Short columns are as wide as these."""
    longest = [min(80, max(6, 2 + max(map(breadth, column)))) for column in zip(table.heads, *table.rows, strict=True)]
    short = sum(length for length in longest if length <= SHORT)
    long = sum(longest) - short
    times = max(0.2, min(1, (LINE_LETTERS - short) / long)) if long else 1.0  # what is left for the others
    wanted = [length if length <= SHORT else length * times for length in longest]
    return [length / sum(wanted) for length in wanted]
