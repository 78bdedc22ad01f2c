"""Saves a figure: as one labelled picture at print size, or as its parts, each with how it was made."""

import csv
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, Moment, Part
from nst_core.analysis.poster.blocks import draw_bullets, draw_charts, draw_formula, draw_text, stacked
from nst_core.analysis.poster.chart import GREY, colors_of
from nst_core.analysis.poster.description import describe, describe_part, plain_values, settings_line
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering, plain
from nst_core.analysis.poster.parts import draw_parts
from nst_core.analysis.poster.table import draw_table
from nst_core.errors import ImageError, named
from nst_core.files import make_folder, writing
from nst_core.transfer.record import save_result

PRINT_WIDTH, DPI = 2480, 300  # pixels, and of them to an inch: as wide as A4
MARGIN = 120  # pixels
TITLE, FORMULA, WORDS, LETTERS, SMALL = 96, 50, 44, 36, 32  # sizes of letters, pixels; 50 are 12 points
POSTER_KEY = "neural-style-lab-figure"  # of the PNG's text chunk that holds what `describe` says, as JSON
PART_KEY = "neural-style-lab-part"  # of that of a part that is no painting, which says what it shows
INDEX = "figure.json"
MOST_LETTERS = 60  # of a file's name
PART_FILE = re.compile(rf"\d+-\d+.*\.png|chart.*\.csv|{re.escape(INDEX)}", re.IGNORECASE)  # such as `save_parts` names


def poster(
    figure: Figure,
    settings: Mapping[str, Any],
    moment: Moment,
    language: Language = ENGLISH,
    lettering: Lettering | None = None,
) -> Image.Image:
    """Draw a figure on white paper, PRINT_WIDTH pixels wide and as high as it needs.

    Args:
        figure: what it is.
        settings: name -> value of every option.
        moment: how far it is.
        language: in which its words are, if it can be drawn here.
        lettering: what they are written with; None: the best that is here.
    """
    spoken = language.drawn
    blocks = _blocks(figure, settings, spoken.moment(moment), spoken.say, lettering or spoken.lettering)
    return stacked([block for block in blocks if block], MARGIN)


def _blocks(
    figure: Figure, settings: Mapping[str, Any], moment: Moment, say: Callable[[str], str], letters: Lettering
) -> Iterator[Image.Image | None]:
    """Draw what stands below each other; the moment's words are in the language already."""
    width, colors = PRINT_WIDTH - 2 * MARGIN, colors_of(moment.charts)
    yield draw_text(say(figure.title), width, TITLE, letters)
    yield draw_text(say(figure.see), width, WORDS, letters)
    yield draw_formula(figure.equation_in(say), width, FORMULA, letters)
    yield draw_parts(moment, width, letters)
    yield from draw_charts(moment.charts, colors, width, LETTERS, letters, say)
    yield draw_bullets(moment.findings, width, WORDS, letters)
    for table in moment.tables:
        yield draw_table(table, colors, width, LETTERS, letters)
    yield draw_text("\n".join(moment.notes), width, LETTERS, letters, GREY)
    yield draw_text(f"{say(figure.source)}\n{settings_line(figure, settings)}", width, SMALL, letters, GREY)


def save_poster(
    figure: Figure, settings: Mapping[str, Any], moment: Moment, path: str | Path, language: Language = ENGLISH
) -> None:
    """Write the poster as a PNG of DPI that remembers the figure: its settings, findings and its paintings' records.

    What it remembers is English, whatever its words.

    Raises:
        OutputError: the file cannot be written; nothing is left of it.
    """
    info = PngInfo()
    info.add_itxt("Software", "Neural Style Lab")
    info.add_itxt("Title", language.say(figure.title))
    info.add_itxt(POSTER_KEY, json.dumps(describe(figure, settings, moment), allow_nan=False))
    paper = poster(figure, settings, moment, language)
    with writing(Path(path)) as aside:
        paper.save(aside, "PNG", dpi=(DPI, DPI), pnginfo=info)


