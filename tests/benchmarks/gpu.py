"""All that is worth knowing of a GPU in one command of at most 8 minutes: does it paint right, how fast, how large.

    NST_WEIGHTS=… python -m tests.benchmarks.gpu [--json FILE] [--minutes 8] [--small]

On it run the tests that know devices; then steps of both networks (milliseconds, launches, waits of the program for the
device, share of what its data sheet promises), as one graph and without; a run from a cold start; passes of a trained
network and in any picture's style, and the camera's frames, as graphs and without; and the peak of memory by size. What
the time is up for is left out, and said. --small measures next to nothing of everything, on a CPU, too, where what only
a GPU has is None.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from nst_core import images
from nst_core.devices import Compute, choose_compute, release_freed_memory
from nst_core.errors import NSTError
from nst_core.graphs import SWITCH
from nst_core.instant.catalogue import open_styles
from nst_core.passes import WARM_PASSES
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.ui.studio.camera import QUALITY, Live
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.benchmarks import cold_start
from tests.benchmarks.cold_start import painting
from tests.benchmarks.material import ensure_weights, pictures

DEVICE_TESTS = (
    "tests/losses",
    "tests/features",
    "tests/instant",
    "tests/transfer",
    "tests/test_devices.py",
    "tests/test_graphs.py",
    "tests/test_passes.py",
)
# What data sheets promise of products in bf16 without sparsity, TFLOP/s; by what stands in a GPU's name.
PEAKS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10G": 70, "4090": 165, "3090": 71}
LAUNCHES = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cuLaunchKernelEx", "cudaGraphLaunch")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaMemcpy")
NAMED = ("peak", "reserved")  # what of CUDA's memory is told
LOOKS = ("cudaEventSynchronize",)  # waits for what was given before something else

Part = Callable[[], dict[str, Any]]  # measures something


@dataclass(frozen=True)
class Plan:
    """How much of each is measured."""

    sides: tuple[int, ...] = (512, 1024)  # pixels, of squares
    steps: int = 40  # that are timed, after as many as L-BFGS remembers
    cold_side: int = 512
    cold_steps: int = 500
    passes: tuple[tuple[int, int], ...] = ((512, 512), (1080, 1920))  # (height, width)
    camera: tuple[int, int] = (240, 320)
    repeats: int = 15
    memory: tuple[int, ...] = (512, 1024, 2048, 3072, 4096)  # pixels, of squares
    backbones: tuple[str, ...] = ("lite", "vgg19")
    presets: tuple[str, ...] = ("lab", "studio")
    tests: bool = True


SMALL = Plan(
    sides=(32,),
    steps=2,
    cold_side=32,
    cold_steps=3,
    passes=((32, 48),),
    camera=(32, 48),
    repeats=1,
    memory=(32,),
    backbones=("lite",),
    presets=("lab",),
    tests=False,
)


def settle(compute: Compute) -> None:
    """Wait until the device has done all that it was given."""
    if compute.device.startswith("cuda"):
        torch.cuda.synchronize(compute.device)


def tests_on_it(device: str, seconds: float) -> dict[str, Any]:
    """Run the tests that are there once for each device, those of this one."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-k", device.partition(":")[0], *DEVICE_TESTS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"result": "the time was up"}
    return {"result": "passed" if done.returncode == 0 else "failed", "said": done.stdout[-2000:]}


def step(backbone: str, preset: str, optimizer: str, side: int, compute: Compute, plan: Plan) -> dict[str, Any]:
    """Milliseconds a step, and what the device and the program do in one."""
    run = painting(backbone, preset, side, compute, steps=100_000, optimizer=optimizer)
    for _ in range(run.config.history + 4 if plan.steps > 2 else 2):
        next(run)
    settle(compute)
    began, frames = time.perf_counter(), []
    for _ in range(plan.steps):
        next(run)
        frames.append(time.perf_counter())
    settle(compute)
    milliseconds = 1e3 * (time.perf_counter() - began) / plan.steps
    with FlopCounterMode(display=False) as flops:
        next(run)
    row = {"milliseconds": round(milliseconds, 3), "tflop": flops.get_total_flops() / 1e12}
    row["share of peak"] = None
    peak = next((peak for name, peak in PEAKS.items() if name in compute.name), None)
    if peak:
        row["share of peak"] = round(row["tflop"] / (milliseconds / 1e3) / peak, 3)
    return row | counted(lambda: next(run), compute)


def counted(work: Callable[[], object], compute: Compute) -> dict[str, float | None]:
    """Count what the program asks of a GPU each time that it does some work; None on a CPU."""
    named = {"kernels": LAUNCHES, "waits": WAITS, "looks": LOOKS}
    if not compute.device.startswith("cuda"):
        return dict.fromkeys(named)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        for _ in range(2):
            work()
    called = Counter({event.key: event.count for event in profiler.key_averages()})
    return {name: sum(called[key] for key in keys) / 2 for name, keys in named.items()}


