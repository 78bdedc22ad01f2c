"""Keeps the sheet of variations as one picture that remembers how each of its cells was made."""

import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from nst_core import images
from nst_core.errors import ImageError, named
from nst_core.transfer.record import RunRecord
from nst_core.transfer.variations import CellResult

CELL_SIDES = (64, 512)  # pixels of a cell in the composed sheet; 8 × 8 of the largest are one of MAX_SIDE
SHEET_KEY = "neural-style-lab-sheet"  # of the PNG's text chunk that holds the cells' records as JSON


def save_sheet(sheet: Image.Image, results: Sequence[CellResult], path: str | Path) -> None:
    """Write a composed sheet as a PNG that remembers how each of its cells was made.

    Raises:
        OutputError: it cannot be written.
    """
    records = [result.record.to_dict() for result in results]
    images.save_png(
        images.from_pil(sheet), path, {"Software": "Neural Style Lab", SHEET_KEY: json.dumps(records, allow_nan=False)}
    )


def read_sheet(path: str | Path) -> list[RunRecord]:
    """Read the records of a sheet's cells, in the order in which they were painted.

    Raises:
        ImageError: not a PNG, or one without such records.
        ConfigError: their settings are none of this version's.
    """
    text = images.read_text(path).get(SHEET_KEY)
    if text is None:
        raise ImageError(f"{named(path)} carries no records; only sheets saved by Neural Style Lab do")
    try:
        return [RunRecord.from_json(json.dumps(values)) for values in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        raise ImageError(f"the records of {named(path)} are damaged; they cannot be read") from None
