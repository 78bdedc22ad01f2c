"""`train`: a network that paints in some styles in one pass, or decoders for any style, from a folder of photos."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor
from tqdm import tqdm

from nst_core import images
from nst_core.commands.fetching import fetch
from nst_core.commands.pairs import pair
from nst_core.commands.pictures import files_in, pictures_below
from nst_core.devices import choose_compute
from nst_core.engine.begin import made_at
from nst_core.engine.cluster import machines
from nst_core.engine.devices import DEVICES, Closable
from nst_core.errors import ConfigError, ImageError, OutputError, listed, said
from nst_core.features import weights
from nst_core.features.vgg import BACKBONES
from nst_core.instant.decoder_trainer import DecoderRecipe
from nst_core.instant.lesson import QUICK, add_style
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.train import train
from nst_core.instant.train_decoders import train_decoders
from nst_core.instant.trainer import TrainingProgress
from nst_core.outputs import check_apart, check_distinct, check_network, check_output

HELP = "train a network that paints in styles of your own in one pass"


DECODERS = ("steps", "batch", "crop", "seed")  # settings that a training of decoders has, too

# Option -> (setting of the recipe, what it is).
NUMBERS = {
    "--steps": ("steps", "updates"),
    "--batch": ("batch", "crops an update"),
    "--crop": ("crop", "pixels of a crop's side"),
    "--width": ("width", "channels of the first convolution"),
    "--style-size": ("style_size", "pixels of a style picture's longer side: the more, the larger the strokes"),
    "--content-weight": ("content_weight", "how much the photograph counts"),
    "--style-weight": ("style_weight", "how much the style counts"),
    "--tv": ("tv_weight", "total variation weight"),
    "--seed": ("seed", "of all that is drawn"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take the pictures, where the network goes, and the recipe."""
    parser.add_argument(
        "--styles", type=Path, nargs="+", metavar="PICTURE", help="a folder, or pictures; each is named after its file"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="photographs, 1000 or more")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the safetensors file to write")
    parser.add_argument("--add-style", type=Path, metavar="PICTURE", help="one more style, named after its file")
    parser.add_argument("--again", action="store_true", help="learn a style of that name, which the file has, further")
    parser.add_argument("--to", type=Path, metavar="FILE", help="the file of styles that it is added to")
    parser.add_argument("--decoders", action="store_true", help="train what `instant` paints any picture's style with")
    parser.add_argument("--preview", type=Path, metavar="PNG", help="keep there what the network paints by now")
    parser.add_argument(
        "--backbone", choices=BACKBONES, default=TrainingRecipe.backbone, help="what judges the paintings"
    )
    for option, (setting, what) in NUMBERS.items():
        default, added = getattr(TrainingRecipe, setting), getattr(QUICK, setting)
        more = f", to add one {added}" if added != default else ""
        help = f"{what} (default {default}{more})"
        parser.add_argument(option, type=type(default), metavar="NUMBER", dest=setting, help=help)
    parser.add_argument(
        "--style-factor", type=pair, action="append", default=[], metavar="NAME=FACTOR", help="of one style's weight"
    )


def run(options: argparse.Namespace) -> None:
    """Train, in the one way that the options ask for."""
    _way_of(options)(options)


def _way_of(options: argparse.Namespace) -> Callable[[argparse.Namespace], None]:
    asked = [option for option in WAYS if _given(options, option)]
    if len(asked) != 1:
        usage = " or ".join(f"{way.usage} {way.target} FILE" for way in WAYS.values())
        raise ConfigError(f"{' and '.join(asked) or 'nothing'} is to be trained; give {usage}")
    (option,) = asked
    own = WAYS[option].target
    if not _given(options, own):
        raise ConfigError(f"{option} is given without {own}; name the file to write by {own} FILE")
    if _given(options, "--again") and option != "--add-style":
        raise ConfigError("--again is given without --add-style; leave it out")
    for other, way in WAYS.items():
        if way.target != own and _given(options, way.target):
            raise ConfigError(f"{way.target} is given without {other}; leave it out")
    return WAYS[option].train


def _given(options: argparse.Namespace, option: str) -> object:
    return getattr(options, option.removeprefix("--").replace("-", "_"), None)


def _train_styles(options: argparse.Namespace) -> None:
    """Train all styles at once, as a new network."""
    if not options.images:
        raise ConfigError("no photographs are named to train with; name a folder of 1000 or more by --images DIR")
    _check_outputs(options, options.output, options.styles)
    style_images, skipped = read_styles(options.styles)
    recipe, where = recipe_of(options, style_images, TrainingRecipe()), machines() or choose_compute()
    fetch(recipe.backbone)
    with tqdm(total=recipe.steps, unit="step", desc=f"{BACKBONES[recipe.backbone]}, {where}") as bar:
        for text in skipped:
            bar.write(f"skipped: {text}", file=sys.stderr)
        bar.write(f"styles: {', '.join(style_images)}", file=sys.stderr)
        training = train(style_images, options.images, options.output, recipe, where)
        _watch(made_at(where, training), bar, options)


def _add_style(options: argparse.Namespace) -> None:
    """Train one more style for a network that there is."""
    _check_outputs(options, options.to, [options.add_style])
    style_images, _ = read_styles([options.add_style])
    if len(style_images) > 1:
        raise ConfigError(f"{options.add_style} holds {len(style_images)} pictures; name one to be learned")
    ((name, style_image),) = style_images.items()
    recipe, where = recipe_of(options, style_images, QUICK), machines() or choose_compute()
    fetch(recipe.backbone)
    with tqdm(total=recipe.steps, unit="step", desc=f"{name}, {where}") as bar:
        learning = add_style(name, style_image, options.to, options.images, recipe, where, again=options.again)
        with DEVICES.own_job(), DEVICES.stepped(made_at(where, learning)) as stepped:
            for progress in stepped:
                _show(progress, bar, options.preview)


