"""Nothing but our own sentence is said of a damaged file."""

import io
import logging

import pytest

from nst_core import images
from nst_core.errors import ImageError
from tests import picture_files as files


def overwritten(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def too_many_samples() -> bytes:
    data = files.saved(48, 32, "RGB", "TIFF")
    entry = data.index((277).to_bytes(2, "little") + (3).to_bytes(2, "little"))  # SamplesPerPixel, of 16 bits
    return overwritten(data, entry + 8, (2048).to_bytes(2, "little"))


# Who would print -> what makes it.
DAMAGED = {
    "libtiff, of codes": lambda: overwritten(
        files.saved(48, 32, "RGB", "TIFF", compression="tiff_lzw"), 9, b"\xff" * 4
    ),
    "libtiff, of checksums": lambda: overwritten(
        files.saved(48, 32, "RGB", "TIFF", compression="tiff_adobe_deflate"), 20, bytes(9)
    ),
    "Pillow": too_many_samples,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_tiff_is_refused_and_nothing_is_printed(kind, capfd, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])  # as in a program without a log of its own
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        images.load(io.BytesIO(DAMAGED[kind]()))
    assert capfd.readouterr() == ("", "")
