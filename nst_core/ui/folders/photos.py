"""Lays out the photos of a batch in a folder of their own: those that were dropped, and those in ZIPs."""

import io
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nst_core.errors import ImageError, NSTError, named
from nst_core.file_names import PORTABLE_BYTES, Names, portable
from nst_core.files import make_folder, plain_errors
from nst_core.pictures.opening import header_of
from nst_core.ui.folders import archive
from nst_core.ui.folders.archive import check_room, files_of, is_meant, opened

ZIP = ".zip"
DROPPED = "photos"  # the folder of those that came in no ZIP
USUAL_SHAPE = 3000, 4000  # pixels, of a photo whose own is not known before it is read
HEAD_BYTES = 2**18  # of a picture in a ZIP, to look how large it is

Shape = tuple[int, int]  # height and width


class Photo(NamedTuple):
    """A picture that is to be painted, and what a person calls it."""

    path: Path
    name: str  # in a ZIP, with its folders: "cats/tom.jpg"


class Photos(NamedTuple):
    """The pictures that were laid out, and how many files of ZIPs are none."""

    photos: list[Photo]
    left_out: int


def is_zip(path: Path) -> bool:
    """Whether a file says that it is a ZIP."""
    return path.suffix.lower() == ZIP


def shapes_of(sources: Sequence[Path], most: int) -> list[Shape]:
    """Look how large each photo is that `lay_out` would give; nothing is laid out or decoded.

    Args:
        sources: files that were dropped.
        most: photos that are too many if there are more.

    Returns:
        (height, width), pixels; USUAL_SHAPE where the beginning of a file does not tell.

    Raises:
        ImageError: a ZIP that cannot be unpacked, or too many photos.
    """
    shapes: list[Shape] = []
    for source in sources:
        if is_zip(source):
            with opened(source) as packed:
                inside = _pictures_in(packed, named(source))
                if len(shapes) + len(inside) > most:
                    raise ImageError(
                        f"{named(source)} brings {len(inside)} photos, and the page paints {most} at a time; "
                        "take fewer, or the command `batch`"
                    )
                for info in inside:
                    with packed.open(info) as file:
                        shapes.append(_shape_of(io.BytesIO(file.read(HEAD_BYTES))))
        else:
            shapes.append(_shape_of(source))
    return shapes


def _shape_of(source: Path | BinaryIO) -> Shape:
    try:
        with header_of(source) as (picture, _, _):
            width, height = picture.size
            return height, width
    except NSTError:  # painting names it, and what is wrong with it
        return USUAL_SHAPE


def lay_out(sources: Sequence[Path], folder: Path) -> Photos:
    """Put photos, and those of ZIPs, into a folder of their ZIP's name each, by names that every computer takes.

    Args:
        sources: files that were dropped.
        folder: to be made; after an error it is not there.

    Raises:
        ImageError: a ZIP that is damaged, locked, holds too much, no pictures, or a path that leads out of it.
        OutputError: the folder cannot be written.
    """
    photos: list[Photo] = []
    left_out, size = 0, 0
    folders, free = Names(PORTABLE_BYTES), Names(PORTABLE_BYTES)
    dropped = folder / folders.free(DROPPED)
    make_folder(dropped)
    try:
        for source in sources:
            if not is_zip(source):
                path = dropped / free.free(portable(source.stem), source.suffix)
                with plain_errors(path):
                    _link(source, path)
                photos.append(Photo(path, source.name))
                continue
            with opened(source) as packed:
                found = _unpack(packed, named(source), folder / folders.free(portable(source.stem)))
                size += sum(info.file_size for info in packed.infolist())
            if size > archive.MOST_BYTES:
                raise ImageError(f"the ZIPs hold more than {archive.MOST_BYTES / 1e6:.0f} MB together; drop fewer")
            photos += found.photos
            left_out += found.left_out
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Photos(photos, left_out)


def _link(source: Path, path: Path) -> None:
    """Have a file in another place as well, without its bytes twice where the disk can."""
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)


def _pictures_in(packed: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, tuple[str, ...]]:
    """List the pictures of a ZIP -> the parts of their paths; raises ImageError where there are none."""
    files = files_of(packed, name)
    pictures = {info: parts for info, parts in files.items() if is_meant(packed, info, parts[-1])}
    if not pictures:
        raise ImageError(f"{name} has no pictures in it; pack some, and drop it anew")
    return pictures


def _unpack(packed: zipfile.ZipFile, name: str, folder: Path) -> Photos:
    pictures, free = _pictures_in(packed, name), Names(PORTABLE_BYTES)
    make_folder(folder)
    check_room(packed.infolist(), name, folder)
    photos = []
    for info, parts in pictures.items():
        own = Path(parts[-1])
        path = folder / free.free(portable(own.stem), portable(own.suffix) if own.suffix else "")
        with packed.open(info) as file, path.open("xb") as copy:  # Python reads no more of it than was counted
            shutil.copyfileobj(file, copy)
        photos.append(Photo(path, "/".join(parts)))
    return Photos(photos, len(files_of(packed, name)) - len(pictures))
