"""A labelled folder, painted: which paintings come of it, what is kept, skipped and refused."""

import csv
import dataclasses
import errno
import os
import signal
from pathlib import Path

import pytest
import torch

from nst_core import images
from nst_core.augment import brushes
from nst_core.augment import folder as augment_module
from nst_core.augment.brushes import Brush, instant_brush, optimizer_brush
from nst_core.augment.folder import augment
from nst_core.augment.labels import INDEX
from nst_core.errors import ConfigError, DeviceError, ImageError, OutputError, WeightsError
from nst_core.file_names import alike
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.interrupts import raised
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, result, small

IN, OUT = Path("photos"), Path("painted")


def put(path, seed=0, size=(20, 28)):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    images.save_png(torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed)), path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes, of two pictures and one."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("cat/a.png", "cat/b.png", "dog/a.png")):
        put(IN / name, seed)
    return tmp_path


@pytest.fixture
def brush():
    """Darkens by strength, in two strokes, and notes what it was asked for."""

    def paint(image, style, strength):
        asked.append((style, strength))
        yield 0.5, image
        yield 1.0, image * (1 - strength)

    asked = []
    made = Brush(("waves", "stars"), paint)
    object.__setattr__(made, "asked", asked)
    return made


def files():
    return sorted(str(path.relative_to(OUT)) for path in OUT.rglob("*") if path.is_file())


def index():
    with (OUT / INDEX).open(newline="") as lines:
        return list(csv.DictReader(lines))


def run(brush, *strengths, **places):
    return list(augment(places.get("folder", IN), places.get("output", OUT), brush, strengths or (1.0,)))


# What comes of it


def test_class_folders_go_in_and_class_folders_come_out(folder, brush):
    run(brush, 0.5, 1.0)
    paintings = [f"{name}-{strength}.png" for name in ("cat/a", "cat/b", "dog/a") for strength in ("0.5", "1")]
    assert files() == sorted([*paintings, INDEX])


def test_each_painting_is_of_its_picture_and_strength(folder, brush):
    run(brush, 0.25, 1)
    for name in ("cat/a", "cat/b", "dog/a"):
        source = images.load(IN / f"{name}.png")
        torch.testing.assert_close(images.load(OUT / f"{name}-0.25.png"), source * 0.75, atol=0.6 / 255, rtol=0)
        assert images.load(OUT / f"{name}-1.png").max() == 0


def test_the_index_names_every_painting(folder, brush):
    run(brush, 0.5, 1)
    rows = index()
    assert list(rows[0]) == ["file", "label", "source", "style", "strength"]
    assert sorted(row["file"] for row in rows) == [name for name in files() if name != INDEX]
    for row in rows:
        assert (OUT / row["file"]).is_file() and (IN / row["source"]).is_file()
        assert row["file"].split("/")[0] == row["source"].split("/")[0] == row["label"]
        assert row["file"].endswith(f"-{row['strength']}.png")


def test_styles_take_turns_within_a_class_so_that_none_tells_the_class(folder, brush):
    put(IN / "dog/b.png")
    run(brush, 0.5, 1)
    styles = {(row["source"], row["style"]) for row in index()}
    assert styles == {("cat/a.png", "waves"), ("cat/b.png", "stars"), ("dog/a.png", "waves"), ("dog/b.png", "stars")}
    assert sorted(brush.asked) == sorted([("waves", 0.5), ("waves", 1.0), ("stars", 0.5), ("stars", 1.0)] * 2)


def test_files_that_differ_by_their_ending_alone_become_different_paintings(folder, brush):
    put(IN / "cat/a.jpg")
    put(IN / "cat/B.webp")
    run(brush)
    assert [name for name in files() if name.startswith("cat")] == [
        "cat/B.webp-1.png",
        "cat/a.jpg-1.png",
        "cat/a.png-1.png",
        "cat/b.png-1.png",
    ]


