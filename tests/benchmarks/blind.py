"""Paintings to be ranked blind: pairs of photo and style, painted in several ways, laid out without their names.

    NST_WEIGHTS=… python -m tests.benchmarks.blind PAIRS.csv KEPT SHEETS --key KEY.json
        [--size 352] [--on lite] [--only NUMBER …] [--ways WAY …] [--steps WAY=STEPS …]

PAIRS has columns content and style, with paths beside it. KEPT gets NN_WAY.png, the paintings, and what lies there is
not painted again; SHEETS gets NN.png, photo, style and the paintings under numbers in an order that only KEY tells.
"""

import argparse
import csv
import json
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nst_core import images
from nst_core.commands.pairs import pair
from nst_core.devices import choose_compute
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from nst_core.ui.studio.looks import LOOKS, QUICK_STEPS
from tests.benchmarks.material import ensure_weights

WAYS = ("studio", "neighbours", "quick", "crowson", "blend")
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
    if way not in steps:
        return config
    shorter = steps[way] / config.steps  # and so is the average over the last of them
    return config.changed(steps=int(steps[way]), averaging=config.averaging and 1 - (1 - config.averaging) / shorter)


def painted(way: str, both: tuple[Tensor, Tensor], name: str, options: argparse.Namespace) -> Tensor:
    """Paint a pair in one of WAYS: blend is neighbours, whose last scale is painted anew by half Wasserstein distances.

    Its start is the painting by neighbours, made as small as the scale before.
    """
    start = None
    if way == "blend":
        start = images.fit(images.load(options.kept / f"{name}_neighbours.png"), round(options.size * COARSER))
    config = config_of(way, options.size, options.on, dict(options.steps))
    run = stylize(*both, config, start_image=start, compute=choose_compute())
    for _ in run:
        pass
    print(f"{run.seconds:.0f} s", flush=True)
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
    parser.add_argument("--steps", type=pair, nargs="+", default=[], metavar="WAY=STEPS", help="other than its own")
    options = parser.parse_args()
    ensure_weights()
    options.kept.mkdir(parents=True, exist_ok=True)
    options.sheets.mkdir(parents=True, exist_ok=True)
    key: dict[str, list[str]] = json.loads(options.key.read_text()) if options.key.exists() else {}
    with options.pairs.open(newline="") as file:
        paths = [[options.pairs.parent / row[name] for name in ("content", "style")] for row in csv.DictReader(file)]
    pairs = [[images.load(path) for path in both] for both in paths]
    for number in range(len(pairs)) if options.only is None else options.only:
        name, (content, style) = f"{number:02}", pairs[number]
        for way in options.ways:
            path = options.kept / f"{name}_{way}.png"
            if not path.exists():
                print(path.name, end=": ", flush=True)
                images.save_png(painted(way, (content, style), name, options), path)
        if set(key.get(name, ())) != set(options.ways):
            key[name] = random.sample(options.ways, len(options.ways))
        shown = [images.to_pil(images.fit(image, options.size)) for image in (content, style)]
        files = [options.kept / f"{name}_{way}.png" for way in key[name]]
        sheet([*shown, *map(Image.open, files)], options.size).save(options.sheets / f"{name}.png")
        options.key.write_text(json.dumps(key, indent=1))


if __name__ == "__main__":
    main()
