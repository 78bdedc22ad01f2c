"""A ZIP of class folders painted into another, without a browser: unpacked safely, stopped, gone on with."""

import copy
import csv
import gc
import io
import shutil
import struct
import threading
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.errors import DownloadError, ImageError
from nst_core.features import weights
from nst_core.features.weights import DownloadProgress
from nst_core.instant.catalogue import Catalogue
from nst_core.instant.painter import Painter
from nst_core.instant.styles import StyleFile
from nst_core.ui.folders import archive as zips
from nst_core.ui.folders import augment as module
from nst_core.ui.folders.augment import Augmentation, FolderWish, build_augment, enter_page, paint_folder
from nst_core.ui.folders.class_folders import unpack
from nst_core.ui.page.downloads import IN_USE
from nst_core.ui.serving.jobs import press
from nst_core.ui.widgets.channel import Channel
from nst_core.ui.widgets.pictures import PictureInput
from tests.instant.test_painter import network_of
from tests.runs import CPU, small
from tests.ui.instant.test_picture import props
from tests.ui.shown import job_forms, untitled

FILES = ("cat/a.png", "cat/b.png", "dog/a.png")
PAINTED = [f"{name}-{strength}.png" for name in ("cat/a", "cat/b", "dog/a") for strength in ("0.5", "1")]


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; gradio's files, and ours, go to a folder of this test's."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


@pytest.fixture(autouse=True)
def painter(monkeypatch):
    """Two small styles come along; who paints them, for comparison."""
    catalogue = Catalogue()
    catalogue.add(StyleFile(network_of("waves", "stars"), {}), "part of this program")
    monkeypatch.setattr(module, "bundled", lambda: catalogue)
    monkeypatch.setattr(module, "choose_compute", lambda: CPU)
    monkeypatch.setattr(module, "WORDS_SECONDS", 0.0)
    return catalogue.painter(CPU)


@pytest.fixture
def job() -> Augmentation:
    return Augmentation()


@pytest.fixture
def shown(monkeypatch):
    """The words and pictures that the preview is given."""
    given, put = [], Channel.put
    monkeypatch.setattr(Channel, "put", lambda self, *what: (given.append(what), put(self, *what)))
    return given


def png(seed: int = 0) -> bytes:
    """A picture of 40×32 pixels."""
    file = io.BytesIO()
    images.save_png(torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(seed)), file)
    return file.getvalue()


@pytest.fixture
def packed(tmp_path):
    """A function that packs files, each a picture of its own unless it says what is in it."""

    def pack(*names: str, **others: bytes) -> str:
        with zipfile.ZipFile(tmp_path / "animals.zip", "w") as archive:
            for number, name in enumerate(names):
                archive.writestr(name, png(number))
            for name, content in others.items():
                archive.writestr(name, content)
        return str(tmp_path / "animals.zip")

    return pack


def wish(source: str | None, **other) -> FolderWish:
    given = {"by": "instant", "styles": ["waves", "stars"], "style_picture": None, "strengths": "0.5, 1", "size": 24}
    return FolderWish(**{"source": source, "steps": 2.0} | given | other)


def paint(job: Augmentation, wanted: FolderWish) -> list:
    """What pressing Paint shows."""
    press(job)
    return list(paint_folder(job, wanted._asdict()))


def stopping(job: Augmentation, monkeypatch, count: int) -> None:
    """Stop is pressed when the preview gets its countth picture."""
    put, seen = Channel.put, []

    def counted(self, *given):
        put(self, *given)
        seen.append(1)
        if len(seen) == count:
            job.steering.stop.set()

    monkeypatch.setattr(Channel, "put", counted)


def zip_of(views: list) -> zipfile.ZipFile:
    """What the last view offers."""
    assert props(views[-1]["outcome"])["visible"] is True
    return zipfile.ZipFile(props(views[-1]["outcome"])["value"])


