"""Lays a figure out as slides: what each says and shows, for any program that shows slides."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any
from unicodedata import east_asian_width

from nst_core import images
from nst_core.analysis.figure import ANSWER_LETTERS, Chart, Figure, Moment, Question, Table
from nst_core.analysis.poster.description import settings_line
from nst_core.analysis.poster.language import ENGLISH, Language

MOST_LINES = 3  # of a formula beside the words; a longer one has a slide of its own
# Of the width that a slide has for what it shows: its height, column heads, row labels, and the captions of a row.
HEIGHT, HEAD, SIDE, CAPTION = 0.46, 0.04, 0.12, 0.045
LEAST_CELL = 0.16  # of that width that a picture takes, below which rows take several slides
MOST_PAGES, WIDER = 4, 1.15  # of pictures; more pages only where each picture is so many times as wide then
TABLE_LINES, LINE_LETTERS = 20, 120  # of a slide with a table: lines, and letters across
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
    each, widest = rows, cell_width(moment, rows)
    for count in range(2, min(rows, MOST_PAGES) + 1):
        fewer = math.ceil(rows / count)
        if widest < LEAST_CELL and (wide := cell_width(moment, fewer)) > WIDER * widest:
            each, widest = fewer, wide
    labels = (*moment.rows, *[""] * rows)
    for first in range(0, rows, each):
        parts = tuple(replace(part, row=part.row - first) for part in shown if first <= part.row < first + each)
        yield Moment(labels[first : min(first + each, rows)], moment.columns, parts)


def cell_width(moment: Moment, rows: int) -> float:
    """Tell how wide each picture is, of what a slide has across, where so many rows share it."""
    shown = [part.image for part in moment.parts if part.image is not None]
    aspect = median(width / height for height, width in map(images.size_of, shown))
    across = (1 - SIDE * any(moment.rows)) / max(1, len(moment.columns))
    return min(across, ((HEIGHT - HEAD * any(moment.columns)) / rows - CAPTION) * aspect)


def pages_of_table(table: Table) -> Iterator[Table]:
    """Part a table into slides, by rows, so that each finds room."""
    lines = table.lines or ("",) * len(table.rows)
    shares = column_shares(table)
    first, used = 0, 0
    for number, row in enumerate(table.rows):
        high = max(math.ceil(breadth(text) / (share * LINE_LETTERS)) for text, share in zip(row, shares, strict=True))
        if number > first and used + high > TABLE_LINES:
            yield replace(table, rows=table.rows[first:number], lines=lines[first:number])
            first, used = number, 0
        used += max(1, high)
    yield replace(table, rows=table.rows[first:], lines=lines[first:])


def breadth(text: str) -> float:
    """Estimate how wide a text is, in Latin letters: one of Chinese is WIDE of them."""
    return sum(WIDE if east_asian_width(letter) in "WF" else 1 for letter in text)


def column_shares(table: Table) -> Sequence[float]:
    """Share a table's width among its columns, by their longest texts; of 1."""
    longest = [min(80, max(10, *map(breadth, column))) for column in zip(table.heads, *table.rows, strict=True)]
    return [length / sum(longest) for length in longest]
