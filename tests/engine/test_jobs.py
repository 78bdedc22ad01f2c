"""Tests of jobs that belong to the server: turns, ends, errors, and who takes them out of the queue."""

import threading
from contextvars import ContextVar, copy_context

import pytest

from nst_core.engine.device_thread import ACCOUNT
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import Job, TurnMissed
from nst_core.engine.lane import Client, Lane
from nst_core.errors import ConfigError, NSTError
from nst_core.transfer.steering import Steering


def job(work, lane=None, **more) -> Job:
    return Job(work, Client(), Steering(), lane=lane or Lane(), **more)


def test_a_job_goes_to_its_end_and_keeps_its_newest_moment():
    ended = []
    made = job(lambda own: iter(range(5)), when_ended=ended.append)
    assert made.wait(10) and made.ended and made.moment == 4 and made.error is None
    assert ended == [made] and made.lane.taken == 0


def test_what_it_has_computed_is_counted_in_its_name():
    names = []

    def work(own):
        names.append(DEVICES.submit(ACCOUNT.get).result(10))
        yield

    made = job(work)
    assert made.wait(10) and names == [made.account] and made.account.seconds > 0


@pytest.mark.parametrize("error", [ConfigError("of the input"), ZeroDivisionError("of the program")])
def test_an_error_ends_it_in_words(error, caplog):
    def work(own):
        yield 1
        raise error

    made = job(work)
    assert made.wait(10) and made.lane.taken == 0 and made.moment == 1
    assert isinstance(made.error, NSTError) and ("of the input" in str(made.error)) is isinstance(error, NSTError)


def test_a_job_that_is_stopped_while_it_waits_never_begins():
    lane, gate, begun = Lane(), threading.Event(), []

    def works(own):
        gate.wait(10)
        yield

    first = job(works, lane)
    second = job(lambda own: iter(begun.append(1) or ()), lane)
    second.stop()
    assert second.ended and isinstance(second.error, TurnMissed) and lane.taken == 1
    gate.set()
    assert first.wait(10) and not begun and lane.taken == 0


def test_a_job_at_work_that_is_stopped_ends_itself():
    seen = threading.Event()

    def work(own):
        while not own.steering.stop.wait(0.001):
            seen.set()
            yield "on"
        yield "stopped"

    made = job(work)
    assert seen.wait(10)
    made.stop()
    assert made.wait(10) and made.moment == "stopped" and made.error is None


def test_the_next_in_the_queue_begins_when_one_ends():
    lane = Lane()
    made = [job(lambda own: iter(()), lane) for _ in range(5)]
    assert all(one.wait(10) for one in made)


def test_a_job_finds_the_context_of_who_asked_for_it_whoever_lets_it_begin():
    lane, asked = Lane(), ContextVar("who asks")
    found = []

    def work(own):
        found.append(asked.get())
        yield

    def ask(who):
        asked.set(who)
        return job(work, lane)

    made = [copy_context().run(ask, who) for who in ("anna", "ben", "eve")]
    assert all(one.wait(10) for one in made) and found == ["anna", "ben", "eve"]
