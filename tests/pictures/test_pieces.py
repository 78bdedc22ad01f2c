"""Files of more pieces than any picture has are refused before Pillow goes over them."""

import io

import pytest
from PIL import Image

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import pieces
from tests import picture_files as files

EMPTY_COMMENT = b"!\xfe\0"


def gif(*, before: bytes = b"", between: bytes = b"", frames: int = 3) -> bytes:
    """An animation with blocks before its first frame and its second."""
    buffer = io.BytesIO()
    pictures = [Image.effect_noise((32, 24), 60 + number).convert("P") for number in range(frames)]
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=40, loop=0)
    data = buffer.getvalue()
    first = data.index(b"!\xf9")
    second = data.index(b"!\xf9", first + 1)
    return data[:first] + before + data[first:second] + between + data[second:]


def png(*, before: bytes = b"", behind: bytes = b"") -> bytes:
    data, end = files.png(32, 24, before=before), files.chunk(b"IEND", b"")
    return data.removesuffix(end) + behind + end


MANY = 2_000
KINDS = {
    "png before its pixels": png(before=MANY * files.chunk(b"quIt", b"")),
    "png behind them": png(behind=MANY * files.chunk(b"quIt", b"")),
    "png in an icon": files.icon(png(before=MANY * files.chunk(b"quIt", b""))),
    "gif before its frame": gif(before=MANY * EMPTY_COMMENT),
    "gif before its second": gif(between=MANY * EMPTY_COMMENT),
    "gif of one comment in bytes": gif(before=b"!\xfe" + MANY * b"\1x" + b"\0"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_too_many_pieces_is_refused_before_it_is_opened(kind, monkeypatch):
    assert images.size_of(images.load(io.BytesIO(KINDS[kind]))) == (24, 32)
    monkeypatch.setattr(pieces, "MOST_PIECES", MANY)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
    for read in (images.load, images.check, images.read_text):
        with pytest.raises(ImageError, match="use a JPEG, PNG or WebP"):
            read(io.BytesIO(KINDS[kind]))


def test_what_is_short_or_cut_is_left_to_pillow():
    for data in (gif(), png()):
        for length in range(0, len(data), 7):
            (pieces.check_blocks if data[:3] == b"GIF" else pieces.check_chunks)(io.BytesIO(data[:length]))
