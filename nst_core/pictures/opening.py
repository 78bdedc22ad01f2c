"""Opens pictures that anyone may have made: of known kinds only, few at a time, within a budget of memory."""

import io
import math
import struct
import subprocess  # nosec B404  # for the name of its error: nothing is started
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from PIL import BmpImagePlugin, IcoImagePlugin, Image, ImageCms
from PIL.ImageFile import ImageFile

from nst_core.errors import ImageError, named
from nst_core.pictures import cost, directories, float_tiff, large, openexr, plain_tiff, quiet
from nst_core.pictures.light import NotFinite
from nst_core.pictures.pieces import check_blocks, check_chunks
from nst_core.pictures.png_text import heads
from nst_core.pictures.webp import decodable_webp

# Kinds of file that are opened, as Pillow calls them; the last has no mark to know it by. Every further one is a
# decoder more for strangers' bytes, and some start other programs: PostScript's does whatever the file says.
FORMATS = (
    *("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP"),
    *(plain_tiff.FORMAT, "TIFF", float_tiff.FORMAT, openexr.FORMAT),
    *("AVIF", "HEIF", "JPEG2000", "ICO", "TGA"),
)
MAX_PIXELS = 100_000_000  # a file's pixels; beyond, decoding takes too long
SLOW_PIXELS = 2**24  # of a JPEG 2000, as it is decoded: a million take a second, and hold up who waits to read
GREYS = {"L;2": 85, "L;4": 17}  # a PNG's grey of so many bits -> its least step, of 255
AT_ONCE = 2  # pictures decoded at a time in this process, lest thirty uploads add up

# What Pillow and its decoders raise for files that are damaged or of another kind.
DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
    BufferError,
    struct.error,
    zlib.error,
    subprocess.SubprocessError,
    ImageCms.PyCMSError,
)

# What an ISO file calls itself, and what reads it.
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
HEIC_REMEDY = "the package pillow-heif: pip install pillow-heif"
AVIF_REMEDY = "a newer Pillow: pip install --upgrade pillow"

# Endings of files that cameras, scanners and the web make. A file of another name in a folder is taken for no picture.
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".gif", ".bmp", ".tif", ".tiff"}
    | {".exr"}
)

UNREADABLE = "cannot be read as a picture (it is damaged, cut short or of another kind); use a JPEG, PNG or WebP file"
NOT_FINITE = "holds numbers that are infinite or none (NaN), which cannot be shown; save it without them"

_turns = threading.BoundedSemaphore(AT_ONCE)

directories.guard()
quiet.hush()


@contextmanager
def header_of(source: str | Path | BinaryIO, *, most: int = MAX_PIXELS) -> Iterator[tuple[ImageFile, BinaryIO, str]]:
    """An open picture of which nothing is decoded, the file it is read from, and its name.

    What goes wrong meanwhile, in the caller's lines too, becomes an ImageError. An icon is the picture inside it.

    Args:
        source: a file's path or an open binary file.
        most: pixels; where nothing is to be decoded, a PNG or TIFF may have more than MAX_PIXELS. A result of this
            program's may always: see `large`.

    Raises:
        ImageError: no such file, of none of FORMATS, damaged, of more pixels, or the memory is full.
    """
    name = named(source) if isinstance(source, str | Path) else "the file"
    with _in_plain_words(name), ExitStack() as stack:
        file = stack.enter_context(open(source, "rb")) if isinstance(source, str | Path) else _seekable(source)
        most_of_own = max(most, large.MOST_PIXELS)
        _check_first_frame(file, name, most)
        _check_kind(file, name)
        file = decodable_webp(file)
        picture = stack.enter_context(_icon(file) or _opened(file, most_of_own))
        check_pixels(picture.size, name, most_of_own if large.is_own(picture) else most)
        if picture.format == "PNG":
            _scale_hidden(picture)
        yield picture, file, name


@contextmanager
def decodable(
    source: str | Path | BinaryIO, max_side: int, *, channels: int | None = 3
) -> Iterator[tuple[ImageFile, BinaryIO, tuple[int, int], str]]:
    """A picture to decode while this lasts: no larger than needed, within the budget, and when it is its turn.

    With it come the file that it is read from, its own (width, height) and its name.

    Args:
        source: a file's path or an open binary file.
        max_side: pixels; what is beyond may be decoded smaller.
        channels: of the tensor that is made of it; None: 4 where it is transparent, else 3.

    Raises:
        ImageError: as `header_of`, or it takes more memory than it may.
    """
    with _turns, header_of(source) as (picture, file, name):
        size = picture.size
        transparent = picture.format == "DIB" or picture.has_transparency_data
        admit(picture, file, name, max_side, channels=channels or (4 if transparent else 3))
        if picture.format != "DIB":
            yield picture, file, size, name
            return
        file.seek(0)
        with Image.open(file, formats=("ICO",)) as icon:  # which knows of its transparency
            yield icon, file, size, name


def admit(picture: ImageFile, file: BinaryIO, name: str, max_side: int, *, channels: int = 3) -> None:
    """Refuse by its header alone a picture that takes more memory than it may; arguments as of `decodable`.

    Raises:
        ImageError: with its size, what it takes, what it may take, and what to do.
    """
    width, height = picture.size
    if is_large(picture):
        return _check_cost(large.needed(picture.size, max_side, channels), picture.size, name)
    cost.shrink(picture, file, max_side)
    if picture.format == "JPEG2000" and math.prod(cost.decoded_size(picture)) > SLOW_PIXELS:
        raise ImageError(f"{name} is {width}×{height} pixels, too many for a JPEG 2000; save it as a JPEG")
    _check_cost(cost.needed(picture, file, max_side, channels=channels), (width, height), name)


