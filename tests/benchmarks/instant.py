"""One pass of a trained network against 300 steps of the optimiser, and what a pass costs in time and memory.

    NST_WEIGHTS=… python -m tests.benchmarks.instant [lite] [vgg19]
    python -m tests.benchmarks.instant sheet FILE.jpg

Johnson et al. (2016) claim three orders of magnitude, Tran and Nguyen about 300. Both paint the same pictures at
256×256 on the same device in the same precision; passes are medians, taken before and after the optimiser. Memory is
the process's peak over what it was before the first pass, each size in its own process. The sheet shows PHOTOS in every
style that comes along.
"""

import resource
import subprocess
import sys
import time
from statistics import median

import psutil
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.instant.catalogue import open_styles
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures

STEPS = 300
PASSES = 15
SIZES = ((256, 256), (512, 512), (1024, 1024), (2731, 4096), (4000, 6000))  # (height, width); the last two in strips
PHOTOS = ("coffee", "china_temple", "chelsea_cat")
PAINTED_SIDE = 512  # pixels
TILE, GAP, CAPTION = (200, 300), 4, 24  # (height, width) of a sheet's pictures; between them; above them


def passes(height: int, width: int, count: int) -> list[float]:
    """Seconds of some passes, the first left out."""
    catalogue, (content_image, _) = open_styles(), pictures(height, width)
    painter, weights = catalogue.painter(choose_compute()), {next(iter(catalogue.styles)): 1.0}
    painter.paint(content_image, weights)
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        painter.paint(content_image, weights)
        taken.append(time.perf_counter() - began)
    return taken


def optimised(backbone: str) -> float:
    """Seconds of the optimiser's steps, its network loaded and its targets computed."""
    config = PRESETS["lab"].config.on(backbone).changed(size=256, steps=STEPS)
    run = stylize(*pictures(256, 256), config, compute=choose_compute())
    for _ in run:
        pass
    return run.seconds


def compare(backbone: str) -> None:
    """A row: both, and how many times faster one pass is."""
    before = passes(256, 256, PASSES)
    seconds = optimised(backbone)
    one = median(before + passes(256, 256, PASSES))
    print(
        f"{backbone:6} {STEPS} steps {seconds:6.2f} s, one pass {one * 1e3:6.1f} ms: {seconds / one:5.0f} times",
        flush=True,
    )


def measure(height: int, width: int) -> None:
    """Print median milliseconds and the peak of memory in megabytes."""
    pictures(height, width)
    before = psutil.Process().memory_info().rss
    taken = passes(height, width, 5 if height * width < 2**21 else 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    print(f"{width}×{height}: {median(taken) * 1e3:8.0f} ms {peak / 1e6:7.0f} MB", flush=True)


def sheet(path: str) -> None:
    """Lay out the photographs as they are and in every style, two groups a row, each under its name."""
    catalogue = open_styles()
    painter = catalogue.painter(choose_compute())
    photos = [images.fit(images.load(ASSETS / "photos" / f"{name}.jpg"), PAINTED_SIDE) for name in PHOTOS]
    groups: dict[str, list[Tensor]] = {"photographs": photos}
    for name in catalogue.styles:
        groups[name.replace("_", " ")] = [painter.paint(photo, {name: 1.0}) for photo in photos]
    height, width = TILE[0] + CAPTION, len(PHOTOS) * (TILE[1] + GAP) + 2 * GAP
    made = Image.new("RGB", (2 * width, -(-len(groups) // 2) * height), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(17)
    for place, (name, pictures_of) in enumerate(groups.items()):
        left, top = place % 2 * width, place // 2 * height
        draw.text((left + 2, top + 1), name, fill="black", font=font)
        for column, picture in enumerate(pictures_of):
            made.paste(images.to_pil(images.cover(picture, TILE)), (left + column * (TILE[1] + GAP), top + CAPTION))
    made.save(path, quality=80)


def main() -> None:
    if sys.argv[1:2] == ["sheet"]:
        return sheet(sys.argv[2])
    ensure_weights()
    keep_freed_memory()
    if sys.argv[1:2] == ["measure"]:
        return measure(*map(int, sys.argv[2:]))
    print(choose_compute())
    for backbone in sys.argv[1:] or ["lite", "vgg19"]:
        compare(backbone)
    for size in SIZES:
        subprocess.run([sys.executable, "-m", __spec__.name, "measure", *map(str, size)], check=True)


if __name__ == "__main__":
    main()
