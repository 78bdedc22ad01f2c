"""Knows who listens: the open connections of pages and programs, and the jobs that they cancelled."""

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NamedTuple

log = logging.getLogger(__name__)
MOST_REMEMBERED = 10_000  # names of those who left, and of jobs that were cancelled


class Leaving(NamedTuple):
    """Names the page that was closed, as a gradio's request would."""

    session_hash: str


class Audience:
    """Counts the connections of each name: of a session, or of an event where a program has no session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._beats: Counter[str] = Counter()  # of these, heartbeats
        self._last_heard: OrderedDict[str, float] = OrderedDict()  # of those who do not listen now; monotonic seconds
        self._pages: OrderedDict[str, None] = OrderedDict()  # names that had a heartbeat
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self._when_left: list[Callable[[Leaving], None]] = []

    def enters(self, name: str, *, beats: bool = False) -> None:
        """Note an opened connection; beats: it is a page's heartbeat, which is there as long as the page is open."""
        with self._lock:
            self._open[name] += 1
            self._beats[name] += beats
            self._last_heard.pop(name, None)
            if beats:
                self._pages[name] = None
                while len(self._pages) > MOST_REMEMBERED:
                    self._pages.popitem(last=False)

    def is_page(self, name: str) -> bool:
        """Whether the name is a page's, which may come back after a gap in its connection."""
        return name in self._pages

    def leaves(self, name: str, *, beats: bool = False) -> bool:
        """Note a closed connection; tell whether its page is closed, as it was the page's last heartbeat."""
        with self._lock:
            self._open[name] -= 1
            self._beats[name] -= beats
            if self._open[name] <= 0:
                del self._open[name]
                self._note(name)
            if self._beats[name] <= 0:
                del self._beats[name]
            return beats and name not in self._beats

    def listens(self, name: str) -> bool:
        """Whether a connection of that name is open."""
        return self._open[name] > 0

    def silence(self, *names: str) -> float:
        """Measure the seconds since one of these listened; for who never did, since this was first asked."""
        with self._lock:
            if any(self._open[name] > 0 for name in names):
                return 0.0
            for name in names:
                if name not in self._last_heard:
                    self._note(name)
            return time.monotonic() - max(self._last_heard[name] for name in names)

    def when_left(self, tell: Callable[[Leaving], None]) -> None:
        """Have a function called with each page that is closed.

        gradio's own `unload` would make a session's state, of most of a megabyte, for each that never had one.
        """
        if tell not in self._when_left:
            self._when_left.append(tell)

    def tell_left(self, name: str) -> None:
        """Tell all that asked by `when_left` that a page was closed."""
        for tell in self._when_left:
            try:
                tell(Leaving(name))
            except Exception:  # the others are told all the same
                log.exception("a page could not be left")

    def cancel(self, event: str) -> None:
        """Note that the job of an event is not wanted any more."""
        with self._lock:
            self._cancelled[event] = None
            while len(self._cancelled) > MOST_REMEMBERED:
                self._cancelled.popitem(last=False)

    def is_cancelled(self, event: str) -> bool:
        """Whether the job of an event was cancelled."""
        return event in self._cancelled

    def _note(self, name: str) -> None:
        self._last_heard[name] = time.monotonic()
        self._last_heard.move_to_end(name)
        while len(self._last_heard) > MOST_REMEMBERED:
            self._last_heard.popitem(last=False)


AUDIENCE = Audience()
