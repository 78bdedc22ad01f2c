"""Puts a training aside in a file, "OUTPUT.partial", and takes it up again."""

from pathlib import Path
from typing import Any

import torch

from nst_core.errors import WeightsError
from nst_core.files import writing


def put_aside(path: Path, header: dict[str, str], step: int, **parts: Any) -> None:
    """Write all that going on needs.

    Args:
        path: the file.
        header: what the training depends on.
        step: steps made.
        parts: tensors by name, states of optimisers.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path) as aside, aside.open("wb") as file:  # a file of Python's says what a disk says
        torch.save({"header": header, "step": step, **parts}, file)


def take_up(path: Path, header: dict[str, str], device: str = "cpu") -> dict[str, Any]:
    """Read what `put_aside` wrote: "step" and the parts.

    Raises:
        WeightsError: the file is damaged, or of a training that depends on something else.
    """
    try:
        kept = torch.load(path, map_location=device, weights_only=True)
        before = dict(kept["header"])
    except Exception as error:  # a damaged file makes the reader raise almost anything
        raise damaged(path) from error
    for name, value in header.items():
        if before.get(name) != value:
            raise WeightsError(
                f"{path} was made with other settings ({name}: {before.get(name)}, now {value}); use the same, or "
                "delete it to begin anew"
            )
    return kept


def damaged(path: Path) -> WeightsError:
    """Make the error about a file that no training can go on from."""
    return WeightsError(f"{path} cannot be read to go on from; delete it to begin anew")
