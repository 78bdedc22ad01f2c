"""Videos and many pictures painted in one pass, without a browser."""

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.file_names import alike, is_portable
from nst_core.instant.painted_picture import TEXT_KEY
from nst_core.instant.video import VideoProgress
from nst_core.ui.instant import files as module
from nst_core.ui.instant.files import build_many, build_video, check_clip, paint_clip, paint_many
from nst_core.ui.serving.jobs import Job, press, ready
from nst_core.ui.studio.instant_session import InstantSession, Mix
from nst_core.ui.studio.uploads import shown_instead
from nst_core.ui.widgets.channel import Channel
from tests.instant.test_kinds import animation
from tests.instant.test_painter import network_of
from tests.instant.test_video import FRAMES, HEIGHT, WIDTH, decoded, film
from tests.machines import Room
from tests.ui.instant.test_picture import props
from tests.ui.shown import job_forms, untitled
from tests.ui.studio.test_instant_session import bundle


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; gradio's files go to a folder of this test's."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


@pytest.fixture(autouse=True)
def painter(monkeypatch):
    return bundle(monkeypatch, network_of("waves", "stars"), network_of("rain", seed=1))


@pytest.fixture
def session() -> InstantSession:
    return InstantSession()


@pytest.fixture
def updates(monkeypatch):
    """Every picture that the preview is given, with its words."""
    given, put = [], Channel.put
    monkeypatch.setattr(module, "WORDS_SECONDS", 0.0)
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words: (given.append((image, words)), put(self, image, words))
    )
    return given


@pytest.fixture
def clip(tmp_path) -> Path:
    return film(tmp_path / "clip.mp4")


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """Three pictures of 40×32 pixels, two of them called the same."""
    paths = [tmp_path / "a.png", tmp_path / "more" / "a.jpg", tmp_path / "b.png"]
    paths[1].parent.mkdir()
    for number, path in enumerate(paths):
        image = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(number))
        images.to_pil(image).save(path)
    return paths


def clip_shown(source: str | None, size: float | None, steady: bool) -> dict:
    """What the tab of videos shows."""
    return {"source": source, "size": size, "steady": steady}


def batch_shown(
    files: list[str] | None,
    folder: list[str] | None,
    size: float | None,
    keep_transparency: bool = True,
    kind: str = "PNG",
) -> dict:
    """What the tab of many pictures shows."""
    return {"files": files, "folder": folder, "size": size, "keep_transparency": keep_transparency, "kind": kind}


def stopped_after(job: Job, count: int, monkeypatch, painting: Iterator) -> list:
    """What a handler shows if Stop is pressed when so many pictures were painted."""
    put, seen = Channel.put, []

    def counted(self, *given):
        put(self, *given)
        seen.append(1)
        if len(seen) == count:
            job.steering.stop.set()

    monkeypatch.setattr(Channel, "put", counted)
    return list(painting)


def shown_file(views: list) -> Path:
    """The file that the last view offers."""
    assert props(views[-1]["outcome"])["visible"] is True
    return Path(props(views[-1]["outcome"])["value"])


def sound_of(path: Path) -> int:
    """Packets of sound in a video."""
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(audio=0)) if container.streams.audio else 0


def is_problem(views: list, session: InstantSession, toasts: list, message: str) -> bool:
    """Whether it ended by these words, as a toast and in the status, and everything else is left as it is."""
    [(name, status)] = views[-1].items()
    assert name == "status" and message in status and 'class="status problem"' in status
    return not (session.video.busy or session.batch.busy) and [message in toast for toast in toasts] == [True]


# videos


