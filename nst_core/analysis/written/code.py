"""Reads Gatys' method line by line: what each line of `transfer/gatys.py` makes, of which shape, and in a small run."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import Any, NamedTuple

from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Table
from nst_core.analysis.written.terms import rounded
from nst_core.features import weights
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.transfer import gatys

FUNCTIONS = (gatys.gram, gatys.loss_terms, gatys.paint)  # in which the formulas are
SMALL = 64  # pixels of the run's pictures
TITLE = "The method in plain torch, line by line"
HEADS = ("line of transfer/gatys.py", "shape", "what it makes", "in a run of 64 pixels, by Lite")
# What a line's words say of the loss's terms, by the names that they have in a formula.
TERMS = {"content": ("L_content",), "style": ("G, eq. 3", "E_l", "(G − A)", "A of each"), "total": ("eq. 7",)}


class Line(NamedTuple):
    """A line of code.

    Attributes:
        number: in the file.
        code: without what is said of it.
        shape: of what it makes, "" if none is told.
        words: what it makes, "" if nothing is said.
    """

    number: int
    code: str
    shape: str
    words: str

    @property
    def term(self) -> str:
        """Name the term of the loss that it makes or belongs to, "" for none."""
        return next((term for term, said in TERMS.items() if any(words in self.words for words in said)), "")


def lines_of(function: Callable[..., object]) -> list[Line]:
    """Read a function's lines, but for what is said of all of it.

    The first word of a comment in brackets is a shape, all else says what is made.
    """
    source, first = inspect.getsourcelines(function)
    lines, described = [], False
    for number, line in enumerate(source, first):
        if '"""' in line:
            described = line.count('"""') == 1 and not described
        elif not described and line.strip():
            code, _, comment = (part.strip() for part in line.partition("  # "))
            lines.append(Line(number, code, *_split(comment)))
    return lines


def _split(comment: str) -> tuple[str, str]:
    """Read a comment's shape and its words."""
    if not comment.startswith("("):
        return "", comment
    shape, _, words = comment.partition(")")
    return f"{shape})", words.lstrip(":,; ")


def program(made: Mapping[int, str] | None = None) -> Table:
    """Tabulate the functions in which the formulas are, a line a row, each with the term that it belongs to.

    Args:
        made: number of a line -> what it made, as of `small_run`.
    """
    lines = [line for function in FUNCTIONS for line in lines_of(function)]
    rows = tuple((line.code, line.shape, line.words, (made or {}).get(line.number, "")) for line in lines)
    return Table(TITLE, HEADS, rows, tuple(line.term for line in lines))


def small_run(content_image: Tensor, style_image: Tensor) -> dict[int, str]:
    """Paint a step of small pictures (1, 3, any, any) and tell what every line made: its number -> shape and value.

    By Lite, which is built like VGG-19 and comes along; with its own feature maps, which are fewer.
    """
    content, style = (images.fit(image.cpu(), SMALL) for image in (content_image, style_image))
    network = {name: tensor.float() for name, tensor in weights.load(weights.require(BUNDLED_BACKBONE)).items()}
    with _watching() as made:
        painting = gatys.paint(content, style, network)
        list(islice(painting, 2))  # the second comes after a whole round of the loop
    return made


@contextmanager
def _watching() -> Iterator[dict[int, str]]:
    """Note what the lines of FUNCTIONS make, of a loop in the last round."""
    codes, made = {function.__code__ for function in FUNCTIONS}, dict[int, str]()
    at: dict[FrameType, tuple[int, dict[str, tuple[int, int]]]] = {}  # the line that runs, and the names before it

    def note(frame: FrameType, event: str, value: Any) -> Callable[[FrameType, str, Any], Any] | None:
        if frame.f_code not in codes:
            return None
        names = {name: (id(one), len(one) if isinstance(one, dict) else 0) for name, one in frame.f_locals.items()}
        number, before = at.get(frame, (0, names))
        changed = [name for name, one in names.items() if before.get(name) != one]
        result = frame.f_locals[changed[-1]] if changed else value if event == "return" else None
        if number and (told := _told(result)):
            made[number] = told
        at[frame] = frame.f_lineno, names
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield made
    finally:
        sys.settrace(before)


def _told(value: object) -> str:
    """Write a number, a tensor's shape with its mean, or what came last into a mapping."""
    if isinstance(value, dict) and value:
        return _told([*value.values()][-1])
    if isinstance(value, float):
        return rounded(value)
    if not isinstance(value, Tensor):
        return ""
    if not value.dim():
        return rounded(value.item())
    return f"{'×'.join(map(str, value.shape))}, mean {rounded(value.detach().float().mean().item())}"
