"""A batch of the page, without a browser: planned, painted, stopped, gone on with, and found again."""

import asyncio
import csv
import io
import json
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from nst_core import images
from nst_core.batch.tasks import pairs
from nst_core.batch.ways import Optimized, Stroke
from nst_core.engine import jobs
from nst_core.engine.lane import Client, Lane
from nst_core.engine.limits import Limits
from nst_core.errors import OutputError
from nst_core.instant import painted_picture
from nst_core.transfer import record
from nst_core.ui.folders import batch_painting as module
from nst_core.ui.folders import batch_plan
from nst_core.ui.folders.batch import build_batch, come_back, describe, look, press_start, press_stop, watch
from nst_core.ui.folders.batch_plan import BatchWish, roughly
from nst_core.ui.folders.batch_state import Batch
from nst_core.ui.page.downloads import IN_USE
from nst_core.ui.page.form import Form
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH, Studio
from tests.picture_files import png
from tests.ui.browsers import page
from tests.ui.folders.conftest import NAMES
from tests.ui.folders.test_photos import damaged_in, locked_in
from tests.ui.shown import page_showing, update_of

pytestmark = pytest.mark.usefixtures("toasts")


class Brush:
    """Paints small pictures of one colour in two steps, and knows what it painted; waits where it is told to."""

    def __init__(self):
        self.painted, self.error, self.noted = [], {}, ""  # file stem of a photo -> what it fails by; one that is told
        self.waits_at, self.reached, self.go = "", threading.Event(), threading.Event()

    def __call__(self, task, path):
        stem = task.content.stem
        if stem == self.waits_at:
            self.reached.set()
            yield Stroke(0.1)
            assert self.go.wait(30)
        image = images.load(task.content)
        if error := self.error.get(stem):
            raise error
        yield Stroke(0.5, f"{task.content} was halved" if stem == self.noted else "")
        self.painted.append(stem)
        images.save_png(image, path)
        yield Stroke(1.0)


@pytest.fixture
def brush(monkeypatch, narrow_weights):
    """What paints in place of the studio."""
    made = Brush()
    monkeypatch.setattr(module, "_paint_of", lambda way: made)
    yield made
    made.go.set()


def shown(files: dict, **changes) -> dict:
    """What the page shows."""
    wish = {"photos": None, "styles": None, "by": "optimizer", "batch_size": 32, "batch_kind": "PNG", **files}
    return page_showing("luo") | {"steps": 2} | wish | changes


def start(files: dict, batch: Batch | None = None, name: str = "page", **changes) -> Batch:
    """A page on which Start was pressed."""
    return press_start(batch or Batch(), "", Session(), shown(files, **changes), page(name))["batch"]


def painted(files: dict, batch: Batch | None = None, **changes) -> Batch:
    """The same when it has ended."""
    made = start(files, batch, **changes)
    assert made.job is None or made.job.wait(30)
    return made


def states(batch: Batch) -> dict[str, str]:
    return {card["photo"]: card["state"] for card in batch.cards.values()}


def packed(batch: Batch) -> tuple[list[str], list[dict]]:
    """The names in its ZIP, and the lines of the report there."""
    with zipfile.ZipFile(batch.outcome) as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("report.csv"), "utf-8")))
        return archive.namelist(), rows


# What is planned


def test_the_page_has_a_place_for_all_that_is_wished_and_shown():
    with gr.Blocks() as demo:
        parts = {name: gr.Textbox() for name in (*PAINTED_WITH, "about")}
        build_batch(Studio(gr.State(Session()), gr.BrowserState(), gr.Dropdown(), Form(parts)), lambda *given: None)
    ids = {block.elem_id for block in demo.blocks.values()}
    wish, shown = ("photos", "styles", "by", "size", "kind"), ("start", "stop", "grid", "outcome")
    assert {f"queue-{part}" for part in (*wish, *shown)} <= ids


