"""`stylize`: one picture in the style of another, or of several."""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nst_core import images
from nst_core.commands.fetching import fetch
from nst_core.commands.pictures import tell_of_animations
from nst_core.commands.transparency import add_transparency
from nst_core.devices import Compute, choose_compute
from nst_core.engine.begin import begin
from nst_core.engine.devices import DEVICES
from nst_core.engine.worker import Material
from nst_core.errors import said
from nst_core.features.loading import fitting_backbone
from nst_core.features.vgg import BACKBONES
from nst_core.interrupts import held
from nst_core.outputs import LEAST_ROOM, check_distinct, check_output
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.masks import mask_of_file
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.record import read_record, save_result
from nst_core.transfer.run import Run
from nst_core.transfer.schema import Setting
from nst_core.transfer.timelapse import Timelapse

HELP = "paint one picture in the style of another"
MOST_DPI = 10_000


def add_options(parser: argparse.ArgumentParser, table: Mapping[str, Setting] = SETTINGS) -> None:
    """Take the pictures, the preset, and every setting that changes it."""
    parser.add_argument("content", type=Path, help="the picture that is painted")
    parser.add_argument("style", type=Path, help="the picture in whose style it is painted")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the PNG, JPEG or TIFF (16 bits) to write")
    parser.add_argument("--dpi", type=dots, metavar="DPI", help="pixels an inch, for who prints it")
    parser.add_argument("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="recipe; the options below change it")
    parser.add_argument("--more-styles", type=Path, nargs="+", default=[], metavar="STYLE", help="to blend with STYLE")
    parser.add_argument("--mask", type=Path, action="append", default=[], help="white where a style goes")
    parser.add_argument(
        "--timelapse", type=Path, metavar="FILE", help="write the run as an animation, too: .mp4 or .webp"
    )
    parser.add_argument(
        "--twice",
        type=Path,
        metavar="RESULT",
        help="go on from a result at twice its size, by its settings, not a preset's",
    )
    add_transparency(parser)
    parser.add_argument("--json", action="store_true", help="print the run's record")
    add_settings(parser, table)


def add_settings(parser: argparse.ArgumentParser, table: Mapping[str, Setting] = SETTINGS) -> None:
    """Take every setting that changes a preset."""
    for one in table.values():
        parser.add_argument(f"--{one.dashed}", help=one.about, **_kind_of(one))


def dots(text: str) -> float:
    """Read a number of pixels an inch.

    Raises:
        argparse.ArgumentTypeError: none that prints.
    """
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 1 <= found <= MOST_DPI:
        raise argparse.ArgumentTypeError(f"{said(text)} is no print's; give a number from 1 to {MOST_DPI}, such as 300")
    return found


def _kind_of(one: Setting) -> dict[str, Any]:
    """Say what a setting takes, in argparse's words."""
    if isinstance(one.default, bool):
        return {"action": argparse.BooleanOptionalAction, "default": None}
    if isinstance(one.default, tuple):
        return {"nargs": "+", "metavar": one.typed, "type": str if one.extent is None else float}
    if one.choices is not None:  # a start may be a picture's path, too
        return {"metavar": one.typed} if one.typed else {"choices": list(one.choices)}
    return {"metavar": one.typed, "type": type(one.default)}


def config_of(options: argparse.Namespace, compute: Compute, result: Path | None = None) -> StyleTransferConfig:
    """Make a config of the preset, or of a result that it goes on from at twice its size, and what the options change.

    Raises:
        ConfigError: an unknown or invalid value.
    """
    given = {name: getattr(options, one.asked) for name, one in SETTINGS.items()}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if values["start"] not in (None, *(SETTINGS["start"].choices or ())):
        values["start"] = "image"
    wish = values.pop("backbone")
    if result:
        base = read_record(result).config.at_twice_the_size()
        return base.on(wish or base.backbone).changed(**values)
    preset = PRESETS[options.preset].config
    return preset.on(wish or fitting_backbone(preset.backbone, compute)).changed(**values)


def run(options: argparse.Namespace) -> None:
    """Paint, with a progress bar on standard error; an interrupt keeps what is painted so far."""
    config = config_of(options, choose_compute(), options.twice)
    _check_outputs(options, config)
    side = images.read_side(config.size)
    start = options.twice if options.init in (None, "image") else options.init
    start_image = images.load(start, max_side=side) if config.start == "image" and start else None
    content_image = images.load(options.content, max_side=side, keep_transparency=options.keep_transparency)
    style_images = [images.load(path, max_side=side) for path in (options.style, *options.more_styles)]
    tell_of_animations([options.content, options.style, *options.more_styles, *options.mask])
    masks = [mask_of_file(path) for path in options.mask]
    fetch(config.backbone)

    with DEVICES.own_job():
        painting = begin(Material(content_image, style_images, start_image, masks), config)
        timelapse = Timelapse() if options.timelapse else None
        try:
            _paint(painting, timelapse)
        finally:
            if painting.last_frame:
                with held():
                    _keep(painting, timelapse, options)


def _check_outputs(options: argparse.Namespace, config: StyleTransferConfig) -> None:
    """Refuse outputs that cannot be written before the work, not after it."""
    start = [Path(path) for path in (options.init, options.twice) if path]
    sources = [options.content, options.style, *options.more_styles, *options.mask, *start]
    deep = 3 if images.is_tiff(options.output) else 1
    room = max(LEAST_ROOM, deep * config.size**2)  # a painting's PNG takes two bytes a pixel, a TIFF six
    endings = [".png", *images.JPEG_ENDINGS, *images.TIFF_ENDINGS]
    check_output(options.output, endings, sources, hint=", which can hold the record", room=room)
    if options.timelapse:
        check_output(options.timelapse, [".webp", ".mp4"], sources, called="timelapse", room=room)
        check_distinct([options.output, options.timelapse])


def _keep(painting: Run, timelapse: Timelapse | None, options: argparse.Namespace) -> None:
    """Save what is painted so far; the picture first, as it cost the most."""
    save_result(painting.result, painting.record(), options.output, dpi=options.dpi)
    if timelapse:
        timelapse.save(options.timelapse)
    if options.json:
        print(painting.record().to_json())


def _paint(painting: Run, timelapse: Timelapse | None) -> None:
    where = f"{BACKBONES[painting.config.backbone]}, {painting.compute}"
    with tqdm(total=painting.steps, unit="step", desc=where) as bar, DEVICES.stepped(painting) as frames:
        for frame in frames:
            if timelapse:
                timelapse.add(partial(getattr, frame, "image"), frame.step)
            bar.update(frame.step - bar.n)
            bar.set_postfix(loss=f"{frame.total:.4g}", refresh=False)
            if frame.note:
                bar.write(frame.note, file=sys.stderr)
