"""Lays out the photos of a batch in a folder of their own: those that were dropped, and those in ZIPs."""

import io
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nst_core.errors import ImageError, NSTError, named, seen
from nst_core.file_names import PORTABLE_BYTES, Names, portable
from nst_core.files import make_folder, plain_errors
from nst_core.pictures.opening import header_of
from nst_core.ui.folders import archive
from nst_core.ui.folders.archive import (
    AGAIN,
    check_room,
    files_of,
    is_hidden,
    is_locked,
    is_meant,
    is_unusual,
    locked,
    opened,
    unusual,
)

ZIP = ".zip"
DROPPED = "photos"  # the folder of those that came in no ZIP
USUAL_SHAPE = 3000, 4000  # pixels, of a photo whose own is not known before it is read
HEAD_BYTES = 2**18  # of a picture in a ZIP, to look how large it is

# What Python raises for a file of a ZIP that is damaged, or wants a password; OSError is the disk's.
FLAWS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)

Shape = tuple[int, int]  # height and width


class Photo(NamedTuple):
    """A picture that is to be painted, and what a person calls it."""

    path: Path
    name: str  # in a ZIP, with its folders: "cats/tom.jpg"
    flaw: str = ""  # why it cannot be unpacked, in words: then it is not there

    @property
    def is_lost(self) -> bool:
        """Whether it was laid out, and is not there any more."""
        return not self.flaw and not self.path.is_file()


class Photos(NamedTuple):
    """The pictures that were laid out, and the names of those files of ZIPs that are hidden, or none."""

    photos: list[Photo]
    left_out: list[str]


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
        ImageError: a ZIP that cannot be opened, or of which every picture is locked, or packed in an unusual way;
            too many photos.
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
                shapes += (_shape_of(io.BytesIO(_head_of(packed, info))) for info in inside)
        else:
            shapes.append(_shape_of(source))
    return shapes


def _head_of(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read how a file begins; nothing of one that cannot be unpacked."""
    if is_unusual(info):
        return b""
    try:
        with packed.open(info) as file:
            return file.read(HEAD_BYTES)
    except FLAWS:
        return b""


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

    A file of a ZIP that is damaged, locked or packed in an unusual way is told by its `flaw`, and the others are there.

    Raises:
        ImageError: a ZIP that cannot be opened, of which no picture can be unpacked, that holds too much, no pictures,
            or a path that leads out of it.
        OutputError: the folder cannot be written.
    """
    photos: list[Photo] = []
    left_out, size = list[str](), 0
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
    """List the pictures of a ZIP -> the parts of their paths.

    Raises:
        ImageError: there are none, or none that can be unpacked: all are locked, or packed in an unusual way.
    """
    shown = {info: parts for info, parts in files_of(packed, name).items() if not is_hidden(parts)}
    pictures = {info: parts for info, parts in shown.items() if _is_picture(packed, info, parts[-1])}
    if not pictures:
        raise ImageError(f"{name} has no pictures in it; pack some, and drop it anew")
    if all(map(is_locked, pictures)):
        raise locked(name)
    if all(map(is_unusual, pictures)):
        raise unusual(name)
    return pictures


def _is_picture(packed: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bool:
    """Whether a file is meant as a picture; of one that cannot be unpacked its name alone tells."""
    try:
        return is_meant(packed, info, name)
    except FLAWS:
        return False


def _unpack(packed: zipfile.ZipFile, name: str, folder: Path) -> Photos:
    pictures, free = _pictures_in(packed, name), Names(PORTABLE_BYTES)
    make_folder(folder)
    check_room(packed.infolist(), name, folder)
    photos = []
    for info, parts in pictures.items():
        own = Path(parts[-1])
        path = folder / free.free(portable(own.stem), portable(own.suffix) if own.suffix else "")
        called = "/".join(parts)
        photos.append(Photo(path, called, _unpack_file(packed, info, path, f"{seen(called)} in {name}")))
    if all(photo.flaw for photo in photos):
        if any(is_locked(info) or is_unusual(info) for info in pictures):
            raise ImageError(photos[0].flaw)
        raise zipfile.BadZipFile  # then so is all of it
    left_out = ["/".join(parts) for info, parts in files_of(packed, name).items() if info not in pictures]
    return Photos(photos, left_out)


def _unpack_file(packed: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, called: str) -> str:
    """Unpack a file; say why it cannot be, and then it is not there."""
    if is_locked(info):
        return str(locked(called))
    if is_unusual(info):
        return str(unusual(called))
    try:
        with packed.open(info) as file, path.open("xb") as copy:  # Python reads no more of it than was counted
            shutil.copyfileobj(file, copy)
    except FLAWS:
        path.unlink(missing_ok=True)
        return f"{called} is damaged, or cut short; {AGAIN}"
    return ""