def test_the_extent_says_how_much_there_is_and_about_how_long_it_takes(files, uploads):
    two = files | {"styles": uploads("waves", "stars")}
    text = describe(Session(), shown(two), lambda config, shape, compute: 20.0)
    assert "3 photos in 2 styles, 6 paintings · Luo" in text and "32 pixels, 2 steps at most · about 2 min" in text
    assert "about" not in describe(Session(), shown(files), lambda *given: None)
    text = describe(Session(), shown(files, by="instant", color="content"), lambda config, *given: config.steps / 10)
    assert "3 photos in 1 style · one pass, 32 pixels, in the photos&#x27; colours · about 3 s" in text
    assert "as large as the photos" in describe(Session(), shown(files, by="instant", batch_size=None), lambda *_: None)
    assert describe(Session(), shown({}), lambda *given: None) == ""


def test_an_estimate_reads_as_people_guess():
    assert [roughly(seconds) for seconds in (0.2, 8, 40, 50, 230, 3590, 7800)] == [
        "1 s",
        "8 s",
        "half a minute",
        "1 min",
        "4 min",
        "1 h 00 min",
        "2 h 10 min",
    ]


def test_without_styles_the_pages_own_is_taken(files):
    own = shown({"photos": files["photos"]}, style=Path(files["styles"][0]))
    assert BatchWish.of(own).plan(Session()).styles == (Path(files["styles"][0]),)


def test_paintings_are_called_as_the_command_calls_them(files, brush):
    batch = painted(files)
    plan = batch.plan
    assert plan.way == Optimized("luo", plan.way.config, True) and plan.way.config.size == 32
    contents = [Path("holidays", "photos", f"{name}.png") for name in NAMES]
    wanted = [task.file for task in pairs(contents, [str(path) for path in plan.styles], plan.way, Path("anywhere"))]
    assert packed(batch)[0] == [*wanted, "report.csv"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photos": None}, "there are no photos; drop some"),
        ({"styles": None}, "there is no style; drop style pictures here"),
        ({"batch_size": 8}, "“Size” is 8; give a whole number"),
        ({"batch_size": 40.5}, "“Size” is 40.5; give a whole number"),
        ({"batch_size": 40.5, "by": "instant"}, "“Size” is 40.5; give a whole number"),
        ({"start": "image"}, "“Start from” is “another picture”, and the photos of a batch"),
        ({"preset": None}, "no preset is chosen"),
    ],
)
def test_what_cannot_be_painted_so_is_said_and_nothing_is_begun(files, toasts, change, message):
    batch = start(files, **change)
    assert batch.job is None and message in batch.status
    assert asyncio.run(seen(batch))[-1]["start"] and [message in toast for toast in toasts] == [True]


def test_more_than_the_page_or_the_server_takes_is_refused_before_it_begins(files, monkeypatch):
    monkeypatch.setattr(batch_plan, "MOST_PAINTINGS", 2)
    assert "and the page paints 2 at a time" in start(files).status
    monkeypatch.undo()
    monkeypatch.setenv("NST_MAX_WORK", "0.006")  # 3 × 2 steps × 32 × 32 pixels are a little more
    batch = start(files)
    assert batch.job is None and "this server paints 0 at most; take fewer photos or styles" in batch.status
    assert start({**files, "photos": files["photos"][:2]}).job.wait(30)
    assert "take fewer photos" in start(files, by="instant").status


# What comes of it


def test_cards_fill_what_fails_is_named_in_place_and_the_zip_says_so(uploads, brush):
    files = {
        "photos": uploads(
            "ant",
            **{"fog.jpg": b"Dear reader"},
        )
        + uploads("bee"),
        "styles": uploads("waves"),
    }
    batch = painted(files)
    assert states(batch) == {"ant.png": "painted", "fog.jpg": "failed", "bee.png": "painted"}
    broken = next(card for card in batch.cards.values() if card["state"] == "failed")
    assert broken["mark"] == "✗" and "fog.jpg cannot be read as a picture" in broken["reason"] and not broken["small"]
    shown_files = [Path(card[size]) for card in batch.cards.values() for size in ("small", "large") if card[size]]
    assert [path.suffix for path in shown_files] == [".jpg", ".png"] * 2 and all(path.is_file() for path in shown_files)
    assert "Done: 2 of 3 paintings in" in batch.status and "1 painting failed" in batch.status
    names, rows = packed(batch)
    assert len(names) == 3 and batch.outcome.name == "photos-painted.zip"
    assert [(row["content"], row["style"], row["outcome"]) for row in rows] == [
        ("ant.png", "waves.png", "painted"),
        ("fog.jpg", "waves.png", "failed"),
        ("bee.png", "waves.png", "painted"),
    ]
    assert str(batch.room) not in str(rows)


