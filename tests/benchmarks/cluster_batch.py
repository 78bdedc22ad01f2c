"""Very many paths through a cluster's batch: how fast they go, and what the program that asks for them holds meanwhile.

    python -m tests.benchmarks.cluster_batch [--paths 100000 --nodes 2]

The nodes are on this computer, a CPU each, beside one that coordinates. Contents are hard links of the photographs that
came along, and who paints links each to its painting's name, so that all but painting is as in a night's batch. Exit
code 1: a painting is missing, this process held more than 1.5 GB, or from the first tenth on it grew by more than 5 %.
"""

import argparse
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from nst_core.assets import ASSETS
from nst_core.batch.on_cluster import paint_on_cluster
from nst_core.batch.tasks import Task, pairs
from nst_core.batch.ways import Instant, Paint, Stroke
from tests.machines import ray_nodes

MOST_BYTES, MOST_GROWTH = 1.5e9, 1.05
FOLDER = 1000  # files of one


def linked(folder: Path, count: int) -> list[Path]:
    """So many names of the photographs that came along."""
    own = sorted((ASSETS / "photos").glob("*.jpg"))
    first = [folder / photo.name for photo in own]
    for photo, copy in zip(own, first, strict=True):
        copy.write_bytes(photo.read_bytes())
    made = [folder / f"{number // FOLDER:03}" / f"{number:06}.jpg" for number in range(count)]
    for number, path in enumerate(made):
        path.parent.mkdir(exist_ok=True)
        os.link(first[number % len(first)], path)
    return made


def linking() -> Paint[Instant]:
    """What paints nothing: its picture's file is the painting, too."""

    def paint(task: Task[Instant], path: Path) -> Generator[Stroke, None, None]:
        os.link(task.content, path)
        yield Stroke(1.0)

    return paint


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("paths", 100_000), ("nodes", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options, own, held = parser.parse_args(), psutil.Process(), list[int]()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with TemporaryDirectory() as made, ray_nodes(options.nodes):
        folder, output = Path(made), Path(made) / "out"
        tasks = pairs(linked(folder, options.paths), ["waves"], Instant(), output)
        began, tenth = time.monotonic(), max(1, options.paths // 10)
        for progress in paint_on_cluster(tasks, output, linking):
            if progress.done and progress.done % tenth == 0:
                held.append(own.memory_info().rss)
                seconds, busy = time.monotonic() - began, sum(own.cpu_times()[:2])
                print(
                    f"{progress.done}: {held[-1] / 1e6:.0f} MB, {seconds:.0f} s, {busy:.0f} s of a processor here",
                    flush=True,
                )
        painted = sum((output / task.file).is_file() for task in tasks)
    print(f"{painted} of {len(tasks)} painted, {progress.failed} failed; {max(held) / 1e6:.0f} MB at most")
    return int(painted < len(tasks) or max(held) > MOST_BYTES or max(held) > MOST_GROWTH * held[0])


if __name__ == "__main__":
    sys.exit(main())
