"""Painted video: peak memory at two lengths, frames a second, and flicker and sharpness with and without `steady`.

    python -m tests.benchmarks.video [--seconds 10 20] [--painter starry_night] [--size 640]

The clip is our own photo, panned and zoomed, with a cat that moves across and a sensor's noise, compressed as a camera
would. Each length runs in a process of its own, whose peak is what the operating system saw.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.instant.catalogue import open_styles
from nst_core.instant.steady import Steady, flicker
from nst_core.instant.video import paint_video
from tests.benchmarks.material import ASSETS

WIDTH, HEIGHT, RATE, SOUND_RATE = 640, 360, 25, 44100
FEW = 36  # frames on which flicker is measured


def painter(style: str) -> Callable[[Tensor], Tensor]:
    """One of the styles that come along; "none" for the frames as they are."""
    if style == "none":
        return lambda image: image
    made = open_styles().painter(choose_compute())
    return lambda image: made.paint(image, {style: 1.0})


def frames(count: int) -> Iterator[np.ndarray]:
    """What the camera sees, (HEIGHT, WIDTH, 3) uint8."""
    photo, thing = (
        images.to_bytes(images.load(ASSETS / "photos" / name)) for name in ("china_temple.jpg", "chelsea_cat.jpg")
    )
    thing, noise = cv2.resize(thing, (120, 90), interpolation=cv2.INTER_AREA), np.random.default_rng(0)
    height, width = photo.shape[:2]
    for index in range(count):
        turn = index / RATE
        scale = 1.15 * max(WIDTH / width, HEIGHT / height) * (1 + 0.15 * np.sin(turn / 3))
        x, y = width / 2 + 0.04 * width * np.sin(turn), height / 2 + 0.03 * height * np.cos(0.8 * turn)
        view = np.float32([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
        place = np.float32([[1, 0, (60 + 3.3 * index) % WIDTH - 60], [0, 1, 200 + 20 * np.sin(index / 6)]])
        seen = cv2.warpAffine(photo, view, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        covers = cv2.warpAffine(np.ones(thing.shape[:2], np.float32), place, (WIDTH, HEIGHT))[..., None]
        cat = cv2.warpAffine(thing, place, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
        yield (
            (seen + covers * (cat.astype(np.float32) - seen) + noise.normal(0, 1.5, seen.shape))
            .clip(0, 255)
            .astype(np.uint8)
        )


def make_clip(path: Path, seconds: float) -> None:
    """Write the clip, with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p")
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        each = SOUND_RATE // RATE
        for index, pixels in enumerate(frames(round(seconds * RATE))):
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")))
            wave = np.sin(np.arange(index * each, (index + 1) * each) * 0.06)[None] * 8000
            sound = av.AudioFrame.from_ndarray(wave.astype(np.int16), "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = SOUND_RATE, index * each, Fraction(1, SOUND_RATE)
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def measure(clip: Path, name: str, steady: bool, size: int) -> None:
    """Print the frames painted, the seconds they took, and the process's peak in bytes."""
    begun = time.perf_counter()
    for progress in paint_video(clip, clip.with_suffix(".out.mp4"), painter(name), steady=steady, size=size):
        painted = progress.frame
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(painted, time.perf_counter() - begun, peak)


def sharpness(image: Tensor) -> float:
    """The mean gradient."""
    return float(image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean())


def compare(clip: Path, name: str) -> None:
    """Print flicker and sharpness of the clip's first frames, as painted and steadied, and Steady's own time."""
    paint, steady, spent = painter(name), Steady(), []
    shown, painted, steadied = [], [], []
    with av.open(str(clip)) as container:
        for _, frame in zip(range(FEW), container.decode(video=0), strict=False):
            shown.append(torch.from_numpy(frame.to_ndarray(format="rgb24").transpose(2, 0, 1)[None] / np.float32(255)))
            painted.append(paint(shown[-1]))
            begun = time.perf_counter()
            steadied.append(steady(shown[-1], painted[-1]))
            spent.append(time.perf_counter() - begun)
    for label, found in (("as painted", painted), ("steadied", steadied)):
        flickers = [
            flicker(*pair) for pair in ((*a, *b) for a, b in zip(pairwise(shown), pairwise(found), strict=True))
        ]
        sharp = np.mean([sharpness(each) for each in found[5:]])
        print(f"{label:10} flicker {np.mean(flickers):.4f}   sharpness {sharp:.4f}")
    print(f"Steady takes {1000 * np.median(spent):.0f} ms a frame")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 20], help="lengths of the clip")
    parser.add_argument("--painter", default="starry_night", metavar="STYLE")
    parser.add_argument("--size", type=int, default=WIDTH, help="longest side that is painted, pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            clip = Path(folder) / f"{seconds:g}.mp4"
            make_clip(clip, seconds)
            for steady in (False, True):
                given = [str(clip), options.painter, str(int(steady)), str(options.size)]
                command = [sys.executable, "-m", "tests.benchmarks.video", "--measure", *given]
                count, spent, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                rate = int(count) / float(spent)
                print(
                    f"{seconds:4g} s, steady {steady!s:5}  {rate:5.1f} frames a second  peak {int(peak) / 1e6:.0f} MB",
                    flush=True,
                )
        compare(clip, options.painter)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "1", int(sys.argv[5]))
    else:
        main()
