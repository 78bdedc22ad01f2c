"""Keeps inside a result how it was painted: enough to paint it again."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from nst_core import images
from nst_core.errors import ImageError, listed, named, seen
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.json_values import (
    are_losses,
    are_texts,
    is_count,
    is_duration,
    is_size,
    is_switch,
    is_table,
    is_text,
    read_json,
)
from nst_core.transfer.optimize import Frame
from nst_core.transfer.painting import Painting
from nst_core.transfer.terms import shares_of
from nst_core.version import __version__

TEXT_KEY = "neural-style-lab"  # of the PNG's text chunk, or the JPEG's, that holds the record as JSON
MOST_TEXT = 1_000_000  # letters of a record as JSON; one of 300 steps has 2,500
OURS = "neural-style-lab"  # its version, among those of what it stands on
PACKAGES = ("torch", "torchvision", "pillow", "numpy")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: its settings, what it ran on and how it went."""

    config: StyleTransferConfig
    steps: int  # made; fewer than config.steps if it was stopped
    stopped: bool
    losses: dict[str, float]  # of the result, weighted
    first_losses: dict[str, float] = field(default_factory=dict)  # of the start; empty in records of before
    seconds: float  # of computing, without waiting for a turn
    content_size: tuple[int, int]  # (height, width) as painted, pixels; the result's too
    style_size: tuple[int, int]  # (height, width) as compared, pixels
    device: str
    precision: str
    weights_file: str
    weights_sha256: str
    weights_origin: str
    versions: dict[str, str]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the record as plain values."""
        return {**asdict(self), "config": self.config.to_dict(), "shares": self.shares}

    @property
    def shares(self) -> dict[str, dict[str, float]]:
        """Tell how much of the loss content, style and total variation were: "start" and "end" -> side -> share."""
        return {
            moment: {side: round(share, 4) for side, share in shares_of(losses).items()}
            for moment, losses in (("start", self.first_losses), ("end", self.losses))
        }

    def to_json(self) -> str:
        """Write the record as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "RunRecord":
        """Read the record that to_json() wrote; of another version, without the settings that this one does not know.

        Raises:
            ImageError: the text is not such a record.
            ConfigError: its settings are none of this version's.
        """
        try:
            if len(text) > MOST_TEXT:
                raise ValueError("too long")
            values = read_json(text)
            settings = values.pop("config")
            values.pop("shares", None)  # it follows from the losses
            if not isinstance(settings, dict) or not all(KINDS[name](value) for name, value in values.items()):
                raise ValueError("of another kind")
            lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
            floats = {
                table: {name: float(value) for name, value in values[table].items()}
                for table in ("losses", "first_losses")
                if table in values
            }
            given = {**values, **lists, **floats, "seconds": float(values["seconds"])}
            known, notes = _known(settings, values["versions"].get(OURS, __version__))
            return cls(
                **{**given, "notes": (*given.get("notes", ()), *notes)}, config=StyleTransferConfig.from_dict(known)
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ImageError("the picture's record is damaged; its settings cannot be read") from None


def _known(settings: dict[str, Any], written_by: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Keep the settings that this version knows, and say in a sentence which others there were."""
    unknown = [name for name in settings if name not in SETTINGS]
    if not unknown or written_by == __version__:
        return settings, ()
    note = f"painted by version {seen(written_by)}, whose settings {listed(unknown)} this one ({__version__}) lacks"
    return {name: value for name, value in settings.items() if name in SETTINGS}, (note,)


# Field, but for the settings -> whether a value of JSON is one: a picture, and its record, may come from anyone.
KINDS: dict[str, Callable[[Any], bool]] = {
    "steps": is_count,
    "stopped": is_switch,
    "losses": are_losses,
    "first_losses": are_losses,
    "seconds": is_duration,
    "content_size": is_size,
    "style_size": is_size,
    **dict.fromkeys(("device", "precision", "weights_file", "weights_sha256", "weights_origin"), is_text),
    "versions": lambda value: is_table(value, is_text),
    "notes": are_texts,
}


def record_of(
    painting: Painting,
    frame: Frame,
    *,
    first_losses: dict[str, float],
    seconds: float,
    notes: tuple[str, ...],
    steps: int,
    whole: int,
) -> RunRecord:
    """Make the record of a painting up to a frame.

    Args:
        painting: the pictures and the settings.
        frame: the last.
        first_losses: of the start, weighted.
        seconds: of computing.
        notes: what a person should know.
        steps: that were to be made.
        whole: steps to which the settings alone lead.
    """
    config = painting.config
    return RunRecord(
        config=config if frame.step == whole else replace(config, last_step=frame.step),
        steps=frame.step,
        stopped=frame.step < steps,
        losses=frame.losses,
        first_losses=first_losses,
        seconds=round(seconds, 3),
        content_size=images.size_of(painting.content_image),
        style_size=images.size_of(painting.style_image),
        device=painting.compute.name,
        precision=painting.compute.precision,
        weights_file=painting.checkpoint.path.name,
        weights_sha256=painting.checkpoint.sha256(),
        weights_origin=painting.checkpoint.origin,
        versions=versions(),
        notes=notes,
    )


def versions() -> dict[str, str]:
    """List the versions that a result may depend on."""
    return {OURS: __version__, "python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def save_result(image: Tensor, record: RunRecord, path: str | Path, *, dpi: float | None = None) -> None:
    """Write image (1, 3 or 4, H, W) as a PNG, by its name a JPEG or a TIFF of 16 bits, that remembers how it was made.

    Args:
        dpi: pixels an inch, for print.

    Raises:
        OutputError: it cannot be written.
    """
    if images.is_jpeg(path) or images.is_tiff(path):
        save = images.save_jpeg if images.is_jpeg(path) else images.save_tiff
        save(image, path, {TEXT_KEY: json.dumps(record.to_dict(), allow_nan=False)}, dpi=dpi)
        return
    description = f"Painted by Neural Style Lab in {record.steps} steps; the record is in {TEXT_KEY!r} as JSON."
    text = {"Software": "Neural Style Lab", "Description": description, TEXT_KEY: record.to_json()}
    images.save_png(image, path, text, dpi=dpi)


def read_record(path: str | Path) -> RunRecord:
    """Read the record inside a PNG, JPEG or TIFF of ours.

    Raises:
        ImageError: neither, or one without a record.
    """
    text = images.read_text(path)
    if TEXT_KEY not in text:
        raise ImageError(f"{named(path)} carries no record; only PNG, JPEG and TIFF files saved by Neural Style Lab do")
    return RunRecord.from_json(text[TEXT_KEY])
