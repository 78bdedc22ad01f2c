"""`explain`: a classroom figure, as a page to print and as a folder of its parts."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from nst_core import images
from nst_core.analysis.cutouts.cutout import load_cutout
from nst_core.analysis.figure import Figure, FigureMaterial, Moment, check_counts
from nst_core.analysis.figures.begin import begin_figure
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster.save import could_be_part, part_files, save_parts, save_poster
from nst_core.assets import ASSETS
from nst_core.commands.fetching import fetch
from nst_core.commands.pictures import tell_of_animations
from nst_core.engine.devices import DEVICES, Closable
from nst_core.errors import ConfigError, OutputError, said
from nst_core.interrupts import held
from nst_core.outputs import check_apart, check_folder, check_output

HELP = "make a figure that shows how style transfer works"

# What is shown where no picture is named: the first of them, or all where a figure takes several.
EXAMPLES = {
    "content": ("photos/china_temple.jpg", "photos/chelsea_cat.jpg"),
    "style": ("styles/starlit_valley.jpg", "styles/great_swell.jpg"),
    "cutout": ("cutouts/rocket.png",),
}
BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take which figure, of which pictures, with which settings, and where it goes."""
    parser.add_argument("figure", nargs="?", choices=FIGURES, metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--content", type=Path, nargs="+", metavar="PICTURE", help="else examples that come along")
    parser.add_argument("--style", type=Path, nargs="+", metavar="PICTURE", help="else examples that come along")
    parser.add_argument("--cutout", type=Path, metavar="PNG", help="compose: what is put in, transparent around it")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.png", help="the page to print")
    parser.add_argument("--parts", type=Path, metavar="DIR", help="the pictures by themselves, with their records")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; several values: ratios=1e-5,1e-4"
    )
    parser.add_argument("--list", action="store_true", help="say which figures there are, with their settings")


def run(options: argparse.Namespace) -> None:
    """Make the figure, with a progress bar on standard error; an interrupt keeps what is made by then."""
    if options.list:
        for figure in [FIGURES[options.figure]] if options.figure else FIGURES.values():
            print("\n".join(_described(figure)))
        return
    if not options.figure:
        raise ConfigError(f"no figure is named; choose of {', '.join(FIGURES)}, or see --list")
    figure = FIGURES[options.figure]
    settings = figure.settings(_given(options.set))
    _check_outputs(options)
    material = _material(figure, options)
    if "backbone" in settings:
        fetch(settings["backbone"])
    last = Moment((), (), ())  # nothing yet
    try:
        with DEVICES.own_job():
            for moment in _shown(figure, begin_figure(figure, material, settings)):
                last = moment
    finally:
        if any(part.image is not None for part in last.parts):
            with held():
                _save(figure, settings, last, options)
    print(*last.findings, sep="\n", end="\n" if last.findings else "")


def _described(figure: Figure) -> Iterator[str]:
    """Describe a figure and its settings, a line each."""
    yield f"{figure.name}: {figure.title} (of {', '.join(figure.pictures)})"
    for option in figure.options:
        value = option.text(option.default).replace(", ", ",")
        choices = f"one of {', '.join(option.choices)}" if option.choices else ""
        yield f"    {option.name}={value}    " + "; ".join(filter(None, (option.label, option.about, choices)))


def _given(texts: list[str]) -> dict[str, str]:
    """Read settings as typed, name -> value, the last where one is named again.

    Raises:
        ConfigError: a text is not NAME=VALUE.
    """
    for text in texts:
        if "=" not in text:
            raise ConfigError(f"--set {said(text)} is not NAME=VALUE, such as size=256")
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _check_outputs(options: argparse.Namespace) -> None:
    sources = [*(options.content or []), *(options.style or []), *([options.cutout] if options.cutout else [])]
    if not (options.output or options.parts):
        raise ConfigError("there is nowhere to put the figure; name -o OUT.png for a page, --parts DIR, or both")
    if options.output:
        check_output(options.output, [".png"], sources, hint=", which remembers its settings")
    if options.parts:
        check_folder(options.parts)
        check_apart(part_files(options.parts), sources)
        if options.output and could_be_part(options.output, options.parts):
            raise OutputError(f"{options.output} could be the name of a part, too; write the page elsewhere")


def _material(figure: Figure, options: argparse.Namespace) -> FigureMaterial:
    """Read the pictures that are named, or examples where none are.

    Raises:
        ConfigError: pictures that the figure has no use for.
        ImageError: one that cannot be read.
    """
    cutouts = [options.cutout] if options.cutout else None
    contents, styles, cutouts = (
        _paths(figure, kind, named)
        for kind, named in (("content", options.content), ("style", options.style), ("cutout", cutouts))
    )
    check_counts(contents, styles)
    tell_of_animations([*contents, *styles, *(cutouts or [])])
    return FigureMaterial(
        contents=tuple(map(images.load, contents)),
        styles=tuple(map(images.load, styles)),
        content_names=tuple(map(_title, contents)),
        style_names=tuple(map(_title, styles)),
        cutout=load_cutout(cutouts[0]) if cutouts else None,
    )


def _title(path: Path) -> str:
    """Name a picture; letters of file systems that are no text are replaced."""
    return path.stem.encode("utf-8", "replace").decode()


def _paths(figure: Figure, kind: str, named: list[Path] | None) -> list[Path]:
    """List the pictures of a kind that the figure wants."""
    one, several = kind in figure.pictures, f"{kind}s" in figure.pictures
    if named and not (one or several):
        raise ConfigError(f"the figure {figure.name} takes no {kind}; leave out --{kind}")
    if named and one and len(named) > 1:
        raise ConfigError(f"the figure {figure.name} takes one {kind}, and {len(named)} are named; name one")
    if named or not (one or several):
        return named or []
    examples = [ASSETS / name for name in EXAMPLES[kind]][: None if several else 1]
    print(f"no --{kind} is named: {', '.join(path.name for path in examples)}, which came along", file=sys.stderr)
    return examples


def _shown(figure: Figure, moments: Closable[Moment]) -> Iterator[Moment]:
    """Go through the moments, while a bar says how far they are."""
    told: set[str] = set()
    with DEVICES.stepped(moments) as stepped, tqdm(total=1.0, bar_format=BAR, desc=figure.title) as bar:
        for moment in stepped:
            bar.set_description_str(moment.text, refresh=False)
            bar.update(moment.share - bar.n)
            for note in moment.notes:
                if note not in told:
                    bar.write(note, file=sys.stderr)
            told |= set(moment.notes)
            yield moment


def _save(figure: Figure, settings: dict, moment: Moment, options: argparse.Namespace) -> None:
    if options.output:
        save_poster(figure, settings, moment, options.output)
    if options.parts:
        save_parts(figure, settings, moment, options.parts)
