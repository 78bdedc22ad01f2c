"""Remembers where words stand on a picture, so that a file can have them as text, too."""

from typing import NamedTuple

from PIL import Image, ImageDraw, ImageOps

KEY = "words"  # of a picture's info


class Line(NamedTuple):
    """A line of words on a picture; all but the text in pixels.

    Attributes:
        text: as it is written.
        x, y: where its base line begins.
        size: of its letters.
        width: of all of it.
    """

    text: str
    x: float
    y: float
    size: float
    width: float

    def moved(self, x: float, y: float, times: float = 1) -> "Line":
        """Give the line where it stands once its picture was resized, and put there."""
        return Line(self.text, x + self.x * times, y + self.y * times, self.size * times, self.width * times)


class Pen(ImageDraw.ImageDraw):
    """Draws on a picture, which remembers what is written on it."""

    def __init__(self, picture: Image.Image) -> None:
        super().__init__(picture)
        self._lines: list[Line] = picture.info.setdefault(KEY, [])

    def note(self, line: Line) -> None:
        """Remember a line that was written."""
        self._lines.append(line)


def lines_on(picture: Image.Image) -> list[Line]:
    """List what is written on a picture, in the order in which it was."""
    return picture.info.get(KEY, [])


def put(paper: Image.Image, block: Image.Image, at: tuple[int, int]) -> None:
    """Paste a block with its words."""
    paper.paste(block, at)
    paper.info[KEY] = [*lines_on(paper), *(line.moved(*at) for line in lines_on(block))]


def reduced(picture: Image.Image, times: int) -> Image.Image:
    """Draw a picture so many times smaller, with its words."""
    return _with_words(picture.reduce(times), picture)


def contained(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Draw a picture as large as fits into a size, with its words."""
    return _with_words(ImageOps.contain(picture, size, Image.Resampling.LANCZOS), picture)


def _with_words(made: Image.Image, before: Image.Image) -> Image.Image:
    times = made.width / before.width
    made.info = {**made.info, KEY: [line.moved(0, 0, times) for line in lines_on(before)]}
    return made
