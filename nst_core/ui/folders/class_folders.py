"""Unpacks class folders from ZIP files."""

import shutil
import zipfile
from collections.abc import Collection
from pathlib import Path

from nst_core.errors import ImageError, named, said
from nst_core.file_names import alike, is_portable
from nst_core.ui.folders.archive import check_room, check_whole, files_of, is_hidden, is_meant, opened


def unpack(source: Path, folder: Path) -> int:
    """Lay out the pictures of a ZIP as folder/CLASS/NAME; folders around all those of the classes are passed over.

    Args:
        source: the ZIP.
        folder: to be made; after an error it is not there.

    Returns:
        how many files were left out: no pictures, or in no class's folder; hidden ones do not count.

    Raises:
        ImageError: a damaged ZIP, one that holds too much or no pictures, a path that leads out of it, or a name that
            not every computer can keep.
    """
    folder.mkdir(parents=True)
    try:
        with opened(source) as archive:
            return _unpack(archive, named(source), folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path) -> int:
    check_whole(archive, name)
    files = {info: parts for info, parts in files_of(archive, name).items() if not is_hidden(parts)}
    shown = {info: parts for info, parts in files.items() if is_meant(archive, info, parts[-1])}
    if not shown:
        raise ImageError(f"{name} has no pictures in it; put those of each class into a folder")
    while len({parts[0] for parts in shown.values()}) == 1 and _mostly_deeper(shown.values()):
        shown = {info: parts[1:] for info, parts in shown.items() if len(parts) > 1}
    check_room(archive.infolist(), name, folder)
    _check_names(shown.values(), name)
    for info, (*above, picture) in shown.items():
        folder.joinpath(*above[:1]).mkdir(exist_ok=True)
        if len(above) == 1:  # Python reads no more of it than its size, which was counted
            with archive.open(info) as packed, (folder / above[0] / picture).open("xb") as file:
                shutil.copyfileobj(packed, file)
    return len(files) - sum(len(parts) == 2 for parts in shown.values())


def _mostly_deeper(paths: Collection[tuple[str, ...]]) -> bool:
    """Whether more pictures lie below the folders at the top than in them."""
    return sum(len(parts) > 2 for parts in paths) > sum(len(parts) == 2 for parts in paths)


def _check_names(paths: Collection[tuple[str, ...]], name: str) -> None:
    """Refuse names that some computer takes for another's, for a device or for none."""
    classes: dict[str, str] = {}
    files: set[tuple[str, ...]] = set()
    for parts in paths:
        for part in parts:
            if not is_portable(part):
                raise ImageError(f"{name} holds {said(part)}, which not every computer takes for a name; rename it")
        same = tuple(map(alike, parts))
        if len(parts) > 1 and classes.setdefault(same[0], parts[0]) != parts[0] or same in files:
            raise ImageError(f"{name} holds {said('/'.join(parts))} twice, or in capitals as well; rename one of them")
        files.add(same)