def test_a_video_is_painted_while_its_frames_are_shown(session, clip, updates):
    views = list(paint_clip(session, clip_shown(str(clip), 32, False)))
    token = props(views[0]["preview"])["value"]
    assert len(updates) == FRAMES and f"frame {FRAMES} of {FRAMES}" in updates[-1][1]["clip-status"].lower()
    assert all(f'data-run="{token}"' in words["clip-status"] for _, words in updates)
    assert f"Done: frame {FRAMES} of {FRAMES}" in views[-1]["status"] and 'data-run=""' in views[-1]["status"]
    assert (
        props(views[-1]["preview"])["visible"] == "hidden" and Channel.live[token].done and session.video.busy is False
    )
    painted = decoded(shown_file(views))
    assert len(painted) == FRAMES and (painted[0].width, painted[0].height) == (32, 24)
    assert sound_of(shown_file(views)) > 0


def test_on_a_cluster_a_video_has_the_same_frames_and_is_stopped_as_here(session, clip, updates, monkeypatch):
    monkeypatch.setenv("NST_PRECISION", "fp32")  # as the painter here has
    painted = []
    for room in (None, Room(fails=lambda number, method: number == 2), Room()):
        monkeypatch.setattr(module, "machines", lambda room=room: room)
        views = list(paint_clip(session, clip_shown(str(clip), 32, False)))
        painted.append(shown_file(views).read_bytes())
        line = "was lost: another machine goes on from frame 1" * (len(painted) == 2)
        assert line in views[-1]["status"] and ("was lost" in views[-1]["status"]) is bool(line)
    assert painted[0] == painted[1] == painted[2] and room.calls.count("host") == 1 and room.left == room.chosen
    views = stopped_after(session.video, 5, monkeypatch, paint_clip(session, clip_shown(str(clip), 32, False)))
    assert "Stopped: frame 5" in views[-1]["status"] and len(decoded(shown_file(views))) == 5
    assert room.left == room.chosen == 2


def test_what_is_said_of_a_video_goes_along_with_every_frame(session, clip, updates, monkeypatch):
    """As the browser sees few of them."""
    monkeypatch.setattr(module, "WORDS_SECONDS", 5.0)
    list(paint_clip(session, clip_shown(str(clip), 32, False)))
    assert ["of 12" in words.get("clip-status", "") for _, words in updates] == [True] * FRAMES


def test_the_frames_of_a_video_are_painted_as_it_is_set(session, clip, painter, monkeypatch):
    asked, plain = [], painter.steps
    monkeypatch.setattr(
        painter,
        "steps",
        lambda image, *given, **named: (asked.append((*given, named)), plain(image, *given, **named))[1],
    )
    session.mix = Mix(strength=0.5, second="stars", share=0.25)
    list(paint_clip(session, clip_shown(str(clip), None, False)))
    assert asked == [({"waves": 0.75, "stars": 0.25}, {"strength": 0.5})] * FRAMES


def test_a_video_without_a_size_keeps_its_own(session, clip):
    painted = decoded(shown_file(list(paint_clip(session, clip_shown(str(clip), None, False)))))
    assert (painted[0].height, painted[0].width) == (HEIGHT, WIDTH)


@pytest.mark.parametrize("steady", [False, True])
def test_a_video_flickers_less_only_where_it_is_wanted(session, clip, monkeypatch, steady):
    asked, plain = [], module.paint_video
    monkeypatch.setattr(
        module, "paint_video", lambda *given, **named: (asked.append(named["steady"]), plain(*given, **named))[1]
    )
    list(paint_clip(session, clip_shown(str(clip), 32, steady)))
    assert asked == [steady]


def test_a_video_that_is_stopped_is_a_shorter_one(session, clip, monkeypatch):
    views = stopped_after(session.video, 5, monkeypatch, paint_clip(session, clip_shown(str(clip), 32, False)))
    assert "Stopped: frame 5 of 12" in views[-1]["status"] and session.video.busy is False
    assert len(decoded(shown_file(views))) == 5 and sound_of(shown_file(views)) > 0


def test_a_video_that_is_stopped_before_its_first_frame_is_none(session, clip, toasts):
    session.video.steering.stop.set()
    views = list(paint_clip(session, clip_shown(str(clip), 32, False)))
    assert is_problem(views, session, toasts, "stopped before the first frame was painted")