def read_poster(path: str | Path) -> tuple[str, dict[str, Any]]:
    """Read the name and the settings of the figure that a poster shows; whether they are valid, `Figure.settings` says.

    Raises:
        ImageError: not a PNG, or one that is no poster of ours.
    """
    text = images.read_text(path).get(POSTER_KEY)
    if text is None:
        raise ImageError(f"{named(path)} carries no figure; only posters saved by Neural Style Lab do")
    try:
        values = json.loads(text)
        name, settings = values["figure"], values["settings"]
        given = {str(key): tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        name, given = None, {}
    if not isinstance(name, str):
        raise ImageError(f"the figure's settings in {named(path)} are damaged; they cannot be read")
    return name, given


def save_parts(figure: Figure, settings: Mapping[str, Any], moment: Moment, folder: str | Path) -> list[Path]:
    """Write each part as a PNG of its own size, each chart as CSV, and all that is known as `figure.json`.

    A painting that is done remembers its settings as every painting does; the others say what they show.

    Args:
        figure: what it is.
        settings: name -> value of every option.
        moment: how far it is.
        folder: made if it is missing; files of the same names are replaced.

    Returns:
        what was written, the index last.

    Raises:
        OutputError: the folder or a file in it cannot be written; each one is whole or not there.
    """
    folder = Path(folder)
    make_folder(folder)
    shown = [(part, part.image) for part in moment.parts if part.image is not None]
    shown.sort(key=lambda pair: (pair[0].row, pair[0].column))
    names = unique(f"{part.row + 1}-{part.column + 1} {part.label}" for part, _ in shown)
    part_files = [folder / f"{name}.png" for name in names]
    chart_files = [folder / f"{name}.csv" for name in unique(f"chart {chart.title}" for chart in moment.charts)]
    for (part, image), path in zip(shown, part_files, strict=True):
        _save_part(figure, settings, part, image, path)
    for chart, path in zip(moment.charts, chart_files, strict=True):
        _save_chart(chart, path)
    values = describe(figure, settings, moment)
    values["parts"] = [
        {"file": path.name, **describe_part(part)} for (part, _), path in zip(shown, part_files, strict=True)
    ]
    for chart, path in zip(values["charts"], chart_files, strict=True):
        chart["file"] = path.name
    index = folder / INDEX
    with writing(index) as aside:
        aside.write_text(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return [*part_files, *chart_files, index]


def part_files(folder: Path) -> list[Path]:
    """The files of a folder that `save_parts` might replace."""
    return [path for path in folder.iterdir() if PART_FILE.fullmatch(path.name)] if folder.is_dir() else []


def could_be_part(path: Path, folder: Path) -> bool:
    """Whether `save_parts` might replace a file, by its name or the one that it leads to."""
    full = path.resolve()
    return full.parent == folder.resolve() and PART_FILE.fullmatch(full.name) is not None


def unique(labels: Iterable[str]) -> list[str]:
    """File names that are safe on every system, say what they are of, and differ: "1-2-a-c-alpha-beta-1e-3"."""
    found: list[str] = []
    for label in labels:
        name = re.sub(r"[^a-z0-9_]+", "-", plain(label).lower())[:MOST_LETTERS].strip("-") or "part"
        same, number = name, 1
        while name in found:
            number += 1
            name = f"{same}-{number}"
        found.append(name)
    return found


def _save_part(figure: Figure, settings: Mapping[str, Any], part: Part, image: Tensor, path: Path) -> None:
    if part.record:
        save_result(image, part.record, path)
        return
    values = {"figure": figure.name, "settings": plain_values(settings), **describe_part(part)}
    text = {"Software": "Neural Style Lab", "Title": part.label, PART_KEY: json.dumps(values, allow_nan=False)}
    images.save_png(image, path, text)


def _save_chart(chart: Chart, path: Path) -> None:
    """Write a row for each point: its line, x, y."""
    with writing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("line", chart.x, chart.title))
        rows.writerows((name, x, y) for name, points in chart.lines.items() for x, y in points)


def parts_zip(figure: Figure, settings: Mapping[str, Any], moment: Moment, path: str | Path) -> None:
    """Write what `save_parts` writes as one ZIP, in a folder of the figure's name.

    Raises:
        OutputError: it cannot be written; nothing is left of it.
    """
    with tempfile.TemporaryDirectory() as folder, writing(Path(path)) as aside:
        files = save_parts(figure, settings, moment, folder)
        with zipfile.ZipFile(aside, "w") as packed:  # stored as they are: PNGs shrink no more
            for file in files:
                packed.write(file, f"{figure.name}/{file.name}")
