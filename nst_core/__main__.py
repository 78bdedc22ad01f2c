"""The command line: `python -m nst_core stylize CONTENT STYLE -o OUT.png`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from nst_core import images
from nst_core.devices import Compute, choose_compute, keep_freed_memory
from nst_core.errors import ConfigError, ImageError, NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import TEACHERS
from nst_core.features.compress import check_output, compress
from nst_core.features.distill import Recipe
from nst_core.features.vgg import BACKBONES, fitting_backbone
from nst_core.transfer.config import CHOICES, StyleTransferConfig
from nst_core.transfer.masks import mask_of
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.transfer.timelapse import Timelapse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 for what the user can put right, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    keep_freed_memory()
    try:
        options.command(options)
    except NSTError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nst_core", description="Neural style transfer.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_stylize(commands.add_parser("stylize", help="paint one picture in the style of another"))
    presets = commands.add_parser("presets", help="list the presets")
    presets.set_defaults(command=list_presets)
    network = commands.add_parser("weights", help="say where a network's weights are, or fetch them")
    network.add_argument("--backbone", choices=BACKBONES, default="vgg19")
    network.add_argument("--download", action="store_true", help="fetch them if they are not here")
    network.set_defaults(command=show_weights)
    _add_compress(commands.add_parser("compress", help="make VGG-19 Lite out of VGG-19 and a folder of photographs"))
    return parser


def _add_stylize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("content", type=Path, help="the picture that is painted")
    parser.add_argument("style", type=Path, help="the picture in whose style it is painted")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="recipe; the options below change it")
    parser.add_argument(
        "--backbone", choices=CHOICES["backbone"], help="the preset's where it is here and there is a GPU, else lite"
    )
    parser.add_argument("--size", type=int, help="pixels")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--alpha", type=float, help="content weight")
    parser.add_argument("--beta", type=float, help="style weight")
    parser.add_argument("--optimizer", choices=CHOICES["optimizer"])
    parser.add_argument("--init", metavar="START", help=f"{', '.join(CHOICES['start'][:-1])}, or a picture's path")
    parser.add_argument("--style-layers", nargs="+", metavar="LAYER", help="such as conv1_1 conv2_1")
    parser.add_argument("--content-layers", nargs="+", metavar="LAYER")
    parser.add_argument("--tv", type=float, help="total variation weight")
    parser.add_argument("--style-loss", choices=CHOICES["style_loss"], help="what is compared with the style")
    parser.add_argument("--style-scale", type=float, metavar="FACTOR", help="size of the strokes, 1: as in the style")
    parser.add_argument("--smallest-scale", type=int, metavar="PIXELS", help="coarse to fine from here; 0: full size")
    parser.add_argument("--color", choices=CHOICES["color"], help="whose colours the result has")
    parser.add_argument("--more-styles", type=Path, nargs="+", default=[], metavar="STYLE", help="to blend with STYLE")
    parser.add_argument("--blend", type=float, nargs="+", metavar="SHARE", help="of each style, the first one's first")
    parser.add_argument("--mask", type=Path, action="append", default=[], help="white where a style goes")
    parser.add_argument("--mask-softness", type=float, metavar="SHARE", help="width of the mask's edge, of the picture")
    parser.add_argument("--keep-unpainted", action="store_true", default=None, help="outside: the photo's own pixels")
    parser.add_argument("--timelapse", type=Path, metavar="WEBP", help="write the run as an animation, too")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--json", action="store_true", help="print the run's record")
    parser.set_defaults(command=stylize_pictures)


def _add_compress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--teacher", choices=sorted(set(TEACHERS.values())), default="vgg19")
    parser.add_argument("--images", type=Path, required=True, help="a folder of photographs, 1000 or more")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--steps", type=int, default=Recipe.steps, help=f"of fine-tuning (default {Recipe.steps})")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.set_defaults(command=compress_network)


def config_of(options: argparse.Namespace, compute: Compute) -> StyleTransferConfig:
    """The preset with what the options change.

    Raises:
        ConfigError: an unknown or invalid value.
    """
    named = options.init is None or options.init in CHOICES["start"]
    preset = PRESETS[options.preset].config
    return preset.on(options.backbone or fitting_backbone(preset.backbone, compute)).changed(
        size=options.size,
        steps=options.steps,
        content_weight=options.alpha,
        style_weight=options.beta,
        tv_weight=options.tv,
        optimizer=options.optimizer,
        start=options.init if named else "image",
        style_layers=_tuple(options.style_layers),
        content_layers=_tuple(options.content_layers),
        seed=options.seed,
        style_loss=options.style_loss,
        style_scale=options.style_scale,
        smallest_scale=options.smallest_scale,
        color=options.color,
        blend=_tuple(options.blend),
        mask_softness=options.mask_softness,
        keep_unpainted=options.keep_unpainted,
    )


def _tuple(values: list | None) -> tuple | None:
    return None if values is None else tuple(values)


def stylize_pictures(options: argparse.Namespace) -> None:
    """`stylize`: paint, with a progress bar on standard error; an interrupt keeps what is painted so far."""
    compute = choose_compute()
    config = config_of(options, compute)
    _check_output(options.output)
    start_image = images.load(options.init) if config.start == "image" and options.init != "image" else None
    content_image = images.load(options.content)
    style_images = [images.load(path) for path in (options.style, *options.more_styles)]
    masks = [mask_of(images.load(path)) for path in options.mask]
    if options.timelapse and options.timelapse.suffix.lower() != ".webp":
        raise ConfigError(f"timelapse is {options.timelapse.name!r}; name a .webp file")
    _fetch(config.backbone)
    run = stylize(content_image, style_images, config, start_image=start_image, masks=masks, compute=compute)
    timelapse = Timelapse()
    try:
        _paint(run, timelapse)
    finally:
        if run.last_frame:
            if options.json:
                print(run.record().to_json())
            _save(run, options.output)
            if options.timelapse:
                timelapse.save(options.timelapse)


def _check_output(path: Path) -> None:
    """Before an hour of painting rather than after it."""
    if path.suffix.lower() != ".png":
        raise ConfigError(f"output is {path.name!r}; name a .png file, which can hold the record")
    if not path.parent.is_dir():
        raise ImageError(f"the folder {path.parent} does not exist; make it, or write elsewhere")
    if path.is_dir():
        raise ImageError(f"{path} is a folder; name a file in it")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ImageError(f"{path} cannot be written; write elsewhere")


def _save(run: Run, path: Path) -> None:
    try:
        save_result(run.last_frame.image, run.record(), path)
    except OSError as error:
        raise ImageError(f"{path} could not be written ({error.strerror or error}); write elsewhere") from None


def _paint(run: Run, timelapse: Timelapse) -> None:
    with tqdm(total=run.steps, unit="step", desc=f"{BACKBONES[run.config.backbone]}, {run.compute}") as bar:
        for frame in run:
            timelapse.add(frame.image, frame.step)
            bar.update(frame.step - bar.n)
            bar.set_postfix(loss=f"{frame.total:.4g}", refresh=False)
            if frame.note:
                bar.write(frame.note, file=sys.stderr)


def _fetch(backbone: str) -> None:
    """Download the weights if they are not here, with a progress bar."""
    if weights.find(backbone):
        return
    with tqdm(total=weights.download_size(backbone), unit="B", unit_scale=True, desc=f"fetching {backbone}") as bar:
        for progress in weights.download(backbone):
            bar.total = progress.total_bytes or bar.total
            bar.update(progress.done_bytes - bar.n)


def compress_network(options: argparse.Namespace) -> None:
    """`compress`: with a progress bar, and the errors of each layer now and then; interrupted, it can go on."""
    for name in ("steps", "seed"):
        if not 0 <= getattr(options, name) < 2**32:
            raise ConfigError(f"{name} is {getattr(options, name)}; give a whole number from 0 to {2**32 - 1}")
    check_output(options.output)
    _fetch(options.teacher)
    recipe = Recipe(steps=options.steps, seed=options.seed)
    teacher, compute = weights.require(options.teacher), choose_compute()
    with tqdm(total=recipe.steps, unit="step", desc=str(compute)) as bar:
        for progress in compress(teacher, options.images, options.output, recipe, compute):
            bar.update(progress.step - bar.n)
            errors = " ".join(f"{layer} {error:.4f}" for layer, error in progress.errors.items())
            bar.write(f"step {progress.step}: {progress.text} {errors}", file=sys.stderr)


def list_presets(_: argparse.Namespace) -> None:
    """`presets`: one a line, name first."""
    for name, preset in PRESETS.items():
        print(f"{name:17} {preset.title}: {preset.source}")


def show_weights(options: argparse.Namespace) -> None:
    """`weights`: which file would be used."""
    if options.download:
        _fetch(options.backbone)
    checkpoint = weights.require(options.backbone)
    print(f"{BACKBONES[options.backbone]}: {checkpoint.path} ({checkpoint.origin})")


if __name__ == "__main__":
    sys.exit(main())