def _check_cost(needed: int, size: tuple[int, int], name: str) -> None:
    allowed = cost.budget()
    if needed > allowed:
        width, height = size
        raise ImageError(
            f"{name} is {width}×{height} pixels, and reading it takes about {needed / 1e6:,.0f} MB of memory; "
            f"{allowed / 1e6:,.0f} MB are allowed ({cost.BUDGET_NAME}): make it smaller, or save it as a JPEG"
        )


def is_large(picture: ImageFile) -> bool:
    """Whether an open picture has so many pixels that it is a result of this program's, which `large` reads."""
    return math.prod(picture.size) > MAX_PIXELS


def check_pixels(size: tuple[int, int], name: str, most: int = MAX_PIXELS) -> None:
    """Refuse a picture of more pixels than it may have; size = (width, height)."""
    width, height = size
    if width * height > most:
        raise ImageError(f"{name} is {width}×{height}, more than {most:,} pixels; make it smaller first")


def _opened(file: BinaryIO, most: int) -> ImageFile:
    """Open a picture, of which Pillow refuses 180 million pixels, and not yet 100, whoever is to decode them."""
    try:
        return Image.open(file, formats=known_formats())
    except Image.DecompressionBombError:
        file.seek(0)
        head = file.read(16)
        for maker, accepts in (Image.OPEN[name] for name in ("PNG", "TIFF")):
            if most > MAX_PIXELS and accepts and accepts(head):
                file.seek(0)
                return maker(file, "")
        raise


def known_formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow reads; it would fail for another, and MPO comes by way of JPEG."""
    Image.init()
    openexr.register()
    float_tiff.register()
    plain_tiff.register()
    if "HEIF" not in Image.OPEN:
        with suppress(ImportError):  # there is none for some computers
            from pillow_heif import register_heif_opener

            register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def _in_plain_words(name: str) -> Iterator[None]:
    """Turn what Pillow raises into an ImageError; of what it warns, MAX_PIXELS says all that matters."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist; check the path") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller first") from None
    except MemoryError:
        raise ImageError(f"{name} takes more memory than there is; make it smaller, and try again") from None
    except NotFinite:
        raise ImageError(f"{name} {NOT_FINITE}") from None
    except DECODER_ERRORS:
        raise ImageError(f"{name} {UNREADABLE}") from None


def _seekable(file: BinaryIO) -> BinaryIO:
    try:
        file.seek(0)
    except (AttributeError, io.UnsupportedOperation):
        return io.BytesIO(file.read())
    return file


def _check_kind(file: BinaryIO, name: str) -> None:
    """Refuse with a remedy of its own what is a picture, yet not read here."""
    head = file.read(64)
    if head.startswith(openexr.MAGIC) and (why := openexr.why_unread(file)):
        raise ImageError(f"{name} {why}")
    file.seek(0)
    box = head[: int.from_bytes(head[:4])] if head[4:8] == b"ftyp" else b""
    brands = {box[place : place + 4] for place in range(8, len(box), 4)}
    if AVIF_BRANDS & brands and "AVIF" not in known_formats():
        raise ImageError(f"{name} is an AVIF picture; reading it takes {AVIF_REMEDY}, or save it as a JPEG")
    if HEIC_BRANDS & brands and not AVIF_BRANDS & brands and "HEIF" not in known_formats():
        raise ImageError(f"{name} is a HEIC picture; reading it takes {HEIC_REMEDY}, or save it as a JPEG")


def _check_first_frame(file: BinaryIO, name: str, most: int = MAX_PIXELS) -> None:
    """Refuse an animated PNG or a GIF for what Pillow takes for its first frame while it only opens the file."""
    head = file.read(24)
    if head.startswith(b"\x89PNG"):
        size = struct.unpack(">II", head[16:24])
        if math.prod(size) > large.MOST_PIXELS:
            check_pixels(size, name, most)
        check_chunks(file)
        if _is_animated(file):
            check_pixels(size, name, most)
            _check_cost(8 * size[0] * size[1], size, name)
    elif head.startswith(b"GIF8"):
        check_pixels(struct.unpack("<HH", head[6:10]), name)
        check_blocks(file)
    file.seek(0)


def _scale_hidden(picture: ImageFile) -> None:
    """Have the colour that a PNG calls transparent counted as Pillow counts its pixels: in eight bits, or sixteen."""
    hidden, packing = picture.info.get("transparency"), picture.tile[0][3] if picture.tile else ""
    if isinstance(hidden, tuple) and packing == "RGB;16B":
        picture.info["transparency"] = tuple(value >> 8 for value in hidden)
    elif isinstance(hidden, int) and packing in GREYS:
        picture.info["transparency"] = hidden * GREYS[packing]


def _is_animated(file: BinaryIO) -> bool:
    """Whether a PNG says so before its pixels."""
    return any(kind == b"acTL" for kind, _, _ in heads(file))


def _icon(file: BinaryIO) -> ImageFile | None:
    """The largest picture of an icon, None of another file; Pillow decodes an icon while it only opens it."""
    file.seek(0)
    if file.read(4) != b"\0\0\1\0":
        return None
    file.seek(0)
    icon = IcoImagePlugin.IcoFile(file)
    place = icon.entry[icon.getentryindex(icon.entry[0].dim)].offset
    file.seek(place)
    if file.read(4) == b"\x89PNG":
        inner = io.BytesIO(_rest(file, place))
        _check_first_frame(inner, "the icon")
        return Image.open(inner, formats=("PNG",))
    file.seek(place)
    picture = BmpImagePlugin.DibImageFile(file)
    picture._size = (picture.width, picture.height // 2)  # the other half says what is transparent
    return picture


def _rest(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read()
