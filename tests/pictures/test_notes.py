"""Whom a note about a picture reaches."""

import threading

import pytest

from nst_core.pictures import notes


def test_a_program_gets_a_warning():
    with pytest.warns(notes.PictureWarning, match="^half of it is gone$"):
        notes.note("half of it is gone")


def test_whoever_listens_hears_it_from_every_thread_and_only_meanwhile():
    heard = []
    with notes.told_to(heard.append):
        notes.note("one")
        thread = threading.Thread(target=notes.note, args=["two"])
        thread.start()
        thread.join()
    assert heard == ["one", "two"]
    with pytest.warns(notes.PictureWarning):
        notes.note("three")
    assert heard == ["one", "two"]


def test_a_way_that_is_set_stays(monkeypatch):
    heard = []
    monkeypatch.setattr(notes, "_tell", notes._tell)  # and is put back
    notes.tell_by(heard.append)
    notes.note("one")
    assert heard == ["one"]
