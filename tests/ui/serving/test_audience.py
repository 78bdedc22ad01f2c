"""Tests of who listens: connections that come and go, and jobs that are taken back."""

import pytest

from nst_core.ui.serving import audience as module
from nst_core.ui.serving.audience import Audience


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    time = {"now": 100.0}
    monkeypatch.setattr(module.time, "monotonic", lambda: time["now"])
    return time


def test_silence_counts_from_when_the_last_of_several_connections_closed(clock):
    audience = Audience()
    audience.enters("page")
    audience.enters("page")
    audience.leaves("page")
    clock["now"] += 50
    assert audience.listens("page") and audience.silence("page") == 0
    audience.leaves("page")
    clock["now"] += 7
    assert not audience.listens("page") and audience.silence("page") == 7
    audience.enters("page")
    assert audience.silence("page") == 0


def test_who_never_listened_is_silent_since_it_was_first_asked(clock):
    audience = Audience()
    assert audience.silence("nobody") == 0
    clock["now"] += 9
    assert audience.silence("nobody") == 9


def test_one_of_two_names_is_enough(clock):
    audience = Audience()
    audience.silence("page", "job")
    clock["now"] += 9
    audience.enters("job")
    assert audience.silence("page", "job") == 0
    audience.leaves("job")
    clock["now"] += 2
    assert audience.silence("page", "job") == 2


def test_all_who_want_to_know_are_told_once_of_a_page_that_was_closed(caplog):
    audience, told = Audience(), []

    def failing(leaving):
        raise ZeroDivisionError

    def noting(leaving):
        told.append(leaving.session_hash)

    for tell in (failing, noting, noting):
        audience.when_left(tell)
    audience.tell_left("page")
    assert told == ["page"] and "could not be left" in caplog.text


def test_what_is_taken_back_stays_so_and_strangers_names_take_bounded_room():
    audience = Audience()
    audience.cancel("mine")
    assert audience.is_cancelled("mine") and not audience.is_cancelled("other")
    for number in range(module.MOST_REMEMBERED + 5):
        audience.cancel(f"job {number}")
        audience.silence(f"page {number}")
    assert len(audience._cancelled) == len(audience._last_heard) == module.MOST_REMEMBERED