def names_in(views: list) -> list[str]:
    """Its paintings, the index being true to them."""
    with zip_of(views) as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8")))
        painted = [name for name in archive.namelist() if name != "labels.csv"]
    assert [row["file"] for row in rows] == painted
    assert all(row["label"] == row["file"].split("/")[0] for row in rows)
    return sorted(painted)


def is_problem(job: Augmentation, views: list, toasts: list, message: str) -> bool:
    """Whether it ended by these words, in a toast and in the status, and tells no place on this computer."""
    assert message in views[-1]["status"] and 'class="status problem"' in views[-1]["status"]
    assert not job.room or str(job.room) not in "".join(toasts)
    return not job.busy and [message in toast for toast in toasts] == [True]


# what comes of it


def test_the_page_has_a_place_for_all_that_is_wished_and_shown(job, packed, monkeypatch):
    inputs, outputs = job_forms(monkeypatch, module, lambda: build_augment(PictureInput()))
    assert inputs.parts.keys() == set(FolderWish._fields)
    assert outputs.parts.keys() == set().union(*paint(job, wish(packed("cat/a.png"))))


def test_class_folders_go_in_and_class_folders_come_out(job, packed, painter):
    views = paint(job, wish(packed(*FILES)))
    assert names_in(views) == PAINTED and "Done: 6 of 6 paintings in" in views[-1]["status"] and not job.busy
    assert Path(props(views[-1]["outcome"])["value"]).name == "animals-painted.zip"
    with zip_of(views) as archive, archive.open("cat/b-0.5.png") as file:
        painted = images.load(file)
    source = images.fit(images.load(io.BytesIO(png(1))), 24)
    wanted = painter.paint(source, {"stars": 1.0}, strength=0.5)
    assert painted.shape == wanted.shape and (painted - wanted).abs().max() < 1 / 255


def test_what_is_painted_is_shown_with_how_far_it_is(job, packed, shown):
    views = paint(job, wish(packed(*FILES), strengths="1"))
    token = props(views[0]["preview"])["value"]
    assert Channel.live[token].done and 'data-run=""' in views[-1]["status"]
    words = [words["augment-status"] for image, words in shown if image.shape[-1] == 24]
    assert len(words) >= 3 and all(f'data-run="{token}"' in line for line in words)
    assert "cat/a.png, waves at 1: 1 of 3 paintings" in words[0] and 'value="0.3333"' in words[0]
    assert "dog/a.png, waves at 1: 3 of 3 paintings" in words[-1] and 'value="1.0000"' in words[-1]


@pytest.mark.parametrize("around", ["animals/", "a/b/", "animals\\", "./"])
def test_a_folder_around_those_of_the_classes_makes_no_difference(job, packed, around):
    names = [around + name.replace("/", "\\" if "\\" in around else "/") for name in FILES]
    assert names_in(paint(job, wish(packed(*names)))) == PAINTED


def test_what_systems_add_is_passed_over_and_other_files_are_counted(job, packed):
    others = {
        "__MACOSX/cat/._a.png": b"x",
        "cat/.DS_Store": b"x",
        ".git/dog.png": b"x",
        "cat/notes.txt": b"x",
        "cover.png": png(),
    }
    views = paint(job, wish(packed(*FILES, **others)))
    assert names_in(views) == PAINTED
    assert "Left out: 2 files that are no pictures in a class" in views[-1]["status"]


def test_classes_keep_the_names_that_they_were_given(job, packed):
    assert names_in(paint(job, wish(packed("Bäume/a.png"), strengths="1"))) == ["Bäume/a-1.png"]


def test_names_are_read_as_they_were_meant_where_a_zip_does_not_say_that_they_are_utf8(job, packed):
    """As macOS packs them."""
    meant = "Bäume/a.png".encode()
    source = Path(packed("x" * len(meant)))
    source.write_bytes(source.read_bytes().replace(b"x" * len(meant), meant))
    with zipfile.ZipFile(source) as archive:
        assert archive.namelist() == ["B├ñume/a.png"]
    assert names_in(paint(job, wish(str(source), strengths="1"))) == ["Bäume/a-1.png"]


