"""Tests of the thread that computes: order, turns, results and errors."""

import gc
import threading
import weakref
from contextvars import ContextVar

import pytest

from nst_core.ui.serving.device_thread import DeviceThread


@pytest.fixture
def device():
    return DeviceThread("device of a test")


def test_all_is_called_on_one_thread_in_the_order_in_which_it_came(device):
    threads, order = set(), []

    def call(number):
        threads.add(threading.current_thread().name)
        order.append(number)
        return number

    assert [future.result(10) for future in [device.submit(call, number) for number in range(20)]] == list(range(20))
    assert order == list(range(20)) and threads == {"device of a test"}


def counted(order, name, steps):
    for step in range(steps):
        order.append((name, step))
        yield
    return name


def test_work_in_steps_takes_turns_with_other_work(device):
    gate, order = threading.Event(), []
    device.submit(gate.wait)
    long = device.run_steps(counted(order, "long", 3))
    short = device.submit(order.append, ("short", 0))
    other = device.run_steps(counted(order, "other", 2))
    gate.set()
    assert long.result(10) == "long" and other.result(10) == "other" and short.done()
    assert order == [("long", 0), ("short", 0), ("other", 0), ("long", 1), ("other", 1), ("long", 2)]


def test_an_error_is_its_callers_and_the_thread_goes_on(device):
    def failing():
        yield
        raise KeyboardInterrupt("of the work")

    with pytest.raises(KeyboardInterrupt, match="of the work"):
        device.run_steps(failing()).result(10)
    with pytest.raises(ZeroDivisionError):
        device.submit(lambda: 1 / 0).result(10)
    assert device.submit(int).result(10) == 0


def test_what_was_cancelled_before_its_turn_is_never_called(device):
    gate, called = threading.Event(), []
    device.submit(gate.wait)
    future = device.submit(called.append, 1)
    assert future.cancel()
    gate.set()
    device.submit(int).result(10)
    assert called == []


class Picture:
    """Something that takes memory."""


def test_nothing_is_kept_of_what_is_over(device):
    def ends(picture):
        yield picture

    def fails(picture):
        yield picture
        raise ZeroDivisionError

    kept = []
    for steps in (ends, fails):
        kept.append(weakref.ref(picture := Picture()))
        future = device.run_steps(steps(picture))
        future.exception(10)
        del future, picture
    device.submit(int).result(10)  # and what came before is put away
    gc.collect()
    assert [one() for one in kept] == [None, None]


def test_a_function_may_return_a_generator(device):
    assert list(device.submit(lambda: (number for number in range(3))).result(10)) == [0, 1, 2]


def test_what_is_called_finds_the_context_of_who_handed_it_over(device):
    page = ContextVar("page", default="none")

    def steps():
        first = page.get()
        yield
        return first, page.get()

    page.set("mine")
    mine = device.run_steps(steps())
    page.set("yours")
    yours = device.submit(page.get)
    assert mine.result(10) == ("mine", "mine") and yours.result(10) == "yours"
