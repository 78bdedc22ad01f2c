"""Handles signals that end a command: Ctrl-C, a polite kill, a closed terminal; all keep what is painted."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last


class Interrupt(KeyboardInterrupt):
    """A signal that ends the command; whatever keeps its work at Ctrl-C keeps it at this, too."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


_depth = 0  # of `held`, in the main thread
_pending: int | None = None  # the signal that came meanwhile


@contextmanager
def raised() -> Iterator[None]:
    """Let signals that would end the process raise Interrupt in the main thread, until the block ends.

    A signal that is ignored stays so, as SIGHUP under nohup. In another thread, or where there are no such signals,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, _come)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _come(number: int, frame: FrameType | None) -> None:
    global _pending
    if number == getattr(signal, "SIGHUP", None):
        _leave_terminal()
    if _depth:
        _pending = number
    else:
        raise Interrupt(number)


@contextmanager
def held() -> Iterator[None]:
    """Keep a save from being cut: a signal that comes meanwhile raises when the block ends; of two, the later one.

    For what takes seconds. It counts where `raised` is at work; elsewhere signals do what they always do.
    """
    global _depth, _pending
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth and _pending is not None:
            number, _pending = _pending, None
            raise Interrupt(number)


def _leave_terminal() -> None:
    """Send words elsewhere once the terminal is gone: they would fail, and end what still has to be kept."""
    import termios  # there is none on Windows, where SIGHUP never comes

    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None:  # there was none from the start
            continue
        try:
            termios.tcgetattr(stream.fileno())
        except (AttributeError, ValueError, OSError):  # closed, or a stream of other kind
            continue
        except termios.error as error:
            if error.args[0] == errno.EIO:  # hung up; of a file or a pipe it is ENOTTY, and they stay
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
