"""Pictures and animations, told by their first bytes and their header."""

import pytest

from nst_core.pictures.recognition import HEAD_BYTES, animation_format, begins_as_picture, opens_as_picture
from tests.picture_files import animated_png, gif, icon, png, saved


def test_the_first_bytes_tell_a_picture():
    for content in (png(9, 9), gif(9, 9), icon(png(9, 9)), *(saved(9, 9, "RGB", kind) for kind in ("JPEG", "TIFF"))):
        assert begins_as_picture(content) and begins_as_picture(content[:HEAD_BYTES])
    for content in (b"", b"Dear reader", bytes(HEAD_BYTES), b"\x47" * 188, b"\0\0\0\x18ftypisom", b"%!PS-Adobe-3.0"):
        assert not begins_as_picture(content)


def test_only_what_moves_is_an_animation(tmp_path):
    for name, content in {"a": png(9, 9), "b": gif(9, 9), "c": b"none", "d": saved(9, 9, "RGB", "JPEG")}.items():
        (tmp_path / name).write_bytes(content)
        assert animation_format(tmp_path / name) is None
    (tmp_path / "e").write_bytes(animated_png(20, 20))
    assert animation_format(tmp_path / "e") == "PNG"
    assert animation_format(tmp_path / "gone") is None


@pytest.mark.parametrize(("content", "opens"), [(saved(9, 9, "RGB", "TGA"), True), (b"Dear reader", False)])
def test_a_kind_without_a_mark_is_told_by_its_header(tmp_path, content, opens):
    (tmp_path / "a").write_bytes(content)
    assert opens_as_picture(tmp_path / "a") is opens and not begins_as_picture(content)
