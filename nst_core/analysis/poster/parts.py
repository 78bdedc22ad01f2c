"""Draws the pictures of a figure in their places, with labels at their side and above and captions below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from nst_core import images
from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.poster.chart import GREY, LIGHT_GREY
from nst_core.analysis.poster.lettering import UNCUT, Lettering
from nst_core.analysis.poster.placed import Pen

SIZES = (22, 36)  # pixels of letters, smaller where pictures are
LETTERS_ACROSS = 12  # how many letters' sizes a picture is wide, between those sizes
SIDE_SHARE = 0.14  # of the width: most that row labels take
LEAST_SIDE = 0.7  # of the letters' size, in which row labels are written whose words are too long
MOST_WIDE = 1000  # pixels of a picture
MOST_HIGH = 1.4  # of a picture, of its width: a narrow one is smaller rather than a page high


@dataclass(frozen=True)
class _Row:
    """A row of the grid: what stands in it and how high it is, pixels."""

    side: list[str]
    pictures: Mapping[int, Image.Image | None]  # by column; None: not there yet
    captions: Mapping[int, list[str]]
    height: int  # of pictures
    below: int  # of captions


def draw_parts(moment: Moment, width: int, lettering: Lettering) -> Image.Image | None:
    """Draw all parts in equal columns, rows as high as their highest picture; None if there are none.

    Args:
        moment: the figure.
        width: of all of it, pixels.
        lettering: what labels and captions are written with.
    """
    if not moment.parts:
        return None
    columns = max(len(moment.columns), *(part.column + 1 for part in moment.parts), 1)
    size = _size(width // columns)
    gap = size
    side = _side_width(moment.rows, width, size, lettering)
    room = min(MOST_WIDE, (width - side - gap * (columns - 1)) // columns)
    heads = [lettering.wrapped(head, size, room) for head in (*moment.columns, *[""] * columns)][:columns]
    top = max(lettering.height(head, size) for head in heads) + gap // 2 if any(moment.columns) else 0
    beside = _side_size(moment.rows, side - gap, size, lettering)
    rows = [_row(moment, number, room, (side - gap, beside), size, lettering) for number in _rows_of(moment)]
    total = top + sum(row.height + row.below + gap for row in rows) - gap
    left = (width - side - room * columns - gap * (columns - 1)) // 2 + side
    picture = Image.new("RGB", (width, total), "white")
    draw = Pen(picture)
    places = [left + (room + gap) * column for column in range(columns)]
    for x, head in zip(places, heads, strict=True):
        lettering.write(draw, (x + room / 2, top - gap // 2 - lettering.height(head, size)), head, size, side="m")
    for row in rows:
        y = top + row.height / 2 - lettering.height(row.side, beside) / 2
        lettering.write(draw, (left - side, y), row.side, beside)
        _draw_row(picture, draw, row, places, top, room, size, lettering)
        top += row.height + row.below + gap
    return picture


def _size(room: int) -> int:
    return max(SIZES[0], min(SIZES[1], room // LETTERS_ACROSS))


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
    pictures = {column: _fitted(part, room) for column, part in parts.items()}
    captions = {column: lettering.wrapped(part.caption, size, room) for column, part in parts.items() if part.caption}
    label = moment.rows[number] if number < len(moment.rows) else ""
    heights = [picture.height for picture in pictures.values() if picture]
    return _Row(
        lettering.wrapped(label, side[1], side[0]) if label else [],
        pictures,
        captions,
        max(heights, default=room * 3 // 4),
        max((lettering.height(lines, size) + size // 4 for lines in captions.values()), default=0),
    )


def _fitted(part: Part, room: int) -> Image.Image | None:
    """Resize a part's picture to its place."""
    if part.image is None:
        return None
    return ImageOps.contain(images.to_pil(part.image), (room, round(room * MOST_HIGH)), Image.Resampling.LANCZOS)


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
    for column, part in row.pictures.items():
        x = places[column]
        if part is None:
            draw.rectangle((x, top, x + room - 1, top + row.height - 1), LIGHT_GREY)
            continue
        at = x + (room - part.width) // 2, top + row.height - part.height
        picture.paste(part, at)
        draw.rectangle((*at, at[0] + part.width - 1, at[1] + part.height - 1), outline=LIGHT_GREY)
    for column, lines in row.captions.items():
        middle = places[column] + room / 2
        lettering.write(draw, (middle, top + row.height + size // 8), lines, size, GREY, side="m")
