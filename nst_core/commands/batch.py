"""`batch`: many pictures in many styles, a night's work that may be cut off and started again."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from nst_core.batch.batch import BatchProgress, paint_batch
from nst_core.batch.on_cluster import paint_on_cluster
from nst_core.batch.report import REPORT, Result
from nst_core.batch.tasks import TABLES, AWay, Task, pairs, read_table
from nst_core.batch.ways import Instant, Optimized, Paint, open_instant_paint, optimizer_paint
from nst_core.commands.fetching import fetch
from nst_core.commands.pictures import files_in
from nst_core.commands.stylize import add_settings, config_of
from nst_core.commands.transparency import add_transparency
from nst_core.devices import choose_compute
from nst_core.engine import cluster
from nst_core.errors import ConfigError, ImageError, said
from nst_core.images import JPEG_ENDINGS
from nst_core.instant.any_style import pictures_among
from nst_core.instant.catalogue import open_styles
from nst_core.outputs import check_apart, check_folder
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.schema import Setting

HELP = "paint many pictures in many styles; cut off and started again, it goes on"
EPILOG = (
    f"A painting that is in the folder is not painted again; what cannot be painted is named in {REPORT} there, with "
    "the reason, and the exit code is 1."
)
LIST_HELP = (
    "in place of CONTENT and --styles, a CSV or JSON: a row each with content, style and, if it says so, preset and "
    "further settings by the names of their options; paths are those beside it"
)
STRENGTH = Setting(name="strength", default=1.0, extent=(0.0, 1.0))
COLOR = Setting(name="color", default="style", choices=dict.fromkeys(("style", "content"), ""))
ASKED = {one.asked: one for one in SETTINGS.values()}
MOST_TOLD = 10  # failures that are printed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take the pictures, the styles, how all are painted, and where they go."""
    parser.epilog = EPILOG
    parser.add_argument("contents", type=Path, nargs="*", metavar="CONTENT", help="pictures, or folders of them")
    parser.add_argument(
        "--styles", nargs="+", default=[], metavar="STYLE", help="pictures or folders; instant: names, or pictures"
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help=LIST_HELP)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=f"for paintings and {REPORT}")
    parser.add_argument("--by", choices=("optimizer", "instant"), default="optimizer", help="what paints")
    parser.add_argument("--jpeg", action="store_true", help="write JPEG rather than PNG")
    add_transparency(parser)
    parser.add_argument("--trained", type=Path, metavar="FILE", help="instant: of `train`, in place of its own styles")
    parser.add_argument("--strength", type=float, metavar="S", help="instant: 0, the picture as it is, to 1")
    parser.add_argument("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="recipe; the options below change it")
    add_settings(parser)


def run(options: argparse.Namespace) -> None:
    """Paint all, with a progress bar on standard error; an interrupt keeps what is painted.

    Raises:
        ImageError: some could not be painted.
    """
    if options.list and (options.contents or options.styles):
        raise ConfigError("there are a list and further pictures; leave out one of the two")
    if not options.list and not (options.contents and options.styles):
        raise ConfigError("there is nothing to paint; name CONTENT … and --styles …, or a table by --list")
    (_optimized if options.by == "optimizer" else _instant)(options)


def _optimized(options: argparse.Namespace) -> None:
    if options.strength is not None or options.trained:
        raise ConfigError("--strength and --trained say something to --by instant alone; leave them out")
    compute = choose_compute()
    keep_transparency = options.keep_transparency

    def way_of(row: Mapping[str, str]) -> Optimized:
        preset = row.get("preset", options.preset)
        if preset not in PRESETS:
            raise ConfigError(f"preset is {said(preset)}; choose one of {', '.join(PRESETS)}")
        asked = {SETTINGS[name].asked: value for name, value in _read(row, ASKED, also=("preset",)).items()}
        every = argparse.Namespace(**{**vars(options), **asked, "preset": preset})
        config = config_of(every, compute)
        if config.start == "image":
            raise ConfigError("a batch starts from content, style, noise or quick; choose one by --init")
        return Optimized(preset, config, keep_transparency)

    if options.list:
        tasks = read_table(_table(options.list), way_of, options.output, _ending(options))
    else:
        styles = [str(path) for path in _files([Path(style) for style in options.styles])]
        tasks = pairs(_files(options.contents), styles, way_of({}), options.output, _ending(options))
    check_apart((options.output / task.file for task in tasks), {Path(task.style) for task in tasks})
    for backbone in {task.way.config.backbone for task in tasks}:
        fetch(backbone)
    _paint(tasks, options, optimizer_paint)


def _instant(options: argparse.Namespace) -> None:
    given = [one.dashed for one in SETTINGS.values() if getattr(options, one.asked) is not None]
    if foreign := [name for name in given if name not in ("size", "color")]:
        raise ConfigError(f"--{foreign[0]} says nothing to --by instant; leave it out")
    catalogue = open_styles(options.trained)
    common = {"strength": options.strength, "color": options.color, "size": options.size}

    def way_of(row: Mapping[str, str]) -> Instant:
        table = {"strength": STRENGTH, "color": COLOR, "size": SETTINGS["size"]}
        said_of_all = {name: value for name, value in common.items() if value is not None}
        values = {**said_of_all, **_read(row, table)}
        for name, value in values.items():
            table[name].check(value)
        return Instant(**values, keep_transparency=options.keep_transparency)

    if options.list:
        names = catalogue.styles
        tasks = read_table(_table(options.list), way_of, options.output, _ending(options), names=names)
    else:
        tasks = pairs(_files(options.contents), options.styles, way_of({}), options.output, _ending(options))
    pictures = [path for task in tasks for path in pictures_among({task.style: 1.0}, catalogue)]
    check_apart((options.output / task.file for task in tasks), set(pictures))
    _paint(tasks, options, partial(open_instant_paint, options.trained and options.trained.absolute()))


def _read(row: Mapping[str, str], table: Mapping[str, Setting], also: Sequence[str] = ()) -> dict:
    """Read a row's settings, by the names of their options, as people type them."""
    values = {}
    for name, text in row.items():
        asked = name.replace("-", "_")
        if asked in table:
            values[table[asked].name] = table[asked].read(" ".join(text.split()))
        elif asked not in also:
            columns = ", ".join(("content", "style", *also, *table))
            raise ConfigError(f"there is no setting {said(name)}; the columns are {columns}")
    return values


def _table(path: Path) -> Path:
    if path.suffix.lower() not in TABLES:
        raise ConfigError(f"the list is {said(path.name)}; name a {' or '.join(TABLES)} file")
    return path


def _ending(options: argparse.Namespace) -> str:
    return JPEG_ENDINGS[0] if options.jpeg else ".png"


def _files(named: Sequence[Path]) -> list[Path]:
    """Give files, and those in folders; what a folder leaves out is said."""
    found: list[Path] = []
    for path in named:
        inside, passed_over = files_in(path) if path.is_dir() else ([path], [])
        found += inside
        for note in passed_over:
            print(note, file=sys.stderr)
    return list(dict.fromkeys(found))


def _paint(tasks: list[Task[AWay]], options: argparse.Namespace, paint: Callable[[], Paint[AWay]]) -> None:
    output = options.output
    check_folder(output)
    check_apart((output / task.file for task in tasks), {task.content for task in tasks})
    with tqdm(total=len(tasks), unit="painting", smoothing=0.05) as bar:
        progress = BatchProgress(0, len(tasks))
        painting = paint_on_cluster(tasks, output, paint) if cluster.named() else paint_batch(tasks, output, paint())
        for progress in painting:
            _show(progress, bar)
    print(f"{_counts(progress)}: {output / REPORT}", file=sys.stderr)
    if progress.failed:
        raise ImageError(f"{progress.failed} of {len(tasks)} could not be painted; {REPORT} in {output} names them")


def _show(progress: BatchProgress, bar: tqdm) -> None:
    if progress.result is None:
        return
    _tell(progress.result, bar, progress.failed)
    bar.initial = progress.kept  # which take no time
    bar.update(progress.done - bar.n)


def _tell(result: Result, bar: tqdm, failed: int) -> None:
    bar.set_description(result.task.content.name, refresh=False)
    if result.reason and failed <= MOST_TOLD:
        bar.write(f"failed: {result.task.content} in {result.task.style}: {result.reason}", file=sys.stderr)


def _counts(progress: BatchProgress) -> str:
    painted = progress.done - progress.kept - progress.failed
    return f"painted {painted}, kept {progress.kept} that were there, failed {progress.failed}"
