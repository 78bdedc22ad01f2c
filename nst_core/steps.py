"""Defines work in steps, a generator between whose steps others may have the device; its return value is the result."""

from collections.abc import Generator
from typing import TypeVar

from nst_core.devices import Compute, computing_on

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """Do all steps of a job at once, and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def on_device(compute: Compute, steps: Steps[Result]) -> Steps[Result]:
    """Surround each step by `computing_on`.

    Raises:
        DeviceError: the device's memory is full.
    """
    while True:
        with computing_on(compute):
            try:
                next(steps)
            except StopIteration as end:
                return end.value
        yield
