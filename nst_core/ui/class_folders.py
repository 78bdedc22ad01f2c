"""Class folders in ZIP files: unpacked without trust in what they hold, and packed again with their index."""

import shutil
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PureWindowsPath

from nst_core.analysis.labels import INDEX, read_index
from nst_core.errors import ImageError
from nst_core.ui.cache import new_file

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
MOST_FILES = 20_000  # in a ZIP
MOST_BYTES = 10**9  # of what is unpacked; more would fill the disk of a small machine
# What Python raises for a ZIP that is damaged, encrypted or none, and for a disk that is full.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


def unpack(source: Path, folder: Path) -> int:
    """Lay out the pictures of a ZIP as folder/CLASS/NAME; folders around all those of the classes are passed over.

    Returns:
        how many files were left out: no pictures, or in no class's folder; hidden ones do not count.

    Raises:
        ImageError: a damaged ZIP, one that holds too much or no pictures, or a path that leads out of it.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(source) as archive:
            files = _files(archive, source.name)
            shown = {info: parts for info, parts in files.items() if parts[-1].lower().endswith(PICTURES)}
            if not shown:
                raise ImageError(f"{source.name} has no pictures in it; put those of each class into a folder")
            while len({parts[0] for parts in shown.values()}) == 1 and _mostly_deeper(shown.values()):
                shown = {info: parts[1:] for info, parts in shown.items() if len(parts) > 1}
            for info, (*above, name) in shown.items():
                folder.joinpath(*above[:1]).mkdir(exist_ok=True)
                if len(above) == 1:
                    with archive.open(info) as packed, (folder / above[0] / name).open("wb") as file:
                        shutil.copyfileobj(packed, file)
    except ZIP_ERRORS as error:
        reason = getattr(error, "strerror", None) or "it is damaged, encrypted or no ZIP"
        raise ImageError(f"{source.name} cannot be unpacked ({reason}); pack it again, and drop it anew") from None
    return len(files) - sum(len(parts) == 2 for parts in shown.values())


def _mostly_deeper(paths: Collection[tuple[str, ...]]) -> bool:
    """Whether more pictures lie below the folders at the top than in them."""
    return sum(len(parts) > 2 for parts in paths) > sum(len(parts) == 2 for parts in paths)


def _files(archive: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, tuple[str, ...]]:
    """What is to be unpacked -> the parts of its path; refused as a whole if it is too much, or a path leads out."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    size = sum(info.file_size for info in infos)  # Python reads no more of a file, whatever is packed in it
    if len(infos) > MOST_FILES or size > MOST_BYTES:
        raise ImageError(
            f"{name} holds {len(infos)} files, unpacked {size / 1e6:.0f} MB; the most are {MOST_FILES} and "
            f"{MOST_BYTES / 1e6:.0f} MB: pack fewer or smaller pictures"
        )
    paths = {info: PureWindowsPath(_path(info)) for info in infos}  # which knows both slashes, and drives
    for path in paths.values():
        if path.anchor or ".." in path.parts:
            raise ImageError(f"{name} holds {path.as_posix()!r}, which leads out of it; pack it again")
    hidden = {info for info, path in paths.items() for part in path.parts if part[0] == "." or part == "__MACOSX"}
    return {info: path.parts for info, path in paths.items() if path.parts and info not in hidden}


def _path(info: zipfile.ZipInfo) -> str:
    """A name as it was meant: macOS writes UTF-8 and does not say so."""
    try:
        return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def pack(paintings: Path, name: str) -> Path:
    """What is painted, and its index, in a ZIP of that name.

    Raises:
        ImageError: it cannot be written.
    """
    path = new_file(name)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # a PNG is as small as it gets
            for file in (INDEX, *read_index(paintings)):
                archive.write(paintings / file, file)
    except OSError as error:
        raise ImageError(f"the ZIP could not be written ({error.strerror or error}); make room") from None
    return path
