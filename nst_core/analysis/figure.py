"""Defines a classroom figure: options and pictures go in, moments come out, each of which can be shown and kept."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nst_core.analysis.options import Option, parse_all
from nst_core.devices import Compute
from nst_core.errors import ImageError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.record import RunRecord


@dataclass(frozen=True)
class Part:
    """One picture of a figure.

    Attributes:
        row, column: its place.
        label: what it is, of its own accord: "A–C, α/β 1e-3".
        image: (1, 3, H, W) in about [0, 1], on any device; None while there is nothing to see.
        caption: what is said under it; lines are separated by newlines.
        done: whether it changes no more.
        record: of the painting that it is, if it is one.
        facts: what else it was made of, as plain values for JSON.
    """

    row: int
    column: int
    label: str
    image: Tensor | None
    caption: str = ""
    done: bool = False
    record: RunRecord | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> StyleTransferConfig | None:
        """The settings that paint it, if a painting."""
        return self.record.config if self.record else None


@dataclass(frozen=True)
class Chart:
    """Lines over an axis.

    Attributes:
        title: what is drawn, with its unit.
        x: what the horizontal axis counts: "step", "seconds".
        lines: name -> points (x, y), y above 0 where logarithmic.
        logarithmic: whether the vertical axis is.
    """

    title: str
    x: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    logarithmic: bool = True


@dataclass(frozen=True)
class Table:
    """Words and numbers in rows.

    Attributes:
        title: what it shows.
        heads: of the columns.
        rows: texts, as many in each as there are heads.
        lines: for each row the line of a chart that it belongs to, "" for none; empty: none at all.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...] = ()

    def is_code(self, column: int) -> bool:
        """Whether a column holds lines of a program, which are the same in every language: its head names the file."""
        return self.heads[column].endswith(".py")


@dataclass(frozen=True)
class Moment:
    """A figure while it is made, and in the end.

    Attributes:
        rows, columns: labels at the side and above.
        parts: in any order; a place without one stays empty.
        charts, tables: below the pictures.
        text: what goes on, in words: "step 20 of 100".
        share: of the work that is done, 0 to 1.
        findings: what came out, a sentence each.
        notes: what went wrong without ending it, a sentence each.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    text: str = ""
    share: float = 0.0
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Moments = Generator[Moment, None, None]  # of one figure; closing it frees all it holds

MOST_PICTURES = 6  # contents, and styles


def check_counts(contents: Sized, styles: Sized) -> None:
    """Refuse more pictures than a figure can show, before they are read.

    Raises:
        ImageError: more than MOST_PICTURES contents or styles.
    """
    for pictures, kind in ((contents, "contents"), (styles, "styles")):
        if len(pictures) > MOST_PICTURES:
            raise ImageError(f"there are {len(pictures)} {kind}; choose at most {MOST_PICTURES}")


@dataclass(frozen=True, kw_only=True)
class FigureMaterial:
    """The pictures that a figure is made of, each (1, 3, any, any) in [0, 1], and what they are called."""

    contents: tuple[Tensor, ...] = ()
    styles: tuple[Tensor, ...] = ()
    content_names: tuple[str, ...] = ()
    style_names: tuple[str, ...] = ()
    cutout: Tensor | None = None  # (1, 4, any, any): red, green, blue and how much of each pixel belongs to it

    def content(self) -> Tensor:
        """Give the first content picture.

        Raises:
            ImageError: there is none.
        """
        if not self.contents:
            raise ImageError("there is no content picture; drop one or click an example")
        return self.contents[0]

    def style(self) -> Tensor:
        """Give the first style picture.

        Raises:
            ImageError: there is none.
        """
        if not self.styles:
            raise ImageError("there is no style picture; drop one or click an example")
        return self.styles[0]


ANSWER_LETTERS = "ABCD"


@dataclass(frozen=True)
class Question:
    """What a class is asked before it sees a figure; the figure at its default settings shows which answer is right.

    Attributes:
        text: the question.
        answers: four, all different.
        right: the place of the right one among them, from 0.
        why: it is right, in one sentence.
    """

    text: str
    answers: tuple[str, str, str, str]
    right: int
    why: str


NUMBERED = "eq. {}"  # an equation, by its number in the paper


def in_remarks(equation: str, remarks: Sequence[str], write: Callable[[str], str]) -> str:
    """Write what of an equation is words, and its NUMBERED ones, in another way."""
    longest_first = sorted(map(re.escape, remarks), key=len, reverse=True)
    number = re.escape(NUMBERED).replace(r"\{\}", r"\d+")
    return re.sub("|".join((*longest_first, number)), lambda found: write(found[0]), equation)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that can be made.

    Attributes:
        name: as the command line and links have it.
        title: a few words.
        see: what one sees in it, in plain words.
        equation: the formula behind it, in Unicode, lines separated by newlines.
        remarks: what of the equation is words, which other languages say otherwise.
        source: paper, equation and figure.
        question: what is asked before it is shown.
        options: what can be set.
        pictures: which pictures it wants, of "content", "style", "contents", "styles", "cutout".
        make: pictures, name -> value of every option, device -> moments. Everything that can be wrong with the input
            is found before it returns; nothing long happens before the first `next()`, and then a moment comes every
            quarter of a second, or with every step where that takes longer. Closing the iterator frees all it holds.
    """

    name: str
    title: str
    see: str
    equation: str
    source: str
    question: Question
    options: tuple[Option, ...]
    pictures: tuple[str, ...]
    make: Callable[[FigureMaterial, dict[str, Any], Compute], Moments]
    remarks: tuple[str, ...] = ()

    def equation_in(self, say: Callable[[str], str]) -> str:
        """Write the equation with its remarks as another language says them."""
        return in_remarks(self.equation, self.remarks, say)

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """name -> value of every option, as given or by default.

        Raises:
            ConfigError: an unknown option, or an invalid value.
        """
        return parse_all(self.options, given)
