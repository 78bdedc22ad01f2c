"""Draws the blocks of a poster: words and charts as pictures of one width, to be set below each other."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from PIL import Image

from nst_core.analysis.figure import Chart
from nst_core.analysis.poster.chart import draw_chart
from nst_core.analysis.poster.lettering import Lettering, indexed
from nst_core.analysis.poster.placed import Pen, put

SPACE = 60  # pixels between two blocks
INDEX = re.compile(r"_[^\W_]+|\^(?:[-−]?\d+|[A-Z])")  # of a formula: "_content" of L_content, "^2" of x²
INDEX_SIZE, LOWERED, RAISED = 0.68, 0.18, 0.4  # of a letter's size: an index, and how far from the line it stands


def draw_text(
    text: str, width: int, size: int, lettering: Lettering, fill: str | tuple[int, int, int] = "black"
) -> Image.Image | None:
    """Draw a text in lines; None if there is none.

    Args:
        text: any; its own lines are kept.
        width, size: of the block and of its letters, pixels.
        lettering: what it is written with.
        fill: its colour.
    """
    if not text:
        return None
    lines = lettering.wrapped(text, size, width)
    block = Image.new("RGB", (width, lettering.height(lines, size)), "white")
    lettering.write(Pen(block), (0, 0), lines, size, fill)
    return block


def draw_formula(text: str, width: int, size: int, lettering: Lettering) -> Image.Image:
    """Draw a formula in lines, its indices small: L_content has "content" below the line.

    Args:
        text: lines of Unicode or of ASCII.
        width, size: of the block and of its letters, pixels.
        lettering: what it is written with.
    """
    lines = lettering.wrapped(indexed(text), size, width)
    block = Image.new("RGB", (width, lettering.height(lines, size)), "white")
    draw = Pen(block)
    for number, line in enumerate(lines):
        x, top = 0.0, lettering.height(lines[:number], size)
        for piece in re.split(f"({INDEX.pattern})", line):
            index = INDEX.fullmatch(piece)
            piece, small = (piece[1:], round(size * INDEX_SIZE)) if index else (piece, size)
            shift = (LOWERED if index[0][0] == "_" else -RAISED) * size + size - small if index else 0
            lettering.write(draw, (x, top + shift), [piece], small)
            x += lettering.length(piece, small)
    return block


def draw_bullets(sentences: Sequence[str], width: int, size: int, lettering: Lettering) -> Image.Image | None:
    """Sentences with a dot before each; None if there are none."""
    if not sentences:
        return None
    texts = [lettering.wrapped(sentence, size, width - size) for sentence in sentences]
    heights = [lettering.height(lines, size) + size // 3 for lines in texts]
    block = Image.new("RGB", (width, sum(heights)), "white")
    draw, top = Pen(block), 0
    for lines, height in zip(texts, heights, strict=True):
        draw.ellipse((size * 0.2, top + size * 0.5, size * 0.5, top + size * 0.8), "black")
        lettering.write(draw, (size, top), lines, size)
        top += height
    return block


def draw_charts(
    charts: Sequence[Chart],
    colors: Mapping[str, str],
    width: int,
    size: int,
    lettering: Lettering,
    say: Callable[[str], str] = str,
    height: int | None = None,
) -> Iterator[Image.Image]:
    """Charts as `draw_chart`, two beside each other where there are several; none for those without a point."""
    each = (width - SPACE) // 2 if len(charts) > 1 else width
    drawn = [picture for chart in charts if (picture := draw_chart(chart, colors, each, size, lettering, say, height))]
    for at in range(0, len(drawn), 2):
        pair = drawn[at : at + 2]
        block = Image.new("RGB", (width, max(picture.height for picture in pair)), "white")
        for number, picture in enumerate(pair):
            put(block, picture, (number * (width - each), 0))
        yield block


def stacked(blocks: Sequence[Image.Image], margin: int) -> Image.Image:
    """Blocks of one width below each other on white, with a margin around them, pixels."""
    height = sum(block.height for block in blocks) + SPACE * (len(blocks) - 1)
    paper, top = Image.new("RGB", (blocks[0].width + 2 * margin, height + 2 * margin), "white"), margin
    for block in blocks:
        put(paper, block, (margin, top))
        top += block.height + SPACE
    return paper
