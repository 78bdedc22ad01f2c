"""What was run, kept inside the result: enough to paint it again."""

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from nst_core import images
from nst_core.errors import ImageError
from nst_core.transfer.config import StyleTransferConfig

TEXT_KEY = "neural-style-lab"  # of the PNG's text chunk that holds the record as JSON
PACKAGES = ("torch", "torchvision", "pillow", "numpy")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: its settings, what it ran on and how it went."""

    config: StyleTransferConfig
    steps: int  # made; fewer than config.steps if it was stopped
    stopped: bool
    losses: dict[str, float]  # of the result, weighted
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
        """The record as plain values."""
        return {**asdict(self), "config": self.config.to_dict()}

    def to_json(self) -> str:
        """The record as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "RunRecord":
        """The record that to_json() wrote.

        Raises:
            ImageError: the text is not such a record.
            ConfigError: its settings are none of this version's.
        """
        try:
            values = json.loads(text)
            config = StyleTransferConfig.from_dict(values.pop("config"))
            lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
            return cls(**{**values, **lists, "config": config})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ImageError("the picture's record is damaged; its settings cannot be read") from None


def versions() -> dict[str, str]:
    """The versions that a result may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def save_result(image: Tensor, record: RunRecord, path: str | Path) -> None:
    """Write image (1, 3, H, W) as a PNG that remembers how it was made."""
    description = f"Painted by Neural Style Lab in {record.steps} steps; the record is in {TEXT_KEY!r} as JSON."
    images.save_png(
        image, path, {"Software": "Neural Style Lab", "Description": description, TEXT_KEY: record.to_json()}
    )


def read_record(path: str | Path) -> RunRecord:
    """The record inside a PNG of ours.

    Raises:
        ImageError: not a PNG, or one without a record.
    """
    text = images.read_text(path)
    if TEXT_KEY not in text:
        raise ImageError(f"{Path(path).name} carries no record; only PNG files saved by Neural Style Lab do")
    return RunRecord.from_json(text[TEXT_KEY])
