"""Any style at once: what a picture costs, and how near its style and content are beside the studio's.

    NST_WEIGHTS=… python -m tests.benchmarks.any_style [--pairs PHOTOS PAINTINGS OUT]
        [--sheet FILE --paintings PICTURE …]

Prints seconds of the first picture of a new style (seen, moved, decoded) and of the next one, and the process's peak
over what it was before. With --pairs, for each photo and painting of two folders VGG-19's content and style errors of
one pass, of one pass and a polish of some steps, and of the studio (kept in OUT, so that it can be interrupted), with
their times. With --sheet, this program's photographs in the styles of some pictures, as a JPEG.
"""

import argparse
import resource
import time
from pathlib import Path
from statistics import mean, median

import torch
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.benchmarks.material import ensure_weights
from tests.judge import Judge

SIZE = 512  # pixels
POLISH = (4, 10, 20)  # steps
PASSES = 9
TILE = (240, 180)  # pixels of the sheet's pictures
PHOTOS = ("astronaut", "chelsea_cat", "china_temple", "coffee", "dahlia", "rocket")


def costs() -> None:
    """Seconds of a first and of a next picture, and the peak of memory."""
    photo = images.load(ASSETS / "photos" / "china_temple.jpg")
    style = style_picture(images.load(ASSETS / "styles" / "koi_mosaic.jpg"))
    compute = choose_compute()
    UniversalPainter({"a": style}, compute).paint(images.fit(photo, 64), {"a": 1.0})  # weights are read
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in (256, SIZE, 1024, 2048):
        image, firsts, nexts = images.fit(photo, size), [], []
        for _ in range(PASSES if size <= SIZE else 2):
            painter = UniversalPainter({"a": style}, compute)
            for taken in (firsts, nexts):
                began = time.perf_counter()
                painter.paint(image, {"a": 1.0})
                taken.append(time.perf_counter() - began)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{size:5} px: first {median(firsts):.2f} s, next {median(nexts):.2f} s, peak {peak:.0f} MB", flush=True)


def studio(content: Tensor, style: Tensor, path: Path) -> tuple[Tensor, float]:
    """The studio's painting, and its seconds; painted once."""
    told = path.with_suffix(".txt")
    if not told.exists():
        run = stylize(content, style, PRESETS["studio"].config.on("lite").changed(size=SIZE), compute=choose_compute())
        for _ in run:
            pass
        images.save_png(run.result, path)
        told.write_text(f"{run.seconds}")
    return images.load(path), float(told.read_text())


def polished(content: Tensor, style: Tensor, start: Tensor) -> dict[int, tuple[Tensor, float]]:
    """step -> what the studio makes of a start by then, and the seconds."""
    config = PRESETS["studio"].config.on("lite")
    config = config.changed(size=SIZE, start="image", smallest_scale=0, steps=POLISH[-1])
    run, made = stylize(content, style, config, compute=choose_compute(), start_image=start), {}
    for frame in run:
        if frame.step in POLISH:
            made[frame.step] = frame.image.cpu(), run.seconds
    return made


def pairs(photos: Path, paintings: Path, output: Path) -> None:
    """A line for each pair and way, and for each way the mean of its errors over the studio's."""
    output.mkdir(parents=True, exist_ok=True)
    ratios: dict[str, list[tuple[float, float, float]]] = {}
    for painting in sorted(paintings.glob("*.jpg")):
        style = images.load(painting)
        painter = UniversalPainter({"a": style_picture(style)}, choose_compute())
        for photo in sorted(photos.glob("*.jpg")):
            content = images.load(photo)
            judge = Judge(content, style, SIZE)
            best, whole = studio(content, style, output / f"{photo.stem}-{painting.stem}.png")
            anchor = judge.scores(best)
            began = time.perf_counter()
            quick = painter.paint(images.fit(content, SIZE), {"a": 1.0})
            taken = time.perf_counter() - began
            images.save_png(quick, output / f"{photo.stem}-{painting.stem}-quick.png")
            ways = {"one pass": (quick, taken)}
            for step, (image, seconds) in polished(content, style, quick).items():
                ways[f"{step} steps more"] = image, taken + seconds
            print(f"{photo.stem} × {painting.stem}: studio {anchor[0]:.2f}/{anchor[1]:.3f}", end="")
            for way, (image, seconds) in ways.items():
                found = judge.scores(image)
                ratios.setdefault(way, []).append((found[0] / anchor[0], found[1] / anchor[1], seconds / whole))
                print(f", {way} {found[0]:.2f}/{found[1]:.3f}", end="")
            print(flush=True)
    print("| | content | style | time |\n|---|---|---|---|")
    for way, found in ratios.items():
        print(f"| {way} | {' | '.join(f'{mean(part):.2f}' for part in zip(*found, strict=True))} |")


def sheet(paintings: list[Path], path: Path) -> None:
    """The photographs of this program in the styles of some pictures, a row a style."""
    photos = [images.fit(images.load(ASSETS / "photos" / f"{name}.jpg"), SIZE) for name in PHOTOS]
    rows = [torch.cat([torch.ones(1, 3, TILE[1], TILE[1]), *(images.cover(photo, TILE[::-1]) for photo in photos)], 3)]
    for painting in paintings:
        style = images.load(painting)
        painter = UniversalPainter({"a": style_picture(style)}, choose_compute())
        made = [images.cover(painter.paint(photo, {"a": 1.0}), TILE[::-1]) for photo in photos]
        rows.append(torch.cat([images.cover(style, (TILE[1], TILE[1])), *made], 3))
    images.to_pil(torch.cat(rows, 2)).save(path, quality=80)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=Path, nargs=3, metavar=("PHOTOS", "PAINTINGS", "OUT"))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--paintings", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    keep_freed_memory()
    print(choose_compute(), flush=True)
    if options.sheet:
        sheet(options.paintings, options.sheet)
    elif options.pairs:
        ensure_weights()
        pairs(*options.pairs)
    else:
        costs()


if __name__ == "__main__":
    main()
