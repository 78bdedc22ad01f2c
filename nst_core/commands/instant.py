"""`instant`: pictures, folders of pictures and videos, painted by a trained network in one pass."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from nst_core import images
from nst_core.commands.destinations import destinations, is_video
from nst_core.commands.memory import enough_memory
from nst_core.commands.outputs import add_transparency
from nst_core.commands.pairs import pair
from nst_core.devices import choose_compute
from nst_core.errors import ConfigError, DeviceError, ImageError, NSTError
from nst_core.files import make_folder, writing
from nst_core.instant.catalogue import Catalogue, open_styles
from nst_core.instant.painter import MAX_SIDE
from nst_core.instant.video import paint_video
from nst_core.transfer.color import COLORS

HELP = "paint pictures and videos in one pass, in a style that was trained"
EPILOG = "Of several files, those that cannot be painted are skipped and named, and the exit code is 1."

COLOR_CHOICES = ("style", "content")  # those of COLORS for which nothing is done before painting
JPEG_QUALITY = 95
UNFIT = (
    ImageError,
    ConfigError,
    DeviceError,
)  # for which a file is skipped; after WeightsError and OutputError, the next would fail, too


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take what is painted, how, and where it goes."""
    parser.epilog = EPILOG
    parser.add_argument("inputs", type=Path, nargs="*", metavar="IN", help="pictures, folders of them, videos")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="a file for one, else a folder")
    parser.add_argument("--style", metavar="NAME", help="one of those that --list names")
    parser.add_argument(
        "--blend",
        type=pair,
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=SHARE",
        help="further styles, beside --style's share of 1",
    )
    parser.add_argument("--strength", type=float, default=1.0, metavar="S", help="0: the picture as it is, to 1")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="of the longer side; else the picture's own")
    parser.add_argument("--color", choices=COLOR_CHOICES, default="style", help="whose colours the result has")
    add_transparency(parser)
    parser.add_argument("--steady", action="store_true", help="videos: calm what would flicker")
    parser.add_argument(
        "--styles", type=Path, metavar="FILE", help="of `train`, in place of the styles that come along"
    )
    parser.add_argument("--list", action="store_true", help="say which styles there are")


def run(options: argparse.Namespace) -> None:
    """Paint all, with a progress bar on standard error; or list the styles."""
    catalogue = open_styles(options.styles)
    if options.list:
        for style in catalogue.styles.values():
            print(f"{style.name:17} {style.origin}")
        return
    if not options.inputs or not options.output:
        raise ConfigError("nothing to paint, or nowhere to put it; name pictures, folders or videos, and -o OUT")
    found, notes = destinations(options.inputs, options.output)
    paint = _brush(options, catalogue)
    for note in notes:
        print(note, file=sys.stderr)
    _paint_all(found, paint, options)


def _brush(options: argparse.Namespace, catalogue: Catalogue) -> Callable[[Tensor], Tensor]:
    """Make a function that paints an image as the options say; wrong options are refused now."""
    weights = ({options.style: 1.0} if options.style else {}) | dict(options.blend)
    if not weights:
        raise ConfigError(f"no style is named; choose of {', '.join(catalogue.styles)} by --style NAME")
    painter = catalogue.painter(choose_compute())
    painter.recipe(weights, options.strength)
    recolor = COLORS[options.color].after

    def paint(image: Tensor) -> Tensor:
        return recolor(painter.paint(image, weights, strength=options.strength), image)

    return paint


def _paint_all(found: dict[Path, Path], paint: Callable[[Tensor], Tensor], options: argparse.Namespace) -> None:
    """Paint one source after the other; of several, those that cannot be painted are skipped and named."""
    failures: list[NSTError] = []
    with tqdm(total=len(found), unit="file") as bar:
        for source, output in found.items():
            bar.set_description(source.name)
            try:
                with enough_memory():
                    (_paint_video if is_video(source) else _paint_picture)(source, output, paint, options)
                bar.update()
            except UNFIT as error:
                failures.append(error)
                if len(found) > 1:
                    bar.write(f"skipped: {error}", file=sys.stderr)
    if len(failures) == len(found) == 1:
        raise failures[0]
    if len(failures) == len(found):
        raise ImageError(f"none of the {len(found)} files could be painted; see above why")
    if failures:
        raise ImageError(f"{len(failures)} of {len(found)} files could not be painted and were skipped; see above why")


def _paint_picture(source: Path, output: Path, paint: Callable[[Tensor], Tensor], options: argparse.Namespace) -> None:
    image = images.load(source, max_side=MAX_SIDE, keep_transparency=options.keep_transparency)
    ground = images.over_white(image)
    painted = paint(ground if options.size is None else images.fit(ground, options.size))
    painted = images.as_transparent_as(painted, image)
    make_folder(output.parent)
    if output.suffix.lower() == ".png":
        images.save_png(painted, output)
        return
    with writing(output) as aside:
        aside.write_bytes(images.encode_jpeg(painted, quality=JPEG_QUALITY, max_side=MAX_SIDE))


def _paint_video(source: Path, output: Path, paint: Callable[[Tensor], Tensor], options: argparse.Namespace) -> None:
    make_folder(output.parent)
    with (
        tqdm(unit="frame", leave=False) as bar,
        closing(paint_video(source, output, paint, steady=options.steady, size=options.size)) as painting,
    ):
        for progress in painting:
            bar.total = progress.frames
            bar.update(progress.frame - bar.n)
            if progress.note:
                bar.write(f"{source.name}: {progress.note}", file=sys.stderr)
