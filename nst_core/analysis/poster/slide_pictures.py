"""Saves a figure's slides as a PDF, each a picture, with its words as text to be found and copied."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from nst_core.analysis.figure import Figure, Moment
from nst_core.analysis.poster.blocks import draw_bullets, draw_charts, draw_formula, draw_text, stacked
from nst_core.analysis.poster.chart import GREY, colors_of
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.pages import pdf_of
from nst_core.analysis.poster.parts import draw_parts
from nst_core.analysis.poster.placed import contained, put
from nst_core.analysis.poster.slides import Slide, slides_of
from nst_core.analysis.poster.table import draw_table
from nst_core.files import writing

WIDTH, HEIGHT, EDGE, TOP = 1920, 1080, 80, 190  # pixels: a slide, its margin, and where its title ends
DPI = 144
TITLE, WORDS, LETTERS, CELLS, SMALL = 60, 44, 32, 28, 24  # sizes of letters, pixels
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
    if blocks := [block for block in _blocks(slide, colors, across, letters, say) if block]:
        shown = _fitted(stacked(blocks, 0), low - TOP - EDGE // 4)
        put(paper, shown, (EDGE if shown.width == across else (WIDTH - shown.width) // 2, TOP))
    if small:
        put(paper, small, (EDGE, low))
    return paper


def _blocks(
    slide: Slide, colors: Mapping[str, str], width: int, letters: Lettering, say: Callable[[str], str]
) -> Iterator[Image.Image | None]:
    """Draw what stands below the title, from above."""
    yield draw_text("\n\n".join(slide.texts), width, WORDS, letters)
    if slide.formula:
        yield draw_formula(slide.formula, width, WORDS, letters)
    if slide.pictures:
        yield draw_parts(slide.pictures, width, letters)
    yield from draw_charts(slide.charts, colors, width, LETTERS, letters, say)
    yield draw_bullets(slide.findings, width, WORDS, letters)
    if slide.table:
        yield draw_table(slide.table, colors, width, CELLS, letters)


def _fitted(block: Image.Image, height: int) -> Image.Image:
    """Draw a block smaller that is higher than its place, pixels."""
    return contained(block, (block.width, height)) if block.height > height else block