def test_a_page_that_is_left_ends_its_video(session, clip):
    views = paint_clip(session, clip_shown(str(clip), 32, False))
    token = props(next(views)["preview"])["value"]
    assert session.video.busy is True
    views.close()
    assert session.video.busy is False and Channel.live[token].done


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (48.5, "the size is 48.5; give a whole number of pixels, or none"),
        (0, "“Size” is 0; give a whole number"),
        (8, "“Size” is 8; give a whole number of pixels, 16 or more"),
        (float("nan"), "the size is nan"),
    ],
)
def test_a_size_of_a_video_that_is_none_is_named(session, clip, toasts, size, message):
    assert is_problem(list(paint_clip(session, clip_shown(str(clip), size, False))), session, toasts, message)


def test_what_is_no_video_is_named(session, tmp_path, toasts):
    views = list(paint_clip(session, clip_shown(None, 64, False)))
    assert is_problem(views, session, toasts, "there is no video; drop one")
    toasts.clear()
    (tmp_path / "letter.mp4").write_text("Dear reader, this is no video. " * 50)
    views = list(paint_clip(session, clip_shown(str(tmp_path / "letter.mp4"), 64, False)))
    assert is_problem(views, session, toasts, "letter.mp4 is neither a picture nor a film")


def test_a_blend_that_cannot_be_is_named_before_a_video_is_begun(session, clip, toasts):
    session.mix = Mix(second="rain")
    views = list(paint_clip(session, clip_shown(str(clip), 32, False)))
    assert len(views) == 1 and is_problem(views, session, toasts, "styles of different networks")


# many pictures


def test_a_zip_holds_every_picture_under_a_name_of_its_own(session, files, painter, updates):
    views = list(paint_many(session, batch_shown([str(path) for path in files], None, 24)))
    assert "Done: 3 of 3 pictures" in views[-1]["status"] and session.batch.busy is False
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.testzip() is None and archive.namelist() == ["a.png", "a-2.png", "b.png"]
        for name, path in zip(archive.namelist(), files, strict=True):
            with archive.open(name) as entry:
                painted = images.load(entry)
            wanted = painter.paint(images.fit(images.load(path), 24), {"waves": 1.0})
            assert painted.shape == wanted.shape and (painted - wanted).abs().max() < 1 / 255
    assert Path(shown_file(views)).name == "3-pictures_waves.zip"
    token = props(views[0]["preview"])["value"]
    assert [
        f"Picture {number} of 3: {path.name}" in words["batch-status"] and token in words["batch-status"]
        for number, (path, (_, words)) in enumerate(zip(files, updates, strict=True), 1)
    ] == [True] * 3
    assert Channel.live[token].done


def test_a_zip_of_jpegs_holds_them_with_how_they_were_painted(session, files):
    session.mix = Mix(strength=0.5)
    views = list(paint_many(session, batch_shown([str(files[0]), str(files[1])], None, 24, kind="JPEG")))
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.namelist() == ["a.jpg", "a-2.jpg"]
        text = images.read_text(io.BytesIO(archive.read("a.jpg")))
    assert json.loads(text[TEXT_KEY]) == {"styles": {"waves": 1.0}, "strength": 0.5, "color": "style"}


def test_pictures_and_a_folder_are_painted_together_but_hidden_files(session, files):
    hidden = files[0].with_name(".DS_Store")
    hidden.write_text("x")
    views = list(paint_many(session, batch_shown([str(files[0])], [str(hidden), str(files[2])], None)))
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.namelist() == ["a.png", "b.png"]
        with archive.open("b.png") as entry:
            assert images.size_of(images.load(entry)) == (32, 40)
    assert "Skipped" not in views[-1]["status"] and "Passed over, as hidden: .DS_Store" in views[-1]["status"]


