"""Photos of a batch are laid out in folders of their own, whatever a ZIP holds; what is wrong with one is said."""

import errno
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.errors import ImageError
from nst_core.ui.folders import archive as zips
from nst_core.ui.folders.photos import USUAL_SHAPE, lay_out, shapes_of
from tests.picture_files import png
from tests.ui.folders.test_class_folders import paths

PICTURE, OTHER = png(16, 16), png(20, 16)


def packed(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A ZIP of that path; a name may be there twice."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def dropped(path: Path, content: bytes = PICTURE) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def laid(sources: list[Path], folder: Path) -> dict[str, str]:
    """Where each photo lies, below the folder -> what it is called."""
    return {str(photo.path.relative_to(folder)): photo.name for photo in lay_out(sources, folder).photos}


def test_photos_and_those_of_zips_are_called_as_in_folders_of_those_names(tmp_path):
    sources = [
        dropped(tmp_path / "a" / "tom.png"),
        packed(tmp_path / "animals.zip", {"cat/tom.png": OTHER, "dog/tom.png": PICTURE, "rex.PNG": PICTURE}),
        dropped(tmp_path / "b" / "tom.png", OTHER),
    ]
    assert laid(sources, tmp_path / "room") == {
        "photos/tom.png": "tom.png",
        "animals/tom.png": "cat/tom.png",
        "animals/tom-2.png": "dog/tom.png",
        "animals/rex.PNG": "rex.PNG",
        "photos/tom-2.png": "tom.png",
    }
    assert (tmp_path / "room" / "photos" / "tom-2.png").read_bytes() == OTHER
    assert (tmp_path / "room" / "animals" / "tom.png").read_bytes() == OTHER


def test_what_is_hidden_or_no_picture_is_left_out_by_name_and_what_systems_add_is_not_there(tmp_path):
    files = {
        "a.png": PICTURE,
        "notes.txt": b"Dear reader",
        "more.zip": b"PK",
        ".git/b.png": PICTURE,
        "__MACOSX/._a.png": b"x",
        "._c.png": b"x",
        "cats/.DS_Store": b"x",
        "cats/Thumbs.db": b"x",
        "desktop.ini": b"x",
    }
    found = lay_out([packed(tmp_path / "a.zip", files | {"photo": OTHER})], tmp_path / "room")
    assert [photo.name for photo in found.photos] == ["a.png", "photo"]
    assert found.left_out == ["notes.txt", "more.zip", ".git/b.png"]


@pytest.mark.parametrize("kind", ["locked", "unusual"])
def test_a_zip_of_which_nothing_can_be_unpacked_is_refused_before_it_is(tmp_path, kind):
    make, words = BAD[kind]
    with pytest.raises(ImageError, match=words):
        shapes_of([make(tmp_path / "x.zip")], 9)


def test_shapes_are_looked_up_without_unpacking(tmp_path):
    sources = [dropped(tmp_path / "a.png", OTHER), packed(tmp_path / "b.zip", {"b.png": PICTURE, "c.jpg": b"broken"})]
    assert shapes_of([*sources, dropped(tmp_path / "d.png", b"")], 4) == [(16, 20), (16, 16), USUAL_SHAPE, USUAL_SHAPE]
    with pytest.raises(ImageError, match="b.zip brings 2 photos, and the page paints 2 at a time"):
        shapes_of(sources, 2)


def edited(path: Path, name: str, place: int, in_list: int, change: Callable[[int], int]) -> Path:
    """A ZIP with another number, of two bytes, both before a file and in the list at the end."""
    raw, mark = bytearray(path.read_bytes()), name.encode()
    first = raw.index(b"PK\x03\x04" + raw[raw.index(mark) - 26 : raw.index(mark)] + mark)
    last = raw.rindex(mark) - 46
    for at in (first + place, last + in_list):
        raw[at : at + 2] = change(int.from_bytes(raw[at : at + 2], "little")).to_bytes(2, "little")
    path.write_bytes(raw)
    return path


def locked_in(path: Path, name: str) -> Path:
    """A ZIP of which a file says that it wants a password."""
    return edited(path, name, 6, 8, lambda flags: flags | 1)


def unusual_in(path: Path, name: str) -> Path:
    """A ZIP of which a file says that it is packed as Windows packs very large ones."""
    return edited(path, name, 8, 10, lambda method: 9)


def damaged_in(path: Path, name: str) -> Path:
    """A ZIP of which a byte in a file's middle is another by now."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    raw = bytearray(path.read_bytes())
    raw[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0xFF
    path.write_bytes(raw)
    return path


def cut_in(path: Path, name: str) -> Path:
    """A ZIP of which a file ends in zeros: it was not sent to its end."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    raw, end = bytearray(path.read_bytes()), info.header_offset + 30 + len(name) + info.compress_size
    raw[end - info.compress_size // 2 : end] = bytes(info.compress_size // 2)
    path.write_bytes(raw)
    return path


def headless_in(path: Path, name: str) -> Path:
    """A ZIP of which a file does not begin where the list says."""
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo(name).header_offset
    raw = bytearray(path.read_bytes())
    raw[at : at + 4] = bytes(4)
    path.write_bytes(raw)
    return path


FLAWED = {
    locked_in: "is locked by a password; pack it again, and drop it anew without one",
    unusual_in: "is packed in an unusual way; pack the pictures again",
    damaged_in: "is damaged, or cut short; pack it again",
    cut_in: "is damaged, or cut short; pack it again",
    headless_in: "is damaged, or cut short; pack it again",
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
@pytest.mark.parametrize("harm", FLAWED, ids=lambda harm: harm.__name__)
def test_a_file_that_cannot_be_unpacked_is_told_and_the_others_are_there(tmp_path, harm, method):
    files = {"a.png": PICTURE, "deep/er/b.png": OTHER, "c.png": PICTURE, "notes": b"x" * 99}
    source = harm(harm(packed(tmp_path / "x.zip", files, method), "deep/er/b.png"), "notes")
    assert len(shapes_of([source], 9)) == 3
    found = lay_out([source], tmp_path / "room")
    assert [(photo.name, bool(photo.flaw), photo.is_lost) for photo in found.photos] == [
        ("a.png", False, False),
        ("deep/er/b.png", True, False),
        ("c.png", False, False),
    ]
    assert found.photos[1].flaw.startswith(f"deep/er/b.png in x.zip {FLAWED[harm]}")
    assert not found.photos[1].path.exists() and found.left_out == ["notes"]
    assert found.photos[2].path.read_bytes() == PICTURE


def test_a_name_that_is_there_twice_gives_two_photos(tmp_path):
    source = tmp_path / "x.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(source, "w") as archive:
        warnings.simplefilter("ignore")
        for content in (PICTURE, OTHER):
            archive.writestr("a.png", content)
    photos = lay_out([source], tmp_path / "room").photos
    assert [(photo.name, photo.path.name, photo.path.read_bytes()) for photo in photos] == [
        ("a.png", "a.png", PICTURE),
        ("a.png", "a-2.png", OTHER),
    ]


def test_a_full_disk_is_no_flaw_of_a_photo(tmp_path, monkeypatch):
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nst_core.ui.folders.photos.shutil.copyfileobj", full)
    with pytest.raises(ImageError, match=r"x\.zip cannot be unpacked \(No space left on device\)"):
        lay_out([packed(tmp_path / "x.zip", {"a.png": PICTURE, "b.png": PICTURE})], tmp_path / "room")
    assert not (tmp_path / "room").exists()


def changed(path: Path) -> Path:
    """A ZIP whose picture is another by now."""
    raw = packed(path, {"a.png": PICTURE}).read_bytes()
    path.write_bytes(raw.replace(PICTURE[-30:-20], bytes(10)))
    return path


BAD = {
    "no ZIP": (lambda path: dropped(path, b"Dear reader"), "x.zip cannot be unpacked (it is damaged, or no ZIP)"),
    "damaged": (changed, "x.zip cannot be unpacked (it is damaged"),
    "locked": (lambda path: locked_in(packed(path, {"a.png": PICTURE}), "a.png"), "x.zip is locked by a password"),
    "unusual": (
        lambda path: packed(path, {"a.png": PICTURE, "b.png": OTHER}, zipfile.ZIP_LZMA),
        "x.zip is packed in an unusual way; pack the pictures again, as an ordinary ZIP",
    ),
    "unusual and locked": (
        lambda path: locked_in(unusual_in(packed(path, {"a.png": PICTURE, "b.png": OTHER}), "a.png"), "b.png"),
        "a.png in x.zip is packed in an unusual way; pack the pictures again, as an ordinary ZIP",
    ),
    "leads out": (lambda path: packed(path, {"a.png": PICTURE, "../b.png": PICTURE}), "which leads out of it"),
    "from the root": (lambda path: packed(path, {"/etc/b.png": PICTURE}), "which leads out of it"),
    "deep": (lambda path: packed(path, {"x/" * 20 + "b.png": PICTURE}), "in more than 16 folders"),
    "no pictures": (lambda path: packed(path, {"a.txt": b"x", "b.zip": b"PK"}), "x.zip has no pictures in it"),
    "empty": (lambda path: packed(path, {}), "x.zip has no pictures in it"),
    "bomb": (lambda path: packed(path, {"a.bmp": bytes(3_000_000)}, zipfile.ZIP_DEFLATED), "MB of nothing"),
    "large": (lambda path: packed(path, {"a.bmp": bytes(5_000_000)}), "the most are 20000 and 4 MB"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_zip_is_named_with_what_to_do_and_leaves_nothing(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(zips, "MOST_BYTES", 4_000_000)
    monkeypatch.setattr(zips, "BLANK_BYTES", 2_000_000)
    make, words = BAD[kind]
    with pytest.raises(ImageError) as told:
        lay_out([dropped(tmp_path / "a.png"), make(tmp_path / "x.zip")], tmp_path / "room")
    assert words in str(told.value) and not (tmp_path / "room").exists()
    assert any(
        remedy in str(told.value) for remedy in ("pack it again", "pack fewer", "pack the pictures", "pack some")
    )


def test_zips_share_one_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "MOST_BYTES", 2 * len(PICTURE))
    sources = [packed(tmp_path / f"{name}.zip", {"a.png": PICTURE}) for name in "abc"]
    assert len(lay_out(sources[:2], tmp_path / "room").photos) == 2
    with pytest.raises(ImageError, match="together; drop fewer"):
        lay_out(sources, tmp_path / "other")
    assert not (tmp_path / "other").exists()


@settings(max_examples=40)
@given(st.lists(paths, min_size=1, max_size=6))
def test_whatever_the_names_photos_stay_in_one_folder_each_with_a_file_of_its_own(names):
    with tempfile.TemporaryDirectory() as place:
        source, room = Path(place, "source.zip"), Path(place, "deep", "room")
        room.parent.mkdir()
        content = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(content, "w") as archive:
            warnings.simplefilter("ignore")  # of a name twice
            for name in [*names, "plain.png"]:
                archive.writestr(name, PICTURE)
        source.write_bytes(content.getvalue())
        try:
            photos = lay_out([source], room).photos
        except ImageError as error:
            assert len(str(error)) < 300 and str(error).isprintable() and not room.exists()
            photos = []
        found = {path for path in Path(place).rglob("*") if path.is_file() and path != source}
        assert found == {photo.path for photo in photos} and len(found) == len(photos)
        assert all(path.parent == room / "source" and path.read_bytes() == PICTURE for path in found)
