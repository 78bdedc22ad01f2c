"""Opens ZIP files that anyone may have packed, without trust in what they hold, and packs paintings into others."""

import io
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from nst_core.errors import ImageError, named, said
from nst_core.files import writing
from nst_core.pictures.opening import SUFFIXES
from nst_core.pictures.recognition import HEAD_BYTES, begins_as_picture
from nst_core.ui.page.downloads import new_file

PICTURES = tuple(SUFFIXES)
MOST_FILES = 20_000  # in a ZIP
MOST_BYTES = 10**9  # of what is unpacked; more would fill the disk of a small machine
MOST_DIRECTORY = 6_000_000  # bytes of a ZIP's list of files, which Python reads as a whole: 300 for each file
FILE_HEADER = 30  # bytes of what stands before each file, without its name
MOST_FOLDERS = 16  # around a picture
# A ZIP may come from anyone. Photographs as BMP become 3 times smaller in it, drawings 50 times; a blank page 1,000
# times, and so do files that are to fill a disk, which is why there is room for few of them.
MOST_RATIO = 100
BLANK_BYTES = 50_000_000  # of a whole ZIP, unpacked, beyond that ratio
DISK_RESERVE = 500_000_000  # bytes that stay free for all else
# What Python raises for a ZIP that is damaged or none, and for a disk that is full.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)
LOCKED = 1  # bit of a file's flags: it wants a password
AGAIN, ORDINARY = "pack it again, and drop it anew", "pack the pictures again, as an ordinary ZIP"
LITTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini"}  # what systems put beside files, in lower case
APPLE = "._"  # begins the name of what macOS keeps of a file beside it


@contextmanager
def opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP to be read; what goes wrong meanwhile becomes an ImageError.

    Raises:
        ImageError: it is damaged, or no ZIP; or a file that is unpacked cannot be written.
    """
    try:
        with _Guarded(source) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except ZIP_ERRORS as error:
        reason = getattr(error, "strerror", None) or "it is damaged, or no ZIP"
        raise ImageError(f"{named(source)} cannot be unpacked ({reason}); {AGAIN}") from None


def is_locked(info: zipfile.ZipInfo) -> bool:
    """Whether a file wants a password."""
    return bool(info.flag_bits & LOCKED)


def is_unusual(info: zipfile.ZipInfo) -> bool:
    """Whether a file is packed as few programs do; of some such ways it is not known how much may come of little."""
    return info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_whole(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse a ZIP of which a file is locked, or packed in an unusual way; raises ImageError."""
    if any(map(is_locked, archive.infolist())):
        raise locked(name)
    if any(map(is_unusual, archive.infolist())):
        raise unusual(name)


def locked(name: str) -> ImageError:
    """Make what says that a ZIP wants a password."""
    return ImageError(f"{name} is locked by a password; {AGAIN} without one")


def unusual(name: str) -> ImageError:
    """Make what says that a ZIP, or a file of it, is packed as few programs do."""
    return ImageError(f"{name} is packed in an unusual way; {ORDINARY}")


class _Guarded(io.FileIO):
    """A file of which no more is read at a time than a ZIP needs."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MOST_DIRECTORY:
            raise zipfile.BadZipFile("the list of its files is too large")
        return super().read(size)


def files_of(archive: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, tuple[str, ...]]:
    """List the files -> the parts of their paths; what systems put beside people's own is left out.

    Args:
        archive: the ZIP.
        name: what a person calls it.

    Raises:
        ImageError: too much, or a path that leads out of it: then it is refused as a whole.
    """
    if not all(info.filename for info in archive.infolist()):
        raise zipfile.BadZipFile("a file without a name")
    infos = [info for info in archive.infolist() if not info.is_dir()]
    size = sum(info.file_size for info in infos)
    if len(infos) > MOST_FILES or size > MOST_BYTES:
        raise ImageError(
            f"{name} holds {len(infos)} files, unpacked {size / 1e6:.0f} MB; the most are {MOST_FILES} and "
            f"{MOST_BYTES / 1e6:.0f} MB: pack fewer or smaller pictures"
        )
    _check_packing(archive, name)
    paths = {info: PureWindowsPath(_path(info)) for info in infos}  # which knows both slashes, and drives
    for path in paths.values():
        if path.anchor or ".." in path.parts:
            raise ImageError(f"{name} holds {said(path.as_posix())}, which leads out of it; pack it again")
        if len(path.parts) > MOST_FOLDERS + 1:
            raise ImageError(
                f"{name} holds {said(path.as_posix())}, in more than {MOST_FOLDERS} folders; pack it again"
            )
    return {info: path.parts for info, path in paths.items() if path.parts and not _is_litter(path.parts)}


def _is_litter(parts: Sequence[str]) -> bool:
    return parts[-1].startswith(APPLE) or not LITTER.isdisjoint(part.lower() for part in parts)


def is_hidden(parts: Sequence[str]) -> bool:
    """Whether a file, or a folder around it, is hidden by its name."""
    return any(part.startswith(".") for part in parts)


def _path(info: zipfile.ZipInfo) -> str:
    """Read a name as it was meant: macOS writes UTF-8 and does not say so."""
    try:
        return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _check_packing(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse what no program packs so: the same bytes for several files, or little that becomes much."""
    infos, end = archive.infolist(), archive.start_dir
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if info.header_offset + FILE_HEADER + info.compress_size > end:
            raise ImageError(f"{name} holds files that lie in each other; {ORDINARY}")
        end = info.header_offset
    blank = sum(max(0, info.file_size - MOST_RATIO * info.compress_size) for info in infos)
    if blank > BLANK_BYTES:
        raise ImageError(f"{name} holds {blank / 1e6:.0f} MB of nothing, as no pictures do; {ORDINARY}")


def is_meant(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bool:
    """Whether a file is a picture, or only says so: then painting names it, and what is wrong with it."""
    if name.lower().endswith(PICTURES) or is_unusual(info):
        return name.lower().endswith(PICTURES)
    with archive.open(info) as packed:
        return begins_as_picture(packed.read(HEAD_BYTES))


def check_room(infos: Iterable[zipfile.ZipInfo], name: str, folder: Path) -> None:
    """Refuse to unpack what the disk has no room for; raises ImageError."""
    size, free = sum(info.file_size for info in infos), shutil.disk_usage(folder).free - DISK_RESERVE
    if size > free:
        raise ImageError(
            f"{name} is {size / 1e6:.0f} MB when unpacked, and there is room for {max(0, free) / 1e6:.0f} MB; "
            "pack fewer pictures, or come back later"
        )


def pack(folder: Path, files: Iterable[str], name: str) -> Path:
    """Pack files of a folder, by their names there, into a ZIP of that name.

    Raises:
        OutputError: it cannot be written.
    """
    path = new_file(name)
    # a PNG is as small as it gets
    with writing(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(folder / file, file)
    return path