def test_a_picture_that_cannot_be_read_is_skipped_and_named(job, packed, toasts):
    views = paint(job, wish(packed(*FILES, **{"dog/b.jpg": b"Dear reader"}), strengths="1"))
    assert "Done: 3 of 4 paintings" in views[-1]["status"] and "dog/b.jpg is skipped" in views[-1]["status"]
    assert names_in(views) == ["cat/a-1.png", "cat/b-1.png", "dog/a-1.png"] and toasts == []


def test_a_picture_is_known_by_its_content_whatever_its_name(job, packed):
    views = paint(job, wish(packed(*FILES, **{"dog/photo": png(), "dog/list.txt": b"Dear reader"}), strengths="1"))
    assert "dog/photo-1.png" in names_in(views)
    assert "Left out: 1 files that are no pictures in a class" in views[-1]["status"]


def test_of_many_that_are_skipped_some_are_named(job, packed):
    views = paint(job, wish(packed(*FILES, **{f"dog/z{number}.jpg": b"x" for number in range(5)}), strengths="1"))
    assert "z2.jpg is skipped" in views[-1]["status"] and "z3.jpg" not in views[-1]["status"]
    assert "2 more are skipped" in views[-1]["status"]


def test_the_optimiser_paints_in_the_pages_style_picture(job, packed, tmp_path, monkeypatch, narrow_weights, shown):
    (tmp_path / "sunset.png").write_bytes(png(9))
    monkeypatch.setattr(module, "default_config", lambda preset: small(backbone="vgg16"))
    wanted = wish(packed("cat/a.png"), by="optimizer", style_picture=tmp_path / "sunset.png", size=32, styles=None)
    views = paint(job, wanted)
    assert names_in(views) == ["cat/a-0.5.png", "cat/a-1.png"]
    with zip_of(views) as archive:
        assert "sunset" in archive.read("labels.csv").decode()
        assert images.size_of(images.load(archive.open("cat/a-1.png"))) == (26, 32)
    assert len(shown) >= 4  # two steps of each


def test_the_optimiser_fetches_its_network_first(job, packed, tmp_path, monkeypatch, toasts):
    monkeypatch.setattr(module, "default_config", lambda preset: small(backbone="vgg16"))
    monkeypatch.setattr(weights, "find", lambda network: None)
    monkeypatch.setattr(weights, "download", fails)
    (tmp_path / "sunset.png").write_bytes(png(9))
    views = paint(job, wish(packed("cat/a.png"), by="optimizer", style_picture=tmp_path / "sunset.png", size=32))
    assert "Fetching VGG-16: 10 of 59 MB" in views[0]["status"] and is_problem(job, views, toasts, "no server answers")


def fails(network: str) -> Iterator[DownloadProgress]:
    yield DownloadProgress(10_000_000, 59_000_000, "a server", "")
    raise DownloadError("no server answers; try again")


def test_it_is_painted_on_the_devices_thread(job, packed, monkeypatch):
    threads, plain = [], Painter.paint

    def noted(self, *given, **named):
        threads.append(threading.current_thread().name)
        return plain(self, *given, **named)

    monkeypatch.setattr(Painter, "paint", noted)
    paint(job, wish(packed(*FILES)))
    assert len(threads) == 6 and all(name.startswith("device") for name in threads)


# stop and go on


