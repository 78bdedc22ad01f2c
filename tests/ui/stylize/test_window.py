"""Tests of a painting that belongs to the server, and of pages that come and go."""

import gc
import threading
import weakref

import gradio as gr
import pytest
import torch

from nst_core.engine import jobs
from nst_core.engine.devices import DEVICES
from nst_core.engine.lane import Client, Lane
from nst_core.transfer.run import Run
from nst_core.ui.studio.session import Session, give_up_oldest
from nst_core.ui.stylize import run as run_module
from nst_core.ui.stylize import window
from nst_core.ui.stylize.control_events import note
from nst_core.ui.stylize.run import recolor
from nst_core.ui.stylize.window import SEEN, look, place, press_go_on, press_run, press_stop, tell
from nst_core.ui.widgets.channel import Channel
from tests.ui.browsers import ended, opened, page, painting, shown, under_way
from tests.ui.shown import untitled
from tests.ui.stylize.test_run import value_of

pytestmark = pytest.mark.usefixtures("browsers")


def test_a_painting_goes_on_to_its_end_though_nobody_watches(narrow_weights, files):
    session, _ = opened("page")
    pressed = press_run(session, "", shown(files), page("page"))
    assert set(pressed) == {"session", *SEEN} - {"record"}
    named = ("status", "losses", "shares")
    assert all(f'data-run="{value_of(pressed["preview"])}"' in pressed[name] for name in named)
    token = value_of(pressed["preview"])
    assert value_of(pressed["run"]) is None and not pressed["run"]._constructor_args[0]["interactive"]
    assert session.job.wait(60) and Channel.live[token].done
    seen = look(session)
    assert "Done: 3 steps" in seen["status"] and value_of(seen["result"])["after"].startswith("data:image")
    assert seen["run"]._constructor_args[0]["interactive"] and len(seen["strip"]["items"]) == 1


def test_a_painting_goes_before_others_until_its_first_picture_is_there(narrow_weights, files, monkeypatch):
    pictures, put = [], Channel.put

    def noted(channel, image, *given, **named):
        if image is not None:
            pictures.append(session.job.account.unseen)
        put(channel, image, *given, **named)

    monkeypatch.setattr(Channel, "put", noted)
    session = painting(files)
    assert session.job.wait(60) and pictures[0] and not any(pictures[1:])


def test_a_browser_that_comes_again_finds_its_painting_at_work_with_pictures_and_settings(narrow_weights, files):
    session = under_way(painting(files, steps=100_000, seed=7))
    Session.leave_page(page("page"))
    found, back = opened("again", session.key)
    assert found is session and session.busy
    assert value_of(back["preview"]) == session.channel.token and not Channel.live[session.channel.token].done
    assert (back["content"], back["style"]) == tuple(map(str, files)) and (back["steps"], back["seed"]) == (100_000, 7)
    assert not back["run"]._constructor_args[0]["interactive"] and back["stop"]._constructor_args[0]["interactive"]


def test_a_browser_that_comes_again_finds_its_result_and_may_go_on(narrow_weights, files):
    session = painting(files)
    Session.leave_page(page("page"))
    assert session.job.wait(60)
    found, back = opened("again", session.key)
    assert "Done: 3 steps" in back["status"] and back["record"]["steps"] == 3 and len(back["strip"]["items"]) == 1
    press_go_on(found, "", 2, page("again"))
    assert session.job.wait(60) and "Done: 5 steps" in look(session)["status"]


def test_who_does_not_know_the_key_finds_nothing(narrow_weights, files):
    session = painting(files)
    for key in ("", "guessed", session.key[:-1], None, ["a"], {"a": 1}, "x" * 10**6):
        other, found = opened(f"page with {str(key)[:9]}", key)
        assert (
            other is not session
            and set(found) == {"session", "key"}
            and len(found["key"]) == 32
            and found["key"] != session.key
        )


