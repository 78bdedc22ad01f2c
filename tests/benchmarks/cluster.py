"""Twelve paint on a cluster of three nodes, one of which is killed: what Ray costs, and whether each has its own.

    python -m tests.benchmarks.cluster [--pages 12 --size 192 --steps 40 --kill-after 25]

The nodes are on this computer, a CPU each, beside one that coordinates. First a painting of 256 pixels, without a page:
what of its time is not computing, here and there. Then pages of `app.py` paint `studio` on Lite side by side, and their
PNGs are painted again here by their records, to compare pixels; then once more, with a node killed meanwhile. Exit code
1: somebody was not served or has other pixels, or Ray costs 3 % or more.
"""

import argparse
import asyncio
import io
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.begin import begin
from nst_core.engine.devices import DEVICES
from nst_core.engine.worker import Material
from nst_core.instant.catalogue import open_styles
from nst_core.instant.easel import Turn
from nst_core.instant.nearby import nearby
from nst_core.instant.palette import Strokes, plain_recipe
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord, read_record
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from tests.benchmarks.crowd import CONTENT, STYLE, failures, page, pixels
from tests.benchmarks.siege.server import serving
from tests.benchmarks.siege.talk import Talk
from tests.benchmarks.siege.visitor import Painted
from tests.machines import ray_nodes

NODES = 3
MOST_COST = 3.0  # percent
LOST = re.compile(r"was lost at step (\d+): painted on from step (\d+)")


def beside(run: Run, steps: int) -> float:
    """Percent of a painting's time that is not its computing, from its second frame to its last."""
    with DEVICES.own_job(), DEVICES.stepped(run) as frames:
        next(frames)
        began, computed, shown = time.perf_counter(), run.seconds, 0
        for frame in frames:
            shown += 1
            if frame.step == steps:
                break
        seconds, computed = time.perf_counter() - began, run.seconds - computed
    percent = 100 * (seconds - computed) / computed
    print(f"256 pixels, {steps} steps: {seconds:.1f} s, {shown / seconds:.1f} frames/s, {percent:.1f} % not computing")
    return percent


def cost(steps: int) -> float:
    """Percent by which a painting takes longer on the cluster than it computes, beyond those that it does here."""
    import ray

    material = Material(images.load(CONTENT), [images.load(STYLE)])
    config = PRESETS["studio"].config.on("lite").changed(size=256, smallest_scale=0, steps=steps, tolerance=0)
    round_trip(100)
    here = beside(material.begun(config), steps)
    there = beside(begin(material, config), steps)
    ray.shutdown()
    return there - here


def round_trip(frames: int) -> None:
    """Print what a camera's frame of 480×360 costs beside its painting: by a worker that gives it back as it is."""
    worker, image = nearby(), images.resize(images.load(CONTENT), (360, 480))
    recipe = plain_recipe(open_styles().painter(choose_compute("cpu")), Strokes({"starry_night": 1.0}, strength=0.0))
    if not worker or not worker.found(60):
        print("no worker near by")
        return
    took, busy = list[float](), time.process_time()
    for number in range(frames):
        began = time.perf_counter()
        asked = worker.frame(recipe, image, Turn("camera", number))
        if asked and asked.answer.result():
            took.append(time.perf_counter() - began)
    middle, busy = 1000 * statistics.median(took), 1000 * (time.process_time() - busy) / frames
    print(f"{len(took)} frames there and back: {middle:.1f} ms, of which this process is busy for {busy:.1f}")


async def crowd(talk: Talk, options: argparse.Namespace, first_seed: int) -> list[Painted]:
    """Pages that paint side by side, a seed each; those that were served."""
    began = time.monotonic()
    seeds = range(first_seed, first_seed + options.pages)
    painted, wrong = await failures([page(talk, seed, options.size, options.steps) for seed in seeds])
    seconds, frames = time.monotonic() - began, sum(one.frames for one in painted)
    print(
        f"{len(painted)} of {options.pages} pages painted in {seconds:.1f} s, {frames / seconds:.1f} frames/s",
        flush=True,
    )
    for error in wrong:
        print(f"wrong: {type(error).__name__}: {error}")
    return painted


def records(painted: list[Painted], folder: Path) -> list[RunRecord]:
    """What the PNGs say of themselves."""
    found = []
    for one in painted:
        (folder / "painted.png").write_bytes(one.png)
        found.append(read_record(folder / "painted.png"))
    return found


def same(painted: list[Painted], told: list[RunRecord]) -> int:
    """How many have the pixels that their record's settings paint here."""
    count = 0
    for one, record in zip(painted, told, strict=True):
        side = images.read_side(record.config.size)
        pictures = images.load(CONTENT, max_side=side), images.load(STYLE, max_side=side)
        run = stylize(*pictures, record.config, compute=choose_compute(precision="fp32"))
        for _ in run:
            pass
        buffer = io.BytesIO()
        images.to_pil(run.result).save(buffer, "PNG")
        count += Image.open(buffer).tobytes() == pixels(one.png)
    return count


async def served(options: argparse.Namespace, kill: Callable[[str], None]) -> bool:
    """Both crowds; whether all is well."""
    names = ("NST_CLUSTER", "NST_PRECISION", "NST_WEIGHTS")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    with TemporaryDirectory() as folder:
        async with serving(**variables, NST_MAX_SECONDS="inf") as (_, talk):
            painted = await crowd(talk, options, 0)

            async def killing() -> None:
                await asyncio.sleep(options.kill_after)
                await asyncio.to_thread(kill, "")
                print("a node was killed", flush=True)

            more, _ = await asyncio.gather(crowd(talk, options, 1000), killing())
        told = records([*painted, *more], Path(folder))
    again = 0.0
    for record in told:
        for note in record.notes:
            if found := LOST.search(note):
                again = max(again, (int(found[1]) - int(found[2])) * record.seconds / record.steps)
    lost = sum(any(LOST.search(note) for note in record.notes) for record in told)
    print(f"{lost} paintings lost their machine; made again of one: {again:.1f} s of work at most")
    own, equal = len({pixels(one.png) for one in [*painted, *more]}), same([*painted, *more], told)
    print(f"{own} different pictures, {equal} of {2 * options.pages} with the same pixels as here")
    return own == equal == 2 * options.pages and lost > 0 and again < 5.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pages", 12), ("size", 192), ("steps", 40), ("kill-after", 25), ("alone", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with ray_nodes(NODES, OMP_NUM_THREADS=os.environ.setdefault("OMP_NUM_THREADS", "1")) as kill:
        percent = cost(options.alone)
        fine = asyncio.run(served(options, kill))
    return 0 if fine and percent < MOST_COST else 1


if __name__ == "__main__":
    sys.exit(main())
