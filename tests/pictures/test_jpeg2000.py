"""What a JPEG 2000's headers say of how it decodes."""

import io
import struct
from dataclasses import replace

import pytest

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import jpeg2000
from tests import picture_files as files


def read(data: bytes) -> jpeg2000.Codestream:
    return jpeg2000.read(io.BytesIO(data))


@pytest.mark.parametrize("options", [{}, {"no_jp2": True}], ids=["in a file", "bare"])
def test_size_tiles_and_colours_are_those_that_were_saved(options):
    stream = read(files.saved(200, 120, "RGB", "JPEG2000", **options))
    assert (stream.size, stream.tile, stream.components) == ((200, 120), (200, 120), 3)
    stream = read(files.saved(200, 120, "L", "JPEG2000", tile_size=(64, 32), **options))
    assert (stream.size, stream.tile, stream.components) == ((200, 120), (64, 32), 1)


@pytest.mark.parametrize("resolutions", [1, 3, 6])
def test_a_picture_can_be_halved_as_often_as_it_was_saved(resolutions):
    assert read(files.saved(200, 120, "RGB", "JPEG2000", num_resolutions=resolutions)).levels == resolutions - 1


def test_a_picture_beside_its_grids_origin_is_not_halved():
    stream = read(files.saved(200, 120, "RGB", "JPEG2000"))
    assert stream.at_origin and stream.levels and not replace(stream, at_origin=False).levels


def test_blocks_and_precincts_are_counted():
    stream = read(files.saved(256, 256, "L", "JPEG2000", num_resolutions=1, codeblock_size=(64, 64)))
    assert stream.pieces == (16, 1)

    def pieces(*codings: jpeg2000.Coding, **changes) -> tuple[int, int]:
        return replace(stream, codings=codings, **changes).pieces

    whole, small = (15, 15), (5, 5)
    assert pieces(jpeg2000.Coding(0, (2, 2), (whole,))) == (4096, 1)
    assert pieces(jpeg2000.Coding(0, (6, 6), (small,))) == (64, 64)  # no block reaches beyond its precinct
    halved = jpeg2000.Coding(1, (6, 6), (whole, whole))  # a small copy, and three bands of its size
    assert pieces(halved, components=3) == (3 * (4 + 3 * 4), 3 * 2)
    assert pieces(halved, jpeg2000.Coding(0, (2, 2), (small,))) == (4096, 64)  # the finest counts


def test_a_coding_that_a_tile_says_of_itself_counts():
    data = files.saved(256, 256, "L", "JPEG2000", num_resolutions=1, codeblock_size=(64, 64), no_jp2=True)
    part = data.index(b"\xff\x90")
    coding = data.index(b"\xff\x52")
    segment = bytearray(data[coding : coding + 2 + struct.unpack(">H", data[coding + 2 : coding + 4])[0]])
    segment[10] = segment[11] = 0  # blocks of 4×4
    length = struct.unpack(">I", data[part + 6 : part + 10])[0]
    head = (
        data[part : part + 6] + struct.pack(">I", length + len(segment) if length else 0) + data[part + 10 : part + 12]
    )
    assert read(data[:part] + head + bytes(segment) + data[part + 12 :]).pieces == (4096, 1)


def test_sizes_that_contradict_each_other_are_refused():
    data = bytearray(files.saved(200, 120, "RGB", "JPEG2000"))
    place = data.index(b"\xff\x51") + 6
    data[place : place + 4] = struct.pack(">I", 20_000)
    with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
        images.check(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_file_that_is_cut_short_is_read_or_refused(cut):
    data = files.saved(200, 120, "RGB", "JPEG2000")[:cut]
    try:
        images.check(io.BytesIO(data))
    except ImageError:
        return
    assert cut > 100


class Patient(io.BytesIO):
    """A file that is read so many times and no more."""

    left = 10_000

    def read(self, size=-1):
        self.left -= 1
        assert self.left, "it is read for ever"
        return super().read(size)


def test_a_part_of_a_tile_that_ends_where_its_pixels_begin_is_not_read_for_ever():
    data = bytearray(files.saved(64, 48, "L", "JPEG2000", no_jp2=True))
    part = data.index(b"\xff\x90")
    data[part + 6 : part + 10] = struct.pack(">I", 12)  # the length of what stands before the pixels
    assert jpeg2000.read(Patient(data)).size == (64, 48)
