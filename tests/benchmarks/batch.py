"""A night's batch: the same folder however often it is killed, and what its list costs.

    python -m tests.benchmarks.batch [--contents 200 --styles 5 --kills 2 --paths 100000]

Paints photographs, three of them broken, in one pass at 96 pixels: undisturbed, then killed with -9 and started again.
Then goes through very many paths with a painter that paints nothing. Exit code 1: the folders differ.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from nst_core.assets import ASSETS
from nst_core.batch.batch import paint_batch
from nst_core.batch.report import REPORT
from nst_core.batch.tasks import pairs
from nst_core.batch.ways import Instant, Stroke
from nst_core.instant.catalogue import open_styles

SIZE, BROKEN = 96, 3
FEW = 50  # paintings after which it is killed


def photographs(folder: Path, count: int) -> list[Path]:
    """So many names of the photographs that came along, some of them broken."""
    folder.mkdir()
    own = sorted((ASSETS / "photos").glob("*.jpg"))
    for number in range(count):
        name = folder / f"{number:06}.jpg"
        name.write_bytes(own[number % len(own)].read_bytes())
    for number in range(BROKEN):
        broken = folder / f"{count - 1 - 7 * number:06}.jpg"
        broken.unlink()
        broken.write_text("no picture")
    return sorted(folder.iterdir())


def begun(photos: Path, styles: list[str], output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "nst_core", "batch", str(photos), "--styles", *styles, "-o", str(output)]
    more = ["--by", "instant", "--size", str(SIZE)]
    return subprocess.Popen([*command, *more], cwd=ASSETS.parent, stderr=subprocess.DEVNULL)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def killed(options: argparse.Namespace, folder: Path) -> bool:
    photos, styles = folder / "photos", [*open_styles(None).styles][: options.styles]
    photographs(photos, options.contents)
    began = time.monotonic()
    begun(photos, styles, folder / "whole").wait()
    print(f"undisturbed: {len(contents(folder / 'whole'))} paintings in {time.monotonic() - began:.0f} s", flush=True)
    cut = folder / "cut"
    for kill in range(1, options.kills + 1):
        process = begun(photos, styles, cut)
        while process.poll() is None and (not cut.exists() or len(os.listdir(cut)) < kill * FEW):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"killed: {len(os.listdir(cut))} files")
    begun(photos, styles, cut).wait()
    same = contents(folder / "whole") == contents(cut)
    failed = (cut / REPORT).read_text().count(",failed,")
    print(f"then {len(contents(cut))} paintings, {'the same' if same else 'NOT the same'}; {failed} named as failed")
    return same and failed == BROKEN * len(styles)


def many(options: argparse.Namespace, folder: Path) -> None:
    """What the list holds in memory, when nothing is painted."""
    own = psutil.Process()

    def dry(task, path):
        yield Stroke(1.0)

    before, began = own.memory_info().rss, time.monotonic()
    contents = [Path(f"/somewhere/{number // 1000:03}/{number:06}.jpg") for number in range(options.paths)]
    tasks = pairs(contents, ["waves"], Instant(), folder / "dry")
    held = (own.memory_info().rss - before) / 1e6
    print(f"{len(tasks)} tasks listed in {time.monotonic() - began:.1f} s: {held:.0f} MB")
    for progress in paint_batch(tasks, folder / "dry", dry):
        if progress.result and progress.done % (options.paths // 5) == 0:
            held, seconds = own.memory_info().rss / 1e6, time.monotonic() - began
            print(f"{progress.done}: {held:.0f} MB, {seconds:.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("contents", 200), ("styles", 5), ("kills", 2), ("paths", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        same = killed(options, Path(folder))
        many(options, Path(folder))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
