"""Unpacks class folders from ZIP files, without trust in what they hold, and packs them again with their index."""

import io
import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path, PureWindowsPath

from nst_core.augment.labels import INDEX, read_index
from nst_core.errors import ImageError, named, said
from nst_core.file_names import alike, is_portable
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
# What Python raises for a ZIP that is damaged, encrypted or none, and for a disk that is full.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


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
        with _Guarded(source) as file, zipfile.ZipFile(file) as archive:
            return _unpack(archive, named(source), folder)
    except ZIP_ERRORS as error:
        shutil.rmtree(folder, ignore_errors=True)
        reason = getattr(error, "strerror", None) or "it is damaged, encrypted or no ZIP"
        raise ImageError(f"{named(source)} cannot be unpacked ({reason}); pack it again, and drop it anew") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Guarded(io.FileIO):
    """A file of which no more is read at a time than a ZIP needs."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MOST_DIRECTORY:
            raise zipfile.BadZipFile("the list of its files is too large")
        return super().read(size)


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path) -> int:
    files = _files(archive, name)
    shown = {info: parts for info, parts in files.items() if _is_meant(archive, info, parts[-1])}
    if not shown:
        raise ImageError(f"{name} has no pictures in it; put those of each class into a folder")
    while len({parts[0] for parts in shown.values()}) == 1 and _mostly_deeper(shown.values()):
        shown = {info: parts[1:] for info, parts in shown.items() if len(parts) > 1}
    _check_room(archive.infolist(), name, folder)
    _check_names(shown.values(), name)
    for info, (*above, picture) in shown.items():
        folder.joinpath(*above[:1]).mkdir(exist_ok=True)
        if len(above) == 1:  # Python reads no more of it than its size, which was counted
            with archive.open(info) as packed, (folder / above[0] / picture).open("xb") as file:
                shutil.copyfileobj(packed, file)
    return len(files) - sum(len(parts) == 2 for parts in shown.values())


def _is_meant(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bool:
    """Whether a file is a picture, or only says so: then painting names it, and what is wrong with it."""
    if name.lower().endswith(PICTURES):
        return True
    with archive.open(info) as packed:
        return begins_as_picture(packed.read(HEAD_BYTES))


def _mostly_deeper(paths: Collection[tuple[str, ...]]) -> bool:
    """Whether more pictures lie below the folders at the top than in them."""
    return sum(len(parts) > 2 for parts in paths) > sum(len(parts) == 2 for parts in paths)


def _files(archive: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, tuple[str, ...]]:
    """List what is to be unpacked -> the parts of its path; refused as a whole if too much, or if a path leads out."""
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
    hidden = {info for info, path in paths.items() for part in path.parts if part[0] == "." or part == "__MACOSX"}
    return {info: path.parts for info, path in paths.items() if path.parts and info not in hidden}


def _path(info: zipfile.ZipInfo) -> str:
    """Read a name as it was meant: macOS writes UTF-8 and does not say so."""
    try:
        return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _check_packing(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse what no program packs so: the same bytes for several files, or little that becomes much."""
    infos, again = archive.infolist(), "pack the pictures again, as an ordinary ZIP"
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
        raise ImageError(f"{name} is packed in an unusual way; {again}")
    end = archive.start_dir
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if info.header_offset + FILE_HEADER + info.compress_size > end:
            raise ImageError(f"{name} holds files that lie in each other; {again}")
        end = info.header_offset
    blank = sum(max(0, info.file_size - MOST_RATIO * info.compress_size) for info in infos)
    if blank > BLANK_BYTES:
        raise ImageError(f"{name} holds {blank / 1e6:.0f} MB of nothing, as no pictures do; {again}")


def _check_room(infos: Iterable[zipfile.ZipInfo], name: str, folder: Path) -> None:
    size, free = sum(info.file_size for info in infos), shutil.disk_usage(folder).free - DISK_RESERVE
    if size > free:
        raise ImageError(
            f"{name} is {size / 1e6:.0f} MB when unpacked, and there is room for {max(0, free) / 1e6:.0f} MB; "
            "pack fewer pictures, or come back later"
        )


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


def pack(paintings: Path, name: str) -> Path:
    """Pack what is painted, and its index, into a ZIP of that name.

    Raises:
        OutputError: it cannot be written.
    """
    path = new_file(name)
    # a PNG is as small as it gets
    with writing(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for file in (INDEX, *read_index(paintings)):
            archive.write(paintings / file, file)
    return path
