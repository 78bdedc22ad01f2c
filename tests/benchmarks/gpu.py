"""All that is worth knowing of a GPU in one command of at most 8 minutes: does it paint right, how fast, how large.

    NST_WEIGHTS=… python -m tests.benchmarks.gpu [--json FILE] [--minutes 8] [--small]

On it run the tests that know devices; then steps of both networks (milliseconds, launches, waits of the program for the
device, share of what its data sheet promises), as one graph and without; a run from a cold start, passes of a trained
network, and the peak of memory by size. What the time is up for is left out, and said. --small measures next to
nothing of everything, on a CPU, too, where what only a GPU has is None.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from nst_core.devices import Compute, choose_compute, release_freed_memory
from nst_core.errors import NSTError
from nst_core.graphs import SWITCH
from nst_core.instant.catalogue import open_styles
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures

DEVICE_TESTS = (
    "tests/losses", "tests/features", "tests/instant", "tests/transfer", "tests/test_devices.py",
    "tests/test_graphs.py",
)  # fmt: skip
# What data sheets promise of products in bf16 without sparsity, TFLOP/s; by what stands in a GPU's name.
PEAKS = {"H200": 989, "H100": 989, "A100": 312, "L40S": 362, "L4": 121, "A10G": 70, "4090": 165, "3090": 71}
LAUNCHES = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cuLaunchKernelEx", "cudaGraphLaunch")
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaMemcpy")
NAMED = ("peak", "reserved")  # what of CUDA's memory is told
LOOKS = ("cudaEventSynchronize",)  # waits for what was given before something else


@dataclass(frozen=True)
class Plan:
    """How much of each is measured."""

    sides: tuple[int, ...] = (512, 1024)  # pixels, of squares
    steps: int = 40  # that are timed, after as many as L-BFGS remembers
    cold_side: int = 512
    cold_steps: int = 500
    passes: tuple[tuple[int, int], ...] = ((512, 512), (1080, 1920), (240, 320))  # (height, width); the last a camera's
    repeats: int = 15
    memory: tuple[int, ...] = (512, 1024, 2048, 3072, 4096)  # pixels, of squares
    backbones: tuple[str, ...] = ("lite", "vgg19")
    presets: tuple[str, ...] = ("lab", "studio")
    tests: bool = True


SMALL = Plan(
    sides=(32,), steps=2, cold_side=32, cold_steps=3, passes=((32, 48),), repeats=1, memory=(32,), backbones=("lite",),
    presets=("lab",), tests=False,
)  # fmt: skip


def settle(compute: Compute) -> None:
    """Wait until the device has done all that it was given."""
    if compute.device.startswith("cuda"):
        torch.cuda.synchronize(compute.device)


def painting(backbone: str, preset: str, side: int, compute: Compute, steps: int, optimizer: str = "lbfgs") -> Run:
    """A run at one scale that ends at its last step."""
    config = PRESETS[preset].config.on(backbone).changed(size=side, smallest_scale=0, steps=steps, tolerance=0)
    config = config.changed(optimizer=optimizer, step_size=STEP_SIZES[optimizer])
    return stylize(*pictures(side, side), config, compute=compute)


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
    row |= {"share of peak": None, "kernels": None, "waits": None, "looks": None}
    peak = next((peak for name, peak in PEAKS.items() if name in compute.name), None)
    if peak:
        row["share of peak"] = round(row["tflop"] / (milliseconds / 1e3) / peak, 3)
    if compute.device.startswith("cuda"):
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
            for _ in range(2):
                next(run)
        called = Counter({event.key: event.count for event in profiler.key_averages()})
        for name, keys in (("kernels", LAUNCHES), ("waits", WAITS), ("looks", LOOKS)):
            row[name] = sum(called[key] for key in keys) / 2
    return row


def without_graphs(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Measure something whose steps are launched kernel by kernel."""
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
    command = [sys.executable, "-m", __spec__.name, "cold", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        marks = {line.strip(): round(time.perf_counter() - began, 2) for line in child.stdout or ()}
    if child.returncode:
        raise RuntimeError(f"the cold run ended with {child.returncode}")
    return {"first frame, s": marks["first"], f"{plan.cold_steps} steps, s": marks["last"]}


def cold_run(backbone: str, device: str, precision: str, side: str, steps: str) -> None:
    """Paint, and say when the first and the last frame are there."""
    run = painting(backbone, "lab", int(side), Compute(device=device, precision=precision), int(steps))
    next(run)
    print("first", flush=True)
    for _ in run:
        pass
    print("last", flush=True)


def instant(size: tuple[int, int], compute: Compute, plan: Plan) -> dict[str, Any]:
    """Milliseconds of a pass, whose picture comes back to the CPU."""
    catalogue, (content_image, _) = open_styles(), pictures(*size)
    painter, weights = catalogue.painter(compute), {next(iter(catalogue.styles)): 1.0}
    painter.paint(content_image, weights).cpu()
    taken = []
    for _ in range(plan.repeats):
        began = time.perf_counter()
        painter.paint(content_image, weights).cpu()
        taken.append(time.perf_counter() - began)
    return {"milliseconds": round(1e3 * median(taken), 2)}


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


def parts(plan: Plan, compute: Compute, seconds: float) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Name each thing to be measured, and how, what matters most first."""
    if plan.tests:
        yield "tests", lambda: tests_on_it(compute.device, seconds / 4)
    for side, backbone in product(plan.sides, plan.backbones):
        for preset, optimizer in product(plan.presets, STEP_SIZES):
            name, given = f"step, {backbone}, {preset}, {optimizer}, {side}", (backbone, preset, optimizer, side)
            yield name, lambda given=given: step(*given, compute, plan)
            if compute.device.startswith("cuda"):
                yield f"{name}, no graph", lambda given=given: without_graphs(lambda: step(*given, compute, plan))
    for backbone in plan.backbones:
        yield f"cold, {backbone}, {plan.cold_side}", lambda backbone=backbone: cold(backbone, compute, plan)
    for size in plan.passes:
        yield f"instant, {size[1]}x{size[0]}", lambda size=size: instant(size, compute, plan)
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
    if sys.argv[1:2] == ["cold"]:
        return cold_run(*sys.argv[2:])
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
