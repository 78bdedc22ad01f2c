"""Paintings to be ranked blind: pairs of photo and style, painted in several ways, laid out without their names.

    NST_WEIGHTS=… python -m tests.benchmarks.blind PAIRS.csv KEPT SHEETS --key KEY.json
        [--size 352] [--on lite] [--only NUMBER …] [--ways WAY …] [--steps WAY=STEPS … | --equal-time]

PAIRS has columns content and style, with paths beside it. KEPT gets NN_WAY.png, the paintings, and seconds.json, how
long a processor took for each; what lies there is not painted again. SHEETS gets NN.png, photo, style and the paintings
under numbers in an order that only KEY tells.

With --equal-time every way has a processor's seconds of `neighbours` with its own steps on the same pair: as many steps
of coarse scales as are foreseen to fit, and of the last scale what fits.
"""

import argparse
import csv
import json
import random
from math import inf
from pathlib import Path
from time import process_time
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nst_core import images
from nst_core.commands.pairs import pair
from nst_core.devices import choose_compute
from nst_core.features.loading import load_network
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import ladder, work_until
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.settings import MAX_STEPS
from nst_core.transfer.stylize import stylize
from nst_core.ui.studio.looks import LOOKS, QUICK_STEPS
from tests.benchmarks.material import ensure_weights

Pair = tuple[Tensor, Tensor]  # a photo and a style, (1, 3, any, any)

MEASURE = "neighbours"  # whose time others have
WAYS = (MEASURE, "studio", "quick", "crowson", "blend")
COARSER = 2**-0.5  # of the size, to which neighbours' painting is brought for a blend
COLUMNS = 4  # of a sheet
CAPTION = 34  # pixels above each picture


def config_of(way: str, size: int, backbone: str, steps: dict[str, float]) -> StyleTransferConfig:
    """Give what a way paints by; of the blend, by what it ends."""
    quick = next(look for look in LOOKS if look.name == "quick")
    config = {
        "quick": quick.config(backbone),
        "blend": PRESETS["studio"].config.changed(start="image", smallest_scale=0, steps=QUICK_STEPS),
    }.get(way) or PRESETS[way].config
    config = config.on(backbone).changed(size=size)
    return with_steps(config, int(steps[way])) if way in steps else config


def with_steps(config: StyleTransferConfig, steps: int) -> StyleTransferConfig:
    """Give a config other steps, and an average over as large a part of them."""
    longer = steps / config.steps
    return config.changed(steps=steps, averaging=config.averaging and max(0.0, 1 - (1 - config.averaging) / longer))


def filling(config: StyleTransferConfig, both: Pair) -> StyleTransferConfig:
    """Give a config as many steps as are foreseen to take MEASURE's time, and its last scale no end."""
    measure = config_of(MEASURE, config.size, config.backbone, {})
    steps = max(1, round(config.steps * work_of(measure, both) / work_of(config, both)))
    return with_steps(config, steps).changed(tolerance=0, last_step=MAX_STEPS)


def work_of(config: StyleTransferConfig, both: Pair) -> float:
    """Foresee the work of a painting, in steps at its full size."""
    content, style = map(images.size_of, both)
    return work_until(ladder(config, content, [style]), config.steps)


def painted(way: str, both: Pair, name: str, options: argparse.Namespace, limit: float) -> Tensor:
    """Paint a pair in one of WAYS, in a processor's seconds at most.

    A blend is neighbours, whose last scale is painted anew by half Wasserstein distances. Its start is the painting by
    neighbours, made as small as the scale before, or where there is a limit painted so small.
    """
    began, coarser, start = process_time(), round(options.size * COARSER), None
    if way == "blend" and limit < inf:
        start = completed(both, config_of("neighbours", coarser, options.on, {}))
    elif way == "blend":
        start = images.fit(images.load(options.kept / f"{name}_neighbours.png"), coarser)
    config = config_of(way, options.size, options.on, dict(options.steps))
    return completed(both, filling(config, both) if limit < inf else config, start, end=began + limit)


def completed(both: Pair, config: StyleTransferConfig, start: Tensor | None = None, *, end: float = inf) -> Tensor:
    """Paint all steps, or until the processor's time on the last scale."""
    run = stylize(*both, config, start_image=start, compute=choose_compute())
    for frame in run:
        if process_time() >= end and frame.scale[0] == frame.scale[1]:
            break
    print(f"{run.last_frame.step} steps", end=", ", flush=True)
    return run.result


def sheet(pictures: list[Image.Image], side: int) -> Image.Image:
    """Lay out photo, style and numbered paintings."""
    captions = ["photo", "style", *(str(number) for number in range(1, len(pictures) - 1))]
    rows = -(-len(pictures) // COLUMNS)
    height = CAPTION + max(picture.height for picture in pictures)
    made = Image.new("RGB", (COLUMNS * (side + 8), rows * height), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(26)
    for place, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        left, top = place % COLUMNS * (side + 8), place // COLUMNS * height
        draw.text((left + 4, top), caption, fill="black", font=font)
        made.paste(picture, (left, top + CAPTION))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.blind")
    for name in ("pairs", "kept", "sheets"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--size", type=int, default=352)
    parser.add_argument("--on", choices=BACKBONES, default="lite")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="of pairs, from 0; else all")
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--steps", type=pair, nargs="+", default=[], metavar="WAY=STEPS", help="other than its own")
    how_long.add_argument("--equal-time", action="store_true", help=f"that of {MEASURE}")
    options = parser.parse_args()
    if options.equal_time and MEASURE not in options.ways:
        parser.error(f"--equal-time is that of {MEASURE}; name it among the ways")
    ensure_weights()
    options.kept.mkdir(parents=True, exist_ok=True)
    options.sheets.mkdir(parents=True, exist_ok=True)
    load_network(options.on, choose_compute())  # in nobody's time
    key = read(options.key)
    with options.pairs.open(newline="") as file:
        paths = [[options.pairs.parent / row[name] for name in ("content", "style")] for row in csv.DictReader(file)]
    for number in range(len(paths)) if options.only is None else options.only:
        name, (content, style) = f"{number:02}", map(images.load, paths[number])
        for way in sorted(options.ways, key=WAYS.index):  # those first of which others are made
            keep(way, (content, style), name, options)
        if set(key.get(name, ())) != set(options.ways):
            key[name] = random.sample(options.ways, len(options.ways))
        shown = [images.to_pil(images.fit(image, options.size)) for image in (content, style)]
        files = [options.kept / f"{name}_{way}.png" for way in key[name]]
        sheet([*shown, *map(Image.open, files)], options.size).save(options.sheets / f"{name}.png")
        options.key.write_text(json.dumps(key, indent=1))


def keep(way: str, both: Pair, name: str, options: argparse.Namespace) -> None:
    """Paint a pair in a way, unless it is there, and write how long that took a processor."""
    path, times = options.kept / f"{name}_{way}.png", options.kept / "seconds.json"
    if path.exists():
        return
    seconds = read(times)
    limit = seconds[f"{name}_{MEASURE}"] if options.equal_time and way != MEASURE else inf
    print(path.name, end=": ", flush=True)
    began = process_time()
    picture = painted(way, both, name, options, limit)
    seconds[path.stem] = round(process_time() - began, 2)
    print(f"{seconds[path.stem]} s", flush=True)
    images.save_png(picture, path)
    times.write_text(json.dumps(seconds, indent=1))


def read(path: Path) -> dict[str, Any]:
    """Read what is in a JSON file, if it is there."""
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    main()