def test_photos_of_a_zip_are_painted_too(uploads, brush, tmp_path):
    with zipfile.ZipFile(tmp_path / "animals.zip", "w") as archive:
        archive.writestr("cat/tom.png", png(20, 16))
        archive.writestr("notes.txt", b"Dear reader")
    batch = painted({"photos": [str(tmp_path / "animals.zip")], "styles": uploads("waves")})
    assert states(batch) == {"cat/tom.png": "painted"} and batch.outcome.name == "animals-painted.zip"
    assert "Left out of ZIPs, as hidden or no pictures: notes.txt" in batch.status
    assert packed(batch)[1][0]["content"] == "cat/tom.png"


def test_what_of_a_zip_cannot_be_unpacked_fails_alone_and_the_rest_is_painted(uploads, brush, tmp_path):
    source = locked_in(damaged_in(animals(tmp_path / "animals.zip"), "cat/tom.png"), "owl.png")
    batch = painted({"photos": [str(source)], "styles": uploads("waves")})
    assert states(batch) == {"cat/tom.png": "failed", "owl.png": "failed", "rex.png": "painted", "yak.png": "failed"}
    reasons = {card["photo"]: card["reason"] for card in batch.cards.values()}
    assert reasons["cat/tom.png"].startswith("cat/tom.png in animals.zip is damaged, or cut short; pack it again")
    assert reasons["owl.png"].startswith("owl.png in animals.zip is locked by a password; pack it again")
    assert reasons["yak.png"].startswith("yak.png cannot be read as a picture")
    told = {row["content"]: (row["outcome"], row["reason"]) for row in packed(batch)[1]}
    assert told == {name: ("failed", reason) for name, reason in reasons.items() if reason} | {
        "rex.png": ("painted", "")
    }
    room = batch.room
    painted({"photos": [str(source)], "styles": uploads("waves")}, batch)
    assert batch.room == room and brush.painted == ["rex"]  # nothing of it was lost