def test_names_of_any_bytes_survive(folder, brush):
    name = os.fsdecode(b'caf\xe9, "x"\n.png')
    try:
        put(IN / "dog" / name)
    except OSError:
        pytest.skip("no such names on this file system")
    run(brush)
    assert run(brush)[-1].kept == 4


def test_the_input_stays_as_it_is(folder, brush):
    before = {path: path.read_bytes() for path in IN.rglob("*.png")}
    run(brush)
    assert {path: path.read_bytes() for path in IN.rglob("*") if path.is_file()} == before


# Progress


def test_progress_counts_up_to_all_and_shows_every_stroke(folder, brush):
    moments = run(brush, 0.5, 1)
    assert [moment.done for moment in moments] == sorted(moment.done for moment in moments)
    assert moments[0].done == 0 and moments[-1].done == moments[-1].total == moments[-1].painted == 6
    assert [moment.share for moment in moments[1:4]] == [0.5, 1.0, 1.0]
    assert moments[1].entry.file == "cat/a-0.5.png" and moments[1].image is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        moments[0].done = 1


def test_what_is_told_does_not_change_later(folder, brush):
    put(IN / "bird/x.png")
    (IN / "bird/broken.png").write_text("Dear reader")
    moments = run(brush)
    assert moments[0].notes == () and len(moments[-1].notes) == 1


# Stopping and going on


def test_what_is_there_is_not_painted_again(folder, brush):
    run(brush, 0.5)
    brush.asked.clear()
    before = {name: (OUT / name).stat().st_mtime_ns for name in files() if name != INDEX}
    moments = run(brush, 0.5, 1)
    assert moments[-1].kept == 3 and moments[-1].painted == 3
    assert {strength for _, strength in brush.asked} == {1.0}
    assert {name: (OUT / name).stat().st_mtime_ns for name in before} == before
    assert len(index()) == len({row["file"] for row in index()}) == 6


@pytest.mark.parametrize("moments", range(1, 12))
def test_a_run_closed_at_any_moment_leaves_whole_paintings_and_a_true_index_and_goes_on(folder, brush, moments):
    painting = augment(IN, OUT, brush, [0.5, 1])
    for _ in range(moments):
        next(painting)
    painting.close()
    begun = [name for name in files() if name != INDEX]
    assert [row["file"] for row in index()] == begun
    for name in begun:
        images.load(OUT / name)
    last = run(brush, 0.5, 1)[-1]
    assert (last.kept, last.painted) == (len(begun), 6 - len(begun))
    assert len(index()) == 6


def test_closing_ends_the_stroke_that_is_being_made(folder):
    ended = []

    def paint(image, style, strength):
        try:
            while True:
                yield 0.5, image
        finally:
            ended.append(style)

    painting = augment(IN, OUT, Brush(("waves",), paint))
    for _ in range(3):
        next(painting)
    painting.close()
    assert ended == ["waves"] and files() == [INDEX]


def test_the_index_keeps_what_a_painting_was_made_with(folder, brush):
    run(brush)
    put(IN / "cat/0.png")  # so that the others' turns move on
    run(brush)
    styles = {row["source"]: row["style"] for row in index()}
    assert styles["cat/a.png"] == "waves" and styles["cat/b.png"] == "stars" and styles["cat/0.png"] == "waves"


def test_a_painting_that_was_deleted_is_painted_anew_and_stands_once_in_the_index(folder, brush):
    run(brush)
    (OUT / "cat/a-1.png").unlink()
    assert run(brush)[-1].painted == 1
    assert sorted(row["file"] for row in index()) == ["cat/a-1.png", "cat/b-1.png", "dog/a-1.png"]


def test_a_painting_that_the_index_lacks_is_kept_and_added(folder, brush):
    run(brush)
    (OUT / INDEX).unlink()
    assert run(brush)[-1].kept == 3
    assert len(index()) == 3


def test_a_line_that_was_cut_short_is_written_anew(folder, brush):
    run(brush)
    path = OUT / INDEX
    path.write_bytes(path.read_bytes()[:-12])
    assert run(brush)[-1].kept == 3
    assert sorted(row["file"] for row in index() if row["strength"]) == ["cat/a-1.png", "cat/b-1.png", "dog/a-1.png"]


