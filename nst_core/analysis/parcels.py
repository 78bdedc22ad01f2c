"""Packs a figure's pictures and moments for another machine: JSON and tensors, each picture once."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from torch import Tensor

from nst_core.analysis.figure import Chart, FigureMaterial, Moment, Part, Table
from nst_core.transfer.record import RunRecord
from nst_core.transfer.state import State, Tensors

TOLD = "told"  # the fact that is JSON within JSON, as numbers of a figure may be infinite or none


def packed_material(material: FigureMaterial) -> State:
    """Pack the pictures that a figure is made of."""
    tensors = {f"content-{number}": image for number, image in enumerate(material.contents)}
    tensors |= {f"style-{number}": image for number, image in enumerate(material.styles)}
    if material.cutout is not None:
        tensors["cutout"] = material.cutout
    names = {"contents": list(material.content_names), "styles": list(material.style_names)}
    return State({"names": names, "counts": [len(material.contents), len(material.styles)]}, tensors)


def unpacked_material(state: State) -> FigureMaterial:
    """Undo `packed_material`."""
    (contents, styles), names = state.facts["counts"], state.facts["names"]
    return FigureMaterial(
        contents=tuple(state.tensors[f"content-{number}"] for number in range(contents)),
        styles=tuple(state.tensors[f"style-{number}"] for number in range(styles)),
        content_names=tuple(names["contents"]),
        style_names=tuple(names["styles"]),
        cutout=state.tensors.get("cutout"),
    )


class MomentWriter:
    """Packs the moments of one figure; a picture that the moment before had is not sent again."""

    def __init__(self) -> None:
        self._numbers = count()
        self._sent: dict[str, Tensor] = {}  # that the reader has

    def packed(self, moment: Moment) -> State:
        """Pack the next moment."""
        known = {id(image): key for key, image in self._sent.items()}
        shown: dict[str, Tensor] = {}
        new: Tensors = {}
        parts = []
        for part in moment.parts:
            key = None
            if part.image is not None:
                key = known.get(id(part.image)) or f"picture-{next(self._numbers)}"
                known[id(part.image)] = key
                if key not in self._sent:
                    new[key] = part.image
                shown[key] = part.image
            parts.append(_plain_part(part) | {"image": key})
        self._sent = shown
        told = {
            "rows": moment.rows,
            "columns": moment.columns,
            "parts": parts,
            "charts": [vars(chart) | {"lines": dict(chart.lines)} for chart in moment.charts],
            "tables": [vars(table) for table in moment.tables],
            "text": moment.text,
            "share": moment.share,
            "findings": moment.findings,
            "notes": moment.notes,
        }
        return State({TOLD: json.dumps(told)}, new)


class MomentReader:
    """Undoes what one MomentWriter does."""

    def __init__(self) -> None:
        self._pictures: Tensors = {}

    def unpacked(self, state: State) -> Moment:
        """Give the next moment; what did not change is the very same picture as before."""
        told = json.loads(state.facts[TOLD])
        had = self._pictures | state.tensors
        self._pictures = {key: had[key] for part in told["parts"] if (key := part["image"])}
        return Moment(
            rows=tuple(told["rows"]),
            columns=tuple(told["columns"]),
            parts=tuple(_part(part, self._pictures) for part in told["parts"]),
            charts=tuple(_chart(chart) for chart in told["charts"]),
            tables=tuple(_table(table) for table in told["tables"]),
            text=told["text"],
            share=told["share"],
            findings=tuple(told["findings"]),
            notes=tuple(told["notes"]),
        )


def made_on(moment: Moment, machine: str) -> Moment:
    """Say in a moment's records on which machine its paintings were painted."""
    parts = tuple(
        replace(part, record=replace(part.record, device=" on ".join((part.record.device, machine))))
        if part.record
        else part
        for part in moment.parts
    )
    return replace(moment, parts=parts)


def _plain_part(part: Part) -> dict[str, Any]:
    values = {"row": part.row, "column": part.column, "label": part.label, "caption": part.caption, "done": part.done}
    record = part.record.to_json() if part.record else None
    return {**values, "facts": dict(part.facts), "record": record}


def _part(told: Mapping[str, Any], pictures: Tensors) -> Part:
    record = RunRecord.from_json(told["record"]) if told["record"] else None
    return Part(**{**told, "image": pictures[told["image"]] if told["image"] else None, "record": record})


def _chart(told: Mapping[str, Any]) -> Chart:
    lines = {name: tuple((x, y) for x, y in points) for name, points in told["lines"].items()}
    return Chart(**{**told, "lines": lines})


def _table(told: Mapping[str, Any]) -> Table:
    rows = tuple(map(tuple, told["rows"]))
    return Table(**{**told, "heads": tuple(told["heads"]), "rows": rows, "lines": tuple(told["lines"])})
