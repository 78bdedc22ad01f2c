"""Writes a picture that was painted in one pass, and with it how it was painted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from torch import Tensor

from nst_core import images

TEXT_KEY = "neural-style-lab instant"  # of the PNG's text chunk, or the JPEG's, that says it as JSON


def save_painted(
    image: Tensor,
    file: Path | IO[bytes],
    styles: Mapping[str, float],
    *,
    strength: float,
    color: str,
    jpeg: bool | None = None,
) -> None:
    """Write image (1, 3 or 4, H, W) as a PNG or JPEG that says how it was painted.

    Args:
        file: its path; or an open one, as an entry of a ZIP.
        styles: their shares, by name.
        strength: 0 … 1.
        color: of COLORS.
        jpeg: whether it is a JPEG; None: as the path says.

    Raises:
        OutputError: it cannot be written.
    """
    text = {TEXT_KEY: json.dumps({"styles": dict(styles), "strength": strength, "color": color})}
    if jpeg is None:
        jpeg = isinstance(file, Path) and images.is_jpeg(file)
    (images.save_jpeg if jpeg else images.save_png)(image, file, text)