def test_names_in_a_zip_are_taken_by_every_computer_and_told_apart_by_each(session, files, tmp_path):
    names = ["IMG.png", "img.jpg", "é.png", "e\u0301.png", "CON.png", "what?.png", "end. .png", "x" * 251 + ".png", "b"]
    for name in names:
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / name).write_bytes(files[0].read_bytes())
    given = [str(tmp_path / "many" / name) for name in names]
    views = list(paint_many(session, batch_shown(given, None, 24)))
    with zipfile.ZipFile(shown_file(views)) as archive:
        made = archive.namelist()
    assert len(made) == len({alike(name) for name in made}) == len(names) and all(map(is_portable, made))
    assert made[:4] == ["IMG.png", "img-2.png", "é.png", "é-2.png"] and made[-1] == "b.png"


def test_what_a_file_is_its_content_says(session, files, clip, tmp_path, monkeypatch):
    """Films are named, animations painted as such, each under whatever name."""
    film_as_picture, moving, still_as_film = (tmp_path / name for name in ("film.jpg", "moving", "still.mp4"))
    clip.rename(film_as_picture)
    animation(moving, "GIF")
    still_as_film.write_bytes(files[0].read_bytes())

    def paint_video(source, output, paint, *, size, steering):
        assert (source, output.suffix, size) == (moving, ".gif", 24)
        output.write_bytes(b"painted")
        yield VideoProgress(3, 3, paint(torch.rand(1, 3, 24, 24)), 0.1)

    monkeypatch.setattr(module, "paint_video", paint_video)
    given = [str(path) for path in (film_as_picture, moving, still_as_film)]
    views = list(paint_many(session, batch_shown(given, None, 24)))
    assert "Done: 2 of 3" in views[-1]["status"] and "film.jpg is a film; paint it under Video" in views[-1]["status"]
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.namelist() == ["moving.gif", "still.png"] and archive.read("moving.gif") == b"painted"


def test_a_full_disk_is_told_before_the_work(session, files, clip, toasts, monkeypatch):
    usage = shutil.disk_usage(clip)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1_000_000))
    clips, batches = clip_shown(str(clip), 32, False), batch_shown([str(files[0])], None, 24)
    for painting in (paint_clip(session, clips), paint_many(session, batches)):
        toasts.clear()
        assert is_problem(list(painting), session, toasts, "the disk for results has room for 1 MB, and about 2 MB")


def test_a_picture_is_no_video_whatever_its_name(session, files, toasts, tmp_path):
    files[0].rename(tmp_path / "clip.mp4")
    views = list(paint_clip(session, clip_shown(str(tmp_path / "clip.mp4"), 32, False)))
    assert is_problem(views, session, toasts, "clip.mp4 is a picture; paint it under Picture")


def test_a_picture_that_cannot_be_read_is_skipped_and_named(session, files, toasts):
    files[1].write_text("Dear reader")
    views = list(paint_many(session, batch_shown([str(path) for path in files], None, 24)))
    assert (
        "Done: 2 of 3 pictures" in views[-1]["status"]
        and "Skipped: a.jpg is neither a picture nor" in views[-1]["status"]
    )
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.namelist() == ["a.png", "b.png"]
    assert toasts == []


def test_pictures_of_which_none_can_be_read_are_named(session, files, toasts):
    for path in files:
        path.write_text("Dear reader")
    views = list(paint_many(session, batch_shown([str(path) for path in files], None, 24)))
    assert is_problem(views, session, toasts, "none of the 3 files could be painted: a.png is neither")


@pytest.mark.parametrize("files", [None, [], ["/somewhere/.DS_Store"]])
def test_without_pictures_there_is_nothing_to_paint(session, toasts, files):
    views = list(paint_many(session, batch_shown(files, None, 24)))
    assert is_problem(views, session, toasts, "there are no pictures; drop some, or a folder")


