"""Draws tables as pictures."""

from collections.abc import Mapping, Sequence

from PIL import Image

from nst_core.analysis.figure import Table
from nst_core.analysis.poster.chart import GREY, LIGHT_GREY, TITLE
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.placed import Pen

PAD = 0.5  # around a text, of a letter's size
MARK = 0.3  # width of a line's colour, of a letter's size


def draw_table(
    table: Table,
    colors: Mapping[str, str],
    width: int,
    size: int,
    lettering: Lettering,
    shares: Sequence[float] | None = None,
) -> Image.Image:
    """Draw a table with its title, on white; a row that belongs to a chart's line has its colour.

    Args:
        table: what to draw.
        colors: line -> its colour.
        width: of all of it, pixels.
        size: of its letters, pixels.
        lettering: what they are written with.
        shares: of the width for each column, of 1; None: by their texts.
    """
    rows = [table.heads, *table.rows]
    pad = round(size * PAD)
    room = width - 2 * pad * len(table.heads)
    widths = [int(room * share) for share in shares] if shares else _widths(rows, room, size, lettering)
    cells = [[lettering.wrapped(text, size, room) for text, room in zip(row, widths, strict=True)] for row in rows]
    heights = [max(lettering.height(lines, size) for lines in row) + pad for row in cells]
    large = round(size * TITLE)
    title = lettering.wrapped(table.title, large, width) if table.title else []
    top = lettering.height(title, large) + pad * bool(title)
    picture = Image.new("RGB", (width, top + sum(heights) + pad), "white")
    draw = Pen(picture)
    lettering.write(draw, (0, 0), title, large)
    lines = ("", *(table.lines or ("",) * len(table.rows)))
    for row, height, line in zip(cells, heights, lines, strict=True):
        if line in colors:
            draw.rectangle((0, top, size * MARK, top + height), colors[line])
        x = pad
        for texts, room in zip(row, widths, strict=True):
            lettering.write(draw, (x, top + pad // 2), texts, size, GREY if row is cells[0] else "black")
            x += room + 2 * pad
        top += height
        draw.line((0, top, width, top), LIGHT_GREY, 2)
    return picture


def _widths(rows: Sequence[tuple[str, ...]], width: float, size: int, lettering: Lettering) -> list[int]:
    """Measure each column by its longest text; too wide ones share equally what the others leave."""
    wanted = [
        max(lettering.length(lettering.written(text), size) for text in column) + 1
        for column in zip(*rows, strict=True)
    ]
    open_ones, left, found = sorted(range(len(wanted)), key=wanted.__getitem__), width, {}
    while open_ones:
        column = open_ones.pop(0)
        found[column] = min(wanted[column], left / (len(open_ones) + 1))
        left -= found[column]
    return [int(found[column]) for column in range(len(wanted))]