def test_stopped_the_zip_holds_what_is_done_and_paint_goes_on_there(job, packed, monkeypatch, shown):
    wanted = wish(packed(*FILES))
    with monkeypatch.context() as patch:
        stopping(job, patch, 2)
        views = paint(job, wanted)
    assert names_in(views) == PAINTED[:1] and not job.busy
    assert "Stopped: 1 of 6 paintings" in views[-1]["status"] and "Paint goes on from here" in views[-1]["status"]
    first = zip_of(views).read("cat/a-0.5.png")
    shown.clear()
    views = paint(job, wanted)
    assert names_in(views) == PAINTED and "Done: 6 of 6 paintings" in views[-1]["status"]
    assert zip_of(views).read("cat/a-0.5.png") == first
    assert sum("cat/a.png, waves at 0.5" in words["augment-status"] for _, words in shown) == 0


def test_what_is_finished_when_stop_is_pressed_is_kept(job, packed, monkeypatch):
    stopping(job, monkeypatch, 1)
    assert names_in(paint(job, wish(packed(*FILES)))) == PAINTED[:1]


def test_stopped_before_the_first_painting_there_is_no_zip(job, packed, toasts):
    press(job)
    job.steering.stop.set()
    views = list(paint_folder(job, wish(packed(*FILES))._asdict()))
    assert is_problem(job, views, toasts, "stopped before the first painting was finished")


def test_stop_ends_an_optimiser_within_a_painting(job, packed, tmp_path, monkeypatch, narrow_weights, toasts):
    monkeypatch.setattr(module, "default_config", lambda preset: small(backbone="vgg16"))
    (tmp_path / "sunset.png").write_bytes(png(9))
    stopping(job, monkeypatch, 2)
    wanted = wish(packed("cat/a.png"), by="optimizer", style_picture=tmp_path / "sunset.png", size=32, steps=50)
    assert is_problem(job, paint(job, wanted), toasts, "stopped before the first painting was finished")


@pytest.mark.parametrize("change", [{"size": 32}, {"strengths": "1"}, {"styles": ["stars"]}])
def test_other_settings_begin_anew(job, packed, change):
    source = packed(*FILES)
    names_in(paint(job, wish(source)))
    before = zip_of(paint(job, wish(source))).read("cat/a-1.png")
    views = paint(job, wish(source, **change))
    assert zip_of(views).read("cat/a-1.png") != before or names_in(views) == [PAINTED[1], PAINTED[3], PAINTED[5]]


def test_settings_that_are_not_read_make_no_difference(job, packed, shown, monkeypatch):
    source = packed(*FILES)
    with monkeypatch.context() as patch:
        stopping(job, patch, 2)
        first = zip_of(paint(job, wish(source))).read("cat/a-0.5.png")
    shown.clear()
    views = paint(job, wish(source, steps=9, style_picture=Path("other.png")))
    assert names_in(views) == PAINTED and zip_of(views).read("cat/a-0.5.png") == first
    assert sum("cat/a.png, waves at 0.5" in words["augment-status"] for _, words in shown) == 0


def test_another_zip_begins_anew_and_leaves_nothing_of_the_one_before(job, packed, tmp_path):
    paint(job, wish(packed(*FILES), strengths="1"))
    before = job.room
    (tmp_path / "more").mkdir()
    other = Path(packed("cow/a.png")).rename(tmp_path / "more" / "animals.zip")
    assert names_in(paint(job, wish(str(other), strengths="1"))) == ["cow/a-1.png"]
    assert job.room != before and not before.exists()


def test_a_page_that_is_gone_leaves_no_files(packed, monkeypatch):
    job = Augmentation()
    with monkeypatch.context() as patch:
        stopping(job, patch, 2)
        paint(job, wish(packed(*FILES), strengths="1"))
    room = job.room
    assert (room / "pictures").is_dir()
    del job
    gc.collect()
    assert not room.exists()


def test_what_was_unpacked_goes_when_all_is_painted_and_stays_meanwhile(job, packed, monkeypatch):
    seen, plain = [], module.pack
    monkeypatch.setattr(module, "pack", lambda *given: (seen.append(IN_USE[job.room]), plain(*given))[1])
    steps = paint_folder(job, wish(packed(*FILES))._asdict())
    press(job)
    next(steps)
    assert IN_USE[job.room] == 1
    list(steps)
    assert seen == [1] and not IN_USE[job.room] and not job.room.exists() and job.wish is None