def test_wherever_a_kill_cut_the_last_line_the_index_comes_to_be_the_same(folder, brush):
    run(brush, 0.25)
    path = OUT / INDEX
    whole = path.read_bytes()
    last = whole[:-2].rindex(b"\n") + 1
    for end in range(last, len(whole)):  # also "0.2" for "0.25"
        path.write_bytes(whole[:end])
        assert run(brush, 0.25)[-1].kept == 3
        assert path.read_bytes() == whole


def test_a_signal_between_a_painting_and_its_line_waits_for_the_line(folder, brush, monkeypatch):
    plain = images.save_png

    def save_png(*given):
        plain(*given)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(images, "save_png", save_png)
    with pytest.raises(KeyboardInterrupt), raised():
        run(brush)
    assert [row["file"] for row in index()] == ["cat/a-1.png"] and files() == ["cat/a-1.png", INDEX]


def test_a_full_disk_keeps_what_was_painted_before_with_its_lines(folder, brush, monkeypatch):
    paintings = augment(IN, OUT, brush)
    while next(paintings).painted < 1:
        pass

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="b-1.png could not be written: the disk is full; make room"):
        list(paintings)
    assert [row["file"] for row in index()] == ["cat/a-1.png"] and files() == ["cat/a-1.png", INDEX]


# What is skipped


def test_a_file_that_is_no_picture_is_skipped_and_named_once(folder, brush):
    (IN / "cat/notes.txt").write_text("Dear reader")
    last = run(brush, 0.5, 1)[-1]
    (note,) = last.notes
    assert note.startswith("cat/notes.txt is skipped: notes.txt cannot be read as a picture")
    assert (last.done, last.total, last.painted) == (8, 8, 6)
    assert not any("notes" in row["file"] for row in index())


def test_hidden_files_and_folders_count_for_nothing(folder, brush):
    (IN / "cat/.DS_Store").write_text("")
    put(IN / ".thumbnails/a.png")
    put(IN / "cat/deeper/a.png")
    last = run(brush)[-1]
    assert last.total == 3 and not last.notes


def test_a_class_without_pictures_is_skipped_and_named(folder, brush):
    (IN / "bird").mkdir()
    last = run(brush)[-1]
    assert last.notes == (f"{IN / 'bird'} has no pictures in it",) and last.painted == 3
    assert not (OUT / "bird").exists()


@pytest.mark.parametrize("error", [ConfigError("too small"), DeviceError("too large"), ImageError("odd")])
def test_a_picture_that_the_brush_refuses_is_skipped_and_named(folder, error):
    def paint(image, style, strength):
        if images.size_of(image) == (30, 30):
            raise error
        yield 1.0, image

    put(IN / "cat/odd.png", size=(30, 30))
    last = run(Brush(("waves",), paint), 0.5, 1)[-1]
    assert last.notes == (f"cat/odd.png is skipped: {error}",) and last.painted == 6


def test_when_nothing_can_be_painted_it_says_so(folder):
    def paint(image, style, strength):
        raise ConfigError("too small")
        yield

    with pytest.raises(ImageError, match="none of the 3 paintings.*too small"):
        run(Brush(("waves",), paint))


def test_weights_that_are_missing_end_it(folder):
    def paint(image, style, strength):
        raise WeightsError("gone")
        yield

    with pytest.raises(WeightsError, match="gone"):
        run(Brush(("waves",), paint))


# What is refused, and before anything is written


@pytest.mark.parametrize("strengths", [(1.5,), (-0.1,), (float("nan"),), (0.5, 2), (0.5, 0.5), (0.5, 0.5000000001), ()])
def test_strengths_that_make_no_sense_are_refused(folder, brush, strengths):
    with pytest.raises(ConfigError, match="strength"):
        augment(IN, OUT, brush, strengths)
    assert not OUT.exists()


