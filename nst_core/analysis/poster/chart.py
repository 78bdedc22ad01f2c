"""Draws charts as pictures, and chooses the colours of lines, for the page, too."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from nst_core.analysis.figure import Chart
from nst_core.analysis.poster.lettering import LINE, Lettering
from nst_core.analysis.poster.placed import Pen, reduced

# One colour a line, told apart on light and dark ground.
COLORS = ("#2f9e6e", "#3b82c4", "#8b5cf6", "#d9579b", "#d97706", "#6b8e23", "#0ea5b7", "#a16207", "#be4bdb")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

GREY, LIGHT_GREY = (90, 90, 90), (225, 225, 225)
MOST_TICKS = 6  # on either axis
MOST_DIGITS = 12  # of what stands beside an axis
LEAST_SPAN = 1e-4  # decades, of lines that are not drawn as level ones
MOST_POWER = 308.0  # of ten, that a number can be
SMOOTH = 2  # charts are drawn this much larger and then reduced, as Pillow's lines have hard edges
MIDDLE = 0.36  # of a letter's size, from the middle of a figure down to its base line
TITLE = 1.2  # size of titles' letters, of the others'
SHAPE, LEAST_HEIGHT, MOST_HEIGHT = 0.5, 6, 20  # a frame's height: of its width, and in heights of a letter

Points = Sequence[tuple[float, float]]


def colors_of(charts: Sequence[Chart]) -> dict[str, str]:
    """line -> its colour, the same in every chart of a figure."""
    names = dict.fromkeys(name for chart in charts for name in chart.lines)
    return {name: COLORS[number % len(COLORS)] for number, name in enumerate(names)}


def draw_chart(
    chart: Chart,
    colors: Mapping[str, str],
    width: int,
    size: int,
    lettering: Lettering,
    say: Callable[[str], str] = str,
    height: int | None = None,
) -> Image.Image | None:
    """Draw a chart with its title, axes and legend, on white; None before there is a point.

    Args:
        chart: what to draw.
        colors: line -> its colour.
        width: of all of it, pixels.
        size: of its letters, pixels.
        lettering: what they are written with.
        say: number as it is written in English -> in the language; the chart's words are in it already.
        height: of all of it, pixels, where its frame is then still a frame; None: as its width asks.
    """
    lines = {name: points_of(points, chart.logarithmic) for name, points in chart.lines.items()}
    if not any(lines.values()):
        return None
    title = lettering.wrapped(chart.title, round(size * TITLE) * SMOOTH, width * SMOOTH)
    axes = _Axes.around(lines, chart.logarithmic, title, width * SMOOTH, size * SMOOTH, lettering, say)
    rows = _legend_rows(chart, axes, lettering, say)
    below = round(axes.size * LINE * (2.8 + len(rows)))
    if height:
        axes = replace(axes, bottom=max(axes.top + LEAST_HEIGHT * axes.size, height * SMOOTH - below))
    picture = Image.new("RGB", (width * SMOOTH, axes.bottom + below), "white")
    draw = Pen(picture)
    lettering.write(draw, (0, 0), title, round(axes.size * TITLE))
    axes.draw(draw, chart.x, lettering)
    hollow = _hollow(lines, colors)
    for name, points in lines.items():
        _draw_line(draw, [axes.place(*point) for point in points], colors[name], axes.size // 6, name in hollow)
    for number, row in enumerate(rows):
        y = axes.bottom + axes.size * LINE * (2.4 + number)
        for name, text, x in row:
            ends = [(x, y + axes.size * 0.65), (x + axes.size * 1.6, y + axes.size * 0.65)]
            _draw_line(draw, ends, colors[name], axes.size // 4, name in hollow)
            lettering.write(draw, (x + axes.size * 2.2, y), [text], axes.size)
    return reduced(picture, SMOOTH)


def points_of(points: Points, logarithmic: bool) -> list[tuple[float, float]]:
    """List the points as they are drawn: (x, log₁₀ y) on a logarithmic axis, without what has no place on it."""
    return [
        (x, math.log10(y) if logarithmic else y)
        for x, y in points
        if math.isfinite(x) and math.isfinite(y) and (y > 0 or not logarithmic)
    ]


def written(value: float, digits: int = 3) -> str:
    """Write a number as people read it, unbroken.

    "0.0125", "25,400", and from a million on or below a thousandth "2.6 × 10⁻⁵".

    Args:
        value: any number.
        digits: that are told; of three, two of the last kind.
    """
    if not math.isfinite(value):
        return f"{value:g}"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{float(f'{value:.{digits}g}'):,.{MOST_DIGITS}g}"
    mantissa, exponent = f"{value:.{digits - 1 - (digits == 3)}e}".split("e")
    factor = "" if float(mantissa) == 1 else f"{float(mantissa):.{MOST_DIGITS}g}\u00a0×\u00a0"
    return f"{factor}10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def vertical_axis(values: Sequence[float], logarithmic: bool) -> tuple[float, float, list[tuple[float, str]]]:
    """Choose a vertical axis: where it begins, where it ends, and its ticks with what stands beside them.

    An even one begins at 0. A logarithmic one has whole powers of ten, but for lines within one of them it spans these
    alone, with round numbers beside it: 1.01 and 1.07 would be one level line else.

    Args:
        values: as `points_of` gives them, at least one.
        logarithmic: whether they are powers of ten.
    """
    low, high = min(values), max(values)
    if not logarithmic:
        low, high = min(0.0, low), high if high > low else low + 1
        return low, high, [(y, written(y, MOST_DIGITS)) for y in ticks(low, high)]
    if high - low >= 1:
        low, high = math.floor(low), math.ceil(high)
        powers = [int(y) for y in ticks(low, high) if y == round(y)]
        return low, high, [(y, f"10{str(y).translate(SUPERSCRIPTS)}") for y in powers]
    room = 0.08 * (high - low) if high - low > LEAST_SPAN else 0.02
    low, high = low - room, min(high + room, MOST_POWER)
    return low, high, [(math.log10(y), written(y, MOST_DIGITS)) for y in ticks(10**low, 10**high)]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high, MOST_TICKS of them at most."""
    power = math.floor(math.log10(high - low)) - 1
    steps = (unit * 10.0**exponent for exponent in (power, power + 1, power + 2) for unit in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step < MOST_TICKS - 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


@dataclass(frozen=True)
class _Axes:
    """Places points in a chart's frame: its sides, pixels, and the values there."""

    left: int
    top: int
    right: int
    bottom: int
    size: int  # of letters, pixels
    xs: tuple[float, float]
    ys: tuple[float, float]
    across: tuple[tuple[float, str], ...]  # ticks and what stands beside them
    up: tuple[tuple[float, str], ...]

    @classmethod
    def around(
        cls,
        lines: Mapping[str, Points],
        logarithmic: bool,
        title: list[str],
        width: int,
        size: int,
        lettering: Lettering,
        say: Callable[[str], str],
    ) -> "_Axes":
        """Choose the axes that hold all lines."""
        points = [point for line in lines.values() for point in line]
        right = max(x for x, _ in points)
        xs = min(0.0, *(x for x, _ in points)), right if right > 0 else 1.0
        low, high, beside = vertical_axis([y for _, y in points], logarithmic)
        up = [(y, lettering.written(say(text))) for y, text in beside]
        left = round(max(lettering.length(text, size) for _, text in up) + size * 0.6)
        top = lettering.height(title, round(size * TITLE)) + size
        height = min(round(width * SHAPE), MOST_HEIGHT * size)
        across = tuple((x, say(f"{x:g}")) for x in ticks(*xs))
        return cls(left, top, width - 2 * size, top + height, size, xs, (low, high), across, tuple(up))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Place a point, pixels."""
        shares = [(value - low) / (high - low) for value, (low, high) in ((x, self.xs), (y, self.ys))]
        return self.left + shares[0] * (self.right - self.left), self.bottom - shares[1] * (self.bottom - self.top)

    def draw(self, draw: ImageDraw.ImageDraw, name: str, lettering: Lettering) -> None:
        """Frame, grid, ticks and the horizontal axis' name."""
        thin = max(1, self.size // 16)
        for x, text in self.across:
            at = self.place(x, self.ys[0])
            draw.line((at, (at[0], self.top)), LIGHT_GREY, thin)
            lettering.put(draw, (at[0], at[1] + self.size * 1.3), text, self.size, GREY, "m")
        free = math.inf  # above what is written already
        for y, text in self.up:
            at = self.place(self.xs[0], y)
            draw.line((at, (self.right, at[1])), LIGHT_GREY, thin)
            if at[1] <= free:
                lettering.put(draw, (at[0] - self.size * 0.5, at[1] + self.size * MIDDLE), text, self.size, GREY, "r")
                free = at[1] - self.size
        draw.line([(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], GREY, 2 * thin)
        middle = (self.left + self.right) / 2
        lettering.put(draw, (middle, self.bottom + self.size * 2.6), lettering.written(name), self.size, GREY, "m")


def _hollow(lines: Mapping[str, Points], colors: Mapping[str, str]) -> set[str]:
    """Find the lines whose colour another one has already."""
    first = {colors[name]: name for name in reversed(tuple(lines))}
    return {name for name in lines if first[colors[name]] != name}


def _draw_line(
    draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], color: str, width: int, hollow: bool
) -> None:
    if len(points) > 1:
        draw.line(points, color, width, joint="curve")
    if len(points) > 1 and hollow:
        draw.line(points, "white", width // 3, joint="curve")
    for x, y in points[-1:]:  # a point alone is seen, too
        draw.ellipse((x - width, y - width, x + width, y + width), color)


def _legend_rows(
    chart: Chart, axes: _Axes, lettering: Lettering, say: Callable[[str], str]
) -> list[list[tuple[str, str, float]]]:
    """(line, what is said of it, where it begins), as many in a row as fit; none of a line that is not drawn."""
    said = {
        name: lettering.written(f"{name}: {say(written(points[-1][1]))}")
        for name, points in chart.lines.items()
        if points_of(points, chart.logarithmic)
    }
    widest = max(lettering.length(text, axes.size) for text in said.values()) + 3.5 * axes.size
    fitting = max(1, min(len(said), int(axes.right // widest)))
    entries = [(name, text, number % fitting * widest) for number, (name, text) in enumerate(said.items())]
    return [entries[at : at + fitting] for at in range(0, len(entries), fitting)]