def _train_decoders(options: argparse.Namespace) -> None:
    """Train the decoders that any style is painted with."""
    if not options.images:
        raise ConfigError("no photographs are named to train with; name a folder of 1000 or more by --images DIR")
    _check_outputs(options, options.output, [])
    foreign = [option for option, (setting, _) in NUMBERS.items() if setting not in DECODERS]
    given = [option for option in foreign if getattr(options, NUMBERS[option][0]) is not None]
    given += ["--style-factor"] * bool(options.style_factor)
    given += ["--backbone"] * (options.backbone != TrainingRecipe.backbone)
    if given:
        raise ConfigError(f"{' and '.join(given)} says nothing about decoders; leave it out")
    numbers = {setting: getattr(options, setting) for setting in DECODERS}
    recipe = replace(DecoderRecipe(), **{name: number for name, number in numbers.items() if number is not None})
    where = machines() or choose_compute()
    with tqdm(total=recipe.steps, unit="step", desc=f"decoders, {where}") as bar:
        training = train_decoders(options.images, options.output, recipe, where)
        _watch(made_at(where, training), bar, options)


class Way(NamedTuple):
    """A way to train.

    Attributes:
        usage: the option that asks for it, and what is given to it.
        target: the option that says where its result goes.
        train: does it.
    """

    usage: str
    target: str
    train: Callable[[argparse.Namespace], None]


WAYS = {
    "--styles": Way("--styles PICTURE", "--output", _train_styles),
    "--add-style": Way("--add-style PICTURE", "--to", _add_style),
    "--decoders": Way("--decoders", "--output", _train_decoders),
}


def read_styles(paths: list[Path]) -> tuple[dict[str, Tensor], list[str]]:
    """Read style pictures by name, and tell why others in a folder were skipped.

    Args:
        paths: folders, of which broken pictures are skipped, and pictures, which must not be broken.

    Returns:
        name -> (1, 3, any, any) in [0, 1]; reasons.

    Raises:
        ImageError: no picture that can be read, or a broken one that is no folder's.
        ConfigError: two pictures of one name.
    """
    styles: dict[str, Tensor] = {}
    skipped = []
    for path in paths:
        for picture in files_in(path)[0] if os.path.isdir(path) else [path]:
            try:
                image = images.load(picture)
            except ImageError as error:
                if picture is path:
                    raise
                skipped.append(str(error))
                continue
            if picture.stem in styles:
                raise ConfigError(f"two style pictures are called {said(picture.stem)}; rename one of them")
            styles[picture.stem] = image
    if not styles:
        reason = f" ({'; '.join(skipped[:3])})" if skipped else ""
        raise ImageError(f"{', '.join(map(str, paths))} has no usable style picture{reason}; put one there at least")
    return styles, skipped


def recipe_of(options: argparse.Namespace, style_images: dict[str, Tensor], base: TrainingRecipe) -> TrainingRecipe:
    """Change a recipe by what the options say about how to train.

    Raises:
        ConfigError: a value out of range, or a factor of no style.
    """
    numbers = {setting: getattr(options, setting) for setting, _ in NUMBERS.values()}
    given = {setting: number for setting, number in numbers.items() if number is not None}
    for name, _ in options.style_factor:
        if name not in style_images:
            raise ConfigError(f"there is no style {said(name)} to give a factor; choose of {listed(style_images)}")
    factors = tuple(dict(options.style_factor).items())
    return replace(base, backbone=options.backbone, style_factors=factors, **given)


def _check_outputs(options: argparse.Namespace, output: Path, styles: list[Path]) -> None:
    """Before hours of work rather than after them, and by name before folders of photographs are gone through."""
    check_network(output)
    if options.preview:
        check_output(options.preview, [".png"], called="preview")
        check_distinct([output, options.preview])
    found = weights.find(options.backbone)
    folders = [*styles, *([options.images] if options.images else [])]
    sources = [*styles, *(picture for folder in folders for picture in pictures_below(folder))]
    check_network(output, [*sources, *([found.path] if found else [])])
    if options.preview:
        check_apart([options.preview], sources)


def _watch(training: Closable[TrainingProgress], bar: tqdm, options: argparse.Namespace) -> None:
    """Train to the end; interrupted, say what the same command would do."""
    try:
        with DEVICES.own_job(), DEVICES.stepped(training) as stepped:
            for progress in stepped:
                _show(progress, bar, options.preview)
    except KeyboardInterrupt:
        bar.write(f"interrupted at step {bar.n}; the same command {_outlook(options.output)}", file=sys.stderr)
        raise


def _show(progress: TrainingProgress, bar: tqdm, preview: Path | None) -> None:
    bar.update(progress.step - bar.n)
    if progress.losses:
        bar.set_postfix({name: f"{loss:.4g}" for name, loss in progress.losses.items()})
    if progress.text:
        bar.write(progress.text, file=sys.stderr)
    if preview and progress.preview is not None:
        try:
            images.save_png(progress.preview, preview)
        except OutputError as error:  # hours of training matter more
            bar.write(str(error), file=sys.stderr)


def _outlook(output: Path) -> str:
    """Say what the command would do if it were called again."""
    partial = output.with_name(output.name + ".partial")
    return f"goes on from {partial}" if partial.is_file() else "begins anew, as nothing was kept yet"
