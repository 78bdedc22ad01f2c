"""The classroom: its grid of 5×4 against its cells one after another, when the first picture comes, and memory.

    NST_WEIGHTS=… python -m tests.benchmarks.grid [--steps N] [lite] [vgg19]

All of a row are painted on the same device in the same precision. The cells alone are painted before and after the
grid, half of them each time, so that a machine that slows down favours neither. The first picture is the first painted
part of a figure, with its network loaded. Memory is the process's, each measurement in a process of its own.
"""

import argparse
import gc
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import psutil

from nst_core.analysis.figure import FigureMaterial, Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.devices import choose_compute, release_freed_memory
from nst_core.features.loading import load_network
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures

SIDE = 512  # pixels of the pictures as they are given
FIRST = ("content", "style", "grid", "start", "gram")
RATIOS = "1e-5, 1e-4, 1e-3, 1e-2"  # of the grid: four columns
WARM = StyleTransferConfig(size=64, steps=2)  # what a first painting takes for good is no figure's


def material() -> FigureMaterial:
    content_image, style_image = pictures(SIDE * 3 // 4, SIDE)
    return FigureMaterial(contents=(content_image,), styles=(style_image,))


def moments(name: str, backbone: str, steps: int | None = None) -> Iterator[Moment]:
    """A figure with its own settings; the grid without its last column."""
    given = {"backbone": backbone} | ({"steps": steps} if steps else {})
    if name == "grid":
        given["ratios"] = RATIOS
    return FIGURES[name].make(material(), FIGURES[name].settings(given), choose_compute())


def paintings(moment: Moment) -> list[Part]:
    """The parts that are painted: pictures that come along are done from the beginning."""
    return [part for part in moment.parts if part.image is not None and (part.record or not part.done)]


def one_after_another(configs: Sequence[StyleTransferConfig]) -> float:
    """Seconds of paintings, each alone."""
    given, began = material(), time.perf_counter()
    for config in configs:
        for _ in stylize(given.content(), given.style(), config, compute=choose_compute()):
            pass
    return time.perf_counter() - began


def compare(backbone: str, steps: int | None) -> None:
    """A row: the grid, its cells alone, and their ratio."""
    load_network(backbone, choose_compute())
    *_, least = moments("grid", backbone, 1)  # also warms up
    settings = FIGURES["grid"].settings({"steps": steps} if steps else {})
    configs = [part.config.changed(steps=settings["steps"]) for part in paintings(least)]
    before = one_after_another(configs[::2])
    began = time.perf_counter()
    for _ in moments("grid", backbone, steps):
        pass
    grid = time.perf_counter() - began
    alone = before + one_after_another(configs[1::2])
    print(
        f"{backbone:6} {len(configs)} cells, {settings['steps']} steps: grid {grid:6.1f} s, one after another "
        f"{alone:6.1f} s: {grid / alone:.2f} of it",
        flush=True,
    )


def first_picture(name: str, backbone: str) -> float:
    """Seconds from asking for a figure to its first painted part."""
    given, compute = material(), choose_compute()
    settings = FIGURES[name].settings({"backbone": backbone})
    began = time.perf_counter()
    growing = FIGURES[name].make(given, settings, compute)
    while not paintings(next(growing)):
        pass
    seconds = time.perf_counter() - began
    growing.close()
    return seconds


def measure(backbone: str, names: Sequence[str], steps: int) -> None:
    """Print the process's peak over what it was with its network loaded, and what stays after each figure in turn."""
    compute = choose_compute()
    load_network(backbone, compute)
    one_after_another([WARM.on(backbone)])
    process, kept = psutil.Process(), []
    before = process.memory_info().rss
    for name in names:
        for _ in moments(name, backbone, steps):
            pass
        gc.collect()
        release_freed_memory()
        kept.append((process.memory_info().rss - before) / 1e6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    stays = ", ".join(f"{name} {megabytes:+.0f}" for name, megabytes in zip(names, kept, strict=True))
    print(f"{backbone:6} peak {peak / 1e6:5.0f} MB; stays, MB: {stays}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backbones", nargs="*", default=["lite", "vgg19"])
    parser.add_argument("--steps", type=int, help="of each cell; the figure's own by default")
    parser.add_argument("--measure", nargs="+", metavar="FIGURE", help="the memory of these alone")
    options = parser.parse_args()
    ensure_weights()
    if options.measure:
        return measure(options.backbones[0], options.measure, options.steps or 14)
    print(choose_compute())
    for backbone in options.backbones:
        compare(backbone, options.steps)
        firsts = {name: first_picture(name, backbone) for name in FIRST}
        print(f"{backbone:6} first picture: " + ", ".join(f"{name} {at:.2f} s" for name, at in firsts.items()))
        for names in (("grid",), FIRST):
            steps = ["--steps", str(options.steps)] if options.steps else []
            own = [sys.executable, "-m", __spec__.name, backbone, *steps, "--measure", *names]
            subprocess.run(own, check=True)


if __name__ == "__main__":
    main()
