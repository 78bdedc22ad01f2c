"""Where paintings go: nothing overwrites another painting or what is painted from."""

from pathlib import Path

import pytest

from nst_core.commands.destinations import VIDEOS, destinations
from nst_core.errors import ConfigError, ImageError, OutputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/cat.jpg", "photos/dog.PNG", "photos/deeper/fox.jpg", "other/cat.webp", "film.mov"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"as if")
    for name in ("photos/notes.txt", "photos/film.mp4", "photos/.hidden.jpg"):
        Path(name).write_bytes(b"none")
    return tmp_path


def found(*inputs: str, output: str) -> dict[str, str]:
    return {
        str(source): str(path)
        for source, path in destinations([Path(name) for name in inputs], Path(output))[0].items()
    }


def test_one_picture_goes_to_a_file_or_into_a_folder(folder):
    for name in ("out.png", "out.jpg", "out.JPEG"):
        assert found("photos/cat.jpg", output=name) == {"photos/cat.jpg": name}
    assert found("photos/cat.jpg", output="out") == {"photos/cat.jpg": "out/cat.png"}
    assert found("photos/cat.jpg", output="other") == {"photos/cat.jpg": "other/cat.png"}
    (folder / "v1.5").mkdir()
    assert found("photos/cat.jpg", output="v1.5") == {"photos/cat.jpg": "v1.5/cat.png"}


def test_one_video_goes_to_an_mp4_or_into_a_folder(folder):
    assert found("film.mov", output="out.mp4") == {"film.mov": "out.mp4"}
    assert found("film.mov", output="out") == {"film.mov": "out/film.mp4"}


def test_of_a_folder_its_pictures_are_meant_and_nothing_else(folder):
    assert found("photos", output="out") == {"photos/cat.jpg": "out/cat.png", "photos/dog.PNG": "out/dog.png"}


def test_what_is_named_is_taken_for_a_picture_whatever_its_name(folder):
    assert found("photos/notes.txt", "film.mov", output="out") == {
        "photos/notes.txt": "out/notes.png", "film.mov": "out/film.mp4",
    }  # fmt: skip


def test_of_two_with_one_name_the_second_gets_a_number_and_it_is_said(folder):
    Path("other/CAT.png").write_bytes(b"as if")
    Path("other/cat-2.png").write_bytes(b"as if")
    paths, notes = destinations([Path("photos"), Path("other")], Path("out"))
    names = [path.name.lower() for path in paths.values()]
    assert len(names) == 5 and len(set(names)) == 5
    assert paths[Path("photos/cat.jpg")] == Path("out/cat.png")
    assert any("other/cat.webp becomes cat-" in note for note in notes)
    assert len(notes) == sum(path.stem != source.stem for source, path in paths.items())


def test_a_picture_and_a_video_of_one_name_need_no_number(folder):
    Path("film.jpg").write_bytes(b"as if")
    assert found("film.jpg", "film.mov", output="out") == {"film.jpg": "out/film.png", "film.mov": "out/film.mp4"}


def test_a_file_that_is_named_twice_is_painted_once(folder):
    assert len(found("photos/cat.jpg", "photos", "photos/../photos/dog.PNG", output="out")) == 2


def test_what_is_painted_from_is_never_overwritten(folder):
    Path("photos/owl.png").write_bytes(b"as if")
    for inputs, output in ((["photos"], "photos"), (["photos/owl.png"], "photos/owl.png")):
        with pytest.raises(OutputError, match=r"owl.png is painted from and would be overwritten; write elsewhere"):
            found(*inputs, output=output)
    Path("copy").symlink_to("photos")
    with pytest.raises(OutputError, match="painted from"):
        found("photos", output="copy")
    Path("hard").mkdir()
    Path("hard/cat.png").hardlink_to("photos/cat.jpg")
    with pytest.raises(OutputError, match="painted from"):
        found("photos", output="hard")


def test_a_file_for_several_is_refused(folder):
    for inputs in (["photos"], ["photos/cat.jpg", "film.mov"]):
        with pytest.raises(ConfigError, match="output is 'out.png', one file, .*; name a folder"):
            found(*inputs, output="out.png")
    Path("taken").write_bytes(b"a file")
    with pytest.raises(ConfigError, match="name a folder"):
        found("photos", output="taken")


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        ("photos/cat.jpg", "out.gif", "for a picture, name a .png or .jpg or .jpeg file or a folder"),
        ("photos/cat.jpg", "out.mp4", "for a picture"),
        ("film.mov", "out.png", "for a video, name a .mp4 file or a folder"),
    ],
)
def test_an_output_of_another_kind_is_refused(folder, source, output, words):
    with pytest.raises(ConfigError, match=words):
        found(source, output=output)


def test_an_output_file_in_no_folder_is_refused(folder):
    with pytest.raises(OutputError, match="nowhere does not exist"):
        found("photos/cat.jpg", output="nowhere/out.png")


def test_folders_without_pictures_are_refused_alone_and_named_among_others(folder):
    Path("empty").mkdir()
    with pytest.raises(ImageError, match="empty has no pictures in it; name a folder that has"):
        found("empty", output="out")
    paths, notes = destinations([Path("empty"), Path("film.mov")], Path("out"))
    assert len(paths) == 1 and notes == ["empty has no pictures in it"]


@pytest.mark.parametrize("suffix", sorted(VIDEOS))
def test_a_video_is_known_by_its_name(folder, suffix):
    name = f"FILM{suffix.upper()}"
    assert found(name, output="out") == {name: "out/FILM.mp4"}
