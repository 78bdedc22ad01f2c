"""What a ZIP holds stays inside its folder, whatever its names are."""

import tempfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.errors import ImageError
from nst_core.ui.folders.class_folders import unpack
from tests.picture_files import png

PICTURE = png(16, 16)
ODD = ["..", ".", "", "~", "C:", "cat", "CAT", "dog", "con", "nul.png", "a.png", "A.PNG", ".hidden.png", "__MACOSX"]
ODD += ["ä.png", "a\u0308.png", "日本.png", "\0", "x" * 300 + ".png", " a.png", "a.png.", "notes.txt", "\u202e.png"]
parts = st.sampled_from(ODD) | st.text(max_size=4).map(lambda text: text.encode(errors="replace").decode())
steps = st.lists(parts, min_size=1, max_size=5)
paths = st.builds(lambda slash, names: slash.join(names), st.sampled_from("/\\"), steps)
paths = paths.filter(lambda path: path.partition("\0")[0])  # Python writes none without


@settings(max_examples=80)
@given(st.lists(paths, min_size=1, max_size=6), st.booleans())
def test_a_zip_of_any_names_stays_in_its_folder_or_is_refused_as_a_whole(names, plain):
    with tempfile.TemporaryDirectory() as place:
        source, folder = Path(place, "source.zip"), Path(place, "deep", "deeper", "out")
        with warnings.catch_warnings(), zipfile.ZipFile(source, "w") as archive:
            warnings.simplefilter("ignore")  # of a name twice
            for name in [*names, *(["cat/plain.png"] if plain else [])]:
                archive.writestr(name, PICTURE)
        try:
            unpack(source, folder)
        except ImageError as error:
            assert len(str(error)) < 300 and str(error).isprintable()
            assert not folder.exists()
        found = [path for path in Path(place).rglob("*") if path.is_file() and path != source]
        assert all(path.parent.parent == folder and path.read_bytes() == PICTURE for path in found)


@pytest.mark.parametrize("name", [b"\0at/b.png", b"\0\0\0\0\0\0\0\0\0"])
def test_a_file_without_a_name_makes_a_zip_a_damaged_one(tmp_path, name):
    source = tmp_path / "source.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("cat/a.png", PICTURE)
        archive.writestr("cat/b.png", PICTURE)
    source.write_bytes(source.read_bytes().replace(b"cat/b.png", name))
    with pytest.raises(ImageError, match=r"source\.zip cannot be unpacked \(it is damaged"):
        unpack(source, tmp_path / "out")