def test_pictures_that_were_placed_are_there_again_before_any_run(files):
    session, _ = opened("page")
    place(session, "style", str(files[1]))  # as a recipe does
    place(session, "start_image", files[0])
    _, back = opened("again", session.key)
    assert back["style"] == str(files[1]) and back["start_image"] == str(files[0]) and "content" not in back


def test_controls_that_were_moved_are_as_they_were_also_before_any_run(narrow_weights, files):
    session, _ = opened("page")
    note(session, shown(files, size=300, seed=9))
    note(session, shown(files, size=5))  # no picture is that small
    Session.leave_page(page("page"))
    Session.tidy()
    _, back = opened("again", session.key)
    assert (back["size"], back["seed"], back["steps"]) == (300, 9, 3)
    press_run(session, "", shown(files, seed=4, optimizer="adam", step_size=0.02), page("again"))
    _, back = opened("third", session.key)  # what the page filled in by itself was noted with Run
    assert (back["size"], back["seed"], back["step_size"]) == (48, 4, 0.02)
    session.job.stop()


def test_a_painting_that_memory_has_no_room_for_is_gone_on_with_from_disk(narrow_weights, files):
    whole, session = (painting(files, name, steps=steps, start="noise") for name, steps in (("whole", 6), ("page", 3)))
    assert ended(whole) and ended(session)
    session.rests_since = -1.0
    freed = weakref.ref(session.run)
    assert DEVICES.submit(give_up_oldest).result(60) and session.run is None and not session.given_up
    gc.collect()
    assert freed() is None
    seen = look(session)
    assert seen["after"]._constructor_args[0]["visible"] and "Done: 3 steps" in seen["status"]
    press_go_on(session, "", 3, page("page"))
    assert ended(session) and torch.equal(session.run.last_frame.image, whole.run.last_frame.image)
    session.rests_since = -1.0
    assert DEVICES.submit(give_up_oldest).result(60)
    recolor(session, "content")
    assert session.run.config.color == "content"


def test_before_continue_stands_which_painting_it_goes_on_with(narrow_weights, files):
    session = painting(files, steps=100_000)
    assert look(session)["goes_on"] is None  # while it is at work
    press_stop(under_way(session))
    assert ended(session)
    made = session.run.last_frame.step
    told = look(session)["goes_on"]
    assert told["thumbnail"] == session.results.kept[0].thumbnail and told["pictures"] == "content × style"
    assert told["settings"].endswith(f"Size 48 · Step {made} of 100000")
    session.rests_since = -1.0
    assert DEVICES.submit(give_up_oldest).result(60) and session.run is None
    assert look(session)["goes_on"] == told  # from disk, too
    assert look(opened("nobody")[0])["goes_on"] is None


def test_a_second_page_of_a_browser_begins_no_second_painting(narrow_weights, files):
    session = under_way(painting(files, steps=100_000))
    job = session.job
    found, _ = opened("second", session.key)
    press_run(found, "", shown(files), page("second"))
    assert session.job is job


def test_a_painting_pauses_when_no_page_showed_it_for_the_time_of_grace(narrow_weights, files, monkeypatch):
    session = under_way(painting(files, steps=100_000))
    session.left_since -= 10**6
    Session.tidy()
    assert session.busy  # its page is open
    found, _ = opened("second", session.key)
    Session.leave_page(page("page"))
    session.left_since -= 10**6
    Session.tidy()
    assert session.busy  # the other page is
    Session.leave_page(page("second"))
    Session.tidy()
    assert session.busy  # it was closed just now
    session.left_since -= 601
    session.channel.asked -= 10**6
    Session.tidy()
    assert session.job.wait(60) and session.run.remaining and "it was paused" in session.toasts[0].text
    _, back = opened("third", session.key)
    assert "Stopped" in back["status"] and back["after"]._constructor_args[0]["visible"]


