"""Saves a figure's slides as a PPTX, whose words, labels and tables can be edited."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.slide import Slide as Page
from pptx.text.text import _Paragraph
from pptx.util import Inches, Pt

from nst_core import images
from nst_core.analysis.figure import Figure, Moment, Table
from nst_core.analysis.poster.blocks import INDEX
from nst_core.analysis.poster.chart import GREY, colors_of, draw_chart
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.slides import (
    SIDE,
    Slide,
    breadth,
    caption_height,
    cell_width,
    column_shares,
    head_height,
    row_heights,
    slides_of,
)
from nst_core.files import writing

WIDTH, HEIGHT, EDGE, TOP = 13.333, 7.5, 0.5, 1.2  # inches: a slide, its margin, and where its title ends
ACROSS, DOWN = WIDTH - 2 * EDGE, HEIGHT - TOP - 0.4  # inches for what it shows
TITLE, LONG_TITLE, LABEL, CELLS, SMALL = 32, 24, 14, 14, 11  # points of letters
WORDS, CHARTED = (28, 26, 24, 22, 20, 18, 16, 14), (20, 18, 16, 14)  # points of words: the first that have room
FOR_CHARTS = 0.7  # of what a slide has below its title that charts take, at least
ONE_LINE = 50  # letters of a title, at most, for the larger ones
LETTER, LINE = 0.56, 1.2  # a letter's mean width, in the widest fonts that stand in, and a line's height, of its size
LEAST_PIXELS = 300  # of a picture's longer side: a smaller one is enlarged, so that its pixels stay sharp
CHART_PIXELS, CHART_LETTERS = 1600, 32  # how wide a chart is drawn, and its letters; two thirds where two share a slide
GAP = 0.1  # inches between pictures

Box = tuple[float, float, float, float]  # left, top, width, height; inches
Color = tuple[int, int, int]


class Letters(NamedTuple):
    """How something is written: the letters' size in points, their colour, whether lines stand in the middle.

    Of a formula indices are small: of L_content "content" stands lower.
    """

    size: float
    color: Color = (0, 0, 0)
    middle: bool = False
    formula: bool = False


def save_pptx(
    figure: Figure, settings: Mapping[str, Any], moment: Moment, path: str | Path, language: Language = ENGLISH
) -> None:
    """Write a figure's slides as a PPTX.

    Args:
        figure: what it is.
        settings: name -> value of every option.
        moment: how far it is.
        path: of the file.
        language: in which its words are; those of charts, if it can be drawn here.

    Raises:
        OutputError: the file cannot be written; nothing is left of it.
    """
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    deck.core_properties.title, deck.core_properties.author = language.say(figure.title), "Neural Style Lab"
    colors = colors_of(language.moment(moment).charts)
    layout = deck.slide_layouts.get_by_name("Title Only")
    for slide in slides_of(figure, settings, moment, language):
        _fill(deck.slides.add_slide(layout), slide, colors, language.drawn)
    with writing(Path(path)) as aside:
        deck.save(str(aside))


def _fill(page: Page, slide: Slide, colors: Mapping[str, str], drawn: Language) -> None:
    title = page.shapes.title
    title.left, title.top, title.width, title.height = map(Inches, (EDGE, 0.25, ACROSS, TOP - 0.35))
    title.text = slide.title
    (line,) = title.text_frame.paragraphs
    line.alignment, line.runs[0].font.bold = PP_ALIGN.LEFT, True
    line.runs[0].font.size = Pt(TITLE if breadth(slide.title) <= ONE_LINE else LONG_TITLE)
    small = tuple(slide.small.splitlines())
    low = TOP + DOWN - _height(small, SMALL)
    _write(page, small, (EDGE, low, ACROSS, TOP + DOWN - low), Letters(SMALL, GREY))
    formula = tuple(slide.formula.splitlines())
    size = _largest((*slide.texts, *formula), WORDS, low - TOP - 0.25 * bool(formula))
    top = TOP
    for texts, is_formula in ((slide.texts, False), (formula, True)):
        high = _height(texts, size)
        _write(page, texts, (EDGE, top, ACROSS, high), Letters(size, formula=is_formula))
        top += high + 0.25 * bool(texts)
    if slide.pictures:
        _put_pictures(page, slide.pictures)
    _put_outcome(page, slide, colors, drawn)
    if slide.table:
        _put_table(page, slide.table, colors)


def _put_outcome(page: Page, slide: Slide, colors: Mapping[str, str], drawn: Language) -> None:
    """Put charts beside each other, and below them what came out."""
    findings = tuple(f"– {finding}" for finding in slide.findings)
    charts = [chart for chart in slide.charts if any(chart.lines.values())]
    size = _largest(findings, CHARTED if charts else WORDS, DOWN * (1 - FOR_CHARTS) if charts else DOWN)
    high = _height(findings, size)
    for number, chart in enumerate(charts):
        wide, tall = ACROSS / len(charts) - 0.1, DOWN - high - 0.2
        across = CHART_PIXELS if len(charts) == 1 else CHART_PIXELS * 2 // 3
        shape = across, round(across * tall / wide)
        picture = draw_chart(chart, colors, shape[0], CHART_LETTERS, drawn.lettering, drawn.say, shape[1])
        if picture:
            _put(page, picture, chart.title, (EDGE + number * (wide + 0.1), TOP, wide, tall))
    _write(page, findings, (EDGE, TOP + DOWN - high if charts else TOP, ACROSS, high), Letters(size))


def _largest(texts: Sequence[str], sizes: Sequence[float], room: float) -> float:
    """Choose the first size of letters in which paragraphs have room (height, inches), or the last; points."""
    return next((size for size in sizes if _height(texts, size) <= room), sizes[-1])


def _height(texts: Sequence[str], size: float, width: float = ACROSS) -> float:
    """Estimate how high paragraphs are, inches."""
    letters = width * 72 / (size * LETTER)  # on a line
    return sum(math.ceil(max(1, breadth(text)) / letters) + 0.3 for text in texts) * size * LINE / 72


def _write(page: Page, texts: Sequence[str], box: Box, letters: Letters) -> None:
    """Write paragraphs into a box."""
    if not any(texts):
        return
    frame = page.shapes.add_textbox(*map(Inches, box)).text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for number, text in enumerate(texts):
        paragraph = frame.add_paragraph() if number else frame.paragraphs[0]
        paragraph.space_after = Pt(0 if letters.middle else 0.3 * letters.size)
        if letters.middle:
            paragraph.alignment = PP_ALIGN.CENTER
        _set(paragraph, text, letters)


def _set(paragraph: _Paragraph, text: str, letters: Letters) -> None:
    for piece in re.split(f"({INDEX.pattern})", text) if letters.formula else [text]:
        index = letters.formula and INDEX.fullmatch(piece)
        run = paragraph.add_run()
        run.text, run.font.size = piece[1:] if index else piece, Pt(letters.size)
        run.font.color.rgb = RGBColor(*letters.color)
        if index:
            run.font._element.set("baseline", "-25000" if piece[0] == "_" else "30000")


def _put_pictures(page: Page, moment: Moment) -> None:
    """Put pictures into their places, with column heads, row labels and captions as text."""
    width = cell_width(moment)
    cell, side, head = ACROSS * width, ACROSS * SIDE * any(moment.rows), ACROSS * head_height(moment, width)
    heights = [ACROSS * height for height in row_heights(moment, width)]
    times = min(1.0, (DOWN - head) / sum(heights))  # where captions alone are higher than the slide
    heights = [height * times for height in heights]
    left = EDGE + side + (ACROSS - side - cell * len(moment.columns)) / 2
    top = TOP + max(0.0, DOWN - head - sum(heights)) / 2
    for column, text in enumerate(moment.columns):
        _write(page, (text,), (left + column * cell, top, cell - GAP, head), Letters(LABEL, middle=True))
    top += head
    for row, height in enumerate(heights):
        parts = [part for part in moment.parts if part.row == row]
        below = min(ACROSS * caption_height(parts, width), height / 2 if times < 1 else height)
        high = max(GAP, height - below - GAP)
        _write(page, (moment.rows[row],), (left - side, top, side - GAP, height - GAP), Letters(LABEL))
        for part in parts:
            x = left + part.column * cell
            if part.image is not None:
                _put(page, images.to_pil(part.image), part.label, (x, top, cell - GAP, high))
            _write(
                page, part.caption.splitlines(), (x, top + high, cell - GAP, below), Letters(LABEL, GREY, middle=True)
            )
        top += height


def _put(page: Page, picture: Image.Image, words: str, box: Box) -> None:
    """Put a picture into the middle of a box, as large as fits, with words for those who do not see it."""
    times = -(-LEAST_PIXELS // max(picture.size))
    if times > 1:
        picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    left, top, width, height = box
    size = min(width / picture.width, height / picture.height)  # inches a pixel
    wide, high = picture.width * size, picture.height * size
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=3)  # a fifth of the time for a tenth more bytes
    place = left + (width - wide) / 2, top + (height - high) / 2, wide, high
    page.shapes.add_picture(buffer, *map(Inches, place))._element.nvPicPr.cNvPr.set("descr", words)


def _put_table(page: Page, table: Table, colors: Mapping[str, str]) -> None:
    """Put a table; the first cell of a row that belongs to a chart's line has its colour."""
    rows = (table.heads, *table.rows)
    box = map(Inches, (EDGE, TOP, ACROSS, 0.3 * len(rows)))
    grid = page.shapes.add_table(len(rows), len(table.heads), *box).table
    for column, share in zip(grid.columns, column_shares(table), strict=True):
        column.width = Inches(ACROSS * share)
    lines = ("", *(table.lines or ("",) * len(table.rows)))
    for row, (texts, line) in enumerate(zip(rows, lines, strict=True)):
        for column, text in enumerate(texts):
            cell = grid.cell(row, column)
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            color = _rgb(colors[line]) if line in colors and column == 0 else (255, 255, 255) if row == 0 else (0, 0, 0)
            _set(cell.text_frame.paragraphs[0], text, Letters(CELLS, color))


def _rgb(color: str) -> Color:
    """Read a colour such as "#2f9e6e"."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