def test_a_folder_without_class_folders_is_refused(folder, brush):
    for name in ("nothing", "photos/cat/a.png"):
        with pytest.raises(ImageError, match="is not a folder"):
            augment(Path(name), OUT, brush)
    with pytest.raises(ImageError, match="no folders in it; put the pictures of each class"):
        augment(IN / "cat", OUT, brush)
    Path("empty/cat").mkdir(parents=True)
    with pytest.raises(ImageError, match="the folders cat in empty have no pictures"):
        augment(Path("empty"), OUT, brush)


@pytest.mark.parametrize("output", ["photos", "photos/painted", "photos/cat/painted", "photos/../photos", "link"])
def test_an_output_inside_of_the_input_is_refused(folder, brush, output):
    os.symlink(folder / "photos", folder / "link")
    with pytest.raises(ConfigError, match="inside of photos"):
        augment(IN, Path(output), brush)


def test_an_output_whose_class_folders_lead_into_the_input_is_refused(folder, brush):
    OUT.mkdir()
    os.symlink(folder / "photos/cat", OUT / "cat")
    with pytest.raises(ConfigError, match="inside of photos"):
        augment(IN, OUT, brush)


def test_an_output_that_is_a_file_is_refused(folder, brush):
    OUT.write_text("")
    with pytest.raises(ImageError, match="is a file; name a folder"):
        augment(IN, OUT, brush)


@pytest.mark.parametrize("text", ["", "image,label\na.png,cat\n", '"'])
def test_an_index_of_someone_elses_is_not_overwritten(folder, brush, text):
    OUT.mkdir()
    (OUT / INDEX).write_text(text)
    with pytest.raises(ImageError, match="no index of paintings"):
        augment(IN, OUT, brush)
    assert (OUT / INDEX).read_text() == text


