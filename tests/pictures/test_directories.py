"""Tags of EXIF and TIFF: what is counted before Pillow reads it."""

import io
import struct

import pytest
from PIL import Image, TiffImagePlugin

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import directories
from tests import picture_files as files


@pytest.fixture
def copied(monkeypatch):
    """How many bytes of tags Pillow copies."""
    plain, sizes = TiffImagePlugin.ImageFile._safe_read, []
    counting = lambda file, size: sizes.append(size) or plain(file, size)  # noqa: E731
    monkeypatch.setattr(TiffImagePlugin.ImageFile, "_safe_read", counting)
    return sizes


def jpeg(exif: bytes) -> bytes:
    return files.with_exif(files.saved(64, 48, "RGB", "JPEG"), exif)


def avif(exif: bytes) -> bytes:
    return files.saved(64, 48, "RGB", "AVIF", exif=b"Exif\0\0" + exif)


MAKERS = {
    "jpeg": jpeg,
    "png": lambda exif: files.png(64, 48, before=files.chunk(b"eXIf", exif)),
    "webp": lambda exif: files.saved(64, 48, "RGB", "WEBP", exif=b"Exif\0\0" + exif),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_tags_that_share_their_data_are_left_out_and_the_picture_is_read(copied, kind):
    bomb = files.shared_tags(3000, 30_000)
    data = MAKERS[kind](bomb)
    copied.clear()
    assert images.load(io.BytesIO(data)).shape == (1, 3, 48, 64)
    assert sum(size for size in copied if size == 30_000) <= len(bomb)


def test_a_tiff_of_tags_that_share_their_data_is_refused(copied):
    bomb = files.tiff([(256, 4, 1, 32), (257, 4, 1, 32)] + [(1000 + tag, 1, 9000, 8) for tag in range(3000)], bytes(99))
    with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
        images.check(io.BytesIO(bomb))
    assert sum(copied) <= 2 * len(bomb)


@pytest.mark.parametrize(("kind", "size"), [(1, 1), (3, 2), (4, 4)])
def test_a_tiff_of_more_strips_than_any_needs_is_refused(kind, size):
    count = directories.MOST_NUMBERS + 1
    entries = [(256, 4, 1, 32), (257, 4, 1, 32), (259, 3, 1, 1), (273, kind, count, files.behind(5)), (278, 4, 1, 1)]
    with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
        images.check(io.BytesIO(files.tiff(entries, bytes(count * size))))


def test_tags_of_a_camera_are_read():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 6, "a maker", b"x" * 60_000
    read = Image.Exif()
    read.load(exif.tobytes())
    assert (read[0x0112], read[0x010F], len(read[0x9286])) == (6, "a maker", 60_000)


def test_large_notes_of_one_tag_are_no_reason_to_refuse():
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "TIFF", tiffinfo={37724: bytes(10**6)})
    images.check(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_directories_are_counted_in_either_order_and_size(order, big):
    entry = struct.Struct(order + ("HHQQ" if big else "HHLL"))
    head = struct.pack(order + ("Q" if big else "H"), 3)
    place = len(head) + 3 * entry.size

    def directory(size: int, step: int) -> io.BytesIO:
        entries = b"".join(entry.pack(1000 + tag, 7, size, place + tag * step) for tag in range(3))
        return io.BytesIO(head + entries + bytes(300))

    directories.check(directory(100, 100), order, big)
    with pytest.raises(SyntaxError):
        directories.check(directory(200, 0), order, big)


def test_guarding_twice_is_guarding_once():
    load = TiffImagePlugin.ImageFileDirectory_v2.load
    directories.guard()
    assert TiffImagePlugin.ImageFileDirectory_v2.load is load
