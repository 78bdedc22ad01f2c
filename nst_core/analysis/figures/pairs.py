"""Makes the figure of contents and styles: every content in every style, with the same settings."""

from typing import Any

from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Moments, Part, Question, check_counts
from nst_core.analysis.options import Option, backbone_option, seed_option, size_option, steps_option
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments, part_of
from nst_core.devices import Compute
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each content, a column for each style; the pictures themselves beside and above.

    Of several presets, each style has a column for each of them, with its name above.
    """
    material.content(), material.style()  # raise where there is none
    check_counts(material.contents, material.styles)
    own = {name: settings[name] for name in ("size", "steps", "seed")}
    presets = [PRESETS[name] for name in settings["preset"]]
    configs = [preset.config.on(settings["backbone"]).changed(**own) for preset in presets]
    titles = [f", {preset.title}" if len(presets) > 1 else "" for preset in presets]
    named_styles = _named(material.styles, material.style_names)
    wide = [(*style, *way) for style in named_styles for way in zip(configs, titles, strict=True)]
    cells = [
        FigureCell(row, column, f"{content_name} in the style of {name}{title}", config, content_image, image)
        for row, (content_image, content_name) in enumerate(_named(material.contents, material.content_names), 1)
        for column, (image, name, config, title) in enumerate(wide, 1)
    ]
    styles = [
        Part(0, 1 + number * len(presets), "style: " + name, image, name, True, facts={"picture": name})
        for number, (image, name) in enumerate(named_styles)
    ]
    contents = [
        Part(row, 0, "content: " + name, image, name, True, facts={"picture": name})
        for row, (image, name) in enumerate(_named(material.contents, material.content_names), 1)
    ]
    rows, columns = ("",) * (1 + len(material.contents)), ("", *(title.removeprefix(", ") for *_, title in wide))

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
    "are the same everywhere, or a preset's own from column to column: what differs is what they are made of.",
    equation="x* = argmin α L_content(x, p) + β L_style(x, a)\nfor every photo p and every painting a",
    remarks=("for every photo p and every painting a",),
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
        Option("preset", "Presets", (PLAIN_PRESET,), "several: side by side", tuple(PRESETS)),
        backbone_option(),
        size_option(192),
        steps_option(120),
        seed_option(),
    ),
    pictures=("contents", "styles"),
    make=make,
)
