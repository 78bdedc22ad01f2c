"""`instant`: pictures, folders of pictures and videos, painted in one pass, in a trained style or any picture's."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from nst_core import images
from nst_core.commands.destinations import Destinations, destinations
from nst_core.commands.memory import enough_memory
from nst_core.commands.pairs import pair
from nst_core.commands.transparency import add_transparency
from nst_core.engine import cluster
from nst_core.engine.begin import waited_for
from nst_core.engine.devices import DEVICES, Closable
from nst_core.errors import ConfigError, DeviceError, ImageError, NSTError, named
from nst_core.files import make_folder
from nst_core.instant.any_style import pictures_among
from nst_core.instant.brush import BrushRecipe, InstantBrush
from nst_core.instant.catalogue import open_styles
from nst_core.instant.kinds import PICTURE, Kind
from nst_core.instant.painted_picture import save_painted
from nst_core.instant.painter import MAX_SIDE
from nst_core.instant.palette import Strokes, plain_recipe
from nst_core.instant.piece_workers import check_workers
from nst_core.instant.video import VideoProgress, paint_video
from nst_core.instant.video_by_many import paint_video_by_many

HELP = "paint pictures and videos in one pass, in a trained style or in that of any picture"
EPILOG = (
    "What a file is, its content says, whatever its name. Of several files, those that cannot be painted are skipped "
    "and named, and the exit code is 1."
)

COLOR_CHOICES = ("style", "content")  # those of COLORS for which nothing is done before painting
MOST_TOLD = 10  # files that the last line names
UNFIT = (
    ImageError,
    ConfigError,
    DeviceError,
)  # for which a file is skipped; after WeightsError and OutputError, the next would fail, too


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take what is painted, how, and where it goes."""
    parser.epilog = EPILOG
    parser.add_argument("inputs", type=Path, nargs="*", metavar="IN", help="pictures, animations and films, or folders")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="a file for one, else a folder")
    parser.add_argument("--style", metavar="STYLE", help="one of those that --list names, or any picture")
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
    parser.add_argument("--jpeg", action="store_true", help="into a folder, write pictures as JPEG rather than PNG")
    add_transparency(parser)
    parser.add_argument("--steady", action="store_true", help="films: calm what would flicker")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="films: processes that share the cores and paint side by side; on a cluster, of its workers",
    )
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
    if options.workers is not None and not cluster.named():
        check_workers(options.workers)
    read = [*([options.styles] if options.styles else []), *pictures_among(_shares(options), catalogue)]
    plan = destinations(options.inputs, options.output, read, shrunk=options.size is not None, jpeg=options.jpeg)
    for note in plan.notes:
        print(note, file=sys.stderr)
    recipe = BrushRecipe(_shares(options), options.strength, options.color, options.styles)
    with DEVICES.own_job():
        brush = DEVICES.submit(InstantBrush, recipe, catalogue).result()
        _paint_all(plan, brush, options)


def _shares(options: argparse.Namespace) -> dict[str, float]:
    """Tell which styles are asked for, and how much of each."""
    return ({options.style: 1.0} if options.style else {}) | dict(options.blend)


def _paint_all(plan: Destinations, brush: InstantBrush, options: argparse.Namespace) -> None:
    """Paint one source after the other; those that cannot be painted are skipped and named, and counted in the end.

    Raises:
        ImageError: for those.
    """
    painted, left_out, asked = Counter[str](), list(plan.left_out), len(plan.found) + len(plan.left_out)
    failure: NSTError | None = None
    with tqdm(total=asked, initial=len(left_out), unit="file") as bar:
        for sentence in left_out:
            bar.write(f"skipped: {sentence}", file=sys.stderr)
        for source, (output, kind) in plan.found.items():
            bar.set_description(named(source))
            try:
                with enough_memory():
                    _paint(source, output, kind, brush, options)
                painted[kind.name] += 1
                bar.update()
            except UNFIT as error:
                failure = error
                left_out.append(str(error) if named(source) in str(error) else f"{named(source)}: {error}")
                if asked > 1:
                    bar.write(f"skipped: {left_out[-1]}", file=sys.stderr)
    if failure and asked == 1:
        raise failure
    if not painted:
        raise ImageError(f"none of the {asked} files could be painted: {_some(left_out)}")
    counts = " and ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in painted.items())
    if left_out:
        raise ImageError(f"painted {counts} of {asked} files; left out {len(left_out)}: {_some(left_out)}")
    print(f"painted {counts}", file=sys.stderr)


def _some(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - MOST_TOLD} more, see above" if len(sentences) > MOST_TOLD else ""
    return "; ".join(sentences[:MOST_TOLD]) + more


def _paint(source: Path, output: Path, kind: Kind, brush: InstantBrush, options: argparse.Namespace) -> None:
    make_folder(output.parent)
    if kind is PICTURE:
        _paint_picture(source, output, brush, options)
    else:
        _show(source, _film(source, output, brush, options))


def _film(source: Path, output: Path, brush: InstantBrush, options: argparse.Namespace) -> Closable[VideoProgress]:
    """Paint a film or an animation, by the cluster's workers where there is one."""
    how = {"steady": options.steady, "size": options.size}
    if machines := cluster.machines():
        recipe = plain_recipe(brush.painter, Strokes(brush.weights, brush.strength, brush.color))
        many = paint_video_by_many(source, output, recipe, workers=options.workers, machines=machines, **how)
        return waited_for(many)
    if options.workers in (None, 1):
        return paint_video(source, output, brush, **how)
    return paint_video_by_many(source, output, brush.recipe, workers=options.workers, **how)


def _paint_picture(source: Path, output: Path, brush: InstantBrush, options: argparse.Namespace) -> None:
    image = images.load(source, max_side=MAX_SIDE, keep_transparency=options.keep_transparency)
    ground = images.over_white(image)
    painted = DEVICES.submit(
        brush.picture, ground if options.size is None else images.fit(ground, options.size)
    ).result()
    painted = images.as_transparent_as(painted, image)
    save_painted(painted, output, brush.weights, strength=options.strength, color=options.color)


def _show(source: Path, painting: Closable[VideoProgress]) -> None:
    """Show how far a film or an animation is, with a progress bar."""
    with tqdm(unit="frame", leave=False) as bar, DEVICES.stepped(painting) as stepped:
        for progress in stepped:
            bar.total = progress.frames
            bar.update(progress.frame - bar.n)
            if progress.note:
                bar.write(f"{source.name}: {progress.note}", file=sys.stderr)
