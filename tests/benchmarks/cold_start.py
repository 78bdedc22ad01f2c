"""Paints from a cold start, for `gpu`: a process of its own imports what a painting needs, and no page."""

import sys

from nst_core.devices import Compute, keep_freed_memory
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import pictures


def painting(backbone: str, preset: str, side: int, compute: Compute, steps: int, optimizer: str = "lbfgs") -> Run:
    """A run at one scale that ends at its last step."""
    config = PRESETS[preset].config.on(backbone).changed(size=side, smallest_scale=0, steps=steps, tolerance=0)
    config = config.changed(optimizer=optimizer, step_size=STEP_SIZES[optimizer])
    return stylize(*pictures(side, side), config, compute=compute)


def paint(backbone: str, device: str, precision: str, side: str, steps: str) -> None:
    """Paint, and say when the first and the last frame are there."""
    run = painting(backbone, "lab", int(side), Compute(device=device, precision=precision), int(steps))
    next(run)
    print("first", flush=True)
    for _ in run:
        pass
    print("last", flush=True)


if __name__ == "__main__":
    keep_freed_memory()
    paint(*sys.argv[1:])
