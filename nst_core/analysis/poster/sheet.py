"""Draws a sheet of variations as one labelled picture, in the language of who asked for it."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageOps

from nst_core import images
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.placed import Pen, put
from nst_core.errors import ConfigError, said
from nst_core.transfer.sheet import CELL_SIDES
from nst_core.transfer.variations import Axis, CellResult, cell_labels

SMALLEST_LETTERS = 12  # pixels
LIGHT_GREY = (225, 225, 225)


def compose_sheet(
    results: Sequence[CellResult],
    rows: Axis,
    columns: Axis | None = None,
    cell_side: int = 256,
    language: Language = ENGLISH,
) -> Image.Image:
    """Draw all cells in one labelled picture, on white; a cell that is not painted is light grey.

    Args:
        results: of cells(base, rows, columns), any of them.
        rows, columns: what varies.
        cell_side: longest side of a painting in it, pixels.
        language: of the labels, if it can be drawn here.

    Raises:
        ConfigError: cell_side out of range.
        ValueError: results of another sheet.
    """
    low, high = CELL_SIDES
    if type(cell_side) is not int or not low <= cell_side <= high:
        raise ConfigError(f"cell_side is {said(cell_side)}; give a whole number from {low} to {high} pixels")
    labels = cell_labels(rows, columns)
    for cell in (result.cell for result in results):
        if labels.get((cell.row, cell.column)) != cell.label:
            raise ValueError(f"the cell {cell.label!r} is not of these rows and columns")
    spoken, size = language.drawn, max(SMALLEST_LETTERS, cell_side // 14)
    pictures = {(result.cell.row, result.cell.column): _picture(result, cell_side, size, spoken) for result in results}
    sides, heads = (
        [spoken.lettering.wrapped(spoken.say(label), size, cell_side) for label in axis.labels] if axis else [[""]]
        for axis in (rows, columns)
    )
    return _laid_out(pictures, sides, heads, spoken.lettering, size, cell_side)


def _laid_out(
    pictures: Mapping[tuple[int, int], Image.Image],
    sides: Sequence[list[str]],
    heads: Sequence[list[str]],
    letters: Lettering,
    size: int,
    cell_side: int,
) -> Image.Image:
    """Draw pictures by (row, column) in equal cells, row labels at their left, column labels above."""
    gap = size // 2
    shapes = [picture.size for picture in pictures.values()] or [(cell_side, cell_side)]
    width = max(*(shape[0] for shape in shapes), *(_width(head, letters, size) for head in heads))  # of every cell
    height = max(*(shape[1] for shape in shapes), *(letters.height(side, size) for side in sides))
    left = max(_width(side, letters, size) for side in sides) + 2 * gap
    top = max(letters.height(head, size) for head in heads) + 2 * gap
    sheet = Image.new("RGB", (left + len(heads) * (width + gap), top + len(sides) * (height + gap)), "white")
    draw = Pen(sheet)
    for column, head in enumerate(heads):
        x = left + column * (width + gap) + width // 2
        letters.write(draw, (x, (top - letters.height(head, size)) // 2), head, size, side="m")
    for row, side in enumerate(sides):
        y = top + row * (height + gap)
        letters.write(draw, (left - gap, y + (height - letters.height(side, size)) // 2), side, size, side="r")
        for column in range(len(heads)):
            x = left + column * (width + gap)
            if picture := pictures.get((row, column)):
                put(sheet, picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), LIGHT_GREY)
    return sheet


def _picture(result: CellResult, side: int, size: int, language: Language) -> Image.Image:
    """Draw a painting as the sheet shows it; one that was stopped says so."""
    picture = ImageOps.contain(images.to_pil(result.image), (side, side), Image.Resampling.LANCZOS)
    if result.record.stopped:
        text = language.say(f"stopped at step {result.record.steps}")
        lines = language.lettering.wrapped(text, size, picture.width)
        top, draw = picture.height - language.lettering.height(lines, size), Pen(picture)
        draw.rectangle((0, top, picture.width, picture.height), "white")
        language.lettering.write(draw, (0, top), lines, size)
    return picture


def _width(lines: Sequence[str], letters: Lettering, size: int) -> int:
    """Measure the longest of some lines, pixels."""
    return max(round(letters.length(line, size) + 0.5) for line in lines)
