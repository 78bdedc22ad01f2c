"""`stylize`: one picture in the style of another, or of several."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from nst_core import images
from nst_core.commands.fetching import fetch
from nst_core.commands.outputs import check_apart
from nst_core.devices import Compute, choose_compute
from nst_core.errors import ConfigError, said
from nst_core.features.loading import fitting_backbone
from nst_core.features.vgg import BACKBONES
from nst_core.files import check_writable
from nst_core.interrupts import held
from nst_core.transfer.config import CHOICES, StyleTransferConfig
from nst_core.transfer.masks import mask_of
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.transfer.timelapse import Timelapse

HELP = "paint one picture in the style of another"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The pictures, the preset, and what changes it."""
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
    parser.add_argument("--feature-scale", choices=CHOICES["feature_scale"], help="of what α and β weigh")
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
        feature_scale=options.feature_scale,
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


def run(options: argparse.Namespace) -> None:
    """Paint, with a progress bar on standard error; an interrupt keeps what is painted so far."""
    compute = choose_compute()
    config = config_of(options, compute)
    _check_outputs(options)
    start_image = images.load(options.init) if config.start == "image" and options.init != "image" else None
    content_image = images.load(options.content)
    style_images = [images.load(path) for path in (options.style, *options.more_styles)]
    masks = [mask_of(images.load(path)) for path in options.mask]
    fetch(config.backbone)
    painting = stylize(content_image, style_images, config, start_image=start_image, masks=masks, compute=compute)
    timelapse = Timelapse()
    try:
        _paint(painting, timelapse)
    finally:
        if painting.last_frame:
            with held():
                _keep(painting, timelapse, options)


def _check_outputs(options: argparse.Namespace) -> None:
    """Before the work rather than after it."""
    if options.output.suffix.lower() != ".png":
        raise ConfigError(f"output is {said(options.output.name)}; name a .png file, which can hold the record")
    if options.timelapse and options.timelapse.suffix.lower() != ".webp":
        raise ConfigError(f"timelapse is {said(options.timelapse.name)}; name a .webp file")
    start = [Path(options.init)] if options.init else []
    for path in filter(None, (options.output, options.timelapse)):
        check_writable(path)
        check_apart(path, [options.content, options.style, *options.more_styles, *options.mask, *start])


def _keep(painting: Run, timelapse: Timelapse, options: argparse.Namespace) -> None:
    """What is painted so far; the picture first, as it cost the most."""
    save_result(painting.last_frame.image, painting.record(), options.output)
    if options.timelapse:
        timelapse.save(options.timelapse)
    if options.json:
        print(painting.record().to_json())


def _paint(painting: Run, timelapse: Timelapse) -> None:
    where = f"{BACKBONES[painting.config.backbone]}, {painting.compute}"
    with tqdm(total=painting.steps, unit="step", desc=where) as bar:
        for frame in painting:
            timelapse.add(frame.image, frame.step)
            bar.update(frame.step - bar.n)
            bar.set_postfix(loss=f"{frame.total:.4g}", refresh=False)
            if frame.note:
                bar.write(frame.note, file=sys.stderr)
