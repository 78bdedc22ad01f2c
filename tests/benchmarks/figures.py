"""The finished examples of the Explain tab, made anew by VGG-19 Lite from pictures that come with the program.

    python -m tests.benchmarks.figures [--only NAME …]

Makes every figure with its own settings, but for "classify", whose network does not come along, and writes each into
its folder of assets/figures: pictures as WebP, all else as figure.json. Prints how long each took and how large it is.
"""

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

from nst_core import images
from nst_core.analysis.cutouts.cutout import load_cutout
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster.description import plain_values
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.ui.explain.examples import CONTENT, FIXED_TABLES, FOLDER, INDEX, STYLE

FURTHER = {"contents": ASSETS / "photos" / "chelsea_cat.jpg", "styles": ASSETS / "styles" / "great_swell.jpg"}
CUTOUT = ASSETS / "cutouts" / "rocket.png"
WITHOUT = ("classify",)
SIDE, QUALITY = 320, 80  # of pictures: pixels at most, and of WebP
POINTS, DIGITS = 60, 4  # of a line: at most about, and of its numbers


def material(figure: Figure) -> FigureMaterial:
    """The pictures that are chosen when the page opens, and one more of a kind where a figure takes several."""
    contents, styles = [CONTENT], [STYLE]
    if "contents" in figure.pictures:
        contents, styles = [*contents, FURTHER["contents"]], [*styles, FURTHER["styles"]]
    names = [tuple(path.stem.replace("_", " ") for path in paths) for paths in (contents, styles)]
    return FigureMaterial(
        contents=tuple(map(images.load, contents)),
        styles=tuple(map(images.load, styles)),
        content_names=names[0],
        style_names=names[1],
        cutout=load_cutout(CUTOUT),
    )


def told(figure: Figure, settings: dict[str, Any], moment: Moment, folder: Path) -> dict[str, Any]:
    """What figure.json says; the pictures are written, each once however often it is shown."""
    files: dict[int, str] = {}
    parts = sorted(moment.parts, key=lambda part: (part.row, part.column))
    tables = [table for table in moment.tables if table not in FIXED_TABLES.get(figure.name, ())]
    return {
        "figure": figure.name,
        "settings": plain_values(settings),
        "content": CONTENT.stem,
        "style": STYLE.stem,
        "rows": moment.rows,
        "columns": moment.columns,
        "parts": [told_part(part, folder, files) for part in parts],
        "charts": [told_chart(chart) for chart in moment.charts],
        "tables": [plain_values(vars(table)) for table in tables],
        "findings": moment.findings,
        "notes": moment.notes,
    }


def told_part(part: Part, folder: Path, files: dict[int, str]) -> dict[str, Any]:
    """A part as figure.json has it; its picture is written unless it was."""
    picture = images.to_pil(images.fit(part.image, min(SIDE, max(images.size_of(part.image)))))
    key = hash(picture.tobytes())
    if key not in files:
        files[key] = f"{part.row}-{part.column}.webp"
        picture.save(folder / files[key], quality=QUALITY, method=6)
    facts = {"config": part.config.to_dict()} if part.config else part.facts
    return {
        "row": part.row,
        "column": part.column,
        "label": part.label,
        "caption": part.caption,
        "file": files[key],
        "width": picture.width,
        "height": picture.height,
        "facts": plain_values(facts),
    }


def told_chart(chart: Chart) -> dict[str, Any]:
    """A chart with fewer points, its first and last among them, and shorter numbers."""
    lines = {}
    for name, points in chart.lines.items():
        every = max(1, -(-len(points) // POINTS))
        kept = [*points[:-1:every], *points[-1:]]
        lines[name] = [[float(f"{value:.{DIGITS}g}") for value in point] for point in kept]
    return {"title": chart.title, "x": chart.x, "logarithmic": chart.logarithmic, "lines": lines}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=[name for name in FIGURES if name not in WITHOUT])
    options = parser.parse_args()
    keep_freed_memory()
    for name in options.only:
        figure, began = FIGURES[name], time.perf_counter()
        settings = figure.settings({"backbone": "lite"})
        *_, last = figure.make(material(figure), settings, choose_compute())
        folder = FOLDER / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text = json.dumps(told(figure, settings, last, folder), ensure_ascii=False, separators=(",", ":"))
        (folder / INDEX).write_text(text + "\n", encoding="utf-8")
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{name}: {time.perf_counter() - began:.0f} s, {size / 1000:.0f} kB; {last.findings}", flush=True)


if __name__ == "__main__":
    main()
