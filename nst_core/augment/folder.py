"""Paints a labelled folder of pictures: class folders in, class folders out, as more training data."""

import math
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.augment.brushes import Brush
from nst_core.augment.labels import Entry, add_to_index, begin_index, read_index
from nst_core.errors import ConfigError, ImageError, NSTError, WeightsError, listed
from nst_core.file_names import MOST_BYTES, Names, alike
from nst_core.files import make_folder
from nst_core.interrupts import held

LONGEST_TAIL = "-1.23457e-100.png"  # of a painting's name: its strength and ending


@dataclass(frozen=True)
class AugmentProgress:
    """Tells how far the paintings of a folder are."""

    done: int  # paintings that are made, kept or skipped
    total: int
    entry: Entry | None = None  # what was worked on last; None before the first
    share: float = 0.0  # of that one painting, 0 to 1
    image: Tensor | None = None  # that painting so far, (1, 3, H, W); None if it was kept or skipped
    painted: int = 0
    kept: int = 0  # were there before
    notes: tuple[str, ...] = ()  # what was skipped and why, a sentence each


def augment(
    folder: Path, output: Path, brush: Brush, strengths: Sequence[float] = (1.0,), *, keep_transparency: bool = True
) -> Generator[AugmentProgress, None, None]:
    """Paint every picture of every class folder once for each strength; labels stay, styles vary.

    Of several styles, the pictures of a class take one after the other in turn, so that no style tells the class. What
    is in the output already is kept, whatever it was painted with, so that a run that was stopped goes on where it
    was; delete it to have it painted anew. Closing the iterator stops; nothing half-painted is left. The output has an
    index besides, `labels.INDEX`, with a line for each painting.

    Args:
        folder: has a folder of pictures for each class: cat/photo.jpg.
        output: for cat/photo-0.5.png and the index; need not exist.
        brush: what paints, in which styles.
        strengths: 0 for the picture as it is, to 1.
        keep_transparency: make paintings as transparent as their pictures; else those are painted over white.

    Returns:
        the progress, at least once a painting; each step of it where the brush makes steps.

    Raises:
        ConfigError: a strength out of range or given twice, an output inside the input.
        ImageError: no such folder, no class folders or no pictures in them, an output that is a file or has an index
            that is none; while iterating, when nothing could be painted.
        OutputError: while iterating, an output that cannot be written; what is painted before stays, with its lines.
        WeightsError: while iterating, weights that went missing.
    """
    texts = strengths_of(strengths)
    classes = _classes(folder)
    _check_apart(folder, output, classes)
    entries = [
        Entry(f"{place}/{stem}-{text}.png", label, f"{label}/{source.name}", style, text)
        for (label, sources), place in zip(classes.items(), _places(classes), strict=True)
        for number, (source, stem) in enumerate(_stems(sources).items())
        for style in [brush.styles[number % len(brush.styles)]]
        for text in texts
    ]
    notes = [f"{folder / label} has no pictures in it" for label, sources in classes.items() if not sources]
    return _augmented(folder, output, brush, entries, read_index(output), notes, keep_transparency)


def _augmented(
    folder: Path,
    output: Path,
    brush: Brush,
    entries: list[Entry],
    known: dict[str, Entry],
    notes: list[str],
    keep_transparency: bool,
) -> Generator[AugmentProgress, None, None]:
    """Paint what is not there; what cannot be painted is skipped and named."""
    begin_index(output, known)
    painted, kept, broken = 0, 0, ""

    def progress(
        done: int, entry: Entry | None = None, share: float = 1.0, image: Tensor | None = None
    ) -> AugmentProgress:
        return AugmentProgress(done, len(entries), entry, share, image, painted, kept, tuple(notes))

    yield progress(0, share=0.0)
    for number, entry in enumerate(entries):
        image = None
        if (output / entry.file).is_file():
            kept += 1
            if entry.file not in known:
                add_to_index(output, entry)
        elif entry.source != broken:
            try:
                source = images.load(folder / entry.source, keep_transparency=keep_transparency)
                ground, strength = images.over_white(source), float(entry.strength)
                with closing(brush.paint(ground, entry.style, strength)) as strokes:
                    for share, image in strokes:
                        yield progress(number, entry, share, image)
            except WeightsError:
                raise  # the next would fail, too
            except NSTError as error:
                notes.append(f"{entry.source} is skipped: {error}")
                broken, image = entry.source, None
            if image is not None:
                _save(images.as_transparent_as(image, source), output, entry)
                painted += 1
        yield progress(number + 1, entry, image=image)
    if not painted + kept:
        raise ImageError(f"none of the {len(entries)} paintings could be made: {notes[-1]}")


def _save(image: Tensor, output: Path, entry: Entry) -> None:
    path = output / entry.file
    make_folder(path.parent)
    with held():
        images.save_png(image, path)
        add_to_index(output, entry)


def text_of(strength: float) -> str:
    """Write a strength as file names have it: "0.5", "1"."""
    return f"{strength:g}"


def strengths_of(strengths: Sequence[float]) -> list[str]:
    """Strengths as file names have them.

    Raises:
        ConfigError: none, one twice, or one outside of 0 to 1.
    """
    for strength in strengths:
        if not (math.isfinite(strength) and 0 <= strength <= 1):
            raise ConfigError(f"strength is {strength:g}; give a number from 0 to 1")
    texts = [text_of(strength) for strength in strengths]
    if not texts or len(set(texts)) < len(texts):
        raise ConfigError(f"strengths are {listed(texts) or 'missing'}; give at least one, and each once")
    return texts


def _classes(folder: Path) -> dict[str, list[Path]]:
    """List the files of each class, class -> files by name; hidden ones count for nothing."""
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder; name one that has a folder of pictures for each class")
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not inside:
        raise ImageError(f"{folder} has no folders in it; put the pictures of each class into a folder of its name")
    classes = {
        path.name: sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        for path in inside
    }
    if not any(classes.values()):
        raise ImageError(f"the folders {listed(classes)} in {folder} have no pictures in them; name another")
    return classes


def _check_apart(folder: Path, output: Path, classes: dict[str, list[Path]]) -> None:
    """Refuse a place for paintings where the next run would take them for pictures."""
    if output.exists() and not output.is_dir():
        raise ImageError(f"{output} is a file; name a folder")
    full = folder.resolve()
    for place in (output, *(output / label for label in classes)):
        if place.resolve().is_relative_to(full):
            raise ConfigError(f"output is '{output}', inside of {folder}, whose pictures it would add to; name another")


def _places(labels: Iterable[str]) -> list[str]:
    """The folder of each class, of its name; where a computer would take two for one, with a number."""
    names = Names()
    return [names.free(label) for label in labels]


def _stems(sources: Sequence[Path]) -> dict[Path, str]:
    """Name the paintings of each file: as it is, with its ending where two differ by that alone; no name too long."""
    stems = {source: source.stem for source in sources}
    times = Counter(alike(source.stem) for source in sources)
    stems |= {source: source.name for source in sources if times[alike(source.stem)] > 1}
    if len(set(map(alike, stems.values()))) < len(stems):  # a.jpg beside a.jpg.png
        stems = {source: source.name for source in sources}
    names = Names(MOST_BYTES - len(LONGEST_TAIL))
    return {source: names.free(stem) for source, stem in stems.items()}