def test_pictures_that_were_swept_away_while_it_was_stopped_are_unpacked_anew(job, packed, monkeypatch):
    wanted = wish(packed(*FILES))
    with monkeypatch.context() as patch:
        stopping(job, patch, 2)
        paint(job, wanted)
    shutil.rmtree(job.room)
    assert names_in(paint(job, wanted)) == PAINTED


def test_pages_share_nothing_and_a_page_that_is_closed_stops(job):
    other = copy.deepcopy(job)
    assert isinstance(other, Augmentation) and other.steering is not job.steering
    enter_page(job, SimpleNamespace(session_hash="a page"))
    enter_page(other, SimpleNamespace(session_hash="another"))
    Augmentation.leave_page(SimpleNamespace(session_hash="a page"))
    Augmentation.leave_page(SimpleNamespace(session_hash="one that never was"))
    assert (job.steering.stop.is_set(), other.steering.stop.is_set()) == (True, False)


# what is refused


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"source": None}, "there is no ZIP; drop one"),
        ({"strengths": "much"}, "strengths are &#x27;much&#x27;; write numbers from 0 to 1"),
        ({"strengths": ""}, "strengths are &#x27;&#x27;; write numbers"),
        ({"strengths": "0.5 2"}, "strength is 2; give a number from 0 to 1"),
        ({"strengths": "0.5; nan"}, "strength is nan; give a number from 0 to 1"),
        ({"strengths": "1, 1"}, "strengths are 1, 1; give at least one, and each once"),
        ({"size": 24.5}, "the size is 24.5; give a whole number from 16"),
        ({"size": 8}, "the size is 8; give a whole number from 16"),
        ({"size": float("nan")}, "the size is nan"),
        ({"styles": []}, "there is no style to paint in; choose one or more"),
        ({"styles": ["fog"]}, "there is no style &#x27;fog&#x27;"),
        ({"by": "optimizer"}, "there is no style picture for the optimiser"),
        ({"by": "optimizer", "style_picture": Path("a.png"), "size": None}, "“Size” is empty; give the optimiser"),
        ({"by": "optimizer", "style_picture": Path("a.png"), "steps": 0}, "“Steps” is 0"),
    ],
)
def test_what_cannot_be_painted_so_is_named(job, packed, monkeypatch, other, message):
    toasts = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: toasts.append(untitled(text).replace("'", "&#x27;")))
    views = paint(job, wish(**{"source": packed(*FILES)} | other))
    assert len(views) == 1 and is_problem(job, views, toasts, message)


def test_what_is_put_right_is_painted(job, packed, toasts):
    source = packed(*FILES)
    paint(job, wish(source, strengths="much"))
    assert names_in(paint(job, wish(source))) == PAINTED


@pytest.mark.parametrize(
    "name",
    ["../a.png", "cat/../../a.png", "/etc/a.png", "C:\\cat\\a.png", "cat\\..\\..\\a.png", "\\\\host\\share\\a.png"],
)
def test_a_path_that_leads_out_of_the_zip_is_refused_before_anything_is_written(packed, tmp_path, name):
    source, folder = packed(*FILES, **{name: png()}), tmp_path / "deep" / "out"
    with pytest.raises(ImageError, match="animals.zip holds '.*a.png', which leads out of it; pack it again"):
        unpack(Path(source), folder)
    assert list((tmp_path / "deep").rglob("*")) == []


def test_only_pictures_are_unpacked_and_only_from_class_folders(packed, tmp_path):
    source = packed(*FILES, "cover.png", "cat/kittens/c.png", **{"cat/run.sh": b"x", "cat/page.html": b"x"})
    assert unpack(Path(source), tmp_path / "out") == 4
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == sorted(FILES)