def test_sessions_without_anything_are_forgotten_and_old_ones_freed(narrow_weights, files, browsers):
    empty, _ = opened("nobody")
    session = painting(files)
    assert ended(session)
    for name in ("nobody", "page"):
        Session.leave_page(page(name))
    Session.tidy()
    assert list(browsers) == [session.key]
    session.left_since -= 3601
    session.channel.asked -= 3601
    Session.tidy()
    assert not browsers and session.run.painting.stage is None
    _, back = opened("again", session.key)
    assert "Done: 3 steps" in back["status"] and back["after"]._constructor_args[0]["visible"]


def test_what_is_wrong_is_said_and_told_and_the_page_can_be_used_again(narrow_weights, files, monkeypatch):
    told = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: told.append(untitled(text)))
    session = painting((None, files[1]))
    assert session.job.wait(60)
    seen = look(session)
    assert "there is no content picture" in seen["status"] and seen["run"]._constructor_args[0]["interactive"]
    tell(session)
    tell(session)
    assert len(told) == 1 and "there is no content picture" in told[0]


def test_what_cannot_be_painted_leaves_the_last_result_on_the_stage(narrow_weights, files):
    session = painting(files)
    assert session.job.wait(60)
    before = look(session)
    press_run(session, "", shown(files, size=5), page("page"))
    assert session.job.wait(60)
    after = look(session)
    assert "“Size” is 5" in after.pop("status") and "Done" in before.pop("status")
    for names in ("result", "download", "record", "losses", "shares"):
        assert after[names] is before[names]


def test_who_waits_hears_how_long_and_may_leave_the_queue(narrow_weights, files, monkeypatch):
    lane = Lane()
    monkeypatch.setattr(jobs, "WAITING_SECONDS", 0.01)
    monkeypatch.setattr(window, "Job", lambda *given, **named: jobs.Job(*given, lane=lane, **named))
    lane.enter(Client(), jobs.limits())
    session = painting(files)
    channel = session.channel
    while not channel.words:
        assert not session.job.wait(0.01)
    assert "Waiting for the device: 1 before you, about 20 s" in channel.words["status"]
    press_stop(session)
    assert session.job.ended and "Left the queue." in look(session)["status"] and lane.taken == 1


def test_pages_are_told_that_it_is_over_when_there_is_the_result_and_not_before(narrow_weights, files, monkeypatch):
    made, over = run_module.result_of, []

    def result_of(session, *given):
        over.append(session.channel.done)
        return made(session, *given)

    monkeypatch.setattr(run_module, "result_of", result_of)
    session = painting(files)
    assert session.job.wait(60) and over == [False] and session.channel.done


def test_a_fault_of_the_program_leaves_the_page_usable(narrow_weights, files, monkeypatch):
    def failing(run):
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "__next__", failing)
    session = painting(files)
    assert session.job.wait(60)
    seen = look(session)
    assert "something went wrong" in seen["status"] and "problem" in seen["status"]
    assert seen["run"]._constructor_args[0]["interactive"] and session.channel.done


def test_many_paint_side_by_side_and_each_gets_its_own(narrow_weights, files):
    sessions = [painting(files, f"page {number}", seed=number, start="noise") for number in range(6)]
    assert all(session.job.wait(60) for session in sessions)
    assert [session.run.record().config.seed for session in sessions] == list(range(6))
    assert threading.active_count() < 200


def test_a_page_that_lost_its_session_in_a_gap_acts_on_its_browser_s(narrow_weights, files):
    session = under_way(painting(files, steps=100_000))
    pressed = press_run(Session(), session.key, shown(files), page("lost"))
    assert pressed["session"] is session and session.busy
    press_stop(Session(), session.key)
    assert session.job.wait(60)
    again = press_go_on(Session(), session.key, 1, page("lost"))
    assert again["session"] is session and session.job.wait(60)


def test_a_page_that_asks_for_pictures_looks_though_its_heartbeat_is_lost(narrow_weights, files):
    session = under_way(painting(files, steps=100_000))
    Session.leave_page(page("page"))
    session.left_since -= 10**6
    Session.tidy()
    assert session.busy and not session.steering.stop.is_set()
    session.channel.asked -= 10**6
    Session.tidy()
    assert session.steering.stop.is_set()
