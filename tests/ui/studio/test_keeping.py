"""Tests of what is kept on disk of a browser's painting: found again as it was, bounded, and never trusted."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.errors import OutputError
from nst_core.transfer.run import Run
from nst_core.ui.studio.keeping import RUN, STATE, find_session, folder_of, keep_session, tidy_folders
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize import keeper
from nst_core.ui.stylize.control_events import note
from nst_core.ui.stylize.window import come_back, look, press_go_on, press_run
from tests.ui.browsers import ended, opened, page, painting, shown, under_way

pytestmark = pytest.mark.usefixtures("browsers")

KEY = "a key that nobody guesses"


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A painting is kept with every step."""
    monkeypatch.setattr(keeper, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(keeper, "MOST_SHARE", 1e9)
    monkeypatch.setenv("NST_PRECISION", "fp32")


def killed(session: Session, tmp_path: Path, monkeypatch) -> None:
    """What another server finds after this one was killed: the folder as it is now, and nothing in memory."""
    while not (folder_of(session.key) / STATE).exists():
        assert not session.job.wait(0.01)
    before, copied = folder_of(session.key), tmp_path / "as it was"
    while True:
        try:
            shutil.copytree(before, copied)
            break
        except shutil.Error:  # it was kept anew meanwhile
            shutil.rmtree(copied)
    session.job.stop()
    assert ended(session)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "after the restart"))
    shutil.copytree(copied, folder_of(session.key))
    Session.known.clear()


def test_a_server_that_was_killed_offers_the_painting_and_goes_on_to_the_same_picture(
    narrow_weights, files, tmp_path, monkeypatch
):
    whole = painting(files, "whole", steps=30, start="noise", seed=3)
    assert ended(whole)
    session = under_way(painting(files, steps=100_000, start="noise", seed=3))
    killed(session, tmp_path, monkeypatch)
    found, back = opened("again", session.key)
    step = found.run.last_frame.step
    assert "The server was started again" in back["status"] and f"step {step} of 100000" in back["status"]
    assert back["after"]._constructor_args[0]["visible"] and back["record"]["steps"] == step
    assert Path(back["content"]).read_bytes() == files[0].read_bytes() and back["seed"] == 3
    assert f"up to step {step}," in back["losses"] or step == 0
    press_go_on(found, "", max(1, 30 - step), page("again"))
    assert found.job.wait(60)
    if found.run.last_frame.step == 30:
        assert torch.equal(found.run.last_frame.image, whole.run.last_frame.image)


def test_results_are_found_again_with_their_records(narrow_weights, files, tmp_path, monkeypatch):
    session = painting(files)
    assert ended(session)
    press_run(session, "", shown(files, seed=2), page("page"))
    assert ended(session)
    keep_session(session, running=False)
    found = find_session(session.key)
    assert [one.number for one in found.results.kept] == [2, 1]
    assert [one.record for one in found.results.kept] == [one.record for one in session.results.kept]
    assert found.losses.html() == session.losses.html() and not found.cut_off
    assert torch.equal(images.load(found.results.kept[0].path), images.load(session.results.kept[0].path))


def test_what_the_brush_painted_and_controls_that_were_moved_are_found_again(narrow_weights, files):
    stroke = Image.new("RGBA", (64, 48))
    stroke.paste((255, 0, 0, 255), (0, 0, 32, 48))
    session = painting(files, mask={"background": None, "layers": [stroke], "composite": stroke})
    assert ended(session)
    note(session, shown(files, seed=8))
    keep_session(session, running=False)
    for path in session.uploads.kept_mask["layers"]:
        path.unlink()  # as the server keeps uploads for an hour only
    keep_session(session, running=False)
    Session.known.clear()
    _, back = opened("again", session.key)
    assert back["seed"] == 8 and back["mask"]["background"] is None
    assert len(back["mask"]["layers"]) == 1
    for path in (*back["mask"]["layers"], back["mask"]["composite"]):
        assert Image.open(path).tobytes() == stroke.tobytes()


def test_nothing_is_found_without_the_key_and_the_key_is_nowhere_on_disk(narrow_weights, files):
    session = painting(files)
    assert ended(session)
    keep_session(session, running=False)
    assert find_session(session.key + "x") is None and find_session("../" + KEY) is None
    names = [str(path) for path in folder_of(session.key).parent.rglob("*")]
    assert not any(session.key in name for name in names)
    assert session.key not in (folder_of(session.key) / STATE).read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "null", '{"format": 1, "config": {"size": -1}}'])
def test_what_is_damaged_is_said_and_the_page_begins_anew(narrow_weights, files, text, tmp_path):
    session = painting(files)
    assert ended(session)
    keep_session(session, running=False)
    (folder_of(session.key) / STATE).write_text(text)
    Session.known.clear()
    found, back = opened("again", session.key)
    assert found.run is None and found.key == session.key and found.toasts
    press_run(found, "", shown(files), page("again"))
    assert found.job.wait(60) and "Done: 3 steps" in look(found)["status"]


def test_a_damaged_run_is_said(narrow_weights, files):
    session = painting(files)
    assert ended(session)
    keep_session(session, running=False)
    for path in (folder_of(session.key) / RUN).iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    Session.known.clear()
    found = come_back(Session(), session.key, page("again"))["session"]
    assert found.run is None and found.toasts and "cannot go on" in found.toasts[0].text


def test_a_disk_that_is_full_is_said_and_the_painting_goes_on(narrow_weights, files, monkeypatch):
    def full(*_):
        raise OutputError("the painting could not be written: the disk is full; make room, or write elsewhere")

    monkeypatch.setattr(Run, "keep", full)
    session = painting(files, steps=4)
    assert session.job.wait(60) and "Done: 4 steps" in look(session)["status"]


def test_old_paintings_go_and_the_oldest_where_there_is_no_room(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for number, age in enumerate((10, 86_500, 50, 30)):
        folder = folder_of(f"key {number}")
        folder.mkdir(parents=True)
        (folder / STATE).write_text(json.dumps({"size": "x" * 1000}))
        os.utime(folder / STATE, (10**6 - age,) * 2)

    def there() -> list[int]:
        return [number for number in range(4) if folder_of(f"key {number}").exists()]

    tidy_folders(10**6)
    assert there() == [0, 2, 3]
    monkeypatch.setenv("NST_KEEP_BYTES", "2100")
    tidy_folders(10**6)
    assert there() == [0, 3]
    monkeypatch.setitem(Session.known, "key 3", Session())
    Session.known["key 3"].pages.add("open")
    tidy_folders(10**6 + 90_000)
    assert there() == [3]