def test_a_link_in_a_zip_is_no_link_when_it_is_unpacked(packed, tmp_path):
    link = zipfile.ZipInfo("cat/z.png")
    link.external_attr, link.create_system = 0o120777 << 16, 3
    source = packed(*FILES)
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    unpack(Path(source), tmp_path / "out")
    assert not (tmp_path / "out" / "cat" / "z.png").is_symlink()
    assert (tmp_path / "out" / "cat" / "z.png").read_text() == "/etc/passwd"


def test_a_zip_that_would_fill_the_disk_is_refused_by_its_sizes(job, packed, monkeypatch, toasts):
    source = packed("cat/a.png")
    with zipfile.ZipFile(source, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/b.bmp", bytes(3_000_000))
    monkeypatch.setattr(zips, "MOST_BYTES", 2_000_000)
    assert Path(source).stat().st_size < 20_000
    message = "animals.zip holds 2 files, unpacked 3 MB; the most are 20000 and 2 MB"
    assert is_problem(job, paint(job, wish(source)), toasts, message)
    toasts.clear()
    monkeypatch.setattr(zips, "MOST_FILES", 1)
    assert is_problem(job, paint(job, wish(source)), toasts, "the most are 1 and")


def test_a_size_that_is_a_lie_is_found_out(packed, tmp_path, monkeypatch):
    """Whose header says less than is packed: no more than it says is read, and the sum does not match."""
    with zipfile.ZipFile(tmp_path / "lie.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/b.bmp", bytes(3_000_000))
    raw, true, said = (tmp_path / "lie.zip").read_bytes(), (3_000_000).to_bytes(4, "little"), (9).to_bytes(4, "little")
    (tmp_path / "lie.zip").write_bytes(raw.replace(true, said))
    written, copy_file = [], shutil.copyfileobj

    def copied(source, file):
        try:
            copy_file(source, file)
        finally:
            written.append(file.tell())

    monkeypatch.setattr(shutil, "copyfileobj", copied)
    with pytest.raises(ImageError, match="lie.zip cannot be unpacked"):
        unpack(tmp_path / "lie.zip", tmp_path / "out")
    assert len(written) == 1 and written[0] <= 9 and not (tmp_path / "out").exists()


def is_refused(source: Path | str, folder: Path, message: str) -> bool:
    """Whether a ZIP is refused by these words, in a short message, and leaves nothing."""
    with pytest.raises(ImageError, match=message) as refused:
        unpack(Path(source), folder / "deep" / "out")
    return len(str(refused.value)) < 300 and list((folder / "deep").rglob("*")) == []


def test_little_that_becomes_much_is_refused_by_its_sizes(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"cat/{number}.bmp", bytes(10_000_000))
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    assert is_refused(tmp_path / "bomb.zip", tmp_path, "bomb.zip holds 54 MB of nothing, as no pictures do")


def test_much_that_is_packed_well_makes_no_room_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "BLANK_BYTES", 2_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as archive:
        archive.writestr("cat/a.png", bytes(3_000_000))
        archive.writestr("cat/b.bmp", bytes(3_000_000), zipfile.ZIP_DEFLATED)
    assert is_refused(tmp_path / "bomb.zip", tmp_path, "bomb.zip holds 3 MB of nothing")


def test_drawings_and_some_blank_pages_are_unpacked_whole(tmp_path):
    drawing, file = torch.ones(1, 3, 600, 800), io.BytesIO()
    drawing[..., 100:120, 50:700] = 0
    images.to_pil(drawing).save(file, "BMP")
    with zipfile.ZipFile(tmp_path / "drawings.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"house/{number}.bmp", file.getvalue())
    assert unpack(tmp_path / "drawings.zip", tmp_path / "out") == 0
    assert all(path.read_bytes() == file.getvalue() for path in (tmp_path / "out" / "house").iterdir())


def test_a_zip_for_which_the_disk_has_no_room_is_refused_before_anything_is_written(packed, tmp_path, monkeypatch):
    source, room = packed(*FILES), SimpleNamespace(free=zips.DISK_RESERVE + 1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    assert is_refused(source, tmp_path, "is 0 MB when unpacked, and there is room for 0 MB; pack fewer pictures")
    room.free += 100_000
    assert unpack(Path(source), tmp_path / "out") == 0


def test_files_that_lie_in_each_other_are_refused(tmp_path):
    """The same packed bytes listed twice."""
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("cat/a.png", png())
    raw = (tmp_path / "one.zip").read_bytes()
    start, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    listed = raw[start:end] * 2
    ending = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 2, 2, len(listed), start, 0)
    (tmp_path / "two.zip").write_bytes(raw[:start] + listed + ending)
    assert is_refused(tmp_path / "two.zip", tmp_path, "two.zip holds files that lie in each other; pack the pictures")
    long = raw[:start] + raw[start : start + 20] + struct.pack("<I", len(png()) + 40) + raw[start + 24 :]
    (tmp_path / "long.zip").write_bytes(long)  # whose packed bytes go on into the list of files
    assert is_refused(tmp_path / "long.zip", tmp_path / "again", "long.zip holds files that lie in each other")


def test_a_list_of_files_that_would_fill_the_memory_is_not_read(tmp_path):
    with (tmp_path / "list.zip").open("wb") as file:
        file.truncate(100_000_000)
        file.seek(0, 2)
        file.write(b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 65535, 65535, 100_000_000, 0, 0))
    tracemalloc.start()
    try:
        assert is_refused(tmp_path / "list.zip", tmp_path, "list.zip cannot be unpacked")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_packed_by_another_method_is_refused(tmp_path, method):
    """A few bytes of these become megabytes at once, before they can be counted."""
    with zipfile.ZipFile(tmp_path / "odd.zip", "w", method) as archive:
        archive.writestr("cat/a.png", png())
    assert is_refused(tmp_path / "odd.zip", tmp_path, "odd.zip is packed in an unusual way")


@pytest.mark.parametrize(
    "name",
    [
        "aux.png",
        "AUX.png",
        "com1.tar.png",
        "a.png:b.png",
        "a?.png",
        "a*.png",
        "a\x07.png",
        "a\n.png",
        "\u202egnp.png",
        "x" * 197 + ".png",
        "ä" * 120 + ".png",
    ],
)
def test_a_name_that_not_every_computer_takes_is_refused(packed, tmp_path, name):
    assert is_refused(packed("cat/b.png", f"cat/{name}"), tmp_path, "which not every computer takes for a name")


@pytest.mark.parametrize("name", ["nul", "cat.", "cat ", "c?at", "x" * 201])
def test_a_class_that_not_every_computer_takes_for_a_name_is_refused(packed, tmp_path, name):
    assert is_refused(packed("dog/b.png", f"{name}/a.png"), tmp_path, "which not every computer takes for a name")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ("cat/a.png", "cat/a.png"),
        ("cat/a.png", "cat/./a.png"),
        ("cat/a.png", "cat/A.PNG"),
        ("cat/a.png", "Cat/b.png"),
        ("cat/ä.png", unicodedata.normalize("NFD", "cat/ä.png")),
        ("ä/a.png", unicodedata.normalize("NFD", "ä/b.png")),
        ("cat/straße.png", "cat/STRASSE.png"),
    ],
)
def test_names_that_some_computer_takes_for_one_are_refused(packed, tmp_path, names):
    assert is_refused(packed("dog/a.png", *names), tmp_path, "twice, or in capitals as well; rename one of them")


