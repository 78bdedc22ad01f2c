"""Writes files aside, and gives them their names when they are whole: whatever ends it, one of old and new stays."""

import errno
import hashlib
import itertools
import os
import platform
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import psutil
from safetensors import SafetensorError

from nst_core.errors import OutputError
from nst_core.interrupts import held

# errno -> what is wrong, in plain words, and what to do about it.
PLAIN = {
    errno.ENOSPC: ("the disk is full", "make room, or write elsewhere"),
    getattr(errno, "EDQUOT", -1): ("your share of the disk is used up", "make room, or write elsewhere"),
    errno.EFBIG: ("it is larger than files may be there", "make it smaller, or write elsewhere"),
    errno.EROFS: ("the file system is read-only", "write elsewhere"),
    errno.EACCES: ("writing there is not permitted", "write elsewhere"),
    errno.EPERM: ("writing there is not permitted", "write elsewhere"),
    errno.ENOENT: ("its folder does not exist", "make it, or write elsewhere"),
    errno.EEXIST: ("a file is in its place", "write elsewhere"),
    errno.ENOTDIR: ("its folder is a file", "write elsewhere"),
    errno.ENAMETOOLONG: ("its name is too long", "give it a shorter one"),
    errno.EIO: ("the disk failed", "write elsewhere"),
}

# A file aside is called after the process that makes it, so that what a killed one left behind can be told from what a
# running one is writing: the computer (a folder may be shared), the process, and a token of this start of it, as in a
# container every process may be number 1. Not after the file itself, as the name might become too long, nor with its
# ending, so that whoever collects the pictures of a folder, hidden ones too, takes none that is half-written.
MARK = ".neural-style-lab"
COMPUTER = hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:6]
TOKEN = secrets.token_hex(4)
ASIDE = re.compile(re.escape(MARK) + r"\.([0-9a-f]{6})-(\d+)-([0-9a-f]{8})-\d+")
_numbers = itertools.count()


class NewFile:
    """A file in the making: `path` is a hidden file beside the one whose name it takes by `keep`.

    Args:
        target: the file to write. Where it is a link, what it leads to is written, and the link stays.

    Raises:
        OutputError: no file can be made there, or a file is there that must not be written.
    """

    def __init__(self, target: str | Path):
        self.target = Path(os.path.realpath(target))
        with plain_errors(target):
            mode = _mode_of(self.target)
            _clear(self.target.parent)
            self.path = self.target.with_name(f"{MARK}.{COMPUTER}-{os.getpid()}-{TOKEN}-{next(_numbers)}")
            self.path.open("xb").close()  # as any new file of this user; encoders may be more secretive
            self._mode = mode or stat.S_IMODE(self.path.stat().st_mode)

    def keep(self) -> None:
        """Give the file its name, once it is whole on the disk.

        Raises:
            OSError: the disk takes no more.
        """
        self.path.chmod(self._mode)
        put_in_place(self.path, self.target)

    def drop(self) -> None:
        """Leave nothing; after `keep`, do nothing."""
        self.path.unlink(missing_ok=True)


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """A file beside path that takes its name when the block ends well; else nothing is left, and an old file stays.

    Yields:
        an empty hidden file without an ending, for the block to fill or to replace; name encoders their format.

    Raises:
        OutputError: it cannot be written.
    """
    with held(), plain_errors(path):
        file = NewFile(path)
        try:
            yield file.path
            file.keep()
        finally:
            file.drop()


def put_in_place(aside: Path, path: Path) -> None:
    """Let a whole file take another's name in the same folder, such that a power cut leaves one of the two.

    Raises:
        OSError: the disk takes no more.
    """
    with aside.open("r+b") as file:
        _flush(file.fileno())
    os.replace(aside, path)
    with suppress(OSError):  # Windows opens no folders; a disk that cannot do this has kept the file all the same
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file all of the data or, where the disk takes no more, nothing.

    Raises:
        OutputError: it cannot be written.
    """
    with held(), plain_errors(path), path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        try:
            left = memoryview(data)
            while left:  # a disk that is nearly full takes a part
                left = left[file.write(left) :]
            _flush(file.fileno())
        except BaseException:
            file.truncate(before)
            raise


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written before an hour of work, not after it.

    Raises:
        OutputError: a file of this path cannot be written.
    """
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; make it, or write elsewhere")
    with plain_errors(path):
        target = Path(os.path.realpath(path))
        _mode_of(target)
        if not os.access(target.parent, os.W_OK):  # of an old file too: the new one is written beside it
            raise OutputError(f"{path} cannot be written, as nothing can be in {target.parent}; write elsewhere")


def make_folder(path: Path) -> None:
    """Make a folder where it is missing.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why, remedy = _in_plain_words(error)
        raise OutputError(f"the folder {path} cannot be made: {why}; {remedy}") from None


@contextmanager
def plain_errors(path: str | Path, *others: type[Exception]) -> Iterator[None]:
    """Turn what goes wrong while a file is written into one error that a user understands.

    Args:
        path: the file.
        others: what an encoder raises in place of OSError.

    Raises:
        OutputError: for an OSError, one of the others, and for what torch and safetensors raise in its place.
    """
    kinds: tuple[type[Exception], ...] = (OSError, SafetensorError, *others)
    caught: tuple[type[Exception], ...] = (*kinds, RuntimeError)
    try:
        yield
    except caught as error:
        cause = error if isinstance(error, kinds) else _cause_of(error)
        if cause is None or isinstance(error, MemoryError):
            raise
        why, remedy = _in_plain_words(cause)
        raise OutputError(f"{Path(path).name} could not be written: {why}; {remedy}") from None


def _cause_of(error: Exception) -> BaseException | None:
    """Find what the disk said; None if the error is none of the disk's."""
    # torch.save on a disk that takes no more: "[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"
    if "inline_container" not in str(error):
        return None
    under = error.__context__
    while under and not isinstance(under, OSError):
        under = under.__context__
    return under or error


def _in_plain_words(error: BaseException) -> tuple[str, str]:
    """(what is wrong, what to do)."""
    number = getattr(error, "errno", None)
    if isinstance(error, SafetensorError) and (found := re.search(r"os error (\d+)", str(error))):
        number = int(found[1])
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return PLAIN.get(number, (reason, "make room, or write elsewhere"))


def _mode_of(target: Path) -> int | None:
    """The permissions of an old file; None if there is none.

    Raises:
        OutputError: it is there and must not be replaced.
    """
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):  # a device would be gone for good
        what = "a folder; name a file in it" if stat.S_ISDIR(mode) else "no ordinary file; name another"
        raise OutputError(f"{target} is {what}")
    if not os.access(target, os.W_OK):
        raise OutputError(f"{target} cannot be written; write elsewhere")
    return stat.S_IMODE(mode)


@lru_cache(maxsize=256)  # once a process for each folder: a folder of ten thousand paintings is long to look through
def _clear(folder: Path) -> None:
    """Delete what killed processes of this computer left behind."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if (found := ASIDE.fullmatch(entry.name)) and _is_left_over(*found.groups()):
                with suppress(OSError):
                    os.unlink(entry.path)


def _is_left_over(computer: str, process: str, token: str) -> bool:
    if computer != COMPUTER:
        return False
    return token != TOKEN if int(process) == os.getpid() else not psutil.pid_exists(int(process))


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that knows no such thing
            raise