def without_graphs(part: Part) -> dict[str, Any]:
    """Measure something that is launched kernel by kernel."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "0"
    try:
        return part()
    finally:
        os.environ.pop(SWITCH) if before is None else os.environ.update({SWITCH: before})


def cold(backbone: str, compute: Compute, plan: Plan) -> dict[str, Any]:
    """Seconds from the start of a process to its first frame and its last; imports are counted, too."""
    options = [backbone, compute.device, compute.precision, str(plan.cold_side), str(plan.cold_steps)]
    began = time.perf_counter()
    command = [sys.executable, "-m", cold_start.__name__, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        marks = {line.strip(): round(time.perf_counter() - began, 2) for line in child.stdout or ()}
    if child.returncode:
        raise RuntimeError(f"the cold run ended with {child.returncode}")
    return {"first frame, s": marks["first"], f"{plan.cold_steps} steps, s": marks["last"]}


def repeated(work: Callable[[], object], compute: Compute, plan: Plan) -> dict[str, Any]:
    """Milliseconds of some work, once it is repeated as a graph where it is, and what is asked of a GPU in it."""
    for _ in range(WARM_PASSES + 1):
        work()
    taken = []
    for _ in range(plan.repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return {"milliseconds": round(1e3 * median(taken), 2)} | counted(work, compute)


def instant(size: tuple[int, int], compute: Compute, plan: Plan) -> dict[str, Any]:
    """A pass of a trained network, whose picture comes back to the CPU."""
    catalogue, (content_image, _) = open_styles(), pictures(*size)
    painter, weights = catalogue.painter(compute), {next(iter(catalogue.styles)): 1.0}
    return repeated(lambda: painter.paint(content_image, weights).cpu(), compute, plan)


def any_style(size: tuple[int, int], compute: Compute, plan: Plan) -> dict[str, Any]:
    """A painting in the style of a picture, which comes back to the CPU."""
    content_image, style_image = pictures(*size)
    painter = UniversalPainter({"style": style_picture(style_image)}, compute)
    return repeated(lambda: painter.paint(content_image, {"style": 1.0}).cpu(), compute, plan)


def camera(compute: Compute, plan: Plan) -> dict[str, Any]:
    """A camera's frame, from the JPEG that comes to the JPEG that goes back."""
    catalogue, (frame, _), live = open_styles(), pictures(*plan.camera), Live()
    painter, weights = catalogue.painter(compute), {next(iter(catalogue.styles)): 1.0}
    came, live.paint = images.encode_jpeg(frame, quality=QUALITY), lambda image: painter.paint(image, weights)

    def answer() -> bytes:
        _, painted = live.painted(images.load(io.BytesIO(came)))
        return images.encode_jpeg(painted, quality=QUALITY)

    return repeated(answer, compute, plan)


def memory(backbone: str, preset: str, side: int, compute: Compute) -> dict[str, Any]:
    """The peak of tensors and of what was reserved in a run of three steps, network and targets included."""
    on_cuda = compute.device.startswith("cuda")
    release_freed_memory()
    if on_cuda:
        torch.cuda.reset_peak_memory_stats(compute.device)
    for _ in painting(backbone, preset, side, compute, steps=3):
        pass
    if not on_cuda:
        return {f"{name}, bytes a pixel": None for name in NAMED}
    peaks = torch.cuda.max_memory_allocated(compute.device), torch.cuda.max_memory_reserved(compute.device)
    return {f"{name}, bytes a pixel": round(peak / side**2) for name, peak in zip(NAMED, peaks, strict=True)}


def both_ways(name: str, part: Part, compute: Compute) -> Iterator[tuple[str, Part]]:
    """Name something that is measured as it is and, where there are graphs, without."""
    yield name, part
    if compute.device.startswith("cuda"):
        yield f"{name}, no graph", lambda: without_graphs(part)


def parts(plan: Plan, compute: Compute, seconds: float) -> Iterator[tuple[str, Part]]:
    """Name each thing to be measured, and how, what matters most first."""
    if plan.tests:
        yield "tests", lambda: tests_on_it(compute.device, seconds / 4)
    for side, backbone in product(plan.sides, plan.backbones):
        for preset, optimizer in product(plan.presets, STEP_SIZES):
            name, given = f"step, {backbone}, {preset}, {optimizer}, {side}", (backbone, preset, optimizer, side)
            yield from both_ways(name, partial(step, *given, compute, plan), compute)
    for backbone in plan.backbones:
        yield f"cold, {backbone}, {plan.cold_side}", lambda backbone=backbone: cold(backbone, compute, plan)
    for size in plan.passes:
        for name, part in (("instant", instant), ("any style", any_style)):
            yield from both_ways(f"{name}, {size[1]}x{size[0]}", partial(part, size, compute, plan), compute)
    name = f"camera, {plan.camera[1]}x{plan.camera[0]}"
    yield from both_ways(name, partial(camera, compute, plan), compute)
    for side, backbone in product(plan.memory, plan.backbones):
        name = f"memory, {backbone}, {plan.presets[-1]}, {side}"
        yield name, lambda given=(backbone, plan.presets[-1], side): memory(*given, compute)


def measure(plan: Plan, compute: Compute, seconds: float, told: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure all parts for which there is time; what fails says why, and the others go on.

    Args:
        told: takes each line of the table.
    """
    began, rows = time.perf_counter(), {}
    for name, part in parts(plan, compute, seconds):
        if time.perf_counter() - began > seconds:
            rows[name] = {"left out": "the time was up"}
        else:
            try:
                rows[name] = part()
            except (NSTError, RuntimeError) as error:
                rows[name] = {"failed": f"{type(error).__name__}: {error}"[:500]}
        told(f"{name:36} " + "   ".join(f"{key} {value}" for key, value in rows[name].items() if value is not None))
    return {"device": str(compute), "torch": torch.__version__, "rows": rows}


def main() -> None:
    ensure_weights()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu")
    parser.add_argument("--json", type=Path, help="where the numbers go as JSON, too")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--without-tests", action="store_true")
    options, compute = parser.parse_args(), choose_compute()
    plan = SMALL if options.small else replace(Plan(), tests=not options.without_tests)
    print(f"{compute}, torch {torch.__version__}")
    found = measure(plan, compute, 60 * options.minutes, lambda line: print(line, flush=True))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
