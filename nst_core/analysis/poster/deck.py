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
from nst_core.analysis.figure import Chart, Figure, Moment, Table
from nst_core.analysis.poster.blocks import INDEX
from nst_core.analysis.poster.chart import GREY, colors_of, draw_chart
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.slides import (
    CAPTION,
    HEAD,
    SIDE,
    Slide,
    breadth,
    cell_width,
    column_shares,
    slides_of,
)
from nst_core.files import writing

WIDTH, HEIGHT, EDGE, TOP = 13.333, 7.5, 0.5, 1.2  # inches: a slide, its margin, and where its title ends
ACROSS, DOWN = WIDTH - 2 * EDGE, HEIGHT - TOP - 0.4  # inches for what it shows
TITLE, LONG_TITLE, WORDS, LABEL, CELLS, SMALL = 32, 24, 22, 14, 12, 11  # points of letters
ONE_LINE = 50  # letters of a title, at most, for the larger ones
LETTER, LINE = 0.56, 1.2  # a letter's mean width, in the widest fonts that stand in, and a line's height, of its size
LEAST_PIXELS = 300  # of a picture's longer side: a smaller one is enlarged, so that its pixels stay sharp
CHART_PIXELS, CHART_LETTERS = 1600, 34  # how wide a chart is drawn, and its letters; two thirds where two share a slide
GAP, WIDE = 0.1, 2.0  # inches: between pictures; of a picture, from which on its words are larger

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
    top = TOP
    for texts, is_formula in ((slide.texts, False), (tuple(slide.formula.splitlines()), True)):
        high = _height(texts, WORDS)
        _write(page, texts, (EDGE, top, ACROSS, high), Letters(WORDS, formula=is_formula))
        top += high + 0.25 * bool(texts)
    if slide.pictures:
        _put_pictures(page, slide.pictures)
    findings = tuple(f"– {finding}" for finding in slide.findings)
    high = _height(findings, WORDS)
    count = len(slide.charts)
    charts = [(chart, picture) for chart in slide.charts if (picture := _drawn(chart, colors, drawn, count))]
    for number, (chart, picture) in enumerate(charts):
        room = ACROSS / len(charts)
        _put(page, picture, chart.title, (EDGE + number * room, TOP, room - 0.1, DOWN - high - 0.2))
    _write(page, findings, (EDGE, TOP + DOWN - high if charts else TOP, ACROSS, high), Letters(WORDS))
    if slide.table:
        _put_table(page, slide.table, colors)
    small = tuple(slide.small.splitlines())
    high = _height(small, SMALL)
    _write(page, small, (EDGE, TOP + DOWN - high, ACROSS, high), Letters(SMALL, GREY))


def _drawn(chart: Chart, colors: Mapping[str, str], language: Language, count: int) -> Image.Image | None:
    width = CHART_PIXELS if count == 1 else CHART_PIXELS * 2 // 3
    return draw_chart(chart, colors, width, CHART_LETTERS, language.lettering, language.say)


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
        paragraph.space_after = Pt(0.3 * letters.size)
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
    rows, cell = len(moment.rows), ACROSS * cell_width(moment, len(moment.rows))
    side, head, below = ACROSS * SIDE * any(moment.rows), ACROSS * HEAD * any(moment.columns), ACROSS * CAPTION
    label, caption = (LABEL, SMALL) if cell > WIDE else (SMALL, SMALL - 2)
    below = max([below, *(_height(part.caption.splitlines(), caption, cell - GAP) for part in moment.parts)])
    sizes = [images.size_of(part.image) for part in moment.parts if part.image is not None]
    high = min((DOWN - head) / rows, cell * max(height / width for height, width in sizes) + below)
    left = EDGE + side + (ACROSS - side - cell * len(moment.columns)) / 2
    for column, text in enumerate(moment.columns):
        box = left + column * cell, TOP, cell - GAP, head
        _write(page, (text,), box, Letters(label, middle=True))
    for row, text in enumerate(moment.rows):
        _write(page, (text,), (left - side, TOP + head + row * high + GAP, side - GAP, high - below), Letters(label))
    for part in moment.parts:
        x, y = left + part.column * cell, TOP + head + part.row * high
        if part.image is not None:
            _put(page, images.to_pil(part.image), part.label, (x, y, cell - GAP, high - below))
        box = x, y + high - below, cell - GAP, below
        _write(page, part.caption.splitlines(), box, Letters(caption, GREY, middle=True))


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
