"""Defines work in steps, a generator between whose steps others may have the device; its return value is the result."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """Do all steps of a job at once, and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
