"""A film by several workers: how many times as fast as by one, and how far its frames are from the one's.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.film_by_many [--workers 2 --frames 480 --size 320 --style starry_night]

The film pans over our own photos, the first for two thirds of its frames. It is painted by the command, each worker
with as many threads as OMP_NUM_THREADS says; what the command takes to start is told, too, and the seconds that
processors were busy, which say what the clock would where each worker has a core of its own. Exit code 1: a frame is
missing, or one after a cut differs.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from nst_core import images
from nst_core.instant.brush import BrushRecipe
from nst_core.instant.film import Film, plan_of
from nst_core.instant.pieces import LEAD, FilmJob, Piece, paint_piece
from tests.benchmarks.material import ASSETS

RATE = 25
PHOTOS = ("china_temple.jpg", "chelsea_cat.jpg")
PROBED = 24  # frames after a seam that are compared


def make_film(path: Path, frames: int, size: tuple[int, int]) -> int:
    """Write the film; the frame with which its second scene begins."""
    cut, (height, width) = 2 * frames // 3, size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, width=width, height=height, pix_fmt="yuv420p")
        for number in range(frames):
            photo = images.to_bytes(images.load(ASSETS / "photos" / PHOTOS[number >= cut], max_side=2 * width))
            scale = 1.3 * max(width / photo.shape[1], height / photo.shape[0])
            x, y = (
                photo.shape[1] * (0.5 + 0.1 * np.sin(number / 40)),
                photo.shape[0] * (0.5 + 0.1 * np.cos(number / 30)),
            )
            view = np.float32([[scale, 0, width / 2 - scale * x], [0, scale, height / 2 - scale * y]])
            seen = cv2.warpAffine(photo, view, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(seen, "rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return cut


def painted(film: Path, workers: int, style: str) -> tuple[float, float, Path]:
    """Paint the film by the command; seconds by the clock and by processors, and what came of it."""
    output = film.with_name(f"by_{workers}.mp4")
    command = [sys.executable, "-m", "nst_core", "instant", str(film), "-o", str(output), "--style", style, "--steady"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--workers", str(workers)], check=True, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output


def started() -> float:
    """Seconds that the command takes to start."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "nst_core", "instant", "--list"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def count(path: Path) -> int:
    with closing(Film(path)) as opened:
        return sum(1 for _ in opened.frames())


def seams(film: Path, cut: int, style: str) -> tuple[list[float], list[int]]:
    """How the frames after a seam within a scene, and after a cut, differ from those of the whole: mean, most."""
    job = FilmJob(film, plan_of(film, None), BrushRecipe({style: 1.0}), steady=True)
    first = cut - PROBED
    begin = max(0, first - 4 * LEAD)
    whole = list(paint_piece(job, Piece(begin, first, cut + PROBED)))
    apart = [
        np.abs(one.astype(int) - other)
        for piece in (Piece(first - LEAD, first, cut), Piece(cut, cut, cut + PROBED))
        for one, other in zip(paint_piece(job, piece), whole[piece.first - first :], strict=False)
    ]
    return [float(each.mean()) for each in apart], [int(each.max()) for each in apart]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default="starry_night")
    for name, default in (("workers", 2), ("frames", 480), ("size", 320), ("rounds", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        cut = make_film(film, options.frames, (options.size * 9 // 32 * 2, options.size))
        print(f"{options.frames} frames of {options.size}×{options.size * 9 // 32 * 2}, a cut at {cut}")
        missing, times, work = 0, {1: 0.0, options.workers: 0.0}, {1: 0.0, options.workers: 0.0}
        for _ in range(options.rounds):
            start = started()
            for workers in times:
                seconds, busy, output = painted(film, workers, options.style)
                times[workers] += seconds
                work[workers] += busy
                missing += options.frames - count(output)
                print(
                    f"{workers} workers: {seconds:.1f} s, {busy:.1f} s of processors (a start {start:.1f} s)",
                    flush=True,
                )
        ratio, share = times[1] / times[options.workers], work[1] / work[options.workers]
        print(f"{ratio:.2f} times as fast by the clock; with a core each {share * options.workers:.2f} times")
        means, most = seams(film, cut, options.style)
        print(f"after twelve frames of lead: {means[0]:.3f} levels on average, at most {most[0]}; ", end="")
        print(f"after {PROBED} more {means[PROBED - 1]:.3f}, {most[PROBED - 1]}; after a cut {max(most[PROBED:])}")
    return int(missing != 0 or max(most[PROBED:]) != 0)


if __name__ == "__main__":
    sys.exit(main())
