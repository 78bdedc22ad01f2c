"""`instant` on the command line: what it paints, where that goes, what it skips and refuses."""

import json
import os
import pickle
import signal

import av
import pytest
import torch

from nst_core import files, images
from nst_core.__main__ import main
from nst_core.commands import instant as command
from nst_core.devices import Compute
from nst_core.instant import video
from nst_core.instant.catalogue import open_styles
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.painted_picture import TEXT_KEY
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.instant.video import VideoProgress
from nst_core.transfer.color import with_colors_of
from tests.instant.test_kinds import animation
from tests.machines import Room

CPU = Compute(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A file of two styles that nobody has trained."""
    path = tmp_path_factory.mktemp("trained") / "two.safetensors"
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = TransformationNetwork(["waves", "stars", PHOTO], 4)
        for name, values in network.named_parameters():
            if ".norm." in name:
                torch.nn.init.normal_(values, 1.0 if "scale" in name else 0.0, 0.5)
    save_styles(StyleFile(network), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures, one of which is broken, and the CPU to paint on."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for seed, name in enumerate(("cat", "dog")):
        picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(seed))
        images.save_png(picture, tmp_path / "photos" / f"{name}.png")
    (tmp_path / "photos" / "broken.jpg").write_text("Dear reader")
    (tmp_path / "photos" / "notes.txt").write_text("Dear reader")
    return tmp_path


@pytest.fixture
def instant(folder, trained):
    def run(*words: str, style: str | None = "waves", output: str = "out.png") -> int:
        named = ["--style", style] if style else []
        return main(["instant", *words, *named, "--styles", str(trained), "-o", output])

    return run


@pytest.fixture
def refused(instant, capsys):
    """The one line on standard error with which the command is refused."""

    def run(*words: str, **named: str | None) -> str:
        assert instant(*words, **named) == 1
        out, err = capsys.readouterr()
        line = err.splitlines()[-1]
        assert out == "" and line.startswith("error: ") and "Traceback" not in err
        return line

    return run


@pytest.fixture
def expected(trained, folder):
    """What the painter makes of the cat, as a PNG holds it."""
    painter = open_styles(trained).painter(CPU)

    def paint(weights: dict[str, float], strength: float = 1.0, image: torch.Tensor | None = None) -> torch.Tensor:
        return painter.paint(images.load("photos/cat.png") if image is None else image, weights, strength=strength)

    return paint


def assert_is(name: str, painted: torch.Tensor) -> None:
    torch.testing.assert_close(images.load(name), painted, atol=0.5 / 255 + 1e-3, rtol=0)


def test_a_picture_is_painted_in_its_own_size(instant, expected, capsys):
    assert instant("photos/cat.png") == 0
    assert_is("out.png", expected({"waves": 1.0}))
    out, err = capsys.readouterr()
    assert out == "" and "1/1" in err


# What is typed -> what the painter is asked for.
OPTIONS = {
    "style": (["--style", "stars"], ({"stars": 1.0},)),
    "strength": (["--style", "waves", "--strength", "0.5"], ({"waves": 1.0}, 0.5)),
    "blend beside a style": (["--style", "waves", "--blend", "stars=3"], ({"waves": 1.0, "stars": 3.0},)),
    "blend alone": (["--blend", "waves=1", "stars=2"], ({"waves": 1.0, "stars": 2.0},)),
    "blend in pieces": (["--blend", "waves=1", "--blend", "stars=2"], ({"waves": 1.0, "stars": 2.0},)),
    "the style's own share": (["--style", "waves", "--blend", "waves=3", "stars=1"], ({"waves": 3.0, "stars": 1.0},)),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_does_what_it_is_called(instant, expected, name):
    typed, asked = OPTIONS[name]
    assert instant("photos/cat.png", *typed, style=None) == 0
    assert_is("out.png", expected(*asked))
    assert (expected(*asked) - expected({"waves": 1.0})).abs().max() > 0.01


def test_size_is_of_the_longer_side(instant, expected):
    assert instant("photos/cat.png", "--size", "28") == 0
    small = images.fit(images.load("photos/cat.png"), 28)
    assert images.size_of(small) == (20, 28)
    assert_is("out.png", expected({"waves": 1.0}, image=small))


def test_colours_are_the_styles_or_the_pictures(instant, expected):
    assert instant("photos/cat.png", "--color", "content") == 0
    painted, content = expected({"waves": 1.0}), images.load("photos/cat.png")
    assert_is("out.png", with_colors_of(painted, content))
    assert instant("photos/cat.png", "--color", "style") == 0
    assert_is("out.png", painted)


def test_a_jpeg_is_a_jpeg(instant, folder, expected):
    assert instant("photos/cat.png", output="out.jpg") == 0
    assert (folder / "out.jpg").read_bytes().startswith(b"\xff\xd8")
    torch.testing.assert_close(blurred(images.load("out.jpg")), blurred(expected({"waves": 1.0})), atol=0.03, rtol=0)


def test_a_picture_says_how_it_was_painted_also_as_jpeg_in_a_folder(instant, folder):
    for options, name in (([], "cat.png"), (["--jpeg"], "cat.jpg")):
        assert instant("photos/cat.png", "--strength", "0.5", "--blend", "stars=3", *options, output="out") == 0
        assert json.loads(images.read_text(folder / "out" / name)[TEXT_KEY]) == {
            "styles": {"waves": 1.0, "stars": 3.0},
            "strength": 0.5,
            "color": "style",
        }


def test_of_a_folder_all_pictures_are_painted_and_broken_ones_named(instant, folder, expected, capsys):
    assert instant("photos", output="painted/new") == 1
    assert {path.name for path in (folder / "painted" / "new").iterdir()} == {"cat.png", "dog.png"}
    assert_is("painted/new/cat.png", expected({"waves": 1.0}))
    *lines, last = capsys.readouterr().err.splitlines()
    assert any("skipped: broken.jpg is neither a picture nor a film" in line for line in lines)
    assert last.startswith("error: painted 2 pictures of 4 files; left out 2: broken.jpg is neither")
    assert "; notes.txt is neither" in last


def test_of_a_mixed_folder_nothing_is_left_out_in_silence(instant, folder, capsys):
    """And when all is painted, the exit code says so, whatever is hidden."""
    film("photos/cam.mts")
    (folder / "photos" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "photos" / "broken.jpg").unlink()
    assert instant("photos", output="out") == 1
    err = capsys.readouterr().err
    last = "error: painted 1 film and 2 pictures of 4 files; left out 1: notes.txt is neither a picture nor a film"
    assert err.splitlines()[-1].startswith(last) and "passed over in photos, as hidden: .DS_Store" in err
    assert {path.name for path in (folder / "out").iterdir()} == {"cam.mp4", "cat.png", "dog.png"}
    (folder / "photos" / "notes.txt").unlink()
    assert instant("photos", output="out") == 0
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == "painted 1 film and 2 pictures" and ".DS_Store" in err


def test_painting_again_overwrites_and_leaves_nothing_behind(instant, folder):
    inputs = ("photos/cat.png", "photos/dog.png")
    assert instant(*inputs, output="out") == instant(*inputs, output="out") == 0
    assert {path.name for path in (folder / "out").iterdir()} == {"cat.png", "dog.png"}


def test_pictures_of_one_name_are_both_painted_and_it_is_said(instant, folder, capsys):
    (folder / "other").mkdir()
    images.save_png(torch.rand(1, 3, 24, 24), folder / "other" / "cat.png")
    assert instant("photos/cat.png", "other/cat.png", output="out") == 0
    assert images.size_of(images.load("out/cat.png")) == (40, 56)
    assert images.size_of(images.load("out/cat-2.png")) == (24, 24)
    assert "other/cat.png becomes cat-2.png" in capsys.readouterr().err


def test_nothing_painted_is_an_error(refused, folder, capsys):
    assert "broken.jpg is neither a picture nor a film" in refused("photos/broken.jpg")
    assert "gone.png does not exist" in refused("gone.png")
    assert "none of the 2 files could be painted" in refused("photos/broken.jpg", "gone.png", output="out")
    assert "size 8 (longest side)" in refused("photos/cat.png", "--size", "8")
    assert not (folder / "out").exists()


def test_a_picture_too_narrow_for_the_size_does_not_end_the_rest(instant, folder, capsys):
    images.save_png(torch.rand(1, 3, 20, 200), folder / "photos" / "wide.png")
    assert instant("photos", "--size", "56", output="out") == 1
    assert {path.name for path in (folder / "out").iterdir()} == {"cat.png", "dog.png"}
    assert "skipped: wide.png: size 56 (longest side) makes this 200×20 picture" in capsys.readouterr().err


def test_a_disk_that_takes_no_more_ends_all(refused, full_disk):
    assert "cat.png could not be written" in refused("photos", output="out")
    assert len(full_disk) == 1


def test_a_picture_that_takes_too_much_memory_does_not_end_the_rest(instant, folder, capsys, monkeypatch):
    plain = images.load

    def load(path, **given):
        if path.name == "cat.png":
            raise MemoryError
        return plain(path, **given)

    monkeypatch.setattr(images, "load", load)
    assert instant("photos/cat.png", "photos/dog.png", output="out") == 1
    assert {path.name for path in (folder / "out").iterdir()} == {"dog.png"}
    assert "skipped: cat.png: this takes more memory than there is; choose a smaller size" in capsys.readouterr().err


def test_what_skipping_means_is_told_beforehand(capsys):
    with pytest.raises(SystemExit):
        main(["instant", "--help"])
    assert "skipped and named, and the exit code is 1" in " ".join(capsys.readouterr().out.split())


def test_a_folder_that_cannot_be_made_is_said(refused, folder):
    (folder / "file").write_text("in the way")
    assert "the folder file/out cannot be written; write elsewhere" in refused("photos", output="file/out")


def test_an_interrupt_keeps_what_is_painted(instant, folder, monkeypatch):
    plain = images.load

    def load(path, **given):
        if path.name == "dog.png":
            raise KeyboardInterrupt
        return plain(path, **given)

    monkeypatch.setattr(images, "load", load)
    assert instant("photos", output="out") == 130
    assert {path.name for path in (folder / "out").iterdir()} == {"cat.png"}


# Videos


def film(name: str, frames: int = 4) -> None:
    """A video of noise, 48×32."""
    generator = torch.Generator().manual_seed(7)
    with av.open(name, "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for _ in range(frames):
            noise = torch.nn.functional.interpolate(torch.rand(1, 3, 4, 6, generator=generator), scale_factor=8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(images.to_bytes(noise), "rgb24")))
        container.mux(stream.encode())


def frames_of(name: str) -> list[torch.Tensor]:
    with av.open(name) as container:
        return [images.from_pil(frame.to_image()) for frame in container.decode(video=0)]


def blurred(image: torch.Tensor) -> torch.Tensor:
    """Without what a codec may change."""
    return torch.nn.functional.avg_pool2d(image, 8)


def test_a_video_is_painted_frame_by_frame(instant, folder, expected, capsys):
    film("film.mov")
    assert instant("film.mov", output="out.mp4") == 0
    before, after = frames_of("film.mov"), frames_of("out.mp4")
    assert len(before) == len(after) == 4
    painted = expected({"waves": 1.0}, image=before[2])
    apart = [(blurred(after[2]) - blurred(image)).abs().mean() for image in (painted, before[2])]
    assert apart[0] < 0.5 * apart[1]
    err = capsys.readouterr().err
    assert "1/1" in err and "Traceback" not in err


def test_videos_and_pictures_go_into_one_folder_and_broken_videos_are_named(instant, folder, capsys):
    film("cat.mp4")
    (folder / "torn.mp4").write_bytes((folder / "cat.mp4").read_bytes()[:100])
    assert instant("cat.mp4", "torn.mp4", "photos/cat.png", output="out") == 1
    assert {path.name for path in (folder / "out").iterdir()} == {"cat.mp4", "cat.png"}
    assert "skipped: torn.mp4" in capsys.readouterr().err


def test_a_broken_video_alone_is_an_error(refused, folder):
    (folder / "torn.mp4").write_bytes(b"torn")
    assert "torn.mp4" in refused("torn.mp4", output="out.mp4")
    assert "gone.mp4 does not exist" in refused("gone.mp4", output="out.mp4")
    assert not (folder / "out.mp4").exists()


def test_what_a_video_is_told_and_tells(instant, folder, capsys, monkeypatch):
    told = []

    def paint_video(source, output, paint, **named):
        told.append((source.name, output.name, named))
        yield VideoProgress(1, None, None, 0.1)
        yield VideoProgress(2, 3, None, 0.2, "a part of it is damaged")

    monkeypatch.setattr(command, "paint_video", paint_video)
    film("film.mov")
    (folder / "film.mov").rename("film.webm")
    assert instant("film.webm", output="out.mp4") == 0
    assert instant("film.webm", "--steady", "--size", "32", output="out.mp4") == 0
    assert told == [
        ("film.webm", "out.mp4", {"steady": False, "size": None}),
        ("film.webm", "out.mp4", {"steady": True, "size": 32}),
    ]
    assert "film.webm: a part of it is damaged" in capsys.readouterr().err


def test_workers_paint_what_one_paints(instant, folder, trained, monkeypatch):
    told = []

    def paint_video_by_many(source, output, make_paint, **named):
        told.append((source.name, output.name, pickle.loads(pickle.dumps(make_paint)), named))
        yield VideoProgress(1, None, None, 0.1)

    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(4), raising=False)
    monkeypatch.setattr(command, "paint_video_by_many", paint_video_by_many)
    film("film.mov")
    given = ("film.mov", "--workers", "3", "--steady", "--strength", "0.5", "--color", "content")
    assert instant(*given, "--blend", "stars=3", output="out.mp4") == 0
    (source, output, make_paint, named) = told[0]
    assert (source, output, named) == ("film.mov", "out.mp4", {"workers": 3, "steady": True, "size": None})
    image, painter = images.load("photos/cat.png"), open_styles(trained).painter(CPU)
    painted = painter.paint(image, {"waves": 1.0, "stars": 3.0}, strength=0.5)
    torch.testing.assert_close(make_paint()(image), with_colors_of(painted, image))


@pytest.mark.parametrize("output", ["out", "out.mp4", "out.gif", "out.webp", "out.png"])
def test_an_animation_becomes_one_again_or_a_film(instant, folder, monkeypatch, output):
    animation(folder / "moving.jpg", "GIF")
    told = []
    monkeypatch.setattr(command, "paint_video", lambda *given, **_: told.append(given[:2]) or (yield from ()))
    assert instant("moving.jpg", output=output) == 0
    (given,) = told
    assert [path.as_posix() for path in given] == ["moving.jpg", "out/moving.gif" if output == "out" else output]


def test_an_animation_does_not_become_a_picture_of_one_frame(refused, folder):
    animation(folder / "moving.gif", "GIF")
    line = refused("moving.gif", output="out.jpg")
    assert "for an animation, name a .gif or .webp or .png or .mp4 file or a folder" in line


def test_an_interrupted_video_is_closed(instant, folder, monkeypatch):
    closed = []

    def paint_video(source, output, paint, **named):
        try:
            yield VideoProgress(1, 3, None, 0.1)
            raise KeyboardInterrupt
        finally:
            closed.append(source.name)

    monkeypatch.setattr(command, "paint_video", paint_video)
    film("film.mov")
    assert instant("film.mov", output="out.mp4") == 130
    assert closed == ["film.mov"]


def test_a_video_that_is_ended_by_a_signal_holds_the_frames_painted_so_far(instant, folder, monkeypatch):
    film("film.mov", frames=30)
    plain, painted = video.Film.image, []

    def image(*given):
        painted.append(1)
        if len(painted) == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(*given)

    monkeypatch.setattr(video.Film, "image", image)
    keep = files.NewFile.keep

    def hurried(file):
        os.kill(os.getpid(), signal.SIGTERM)  # and again, while it is saved
        keep(file)

    monkeypatch.setattr(files.NewFile, "keep", hurried)
    assert instant("film.mov", output="out.mp4") == 143
    assert len(frames_of("out.mp4")) == 6  # that at hand, too
    assert {path.name for path in folder.iterdir()} == {"film.mov", "out.mp4", "photos"}


# The list


def test_styles_are_listed_one_a_line_with_the_name_first(folder, trained, capsys):
    assert main(["instant", "--list", "--styles", str(trained)]) == 0
    lines = capsys.readouterr().out.splitlines()
    styles = open_styles(trained).styles
    assert [line.split(maxsplit=1) for line in lines] == [[name, style.origin] for name, style in styles.items()]
    assert list(styles) == ["waves", "stars"]


# What is refused, before anything is painted


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--style", "wave"], ["'wave'", "waves", "stars"]),
        (["--blend", "wave=2"], ["'wave'", "waves", "stars"]),
        (["--strength", "2"], ["strength is 2.0", "from 0 to 1"]),
        (["--strength", "nan"], ["strength is nan"]),
        (["--workers", "0"], ["workers is 0", "from 1 to"]),
    ],
)
def test_a_bad_value_is_refused_before_anything_is_made(refused, folder, options, words):
    line = refused("photos", *options, style=None if "--style" in options else "waves", output="out")
    assert all(word in line for word in words)
    assert not (folder / "out").exists()


def test_what_is_missing_is_said(refused, folder, trained, capsys):
    assert "no style is named; choose of waves, stars, or name a picture, by --style" in refused(
        "photos/cat.png", style=None
    )
    assert "nothing to paint" in refused()
    assert main(["instant", "photos", "--style", "waves", "--styles", str(trained)]) == 1
    assert "nowhere to put it" in capsys.readouterr().err


def test_any_picture_is_a_style_and_stays_what_it_is(instant, refused, folder):
    images.save_png(torch.rand(1, 3, 40, 40), folder / "oil.png")
    assert instant("photos/cat.png", style="oil.png", output="out.png") == 0
    assert (
        images.read_text(folder / "out.png")[TEXT_KEY] == '{"styles": {"oil": 1.0}, "strength": 1.0, "color": "style"}'
    )
    assert "would be overwritten" in refused("photos/cat.png", style="oil.png", output="oil.png")
    assert "cannot be blended" in refused("photos/cat.png", "--blend", "waves=1", style="oil.png")
    assert "there is no style 'oils.png', nor a picture of that name" in refused("photos/cat.png", style="oils.png")


def test_on_a_cluster_a_films_frames_are_the_same_and_a_lost_machine_is_told_of(instant, folder, monkeypatch, capsys):
    animation(folder / "moving.gif", "GIF")
    assert instant("moving.gif", output="here.png") == 0
    room = Room(fails=lambda number, method: number == 2)
    monkeypatch.setattr(command.cluster, "machines", lambda: room)
    monkeypatch.setenv("NST_CLUSTER", "there")
    assert instant("moving.gif", "--workers", "2", output="there.png") == 0
    assert (folder / "there.png").read_bytes() == (folder / "here.png").read_bytes() and room.calls[0] == "host"
    assert capsys.readouterr().err.count("moving.gif: machine 2 was lost: another machine goes on from frame 1\n") == 1
    assert instant("moving.gif", "--workers", "3", output="more.png") == 1


def test_a_file_that_holds_no_styles_is_refused(folder, capsys):
    assert main(["instant", "--list", "--styles", "photos/notes.txt"]) == 1
    assert "error: " in capsys.readouterr().err
    assert main(["instant", "--list", "--styles", "gone.safetensors"]) == 1
    assert "gone.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--color", "luminance"], ["--blend", "waves"], ["--blend", "waves=0"], ["--size", "x"]]
)
def test_what_is_not_understood_exits_with_2(instant, words):
    with pytest.raises(SystemExit) as raised:
        instant("photos", *words)
    assert raised.value.code == 2


def test_pictures_are_never_painted_over(refused, folder):
    before = (folder / "photos" / "cat.png").read_bytes()
    assert "would be overwritten" in refused("photos", output="photos")
    assert (folder / "photos" / "cat.png").read_bytes() == before


def test_a_large_picture_keeps_its_size(instant):
    wide = torch.rand(1, 3, 2, 500).repeat_interleave(10, 2).repeat_interleave(10, 3)
    images.save_png(wide, "wide.png")
    for output in ("wide.jpg", "painted.png"):
        assert instant("wide.png", output=output) == 0
        assert images.size_of(images.load(output, max_side=10_000)) == (20, 5000)


def test_a_cut_picture_is_painted_and_a_line_says_so(folder, instant, capsys):
    picture = images.to_pil(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    picture.save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-900])
    assert instant("cut.jpg") == 0 and (folder / "out.png").exists()
    lines = [line for line in capsys.readouterr().err.splitlines() if "cut short" in line]
    assert len(lines) == 1 and lines[0].startswith("note: cut.jpg is cut short or damaged: what there is of it is used")
