"""Signals that end a command: what they raise, what they leave alone, and what they wait for."""

import os
import signal
import threading

import pytest

from nst_core.interrupts import NAMES, Interrupt, held, raised

NUMBERS = [getattr(signal, name) for name in NAMES]


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_raises_what_keeps_a_painting_and_names_it(number):
    before = [signal.getsignal(each) for each in NUMBERS]
    with pytest.raises(KeyboardInterrupt) as caught, raised():
        send(number)
        pytest.fail("it went on")
    assert isinstance(caught.value, Interrupt) and caught.value.number == number
    assert [signal.getsignal(each) for each in NUMBERS] == before


def test_a_signal_that_is_ignored_stays_ignored():
    """As SIGHUP under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with raised():
            send(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_held_ends_before_a_signal_does_its_work(number):
    done = []
    with pytest.raises(Interrupt) as caught, raised():
        with held():
            with held():
                send(number)
                done.append("inner")
            done.append("outer")
        done.append("after")
    assert done == ["inner", "outer"] and caught.value.number == number


def test_an_error_while_held_is_not_lost_behind_a_signal():
    with pytest.raises(Interrupt) as caught, raised(), held():
        send(signal.SIGTERM)
        raise ValueError("the disk is full")
    assert str(caught.value.__context__) == "the disk is full"
    with raised(), held():  # and no signal stays behind for others
        pass


def test_threads_beside_the_main_one_are_left_alone():
    seen, go = [], threading.Event()

    def work():
        with raised(), held():
            seen.append(signal.getsignal(signal.SIGTERM))
            go.wait(5)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    with raised():
        thread.start()
        with pytest.raises(Interrupt):
            send(signal.SIGTERM)  # does not wait for what another thread holds
            pytest.fail("it went on")
        go.set()
        thread.join()
    assert len(seen) == 1 and signal.getsignal(signal.SIGTERM) == before
