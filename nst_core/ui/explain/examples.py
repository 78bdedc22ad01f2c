"""Shows a finished example of each figure before it is made, from files that come with the program."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from nst_core import images
from nst_core.analysis.figure import Chart, Moment, Part, Table
from nst_core.analysis.figures import formula
from nst_core.assets import ASSETS
from nst_core.ui.explain.figure_table import Figures, crisp

FOLDER = ASSETS / "figures"
INDEX = "figure.json"
ADDRESS = "/figures"  # beside the page
CACHED = "public, max-age=3600"
CONTENT, STYLE = ASSETS / "photos" / "china_temple.jpg", ASSETS / "styles" / "dawn_window.jpg"  # and chosen at first
TOLD = (
    "A finished example; its seconds are of the machine that made it. Press <b>Make the figure</b> to see it grow, "
    "with your own pictures if you like."
)

# Tables that are the same whatever the pictures: the program knows them, and the files do not repeat them.
FIXED_TABLES = {"formula": (formula.FIELD,)}


@dataclass(frozen=True)
class FigureExample:
    """A figure as it came out.

    Attributes:
        name: of the figure.
        settings: name -> value of every option with which it was made.
        moment: its last, without the pictures of its parts.
        files: place (row, column) -> the file of the picture there.
        sizes: place -> (height, width) of that picture, pixels.
    """

    name: str
    settings: dict[str, Any]
    moment: Moment
    files: dict[tuple[int, int], Path]
    sizes: dict[tuple[int, int], tuple[int, int]]

    def shows(self) -> dict[str, Any]:
        """Make FigureView's value, whose pictures are addresses of files."""
        value: dict[str, Any] = Figures().shows(self.moment, busy=False)
        for place, file in self.files.items():
            row, column = place
            height, width = self.sizes[place]
            value["rows"][row][column] |= {
                "picture": f"{ADDRESS}/{self.name}/{file.name}",
                "aspect": round(width / height, 4),
                "crisp": crisp(height, width),
            }
        return value | {"example": TOLD}

    def whole(self) -> Moment:
        """Read the moment with the pictures of its parts, as one that was made here."""
        parts = (self.part((part.row, part.column)) for part in self.moment.parts)
        return replace(self.moment, parts=tuple(part for part in parts if part))

    def part(self, place: tuple[int, int] | None) -> Part | None:
        """Read the part at a place with its picture, None if there is none."""
        found = next((part for part in self.moment.parts if (part.row, part.column) == place), None)
        return found and replace(found, image=images.load(self.files[found.row, found.column]))


@cache
def example_of(name: str) -> FigureExample | None:
    """Read the example of a figure, None where none came along: for "classify", whose network is not here."""
    index = FOLDER / name / INDEX
    if not index.is_file():
        return None
    told = json.loads(index.read_text(encoding="utf-8"))
    moment = Moment(
        rows=tuple(told["rows"]),
        columns=tuple(told["columns"]),
        parts=tuple(
            Part(part["row"], part["column"], part["label"], None, part["caption"], done=True, facts=part["facts"])
            for part in told["parts"]
        ),
        charts=tuple(
            Chart(
                chart["title"],
                chart["x"],
                {line: [(x, y) for x, y in points] for line, points in chart["lines"].items()},
                chart["logarithmic"],
            )
            for chart in told["charts"]
        ),
        tables=(
            *(
                Table(table["title"], tuple(table["heads"]), tuple(map(tuple, table["rows"])), tuple(table["lines"]))
                for table in told["tables"]
            ),
            *FIXED_TABLES.get(name, ()),
        ),
        share=1.0,
        findings=tuple(told["findings"]),
        notes=tuple(told["notes"]),
    )
    places = [((part["row"], part["column"]), part) for part in told["parts"]]
    return FigureExample(
        name,
        told["settings"],
        moment,
        {place: FOLDER / name / part["file"] for place, part in places},
        {place: (part["height"], part["width"]) for place, part in places},
    )


async def answer(request: Request) -> Response:
    """Answer with a picture of an example."""
    name, file = request.path_params["figure"], request.path_params["file"]
    example = example_of(name) if name in KNOWN else None
    found = next((path for path in example.files.values() if path.name == file), None) if example else None
    if found is None:
        return PlainTextResponse("There is no such picture.", 404)
    return FileResponse(found, media_type="image/webp", headers={"Cache-Control": CACHED})


KNOWN = {index.parent.name for index in FOLDER.glob(f"*/{INDEX}")}
ROUTE = Route(f"{ADDRESS}/{{figure}}/{{file}}", answer)  # beside gradio's own