def test_pictures_that_are_stopped_are_a_smaller_zip(session, files, monkeypatch):
    painting = paint_many(session, batch_shown([str(path) for path in files], None, 24))
    views = stopped_after(session.batch, 2, monkeypatch, painting)
    assert "Stopped: 2 of 3 pictures" in views[-1]["status"] and session.batch.busy is False
    with zipfile.ZipFile(shown_file(views)) as archive:
        assert archive.testzip() is None and archive.namelist() == ["a.png", "a-2.png"]


def test_pictures_that_are_stopped_before_the_first_are_none(session, files, toasts):
    session.batch.steering.stop.set()
    views = list(paint_many(session, batch_shown([str(path) for path in files], None, 24)))
    assert is_problem(views, session, toasts, "stopped before the first picture was painted")


@pytest.mark.parametrize("size", [48.5, 3])
def test_a_size_of_pictures_that_is_none_is_named(session, files, toasts, size):
    views = list(paint_many(session, batch_shown([str(path) for path in files], None, size)))
    assert is_problem(views, session, toasts, f"the size is {size}; give a whole number")


def test_without_styles_nothing_is_painted(monkeypatch, files, clip, toasts):
    bundle(monkeypatch)
    session = InstantSession()
    for painting in (
        paint_clip(session, clip_shown(str(clip), 32, False)),
        paint_many(session, batch_shown([str(files[0])], None, 24)),
    ):
        toasts.clear()
        assert is_problem(list(painting), session, toasts, "came without its file of styles")


# the buttons


def test_pressing_run_forgets_an_earlier_stop_and_the_buttons_change_places(session):
    session.video.steering.stop.set()
    shown = press(session.video)
    assert "Waiting" in shown.pop("status") and not session.video.steering.stop.is_set()
    assert {name: props(button)["interactive"] for name, button in shown.items()} == {"run": False, "stop": True}
    session.video.busy = True
    shown = ready(session.video)
    assert {name: props(button)["interactive"] for name, button in shown.items()} == {"run": True, "stop": False}
    assert session.video.busy is False


def test_the_page_has_a_place_for_all_that_is_given_and_shown(session, clip, files, monkeypatch):
    inputs, outputs = job_forms(monkeypatch, module, lambda: build_video(gr.State()))
    given = clip_shown(str(clip), 32, False)
    assert inputs.parts.keys() == given.keys() and outputs.parts.keys() == set().union(*paint_clip(session, given))
    inputs, outputs = job_forms(monkeypatch, module, lambda: build_many(gr.State(), gr.Number(), gr.Checkbox()))
    given = batch_shown([str(files[0])], None, 24)
    assert inputs.parts.keys() == given.keys() and outputs.parts.keys() == set().union(*paint_many(session, given))


def test_what_is_no_film_leaves_its_place_but_not_a_newer_ones(files, clip, toasts):
    refused = check_clip(str(files[0]))
    assert len(toasts) == 1 and "is a picture; paint it under Picture" in toasts[0]
    assert shown_instead(refused, str(files[0])) is None
    assert shown_instead(refused, str(clip)) == shown_instead(refused, None) == gr.skip()
    assert check_clip(str(clip)) == check_clip(None) == gr.skip() and len(toasts) == 1


def test_stopping_many_pictures_leaves_a_video_alone(session):
    session.batch.steering.stop.set()
    assert not session.video.steering.stop.is_set()


@pytest.mark.parametrize("keep", [True, False])
def test_a_zip_holds_transparent_pictures_as_they_are(session, tmp_path, keep):
    images.save_png(torch.rand(1, 4, 40, 60, generator=torch.Generator().manual_seed(1)), tmp_path / "cut-out.png")
    views = list(paint_many(session, batch_shown([str(tmp_path / "cut-out.png")], None, 24, keep)))
    with zipfile.ZipFile(shown_file(views)) as archive, archive.open("cut-out.png") as entry:
        assert images.load(entry, keep_transparency=True).shape == (1, 4 if keep else 3, 16, 24)