def test_folders_without_end_are_refused(packed, tmp_path):
    source = packed("cat/a.png", "a/" * 16_000 + "a.png")
    assert is_refused(source, tmp_path, "in more than 16 folders; pack it again")


def test_a_zip_in_a_zip_is_no_picture(packed, tmp_path):
    inner = Path(packed("cat/a.png")).read_bytes()
    assert unpack(Path(packed("cat/a.png", "dog/a.png", **{"cat/more.zip": inner})), tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.png", "a.png"]


def test_nothing_half_unpacked_stays_behind(packed, tmp_path):
    source = Path(packed(*FILES))
    raw = bytearray(source.read_bytes())
    raw[raw.index(b"PK\x01\x02") - 100] ^= 255  # in the last picture
    source.write_bytes(raw)
    assert is_refused(source, tmp_path, "animals.zip cannot be unpacked")
    source.write_bytes(raw[:-30])
    assert is_refused(source, tmp_path / "again", "animals.zip cannot be unpacked")


def damaged(raw: bytes) -> list[bytes]:
    """No ZIP; one cut short; one whose first picture has changed; one that says it is encrypted."""
    changed = bytearray(raw)
    changed[200] ^= 255
    encrypted = bytearray(raw)
    encrypted[6] |= 1
    encrypted[raw.index(b"PK\x01\x02") + 8] |= 1
    return [b"Dear reader, this is no ZIP.", b"", raw[: len(raw) // 2], bytes(changed), bytes(encrypted)]


@pytest.mark.parametrize("kind", range(5))
def test_a_damaged_zip_is_named_and_one_that_is_whole_is_painted_after_it(job, packed, toasts, kind):
    source = Path(packed(*FILES))
    raw = source.read_bytes()
    source.write_bytes(damaged(raw)[kind])
    what = "is locked by a password" if kind == 4 else "cannot be unpacked (it is damaged, or no ZIP)"
    message = f"animals.zip {what}; pack it again"
    assert is_problem(job, paint(job, wish(str(source))), toasts, message)
    source.write_bytes(raw)
    assert names_in(paint(job, wish(str(source)))) == PAINTED


def test_a_zip_that_is_gone_is_named(job, tmp_path, toasts):
    assert is_problem(job, paint(job, wish(str(tmp_path / "x.zip"))), toasts, "x.zip cannot be unpacked (No such file")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.png", "b.png"], "the ZIP of pictures has no folders in it; put the pictures of each class into a folder"),
        (["train/cat/a.png", "test/cat/b.png"], "the folders test, train in the ZIP of pictures have no pictures"),
        (["cat/"], "animals.zip has no pictures in it"),
        ([], "animals.zip has no pictures in it"),
    ],
)
def test_a_zip_without_class_folders_is_named(job, packed, toasts, names, message):
    assert is_problem(job, paint(job, wish(packed(*names))), toasts, message)


def test_a_full_disk_is_named(job, packed, toasts, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    source = packed(*FILES)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        assert is_problem(job, paint(job, wish(source)), toasts, "cannot be unpacked (No space left on device)")
    toasts.clear()
    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    assert is_problem(job, paint(job, wish(source)), toasts, "painted.zip could not be written: the disk is full")


@pytest.mark.parametrize("slip", [{"strengths": "5"}, {"size": 16.5}, {"styles": []}, {"strengths": "1, 1"}])
def test_a_slip_of_the_pen_gives_up_no_painting(job, packed, toasts, slip, monkeypatch):
    source = packed("cat/a.png", "cat/b.png")
    with monkeypatch.context() as patch:
        stopping(job, patch, 3)
        paint(job, wish(source))
    before = {path: path.stat().st_mtime_ns for path in job.room.rglob("*.png")}
    assert len(before) >= 3
    paint(job, wish(source, **slip))
    assert len(toasts) == 1
    assert {path: path.stat().st_mtime_ns for path in job.room.rglob("*.png")} == before


def test_an_only_class_with_a_folder_in_it_is_that_class(packed, tmp_path):
    source = packed("cat/a.png", "cat/b.png", "cat/old/c.png")
    assert unpack(Path(source), tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out" / "cat").iterdir()) == ["a.png", "b.png"]
