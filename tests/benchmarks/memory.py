"""Peak memory, network and targets included: ours at two sizes, the plain loop beside it, each in its own process.

"process" is what the operating system saw, scratch and fragmentation included; memory.BYTES_PER_PIXEL is set from it.
"tensors" is what torch had allocated at the worst moment of one step, which repeats exactly.
"""

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import accumulate

import psutil
import torchvision  # noqa: F401, which programs of the field have loaded when they begin: part of the start
from torch.profiler import ProfilerActivity, profile

from nst_core.devices import choose_compute
from nst_core.features.loading import load_network
from nst_core.transfer import gatys
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures

STEPS = 14  # enough to fill L-BFGS' memory of 10


def steps_of(program: str, height: int, width: int) -> Iterator[None]:
    """The program's steps, its network loaded and its targets computed."""
    content, style = pictures(height, width)
    if program == "plain":
        yield from gatys.paint(content, style)
    else:
        backbone, precision = program.split()
        compute = choose_compute(precision=precision)
        load_network(backbone, compute)
        config = StyleTransferConfig(backbone=backbone, size=max(height, width))
        yield from stylize(content, style, config, compute=compute)


def measure(program: str, height: int, width: int) -> None:
    """Print the process's peak over its size before the first step, and the peak of tensors within one later step."""
    ensure_weights()
    before = psutil.Process().memory_info().rss
    steps = steps_of(program, height, width)
    for _ in range(STEPS):
        next(steps)
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(process, tensor_peak(lambda: next(steps)))


def tensor_peak(work: Callable[[], object]) -> int:
    """Bytes of tensors at the worst moment of some work, above those that were there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    return max(accumulate(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())))


def main() -> None:
    ensure_weights()
    print("program     height×width   process, MB  bytes a pixel   tensors of a step, MB")
    for program in ("plain", "vgg19 fp32", "vgg19 bf16", "lite fp32", "lite bf16"):
        for height, width in ((384, 512), (576, 768)):
            command = [sys.executable, "-m", "tests.benchmarks.memory", program, str(height), str(width)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            process, tensors = map(int, printed.split())
            row = f"{process / 1e6:10.0f} {process / (height * width):14.0f} {tensors / 1e6:18.0f}"
            print(f"{program:11} {height}×{width:<8} {row}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
