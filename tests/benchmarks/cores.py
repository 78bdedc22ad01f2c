"""What a painting's step takes beside other threads and other programs, by how the device's team of threads waits.

`python -m tests.benchmarks.cores`: a process for each way, on a machine that is otherwise idle.

* a team of its own: as it is where every thread computes on all cores, as threads of torch do by themselves
* awake: one team, that never sleeps
* chosen: as the program has it
"""

import os
import subprocess
import sys
import time

import torch

from nst_core import cores
from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.engine.devices import DEVICES
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.transfer.stylize import stylize

WAYS = ("a team of its own", "awake", "chosen")
SIZE = (240, 320)  # height, width
WARM_STEPS, STEPS = 10, 30
BUSY = "while True: pass"


def painted(steps: int) -> float:
    """Seconds a step of a painting on the device's thread."""
    config = PRESETS[PLAIN_PRESET].config.on("lite").changed(size=SIZE[1], steps=steps, smallest_scale=0)
    run = DEVICES.submit(stylize, torch.rand(1, 3, *SIZE), torch.rand(1, 3, *SIZE), config, compute=choose_compute())
    frames, began = run.result(), time.perf_counter()
    while DEVICES.next_of(frames):
        pass
    return (time.perf_counter() - began) / steps


def measure(way: str) -> None:
    """Print a step's milliseconds beside no other program, one, and as many as there are cores."""
    keep_freed_memory()
    if way != "a team of its own":
        cores.compute_on_one_core()
    if way == "awake":
        cores.CROWDED = float("inf")
    torch.ones(10**6).add_(1)  # on this thread
    painted(WARM_STEPS)
    taken, busy = [], []
    try:
        for others in (0, 1, os.cpu_count() or 1):
            busy += [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(others - len(busy))]
            taken.append(f"{1000 * painted(STEPS):.0f} ms beside {others}")
    finally:
        for process in busy:
            process.kill()
    print(f"{way}: {', '.join(taken)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(sys.argv[1])
    else:
        for each in WAYS:
            subprocess.run([sys.executable, "-m", "tests.benchmarks.cores", each], check=True)