def animals(path: Path) -> Path:
    """A ZIP of three pictures and one that is none."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("cat/tom.png", "owl.png", "rex.png"):
            archive.writestr(name, png(20, 16))
        archive.writestr("yak.png", b"Dear reader")
    return path


def test_a_bad_zip_is_named_and_a_whole_one_is_painted_after_it(uploads, brush, toasts, tmp_path):
    (tmp_path / "animals.zip").write_bytes(b"Dear reader")
    batch = painted({"photos": [str(tmp_path / "animals.zip")], "styles": uploads("waves")})
    assert "animals.zip cannot be unpacked (it is damaged, or no ZIP)" in batch.status and batch.outcome is None
    assert painted({"photos": uploads("ant"), "styles": uploads("waves")}, batch).outcome


def test_where_nothing_can_be_painted_there_is_no_zip(uploads, brush):
    batch = painted({"photos": uploads(**{"fog.jpg": b"x"}), "styles": uploads("waves")})
    assert batch.outcome is None and "Done: 0 of 1 painting" in batch.status and "problem" in batch.status


def test_what_ends_it_early_is_said_and_what_was_painted_is_kept(files, brush, toasts):
    brush.error["bee"] = OutputError("the disk is full; make room")
    batch = painted(files)
    assert "the disk is full" in batch.status and states(batch)["cat.png"] == "waiting"
    assert len(packed(batch)[0]) == 2
    asyncio.run(seen(batch))
    assert toasts == ["the disk is full; make room"]


def test_the_studio_paints_with_the_pages_settings(files, narrow_weights):
    batch = painted(files, photos=files["photos"][:1])
    with zipfile.ZipFile(batch.outcome) as archive, archive.open(archive.namelist()[0]) as file:
        assert images.size_of(images.load(io.BytesIO(file.read())))[1] == 32
    assert "Done: 1 of 1 painting" in batch.status


def test_one_pass_paints_in_the_style_of_the_picture_and_its_pace_is_noted(files, monkeypatch):
    monkeypatch.setattr(batch_plan, "PASSES", paces := {})
    monkeypatch.setattr(module, "PASSES", paces)
    batch = painted(files, photos=files["photos"][:1], by="instant")
    names, rows = packed(batch)
    assert names[0].startswith("ant_waves_instant-") and rows[0]["way"] == "instant"
    assert list(paces.values())[0] > 0 and "about" in batch.plan.told(lambda *given: None)


@pytest.mark.parametrize(("by", "key"), [("optimizer", record.TEXT_KEY), ("instant", painted_picture.TEXT_KEY)])
def test_as_jpeg_paintings_have_the_same_names_and_the_same_record(files, random_weights, by, key):
    one = {**files, "photos": files["photos"][:1], "by": by}
    png, jpeg = (painted(one, batch_kind=kind) for kind in ("PNG", "JPEG"))
    (name, _), (other, _) = packed(png)[0], packed(jpeg)[0]
    assert other == name.replace(".png", ".jpg") and packed(jpeg)[1][0]["file"] == other
    assert (jpeg.output / other).read_bytes()[:2] == b"\xff\xd8"
    told = [json.loads(images.read_text(batch.output / file)[key]) for batch, file in ((png, name), (jpeg, other))]
    assert {**told[0], "seconds": 0} == {**told[1], "seconds": 0}
    assert Path(next(iter(jpeg.cards.values()))["large"]).suffix == ".jpg"


def test_another_kind_is_made_of_the_paintings_that_are_there(files, brush):
    batch = painted(files)
    first = packed(batch)
    painted(files, batch, batch_kind="JPEG")
    names, rows = packed(batch)
    assert brush.painted == [*NAMES] and [Path(name).suffix for name in names] == [".jpg"] * 3 + [".csv"]
    assert [row["file"] for row in rows] == names[:3] and "Done: 3 of 3" in batch.status
    assert images.size_of(images.load(batch.output / names[0])) == images.size_of(images.load(files["photos"][0]))
    painted(files, batch)
    assert packed(batch) == first and brush.painted == [*NAMES]
    painted(files, batch, steps=3)
    assert {path.suffix for path in batch.output.iterdir() if path.is_file()} == {".png", ".csv"}


def test_what_is_done_as_jpeg_stays_until_it_is_there_as_png(files, brush):
    batch = painted(files, batch_kind="JPEG")
    first = packed(batch)
    brush.error["ant"] = OutputError("the disk is full; make room")
    painted(files, batch)
    painted(files, batch, batch_kind="JPEG")
    assert packed(batch) == first and brush.painted == [*NAMES]


# Stop, and go on


def stopped_at(files: dict, brush: Brush, name: str) -> Batch:
    """A batch that is stopped while a photo is painted."""
    brush.waits_at = name
    batch = start(files)
    assert brush.reached.wait(30)
    press_stop(batch, "")
    brush.go.set()
    assert batch.job.wait(30)
    brush.waits_at = ""
    return batch


def test_stopped_it_keeps_what_is_done_and_start_goes_on_with_the_rest(files, brush):
    batch = stopped_at(files, brush, "bee")
    assert "Stopped: 1 of 3 paintings" in batch.status and "Start goes on from here" in batch.status
    assert states(batch) == {"ant.png": "painted", "bee.png": "waiting", "cat.png": "waiting"}
    names, rows = packed(batch)
    assert len(names) == 2 and [row["content"] for row in rows] == ["ant.png"]
    first = batch.cards[names[0]]
    painted(files, batch)
    assert brush.painted == ["ant", "bee", "cat"] and "Done: 3 of 3 paintings" in batch.status
    assert packed(batch)[0][0] == names[0] and len(packed(batch)[1]) == 3 and batch.cards[names[0]] == first


def test_stopped_before_the_first_there_is_no_zip(files, brush):
    batch = stopped_at(files, brush, "ant")
    assert batch.outcome is None and "Stopped: 0 of 3 paintings" in batch.status and "problem" not in batch.status


def test_other_settings_begin_anew_and_leave_nothing_of_those_before(files, brush):
    batch = painted(files)
    before = packed(batch)[0]
    painted(files, batch, steps=3)
    assert len(brush.painted) == 6 and not set(before[:-1]) & set(packed(batch)[0])
    assert {path.name for path in batch.output.iterdir() if path.is_file()} == set(packed(batch)[0])


def test_other_photos_begin_anew_though_they_are_called_the_same(files, brush, tmp_path):
    batch = painted(files)
    room = batch.room
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "ant.png").write_bytes(png(40, 16))
    painted(files | {"photos": [str(tmp_path / "new" / "ant.png")]}, batch)
    assert not room.exists() and brush.painted == [*NAMES, "ant"] and len(batch.cards) == 1


def test_another_style_picture_of_the_same_name_is_painted_and_shown_anew_and_other_styles_stay(
    files, brush, uploads, tmp_path
):
    old, other = uploads("waves", "stars")
    (tmp_path / "new").mkdir()
    (new := tmp_path / "new" / "waves.png").write_bytes(png(40, 16))
    batch = painted(files | {"styles": [old, other]})
    before = list(batch.cards.values())
    painted(files | {"styles": [str(new), other]}, batch)
    after = list(batch.cards.values())
    assert brush.painted == [*(name for name in NAMES for _ in (old, other)), *NAMES]
    assert [one == two for one, two in zip(before, after, strict=True)] == [False, True] * 3
    painted(files | {"styles": [other, str(new)]}, batch)
    assert len(brush.painted) == 9  # in another order they are the same


def test_two_style_pictures_of_one_name_are_not_taken_for_each_other(files, brush, tmp_path):
    (tmp_path / "new").mkdir()
    (new := tmp_path / "new" / "waves.png").write_bytes(png(40, 16))
    batch = painted(files | {"styles": [*files["styles"], str(new)]})
    painted(files | {"styles": [*files["styles"], str(new)]}, batch)
    assert len(brush.painted) == 6
    painted(files | {"styles": [str(new), *files["styles"]]}, batch)
    assert len(brush.painted) == 12


def test_photos_that_were_swept_away_are_laid_out_anew(files, brush):
    batch = painted(files)
    photos_there = [photo.path for photo in batch.photos]
    photos_there[0].unlink()
    painted(files, batch)
    assert "Done: 3 of 3" in batch.status and len(brush.painted) == 6


def test_who_waits_is_told_and_stop_leaves_the_queue(files, brush, monkeypatch):
    lane = Lane(0)
    monkeypatch.setattr(module, "Job", lambda *given, **named: jobs.Job(*given, **named, lane=lane))
    batch = start(files)
    assert batch.busy and "Waiting for the device" in batch.status
    press_stop(batch, "")
    assert not batch.busy and "Left the queue" in batch.status and brush.painted == []


def test_a_full_queue_refuses_it_in_words(files, monkeypatch):
    monkeypatch.setattr(module, "client_of", lambda request: Client("page"))
    monkeypatch.setattr(module, "Job", lambda *given, **named: jobs.Job(*given, **named, lane=lane))
    lane, few = Lane(0), Limits(at_work_of_session=1, waiting_of_session=1)
    monkeypatch.setattr(jobs, "limits", lambda: few)
    for _ in range(2):
        lane.enter(Client("page"), few)
    batch = start(files)
    assert not batch.busy and "of this page 2 jobs wait already" in batch.status


# A window on it


async def seen(batch: Batch, when_still=lambda: None) -> list[dict]:
    """What a page is shown to the end; called when nothing is new."""
    views = []
    async for view in watch(batch):
        views.append(view)
        if view == {}:
            when_still()
    return views


def test_a_page_sees_the_cards_fill_and_the_end(files, brush, monkeypatch):
    monkeypatch.setattr("nst_core.ui.folders.batch.LOOK_SECONDS", 0.01)
    brush.waits_at = "bee"
    batch = start(files)
    assert brush.reached.wait(30)
    views = asyncio.run(seen(batch, brush.go.set))
    made = [sum(card["state"] == "painted" for card in view["grid"]) for view in views if "grid" in view]
    assert made == sorted(made) and made[-1] == 3 and made[0] < 3
    assert {} in views  # by which a page that is gone is noticed
    at_work = next(view["status"] for view in views if "Painting 2 of 3" in view.get("status", ""))
    assert f'data-run="{batch.run}"' in at_work and "bee.png in waves" in at_work
    last = views[-1]
    assert update_of(last["outcome"])["visible"] and update_of(last["start"])["interactive"]
    assert not update_of(last["stop"])["interactive"]


def test_a_note_is_shown_until_its_painting_is_done_and_names_no_folder_of_this_computer(files, brush, monkeypatch):
    statuses, show = [], Batch.show
    monkeypatch.setattr(Batch, "show", lambda batch, status: statuses.append(status) or show(batch, status))
    brush.noted = "ant"
    batch = painted(files)
    noted = [status for status in statuses if "ant.png: photos/ant.png was halved" in status]
    assert noted and all("Painting 1 of 3" in status for status in noted)
    assert not any(str(batch.room) in status for status in statuses)


def test_a_browser_that_comes_again_finds_its_batch_and_its_files(files, brush):
    brush.waits_at = "bee"
    batch = start(files, name="first")
    Batch.leave_page(SimpleNamespace(session_hash="first"))
    assert brush.reached.wait(30) and not batch.pages
    found = come_back(Batch(), batch.key, page("second"))
    assert found["batch"] is batch and batch.pages == {"second"} and found["photos"] == files["photos"]
    assert update_of(found["stop"])["interactive"] and len(found["grid"]) == 3
    same = press_start(Batch(), batch.key, Session(), shown(files), page("second"))
    assert same["batch"] is batch and batch.job is same["batch"].job and brush.painted == ["ant"]
    brush.go.set()
    assert batch.job.wait(30)
    assert update_of(look(batch)["outcome"])["visible"]


@pytest.mark.parametrize("by", ["optimizer", "instant"])
@pytest.mark.parametrize("size", [32, None])
def test_a_browser_that_comes_again_and_presses_start_loses_nothing(files, brush, by, size):
    wish = {"by": by, "batch_size": size, "batch_kind": "JPEG"}
    batch = painted(files, **wish, size=48)
    before = packed(batch)
    found = come_back(Batch(), batch.key, page("second"))
    painted({name: found[name] for name in (*files, *wish)}, batch, size=48)
    assert brush.painted == [*NAMES] and packed(batch) == before


@pytest.mark.parametrize("key", ["", "no such key", "x" * 1000, None, 7])
def test_a_browser_without_a_batch_is_shown_nothing(key):
    assert come_back(batch := Batch(), key, page("page")) == {} and asyncio.run(seen(batch)) == [{}]


def test_what_nobody_looks_at_stops_and_is_forgotten_with_its_files(files, brush, monkeypatch):
    brush.waits_at = "bee"
    batch = start(files)
    assert brush.reached.wait(30)
    later = time.monotonic() + 700
    monkeypatch.setattr("nst_core.ui.folders.batch_state.time", SimpleNamespace(monotonic=lambda: later))
    Batch.tidy()
    assert not batch.job.steering.stop.is_set()
    Batch.leave_page(SimpleNamespace(session_hash="page"))
    batch.left_since = later - 601
    Batch.tidy()
    brush.go.set()
    assert batch.job.wait(30) and "Stopped: 1 of 3" in batch.status
    assert "Nobody looked at it" in batch.toasts[0].text
    batch.left_since = later - 3601
    Batch.tidy()
    assert Batch.known == {} and not (batch.room and batch.room.exists())


def test_what_it_is_made_of_stays_until_it_is_forgotten(files, brush):
    batch = painted(files)
    held = {batch.room, *batch.plan.sources, *batch.plan.styles}
    assert {Path(one) for each in ("photos", "styles") for one in files[each]} < held <= {*IN_USE}
    other = painted({**files, "photos": files["photos"][:1]}, batch)
    assert {*IN_USE} >= {other.room, *other.plan.sources} and not IN_USE[Path(files["photos"][1])]
    other.hold()
    assert not held & {*IN_USE}
