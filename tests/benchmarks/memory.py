"""Peak memory of a run above what is taken before it: ours at several sizes, the plain loop beside it.

Each measurement is a process of its own. The table's last column is what stylize.BYTES_PER_PIXEL is set from.
"""

import resource
import subprocess
import sys

import psutil

from nst_core.devices import choose_compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures
from tests.benchmarks.plain import PlainLoop

STEPS = 14  # enough to fill L-BFGS' memory of 10


def measure(program: str, height: int, width: int) -> None:
    content, style = pictures(height, width)
    if program == "plain":
        loop = PlainLoop(content, style)
        before = psutil.Process().memory_info().rss
        for _ in range(STEPS):
            loop.step()
    else:
        config = StyleTransferConfig(steps=STEPS, size=max(height, width))
        run = stylize(content, style, config, compute=choose_compute(precision=program))
        before = psutil.Process().memory_info().rss
        for _ in run:
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)


def main() -> None:
    ensure_weights()
    print("program  height×width  peak over start, MB  bytes a pixel")
    for program in ("plain", "fp32", "bf16"):
        for height, width in ((384, 512), (768, 1024)):
            command = [sys.executable, "-m", "tests.benchmarks.memory", program, str(height), str(width)]
            taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"{program:8} {height}×{width:<8} {taken / 1e6:12.0f} {taken / (height * width):18.0f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
