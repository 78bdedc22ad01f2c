"""Makes the figure of contents and styles: every content in every style, with the same settings."""

from typing import Any

from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Moments, Part, Question, check_counts
from nst_core.analysis.options import Option, backbone_option, seed_option, size_option, steps_option
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments, part_of
from nst_core.devices import Compute
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each content, a column for each style; the pictures themselves beside and above."""
    material.content(), material.style()  # raise where there is none
    check_counts(material.contents, material.styles)
    config = PRESETS[settings["preset"]].config.on(settings["backbone"])
    config = config.changed(**{name: settings[name] for name in ("size", "steps", "seed")})
    cells = [
        FigureCell(row, column, f"{content_name} in the style of {style_name}", config, content_image, style_image)
        for row, (content_image, content_name) in enumerate(_named(material.contents, material.content_names), 1)
        for column, (style_image, style_name) in enumerate(_named(material.styles, material.style_names), 1)
    ]
    styles = [
        Part(0, column, "style: " + name, image, name, True, facts={"picture": name})
        for column, (image, name) in enumerate(_named(material.styles, material.style_names), 1)
    ]
    contents = [
        Part(row, 0, "content: " + name, image, name, True, facts={"picture": name})
        for row, (image, name) in enumerate(_named(material.contents, material.content_names), 1)
    ]
    rows, columns = ("",) * (1 + len(material.contents)), ("",) * (1 + len(material.styles))

    def told(growths: tuple[FigureGrowth, ...]) -> Moment:
        parts = (part_of(growth, _seconds(growth)) for growth in growths)
        return Moment(rows, columns, (*styles, *contents, *parts))

    return moments(cells, compute, told)


def _named(pictures: tuple, names: tuple[str, ...]) -> list[tuple]:
    """List each picture and what it is called."""
    names = names or tuple(f"picture {number}" for number in range(1, len(pictures) + 1))
    return list(zip(pictures, names, strict=True))


def _seconds(growth: FigureGrowth) -> str:
    return f"{growth.record.seconds:.1f} s" if growth.record else f"step {growth.step}"


FIGURE = Figure(
    name="sheet",
    title="Contents and styles",
    see="Down a column, simple and crowded photos wear one style; along a row, one photo wears several. The settings "
    "are the same everywhere: what differs is only the pictures.",
    equation="x* = argmin α L_content(x, p) + β L_style(x, a)\nfor every photo p and every painting a",
    source="Luo: one style on simple and crowded contents; Cheng: 2×2 contents × styles",
    question=Question(
        "Two quite different photos are painted in one style, with the same settings. What do the two paintings share?",
        (
            "The style's colours and strokes, while each keeps its own shapes",
            "The style picture's shapes, in the same places",
            "Everything: they become the same picture",
            "Nothing: the settings suit only one of the photos",
        ),
        right=0,
        why="The style's statistics say nothing of places, and the content loss holds each photo's shapes where they "
        "are.",
    ),
    options=(
        Option("preset", "Preset", DEFAULT_PRESET, choices=tuple(PRESETS)),
        backbone_option(),
        size_option(192),
        steps_option(120),
        seed_option(),
    ),
    pictures=("contents", "styles"),
    make=make,
)
