"""Draws the pictures of a figure in their places, with labels at their side and above and captions below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw
from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.poster.chart import GREY, LIGHT_GREY
from nst_core.analysis.poster.lettering import UNCUT, Lettering
from nst_core.analysis.poster.placed import Pen

SIZES = (22, 36)  # pixels of letters, smaller where pictures are
LETTERS_ACROSS = 12  # how many letters' sizes a picture is wide, between those sizes
LEAST_ACROSS, LAST_ACROSS = 9, 3  # at least, within a height: below it letters are smaller; then pictures after all
SIDE_SHARE = 0.14  # of the width: most that row labels take
LEAST_SIDE = 0.7  # of the letters' size, in which row labels are written whose words are too long
MOST_WIDE = 1000  # pixels of a picture
MOST_HIGH = 1.4  # of a picture, of its width: a narrow one is smaller rather than a page high


@dataclass(frozen=True)
class _Row:
    """A row of the grid: what stands in it and how high it is, pixels."""

    side: list[str]
    parts: Mapping[int, Part]  # by column
    captions: Mapping[int, list[str]]
    height: int  # of pictures
    below: int  # of captions


@dataclass(frozen=True)
class _Layout:
    """Where all stands; pixels."""

    size: int  # of letters
    beside: int  # of the letters of row labels
    side: int  # of the column of row labels, with the gap behind it
    room: int  # of a picture's width
    heads: list[list[str]]
    top: int  # of column heads
    rows: list[_Row]

    @property
    def height(self) -> int:
        """Tell how high all of it is."""
        return self.top + sum(row.height + row.below + self.size for row in self.rows) - self.size


def draw_parts(
    moment: Moment, width: int, lettering: Lettering, height: int | None = None, sizes: tuple[int, int] = SIZES
) -> Image.Image | None:
    """Draw all parts in equal columns, rows as high as their highest picture; None if there are none.

    Args:
        moment: the figure.
        width: of all of it, pixels.
        lettering: what labels and captions are written with.
        height: that all of it may have, pixels, where its words leave room for pictures; None: any.
        sizes: of letters, the least and the most.
    """
    if not moment.parts:
        return None
    columns = max(len(moment.columns), *(part.column + 1 for part in moment.parts), 1)
    size = max(sizes[0], min(sizes[1], width // columns // LETTERS_ACROSS))
    laid = _laid_out(moment, columns, width, size, lettering)
    if height:
        laid = _within(height, laid, moment, columns, width, lettering)
    size, room, top = laid.size, laid.room, laid.top
    left = (width - laid.side - room * columns - size * (columns - 1)) // 2 + laid.side
    picture = Image.new("RGB", (width, laid.height), "white")
    draw = Pen(picture)
    places = [left + (room + size) * column for column in range(columns)]
    for x, head in zip(places, laid.heads, strict=True):
        lettering.write(draw, (x + room / 2, top - size // 2 - lettering.height(head, size)), head, size, side="m")
    for row in laid.rows:
        y = top + row.height / 2 - lettering.height(row.side, laid.beside) / 2
        lettering.write(draw, (left - laid.side, y), row.side, laid.beside)
        _draw_row(picture, draw, row, places, top, room, size, lettering)
        top += row.height + row.below + size
    return picture


def _laid_out(
    moment: Moment, columns: int, width: int, size: int, lettering: Lettering, most: int = MOST_WIDE
) -> _Layout:
    """Lay all out in letters of a size, pictures as wide as there is room and `most` allows."""
    side = _side_width(moment.rows, width, size, lettering)
    beside = _side_size(moment.rows, side - size, size, lettering)
    room = min(most, (width - side - size * (columns - 1)) // columns)
    heads = [lettering.wrapped(head, size, room) for head in (*moment.columns, *[""] * columns)][:columns]
    top = max(lettering.height(head, size) for head in heads) + size // 2 if any(moment.columns) else 0
    rows = [_row(moment, number, room, (side - size, beside), size, lettering) for number in _rows_of(moment)]
    return _Layout(size, beside, side, room, heads, top, rows)


def _within(height: int, first: _Layout, moment: Moment, columns: int, width: int, lettering: Lettering) -> _Layout:
    """Lay all out within a height: pictures narrower, and letters smaller where these leave them no room."""
    laid = first
    for size in range(first.size, SIZES[0] - 1, -2):
        laid = _laid_out(moment, columns, width, size, lettering)
        least = (LEAST_ACROSS if size > SIZES[0] + 1 else LAST_ACROSS) * size
        while laid.height > height and laid.room > least:
            share = (laid.height - height) / max(1, sum(row.height for row in laid.rows))
            narrower = min(laid.room - 1, int(laid.room * (1 - share / 2)))  # half, as captions grow
            laid = _laid_out(moment, columns, width, size, lettering, max(least, narrower))
        if laid.height <= height:
            break
    return laid


def _side_width(labels: Sequence[str], width: int, size: int, lettering: Lettering) -> int:
    """Measure row labels with the gap behind them, pixels."""
    if not any(labels):
        return 0
    longest = max(lettering.length(lettering.written(label), size) for label in labels)
    return int(min(longest + 1, width * SIDE_SHARE)) + size


def _side_size(labels: Sequence[str], room: int, size: int, lettering: Lettering) -> int:
    """Choose letters in which the longest word of row labels fits beside the pictures, pixels."""
    words = (word for label in labels for word in UNCUT.findall(lettering.written(label)))
    longest = max((lettering.length(word, size) for word in words), default=0)
    return size if longest <= max(room, 0) else max(round(size * LEAST_SIDE), int(size * room / longest))


def _rows_of(moment: Moment) -> range:
    return range(max(len(moment.rows), *(part.row + 1 for part in moment.parts), 1))


def _row(moment: Moment, number: int, room: int, side: tuple[int, int], size: int, lettering: Lettering) -> _Row:
    """Lay out a row, whose label has a width and a size of letters, pixels."""
    parts = {part.column: part for part in moment.parts if part.row == number}
    captions = {column: lettering.wrapped(part.caption, size, room) for column, part in parts.items() if part.caption}
    label = moment.rows[number] if number < len(moment.rows) else ""
    heights = [_shape(part.image, room)[1] for part in parts.values() if part.image is not None]
    return _Row(
        lettering.wrapped(label, side[1], side[0]) if label else [],
        parts,
        captions,
        max(heights, default=room * 3 // 4),
        max((lettering.height(lines, size) + size // 4 for lines in captions.values()), default=0),
    )


def _shape(image: Tensor, room: int) -> tuple[int, int]:
    """Tell how wide and high a picture is in its place, pixels."""
    height, width = images.size_of(image)
    times = min(room / width, round(room * MOST_HIGH) / height)
    return max(1, round(width * times)), max(1, round(height * times))


def _draw_row(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    row: _Row,
    places: Sequence[int],
    top: int,
    room: int,
    size: int,
    lettering: Lettering,
) -> None:
    for column, part in row.parts.items():
        x = places[column]
        if part.image is None:
            draw.rectangle((x, top, x + room - 1, top + row.height - 1), LIGHT_GREY)
            continue
        wide, high = _shape(part.image, room)
        at = x + (room - wide) // 2, top + row.height - high
        picture.paste(images.to_pil(part.image).resize((wide, high), Image.Resampling.LANCZOS), at)
        draw.rectangle((*at, at[0] + wide - 1, at[1] + high - 1), outline=LIGHT_GREY)
    for column, lines in row.captions.items():
        middle = places[column] + room / 2
        lettering.write(draw, (middle, top + row.height + size // 8), lines, size, GREY, side="m")
