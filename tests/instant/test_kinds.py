"""What a file is: its content says, whatever its name."""

import os

import pytest
from PIL import Image

from nst_core.errors import ImageError
from nst_core.instant.kinds import ANIMATIONS, FILM, PICTURE, kind_of
from tests.instant.test_video import film, numbered
from tests.picture_files import animated_png, gif, png, saved

# Ending of a film -> its codec, as cameras, discs, phones and the web make it.
FILMS = {
    "mts": "libx264",
    "m2ts": "libx264",
    "ts": "mpeg2video",
    "mpg": "mpeg2video",
    "vob": "mpeg2video",
    "3gp": "libx264",
    "wmv": "wmv2",
    "asf": "wmv2",
    "flv": "flv",
    "ogv": "libvpx",
    "mp4": "libx264",
    "mov": "mpeg4",
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "mpeg4",
}
PICTURES = {kind: saved(48, 32, "RGB", kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "TGA", "GIF", "AVIF")}
NONE = {
    "text": b"Dear reader,\n" * 40,
    "code": b"export const a = 1;\n" * 400,
    "nothing": b"",
    "zeros": bytes(5000),
    "a play list": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a document": b"%PDF-1.4\n" + b"x" * 999,
    "what a Finder leaves": b"\0\0\0\1Bud1" + bytes(4000),
    "a song": b"ID3\x03\0\0\0\0\0\0" + (b"\xff\xfb\x90\0" + bytes(413)) * 20,
}


def animation(path, kind: str, count: int = 3):
    """A few frames, shown for 50, 100, 150 … milliseconds."""
    pictures = [Image.fromarray(numbered(index)) for index in range(0, 3 * count, 3)]
    lengths = [50 * (number + 1) for number in range(count)]
    pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], duration=lengths, loop=0)
    return path


@pytest.mark.parametrize("ending", FILMS)
def test_films_of_every_kind_are_films_by_any_name(tmp_path, ending):
    made = film(tmp_path / f"film.{ending}", codec=FILMS[ending], sound=None, matrix=0)
    for name in ("none", "photo.jpg", "notes.txt"):
        assert kind_of(made.rename(tmp_path / name)) is FILM
        made = tmp_path / name


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_every_kind_are_pictures_by_any_name(tmp_path, kind):
    for name in ("none", "film.mp4", "notes.txt", "x.gif"):
        (tmp_path / name).write_bytes(PICTURES[kind])
        assert kind_of(tmp_path / name) is PICTURE


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_an_animation_is_one_and_a_single_frame_is_a_picture(tmp_path, kind):
    assert kind_of(animation(tmp_path / "photo.jpg", kind)) is ANIMATIONS[kind]
    assert kind_of(animation(tmp_path / "photo.jpg", kind, count=1)) is PICTURE


def test_pages_are_no_animation(tmp_path):
    pages = [Image.fromarray(numbered(index)) for index in range(3)]
    pages[0].save(tmp_path / "scan.tiff", save_all=True, append_images=pages[1:])
    assert kind_of(tmp_path / "scan.tiff") is PICTURE


def test_a_still_picture_in_mp4s_boxes_is_a_picture_even_where_it_cannot_be_read(tmp_path):
    for brand in (b"heic", b"mif1", b"avif"):
        (tmp_path / "photo").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(100))
        assert kind_of(tmp_path / "photo") is PICTURE


@pytest.mark.parametrize("content", [png(30, 30, rows=3), PICTURES["JPEG"][:40], gif(9, 9), animated_png(20, 20)])
def test_a_damaged_picture_stays_one_so_that_reading_it_says_what_is_wrong(tmp_path, content):
    (tmp_path / "film.mp4").write_bytes(content)
    assert kind_of(tmp_path / "film.mp4").name in ("picture", "animation")


@pytest.mark.parametrize("name", NONE)
def test_what_is_neither_is_said_by_name(tmp_path, name):
    for ending in ("jpg", "mp4", "ts"):
        path = tmp_path / f"file.{ending}"
        path.write_bytes(NONE[name])
        with pytest.raises(ImageError, match=f"file.{ending} is (neither a picture nor a film|empty)"):
            kind_of(path)


def test_what_is_no_file_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # which nobody writes to: reading it would wait for ever
    for name, words in {
        "pipe": "pipe is no ordinary file",
        "gone": "gone does not exist; check the path",
        "x" * 300: r"cannot be opened \(file name too long\); check the path",
        ".": "is no ordinary file",
    }.items():
        with pytest.raises(ImageError, match=words):
            kind_of(tmp_path / name)