def test_an_output_that_cannot_be_made_is_said(folder, brush):
    Path("file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        run(brush, output=Path("file/painted"))


# Brushes


@pytest.fixture(scope="module")
def painter():
    """Two styles that nobody has trained."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = TransformationNetwork(["waves", "stars", PHOTO], 4)
        for name, values in network.named_parameters():
            if ".norm." in name:
                torch.nn.init.normal_(values, 1.0 if "scale" in name else 0.0, 0.5)
    return Painter([network], CPU)


@pytest.mark.parametrize("style", ["waves", "stars"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_the_instant_brush_paints_as_the_painter_does(painter, style, strength):
    image = torch.rand(1, 3, 20, 28)
    ((share, painted),) = instant_brush(painter).paint(image, style, strength)
    assert share == 1 and torch.equal(painted, painter.paint(image, {style: 1.0}, strength=strength))


def test_the_instant_brush_has_all_styles_or_those_named(painter):
    assert instant_brush(painter).styles == ("waves", "stars")
    assert instant_brush(painter, ["stars"]).styles == ("stars",)
    with pytest.raises(ConfigError, match="no style 'suns'"):
        instant_brush(painter, ["suns"])
    with pytest.raises(ConfigError, match="'stars' is named 2 times"):
        instant_brush(painter, ["stars", "stars"])


def test_the_instant_brush_paints_at_a_size(painter):
    ((_, painted),) = instant_brush(painter, size=40).paint(torch.rand(1, 3, 50, 80), "waves", 1.0)
    assert images.size_of(painted) == (25, 40)


def test_the_optimizers_strength_is_a_share_of_the_style_weight(pictures, narrow_weights):
    content_image, style_image = pictures
    brush = optimizer_brush({"stars": style_image}, small(), CPU)
    for strength in (0.25, 1.0):
        *_, (done, painted) = brush.paint(content_image, "stars", strength)
        assert done == 1
        torch.testing.assert_close(painted, result(pictures, small(style_weight=1e5 * strength)))


def test_the_optimizer_at_no_strength_gives_the_picture_itself(pictures, narrow_weights):
    ((_, painted),) = optimizer_brush({"stars": pictures[1]}, small(), CPU).paint(pictures[0], "stars", 0.0)
    torch.testing.assert_close(painted, images.fit(pictures[0], 32))


def test_the_stronger_the_optimizer_paints_the_further_it_goes(pictures, random_weights):
    brush = optimizer_brush({"stars": pictures[1]}, small(steps=10), CPU)
    start = images.fit(pictures[0], 32)
    far = []
    for strength in (0.1, 0.5, 1.0):
        *_, (_, painted) = brush.paint(pictures[0], "stars", strength)
        far.append((painted - start).abs().mean().item())
    assert far == sorted(far) and far[0] < far[-1] / 2


def test_the_optimizer_tells_of_every_step_and_ends_when_closed(pictures, narrow_weights, monkeypatch):
    runs = []

    def note(*arguments, **given):
        runs.append(stylize(*arguments, **given))
        return runs[-1]

    monkeypatch.setattr(brushes, "stylize", note)
    strokes = optimizer_brush({"stars": pictures[1]}, small(steps=4), CPU).paint(pictures[0], "stars", 1.0)
    assert [share for share, _ in strokes] == [0, 0.25, 0.5, 0.75, 1]
    strokes = optimizer_brush({"stars": pictures[1]}, small(steps=4), CPU).paint(pictures[0], "stars", 1.0)
    next(strokes)
    strokes.close()
    assert runs[-1]._frames.gi_frame is None


def test_the_optimizer_wants_a_style_and_weights(pictures, monkeypatch, tmp_path):
    for name, value in {"NST_CACHE": tmp_path, "TORCH_HOME": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match="weights of VGG-19 are missing"):
        optimizer_brush({"stars": pictures[1]}, small(), CPU)
    with pytest.raises(ConfigError, match="no style picture"):
        optimizer_brush({}, small(), CPU)


def test_the_optimizer_paints_a_folder(folder, narrow_weights):
    style = torch.rand(1, 3, 40, 40)
    last = list(augment(IN, OUT, optimizer_brush({"stars": style}, small(size=28, steps=2), CPU), [0, 1]))[-1]
    assert last.painted == 6
    torch.testing.assert_close(images.load(OUT / "cat/a-0.png"), images.load(IN / "cat/a.png"), atol=1 / 255, rtol=0)
    assert {row["style"] for row in index()} == {"stars"}


@pytest.mark.parametrize("names", [("a.jpg", "a.png"), ("a.jpg", "a.jpg.bmp", "a.png"), ("a.png", "A.jpg", "b.png")])
def test_no_two_files_of_a_class_have_one_painting(names):
    stems = augment_module._stems([Path(name) for name in names])
    assert len({stem.casefold() for stem in stems.values()}) == len(names)


# Names


def last_of(*given):
    *_, last = augment(IN, OUT, *given)
    return last


def test_names_that_are_too_long_are_shortened_the_same_whatever_is_beside_them(folder, brush):
    long = "ä" * 125
    put(IN / "cat" / f"{long}.png")
    put(IN / "cat" / f"{long}b.png")
    made = [last_of(brush, (0.123456,)).painted, set(files())]
    assert made[0] == 5 and all(len(Path(name).name.encode()) <= 255 for name in made[1])
    (IN / "cat" / f"{long}b.png").unlink()
    put(IN / "cat" / f"{long}a.png")
    last = last_of(brush, (0.123456,))
    assert (last.painted, last.kept) == (1, 4) and set(files()) > made[1]


def test_no_computer_takes_two_paintings_or_two_classes_for_one(folder, brush):
    for number, name in enumerate(("cat/A.png", "cat/\u00e9.png", "cat/e\u0301.png", "DOG/a.png")):
        put(IN / name, 9 + number)
    assert last_of(brush).painted == 7
    paintings = [name for name in files() if name != INDEX]
    assert len({alike(name) for name in paintings}) == 7
    with (OUT / INDEX).open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["label"] for row in rows} == {"cat", "DOG", "dog"} and len(rows) == 7
    for row in rows:
        assert row["source"].startswith(f"{row['label']}/")
        painted, source = images.load(OUT / row["file"]), images.load(IN / row["source"])
        assert painted.shape == source.shape
