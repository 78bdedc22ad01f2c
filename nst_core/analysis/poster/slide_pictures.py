"""Saves a figure's slides as a PDF, each a picture, with its words as text to be found and copied."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from nst_core.analysis.figure import Figure, Moment
from nst_core.analysis.poster.blocks import SPACE, draw_bullets, draw_charts, draw_formula, draw_text, stacked
from nst_core.analysis.poster.chart import GREY, colors_of
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.pages import pdf_of
from nst_core.analysis.poster.parts import draw_parts
from nst_core.analysis.poster.placed import contained, put
from nst_core.analysis.poster.slides import Slide, column_shares, slides_of
from nst_core.analysis.poster.table import draw_table
from nst_core.files import writing

WIDTH, HEIGHT, EDGE, TOP = 1920, 1080, 80, 190  # pixels: a slide, its margin, and where its title ends
DPI = 144
TITLE, LETTERS, CELLS, SMALL, SAID = 60, 30, (36, 32, 28), 24, (28, 36)  # sizes of letters, pixels
SIZES, CHARTED = (60, 56, 52, 48, 44, 40, 36, 32, 28), (40, 36, 32, 28)  # of words: the first that has room
FOR_CHARTS = 0.7  # of a slide's height that charts take, at least
QUALITY = 90  # of the JPEGs within the PDF
MEASURED = 100  # pixels, at which letters are measured


def save_pdf(
    figure: Figure, settings: Mapping[str, Any], moment: Moment, path: str | Path, language: Language = ENGLISH
) -> None:
    """Write a figure's slides as a PDF, a page a slide, as wide as a projector's screen.

    Args:
        figure: what it is.
        settings: name -> value of every option.
        moment: how far it is.
        path: of the file.
        language: in which its words are, if it can be drawn here.

    Raises:
        OutputError: the file cannot be written; nothing is left of it.
    """
    spoken = language.drawn
    colors, slides = colors_of(spoken.moment(moment).charts), slides_of(figure, settings, moment, spoken)
    letters = spoken.lettering
    written = pdf_of(
        [draw_slide(slide, colors, letters, spoken.say) for slide in slides],
        {"Title": spoken.say(figure.title), "Producer": "Neural Style Lab"},
        language=spoken.name,
        dpi=DPI,
        quality=QUALITY,
        measure=lambda letter: letters.length(letter, MEASURED) / MEASURED,
    )
    with writing(Path(path)) as aside:
        aside.write_bytes(written)


def draw_slide(
    slide: Slide, colors: Mapping[str, str], letters: Lettering, say: Callable[[str], str] = str
) -> Image.Image:
    """Draw a slide, WIDTH × HEIGHT pixels; what is too high for it is drawn smaller.

    Args:
        slide: what it says and shows.
        colors: line of a chart -> its colour.
        letters: what it is written with.
        say: as `draw_chart` has it.
    """
    paper, across = Image.new("RGB", (WIDTH, HEIGHT), "white"), WIDTH - 2 * EDGE
    if title := draw_text(slide.title, across, TITLE, letters):
        put(paper, _fitted(title, TOP - EDGE // 2), (EDGE, EDGE // 2))
    small = draw_text(slide.small, across, SMALL, letters, GREY)
    low = HEIGHT - EDGE // 2 - (small.height if small else 0)
    if blocks := _blocks(slide, colors, (across, low - TOP - EDGE // 4), letters, say):
        shown = _fitted(stacked(blocks, 0), low - TOP - EDGE // 4)
        spare = low - TOP - shown.height if slide.pictures else 0  # pictures stand in the middle of the slide
        put(paper, shown, (EDGE if shown.width == across else (WIDTH - shown.width) // 2, TOP + spare // 2))
    if small:
        put(paper, small, (EDGE, low))
    return paper


def _blocks(
    slide: Slide, colors: Mapping[str, str], room: tuple[int, int], letters: Lettering, say: Callable[[str], str]
) -> list[Image.Image]:
    """Draw what stands below the title, from above, in letters as large as have room (width, height), pixels."""
    width, height = room
    if slide.pictures:
        shown = draw_parts(slide.pictures, width, letters, height, SAID)
        return [shown] if shown else []
    if slide.table:
        shares = column_shares(slide.table)
        for size in CELLS:
            table = draw_table(slide.table, colors, width, size, letters, shares)
            if table.height <= height:
                break
        return [table]
    blocks: list[Image.Image] = []
    for size in CHARTED if slide.charts else SIZES:
        blocks = [block for block in _words(slide, width, size, letters) if block]
        left = height - sum(block.height + SPACE for block in blocks)
        if left >= height * FOR_CHARTS if slide.charts else left + SPACE >= 0:
            break
    if slide.charts:
        rows = math.ceil(len(slide.charts) / 2)
        left = max(left, round(height * FOR_CHARTS)) // rows - SPACE * (rows - 1)
        blocks = [*draw_charts(slide.charts, colors, width, LETTERS, letters, say, left), *blocks]
    return blocks


def _words(slide: Slide, width: int, size: int, letters: Lettering) -> Iterator[Image.Image | None]:
    yield draw_text("\n\n".join(slide.texts), width, size, letters)
    if slide.formula:
        yield draw_formula(slide.formula, width, size, letters)
    yield draw_bullets(slide.findings, width, size, letters)


def _fitted(block: Image.Image, height: int) -> Image.Image:
    """Draw a block smaller that is higher than its place, pixels."""
    return contained(block, (block.width, height)) if block.height > height else block
