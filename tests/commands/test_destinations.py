"""Where paintings go: by what is in files, and nothing overwrites another painting or what is painted from."""

import os
from pathlib import Path

import pytest

from nst_core.commands.destinations import destinations
from nst_core.errors import ConfigError, ImageError, OutputError
from tests.instant.test_video import film
from tests.picture_files import png

PICTURE = png(16, 16)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory) -> bytes:
    return film(tmp_path_factory.mktemp("filmed") / "film.mov", sound=None).read_bytes()


@pytest.fixture
def folder(tmp_path, monkeypatch, filmed):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/cat.jpg", "photos/dog.PNG", "photos/deeper/fox.jpg", "other/cat.webp"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(PICTURE)
    Path("photos/notes.txt").write_text("Dear reader")
    Path("photos/.hidden.jpg").write_bytes(PICTURE)
    Path("photos/film.jpg").write_bytes(filmed)
    Path("film.mov").write_bytes(filmed)
    return tmp_path


def found(*inputs: str, output: str) -> dict[str, str]:
    plan = destinations([Path(name) for name in inputs], Path(output))
    return {str(source): str(path) for source, (path, _) in plan.found.items()}


def test_one_picture_goes_to_a_file_or_into_a_folder(folder):
    for name in ("out.png", "out.jpg", "out.JPEG"):
        assert found("photos/cat.jpg", output=name) == {"photos/cat.jpg": name}
    assert found("photos/cat.jpg", output="out") == {"photos/cat.jpg": "out/cat.png"}
    assert found("photos/cat.jpg", output="other") == {"photos/cat.jpg": "other/cat.png"}
    (folder / "v1.5").mkdir()
    assert found("photos/cat.jpg", output="v1.5") == {"photos/cat.jpg": "v1.5/cat.png"}


def test_one_film_goes_to_an_mp4_or_into_a_folder(folder):
    assert found("film.mov", output="out.mp4") == {"film.mov": "out.mp4"}
    assert found("film.mov", output="out") == {"film.mov": "out/film.mp4"}


def test_of_a_folder_all_is_meant_that_can_be_painted_and_the_rest_is_named(folder):
    (folder / "photos" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    plan = destinations([Path("photos")], Path("out"))
    assert {source.name: (path.name, kind.name) for source, (path, kind) in plan.found.items()} == {
        "cat.jpg": ("cat.png", "picture"),
        "dog.PNG": ("dog.png", "picture"),
        "film.jpg": ("film.mp4", "film"),
    }
    assert len(plan.left_out) == 1 and plan.left_out[0].startswith("notes.txt is neither a picture nor a film")
    assert plan.notes == [
        "passed over in photos, as hidden: .DS_Store, .hidden.jpg",
        "not looked into in photos: the folders deeper",
    ]


def test_names_say_nothing_about_what_a_file_is(folder, filmed):
    for name, content in {"a.mp4": PICTURE, "b": PICTURE, "c.png": filmed, "d.txt": filmed}.items():
        Path(name).write_bytes(content)
    assert found("a.mp4", "b", "c.png", "d.txt", output="out") == {
        "a.mp4": "out/a.png",
        "b": "out/b.png",
        "c.png": "out/c.mp4",
        "d.txt": "out/d.mp4",
    }


def test_of_two_with_one_name_the_second_gets_a_number_and_it_is_said(folder):
    Path("other/CAT.png").write_bytes(PICTURE)
    Path("other/cat-2.png").write_bytes(PICTURE)
    plan = destinations([Path("photos"), Path("other")], Path("out"))
    paths = {source: path for source, (path, _) in plan.found.items()}
    names = [path.name.lower() for path in paths.values()]
    assert len(names) == 6 and len(set(names)) == 6
    assert paths[Path("photos/cat.jpg")] == Path("out/cat.png")
    said = [note for note in plan.notes if "becomes" in note]
    assert any("other/cat.webp becomes cat-" in note for note in said)
    assert len(said) == sum(path.stem != source.stem for source, path in paths.items())


def test_a_picture_and_a_film_of_one_name_need_no_number(folder):
    Path("film.jpg").write_bytes(PICTURE)
    assert found("film.jpg", "film.mov", output="out") == {"film.jpg": "out/film.png", "film.mov": "out/film.mp4"}


def test_names_that_would_be_too_long_are_shortened_and_it_is_said(folder):
    names = [f"{'ä' * 126}{end}" for end in "abc"]  # 253 bytes, without an ending
    for name in names:
        Path(name).write_bytes(PICTURE)
    plan = destinations([Path(name) for name in names], Path("out"))
    made = {path.name for path, _ in plan.found.values()}
    assert len(made) == 3 and all(len(os.fsencode(name)) <= 255 and name.endswith(".png") for name in made)
    assert sum("too long" in note for note in plan.notes) == 3


def test_a_file_that_is_named_twice_is_painted_once(folder):
    assert len(found("photos/cat.jpg", "photos", "photos/../photos/dog.PNG", output="out")) == 3


def test_what_is_painted_from_is_never_overwritten(folder):
    Path("photos/owl.png").write_bytes(PICTURE)
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
    Path("hard/cat.png").unlink()
    Path("hard/cat.png").hardlink_to("photos/notes.txt")  # what cannot be painted is not overwritten either
    with pytest.raises(OutputError, match="painted from"):
        found("photos", output="hard")


def test_an_old_painting_that_must_not_be_written_is_refused_beforehand(folder):
    Path("out/dog.png").mkdir(parents=True)
    with pytest.raises(OutputError, match="out/dog.png is a folder"):
        found("photos", output="out")


def test_a_file_for_several_is_refused(folder):
    for inputs in (["photos"], ["photos/cat.jpg", "film.mov"], ["photos/cat.jpg", "photos/notes.txt"]):
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
        ("film.mov", "out.png", "for a film, name a .mp4 file or a folder"),
    ],
)
def test_an_output_of_another_kind_is_refused(folder, source, output, words):
    with pytest.raises(ConfigError, match=words):
        found(source, output=output)


def test_an_output_file_in_no_folder_is_refused(folder):
    with pytest.raises(OutputError, match="nowhere does not exist"):
        found("photos/cat.jpg", output="nowhere/out.png")


def test_folders_with_nothing_to_paint_are_refused_alone_and_named_among_others(folder):
    Path("empty").mkdir()
    with pytest.raises(ImageError, match="empty has nothing in it to paint; name a folder that has"):
        found("empty", output="out")
    plan = destinations([Path("empty"), Path("film.mov")], Path("out"))
    assert len(plan.found) == 1 and plan.notes == ["empty has no files in it"]


def test_a_path_that_cannot_be_asked_for_does_not_end_the_rest(folder):
    plan = destinations([Path("x" * 300), Path("photos/cat.jpg"), Path("gone.png")], Path("out"))
    assert list(plan.found) == [Path("photos/cat.jpg")]
    assert "file name too long" in plan.left_out[0] and "gone.png does not exist" in plan.left_out[1]
