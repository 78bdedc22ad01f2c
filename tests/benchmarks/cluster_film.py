"""A film by one worker of a cluster and by two: how many times as fast, and whether the frames are the same.

    python -m tests.benchmarks.cluster_film [--nodes 2 --frames 150 --size 160 --style starry_night]

The nodes are on this computer, a CPU and a thread each, beside one that coordinates. Told are seconds by the clock, and
of each worker the frames that it painted and the seconds that a processor was busy for it: the most of one worker says
what the clock would where each has a core of its own. A film before them has the workers begun. Exit code 1: a frame is
missing or another.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.cluster import machines
from nst_core.instant import far_pieces
from nst_core.instant.catalogue import open_styles
from nst_core.instant.palette import PlainRecipe, Strokes, plain_recipe
from nst_core.instant.pieces import Piece
from nst_core.instant.video_by_many import paint_video_by_many
from tests.benchmarks.film_by_many import make_film
from tests.machines import ray_nodes

FRAMES = Counter[int]()  # thread that waits for a worker -> frames that it painted


class Counted(far_pieces.FarPainter):
    """Counts the frames of each worker."""

    def frames(self, piece: Piece) -> Iterator[np.ndarray]:
        for frame in super().frames(piece):
            FRAMES[threading.get_ident()] += 1
            yield frame


def busy() -> dict[int, float]:
    """Processor seconds of every worker of this user that is there, by its process."""
    seconds = {}
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith("ray::Worker"):
            times = process.cpu_times()
            seconds[process.pid] = times.user + times.system
    return seconds


def painted(film: Path, recipe: PlainRecipe, workers: int, steady: bool) -> tuple[list[np.ndarray], float, float]:
    """Paint the film; its frames, seconds by the clock, and those of the worker that was busy for longest."""
    FRAMES.clear()
    before, began = busy(), time.perf_counter()
    run = paint_video_by_many(
        film, film.with_name(f"by_{workers}.mp4"), recipe, workers=workers, machines=machines(), steady=steady
    )
    frames = {one.frame: images.to_bytes(one.image) for one in run if one.image is not None}
    seconds, after = time.perf_counter() - began, busy()
    each = sorted((after[number] - before.get(number, 0.0) for number in after), reverse=True)[:workers]
    told = ", ".join(f"{one:.1f}" for one in each)
    print(f"{workers} workers: {seconds:.1f} s, busy for {told} s, frames {sorted(FRAMES.values())}", flush=True)
    return [frames[number] for number in sorted(frames)], seconds, each[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default="starry_night")
    for name, default in (("nodes", 2), ("frames", 150), ("size", 160)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options, wrong = parser.parse_args(), 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    recipe = plain_recipe(open_styles().painter(choose_compute("cpu")), Strokes({options.style: 1.0}))
    far_pieces.FarPainter = Counted
    with tempfile.TemporaryDirectory() as folder, ray_nodes(options.nodes, OMP_NUM_THREADS="1"):
        film = Path(folder) / "film.mp4"
        cut = make_film(film, options.frames, (options.size * 9 // 32 * 2, options.size))
        print(f"{options.frames} frames of {options.size}×{options.size * 9 // 32 * 2}, a cut at {cut}")
        painted(film, recipe, options.nodes, steady=False)
        for steady in (False, True):
            one, slow, work = painted(film, recipe, 1, steady)
            many, fast, share = painted(film, recipe, options.nodes, steady)
            apart = [np.abs(first.astype(int) - other).mean() for first, other in zip(one, many, strict=True)]
            same = [value == 0 for value in apart]
            load = os.getloadavg()[0]
            print(f"steady {steady}: {slow / fast:.2f} times as fast by the clock, load {load:.0f}, ", end="")
            print(
                f"by the busiest worker {work / share:.2f}; {sum(same)} of {len(same)} frames are the same, "
                f"the most that one differs is {max(apart):.2f} levels on average"
            )
            wrong += options.frames - len(one) + (0 if steady else same.count(False))
    return int(wrong != 0)


if __name__ == "__main__":
    sys.exit(main())
