"""`augment`: a folder of labelled pictures, painted, as more training data."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from nst_core import images
from nst_core.augment.brushes import Brush, instant_brush, optimizer_brush
from nst_core.augment.folder import augment
from nst_core.augment.labels import INDEX
from nst_core.commands.fetching import fetch
from nst_core.commands.transparency import add_transparency
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError
from nst_core.features.loading import fitting_backbone
from nst_core.instant.catalogue import open_styles
from nst_core.outputs import check_folder
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS

HELP = "paint a labelled folder of pictures, as more training data"

OPTIMIZERS_OWN = ("style_image", "preset", "steps", "backbone", "seed")  # options of no use in one pass
INSTANTS_OWN = ("style", "styles")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take what is painted, by what, how much, and where it goes."""
    parser.add_argument("input", type=Path, metavar="IN", help="a folder with a folder of pictures for each class")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help=f"for the same folders, and {INDEX}"
    )
    parser.add_argument("--by", choices=BRUSHES, help="else by what is named: the optimizer for a --style-image")
    parser.add_argument("--style", nargs="+", metavar="NAME", help="instant: in turn; else all that come along")
    parser.add_argument("--styles", type=Path, metavar="FILE", help="instant: of `train`, in place of those")
    parser.add_argument("--style-image", type=Path, nargs="+", metavar="PICTURE", help="optimizer: in turn")
    parser.add_argument(
        "--strength",
        type=float,
        nargs="+",
        default=[0.5, 1.0],
        metavar="S",
        help="0: the picture as it is, to 1; a painting for each (default 0.5 1)",
    )
    parser.add_argument("--size", type=int, metavar="PIXELS", help="of the longer side; else the picture's or preset's")
    add_transparency(parser)
    parser.add_argument("--preset", choices=PRESETS, help=f"optimizer: recipe (default {PLAIN_PRESET})")
    parser.add_argument("--steps", type=int, help="optimizer: for each painting")
    parser.add_argument("--backbone", choices=SETTINGS["backbone"].choices, help="optimizer: the network that looks")
    parser.add_argument("--seed", type=int, help="optimizer: of the noise")


def run(options: argparse.Namespace) -> None:
    """Paint all, with a progress bar on standard error; what is there already is kept."""
    by = options.by or ("optimizer" if options.style_image else "instant")
    for name in OPTIMIZERS_OWN if by == "instant" else INSTANTS_OWN:
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} says nothing to painting by {by}; leave it out, or set --by")
    check_folder(options.output)
    painting = augment(
        options.input,
        options.output,
        BRUSHES[by](options),
        options.strength,
        keep_transparency=options.keep_transparency,
    )
    with DEVICES.own_job(), DEVICES.stepped(painting) as stepped, tqdm(unit="painting") as bar:
        told = 0
        for progress in stepped:
            bar.total = progress.total
            if progress.entry:
                bar.set_description(f"{progress.entry.file} {progress.share:4.0%}", refresh=False)
            bar.update(progress.done - bar.n)
            for note in progress.notes[told:]:
                bar.write(note, file=sys.stderr)
            told = len(progress.notes)
    print(f"painted {progress.painted}, kept {progress.kept} that were there: {options.output / INDEX}")


def _instant(options: argparse.Namespace) -> Brush:
    return instant_brush(open_styles(options.styles).painter(choose_compute()), options.style or (), options.size)


def _optimizer(options: argparse.Namespace) -> Brush:
    """Change a preset by the options, and fetch its network's weights, as `stylize` does."""
    if not options.style_image:
        raise ConfigError("there is no style picture for the optimizer; name one by --style-image PICTURE")
    compute, preset = choose_compute(), PRESETS[options.preset or PLAIN_PRESET].config
    config = preset.on(options.backbone or fitting_backbone(preset.backbone, compute))
    config = config.changed(size=options.size, steps=options.steps, seed=options.seed)
    style_images = {path.stem: images.load(path) for path in options.style_image}
    if len(style_images) < len(options.style_image):
        raise ConfigError("two style pictures have one name, which the index could not tell apart; rename one")
    fetch(config.backbone)
    return optimizer_brush(style_images, config, compute)


BRUSHES = {"instant": _instant, "optimizer": _optimizer}
