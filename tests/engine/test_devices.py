"""Tests of the devices that jobs are given, and of going through work on them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import SimpleNamespace

import pytest

from nst_core.engine import begin as beginning
from nst_core.engine import devices
from nst_core.engine.device_thread import ACCOUNT, Account
from nst_core.engine.devices import Devices, Elsewhere


@pytest.fixture
def two(monkeypatch) -> Devices:
    """Two devices, of which the second has more memory free."""
    monkeypatch.setattr(devices, "all_devices", lambda: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(devices, "free_memory", lambda device: int(device[-1]))
    return Devices()


def where(place: Devices) -> str:
    return place.submit(lambda: threading.current_thread().name).result(10)


def test_a_job_has_the_device_with_the_fewest_jobs_and_then_the_most_memory(two):
    assert where(two) == "device cuda:0" and ACCOUNT.get() is None
    with two.own_job():
        assert where(two) == "device cuda:1"
        with two.own_job():
            assert where(two) == "device cuda:0"
        assert where(two) == "device cuda:1"
    assert where(two) == "device cuda:0" and ACCOUNT.get() is None


def test_a_painting_is_begun_on_the_device_of_its_job(two, monkeypatch):
    monkeypatch.setattr(beginning, "DEVICES", two)
    monkeypatch.setattr(beginning, "painting_compute", lambda: threading.current_thread().name)
    with two.own_job():
        begun = beginning.begin(SimpleNamespace(begun=lambda config, steering, compute: compute), None)
    assert begun == "device cuda:1"


def test_who_leaves_work_waits_for_its_step_and_has_it_closed_where_it_was_computed(two, monkeypatch):
    threads, at_hand, gate = [], threading.Event(), threading.Event()

    def steps():
        try:
            yield 1
            at_hand.set()
            gate.wait(10)
            threads.append(threading.current_thread().name)
            yield 2
        finally:
            threads.append(threading.current_thread().name)

    def interrupted(work):
        two._own().submit(next, work)
        at_hand.wait(10)
        gate.set()
        raise KeyboardInterrupt

    with two.own_job(), pytest.raises(KeyboardInterrupt), two.stepped(steps()) as work:
        assert next(work) == 1
        monkeypatch.setattr(two, "next_of", interrupted)
        next(work)
    assert threads == ["device cuda:1"] * 2


def test_what_a_job_waits_for_elsewhere_on_several_threads_at_a_time_is_counted_once(monkeypatch):
    now, account, place = [0.0], Account(), Devices()
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    meeting = threading.Barrier(4, action=lambda: now.append(now.pop() + 3), timeout=20)

    class Apart(Elsewhere):
        def __next__(self) -> int:
            return meeting.wait()

    context = copy_context()
    context.run(ACCOUNT.set, account)
    for _ in range(2):
        with ThreadPoolExecutor(4) as threads:
            for _ in range(4):
                threads.submit(context.copy().run, place.next_of, Apart())
        now[0] += 100  # in which nobody waits
    assert account.seconds == 6 and account.had == 0
