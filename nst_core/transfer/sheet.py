"""Draws the sheet of variations as one labelled picture that remembers how each of its cells was made."""

import json
import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from nst_core import images
from nst_core.errors import ConfigError, ImageError, named, said
from nst_core.transfer.record import RunRecord
from nst_core.transfer.variations import Axis, CellResult, cell_labels

CELL_SIDES = (64, 512)  # pixels of a cell in the composed sheet; 8 × 8 of the largest are one of MAX_SIDE
SMALLEST_FONT = 12  # pixels
LIGHT_GREY = (225, 225, 225)
SHEET_KEY = "neural-style-lab-sheet"  # of the PNG's text chunk that holds the cells' records as JSON

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont  # the latter where Pillow came without FreeType


def compose_sheet(
    results: Sequence[CellResult], rows: Axis, columns: Axis | None = None, cell_side: int = 256
) -> Image.Image:
    """Draw all cells in one labelled picture, on white; a cell that is not painted is light grey.

    Args:
        results: of cells(base, rows, columns), any of them.
        cell_side: longest side of a painting in it, pixels.

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
    font_size = max(SMALLEST_FONT, cell_side // 14)
    font = ImageFont.load_default(size=font_size)
    pictures = {(result.cell.row, result.cell.column): _picture(result, cell_side, font) for result in results}
    return _laid_out(
        pictures,
        [_wrapped(label, font, cell_side) for label in rows.labels],
        [_wrapped(label, font, cell_side) for label in columns.labels] if columns else [""],
        font,
        font_size // 2,
        cell_side,
    )


def _laid_out(
    pictures: dict[tuple[int, int], Image.Image],
    sides: list[str],
    heads: list[str],
    font: Font,
    gap: int,
    cell_side: int,
) -> Image.Image:
    """Draw pictures by (row, column) in equal cells, row labels at their left, column labels above."""
    picture_sizes = [picture.size for picture in pictures.values()] or [(cell_side, cell_side)]
    head_sizes, side_sizes = ([_text_size(text, font) for text in texts] for texts in (heads, sides))
    width = max(size[0] for size in picture_sizes + head_sizes)  # of every cell
    height = max(size[1] for size in picture_sizes + side_sizes)
    left = max(size[0] for size in side_sizes) + 2 * gap
    top = max(size[1] for size in head_sizes) + 2 * gap
    sheet = Image.new("RGB", (left + len(heads) * (width + gap), top + len(sides) * (height + gap)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, side in enumerate(sides):
        y = top + row * (height + gap)
        draw.multiline_text((left - gap, y + height // 2), side, "black", font, anchor="rm", align="right")
        for column, head in enumerate(heads):
            x = left + column * (width + gap)
            if row == 0:
                draw.multiline_text((x + width // 2, top // 2), head, "black", font, anchor="mm", align="center")
            if picture := pictures.get((row, column)):
                sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), LIGHT_GREY)
    return sheet


def _picture(result: CellResult, side: int, font: Font) -> Image.Image:
    """Draw a painting as the sheet shows it; one that was stopped says so."""
    picture = ImageOps.contain(images.to_pil(result.image), (side, side), Image.Resampling.LANCZOS)
    if result.record.stopped:
        text = _wrapped(f"stopped at step {result.record.steps}", font, picture.width)
        draw, height = ImageDraw.Draw(picture), _text_size(text, font)[1]
        draw.rectangle((0, picture.height - height, picture.width, picture.height), "white")
        draw.multiline_text((0, picture.height - height), text, "black", font)
    return picture


def _wrapped(label: str, font: Font, width: int) -> str:
    """Cut a label into lines of a width, in the letters of Pillow's own font: it is everywhere, but lacks α and ć."""
    plain = label.replace("α", "alpha").replace("β", "beta")
    words = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().split()
    lines = words[:1]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        lines[-1:] = [longer] if font.getlength(longer) <= width else [lines[-1], word]
    return "\n".join(lines)


def _text_size(text: str, font: Font) -> tuple[int, int]:
    """(width, height), pixels."""
    right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), text, font)[2:]
    return math.ceil(right), math.ceil(bottom)


def save_sheet(sheet: Image.Image, results: Sequence[CellResult], path: str | Path) -> None:
    """Write a composed sheet as a PNG that remembers how each of its cells was made.

    Raises:
        OutputError: it cannot be written.
    """
    records = [result.record.to_dict() for result in results]
    images.save_png(
        images.from_pil(sheet), path, {"Software": "Neural Style Lab", SHEET_KEY: json.dumps(records, allow_nan=False)}
    )


def read_sheet(path: str | Path) -> list[RunRecord]:
    """Read the records of a sheet's cells, in the order in which they were painted.

    Raises:
        ImageError: not a PNG, or one without such records.
        ConfigError: their settings are none of this version's.
    """
    text = images.read_text(path).get(SHEET_KEY)
    if text is None:
        raise ImageError(f"{named(path)} carries no records; only sheets saved by Neural Style Lab do")
    try:
        return [RunRecord.from_json(json.dumps(values)) for values in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        raise ImageError(f"the records of {named(path)} are damaged; they cannot be read") from None
