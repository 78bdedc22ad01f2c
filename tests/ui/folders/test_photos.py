"""Photos of a batch are laid out in folders of their own, whatever a ZIP holds; what is wrong with one is said."""

import io
import tempfile
import warnings
import zipfile
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


def test_what_is_no_picture_is_left_out_and_counted_and_hidden_files_are_not_there(tmp_path):
    files = {
        "a.png": PICTURE,
        "notes.txt": b"Dear reader",
        "more.zip": b"PK",
        "__MACOSX/._a.png": b"x",
        ".git/b.png": b"x",
    }
    found = lay_out([packed(tmp_path / "a.zip", files | {"photo": OTHER})], tmp_path / "room")
    assert [photo.name for photo in found.photos] == ["a.png", "photo"] and found.left_out == 2


def test_shapes_are_looked_up_without_unpacking(tmp_path):
    sources = [dropped(tmp_path / "a.png", OTHER), packed(tmp_path / "b.zip", {"b.png": PICTURE, "c.jpg": b"broken"})]
    assert shapes_of([*sources, dropped(tmp_path / "d.png", b"")], 4) == [(16, 20), (16, 16), USUAL_SHAPE, USUAL_SHAPE]
    with pytest.raises(ImageError, match="b.zip brings 2 photos, and the page paints 2 at a time"):
        shapes_of(sources, 2)


def locked(path: Path) -> Path:
    """A ZIP that says that it wants a password."""
    raw = bytearray(packed(path, {"a.png": PICTURE}).read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    return path


def changed(path: Path) -> Path:
    """A ZIP whose picture is another by now."""
    raw = packed(path, {"a.png": PICTURE}).read_bytes()
    path.write_bytes(raw.replace(PICTURE[-30:-20], bytes(10)))
    return path


BAD = {
    "no ZIP": (lambda path: dropped(path, b"Dear reader"), "x.zip cannot be unpacked (it is damaged, or no ZIP)"),
    "damaged": (changed, "x.zip cannot be unpacked (it is damaged"),
    "locked": (locked, "x.zip is locked by a password"),
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
