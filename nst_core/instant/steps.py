"""Work in steps, between which others may have the device; what it returns is the result."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """Go through all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
