"""Who listens: the connections by which pages and programs hear of their jobs, and what they take back."""

import threading
import time
from collections import Counter, OrderedDict

MOST_REMEMBERED = 10_000  # names of those who left, and of jobs that were cancelled


class Audience:
    """Counts the connections of each name: of a session, or of an event where a program has no session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._last_heard: OrderedDict[str, float] = OrderedDict()  # of those who do not listen now; monotonic seconds
        self._cancelled: OrderedDict[str, None] = OrderedDict()

    def enters(self, name: str) -> None:
        """A connection was opened."""
        with self._lock:
            self._open[name] += 1
            self._last_heard.pop(name, None)

    def leaves(self, name: str) -> None:
        """A connection was closed."""
        with self._lock:
            self._open[name] -= 1
            if self._open[name] <= 0:
                del self._open[name]
                self._note(name)

    def listens(self, name: str) -> bool:
        """Whether a connection is open."""
        return self._open[name] > 0

    def silence(self, *names: str) -> float:
        """Seconds since one of these listened; who never did counts from when this was first asked."""
        with self._lock:
            if any(self._open[name] > 0 for name in names):
                return 0.0
            for name in names:
                if name not in self._last_heard:
                    self._note(name)
            return time.monotonic() - max(self._last_heard[name] for name in names)

    def cancel(self, event: str) -> None:
        """An event is not wanted any more."""
        with self._lock:
            self._cancelled[event] = None
            while len(self._cancelled) > MOST_REMEMBERED:
                self._cancelled.popitem(last=False)

    def is_cancelled(self, event: str) -> bool:
        """Whether it was taken back."""
        return event in self._cancelled

    def _note(self, name: str) -> None:
        self._last_heard[name] = time.monotonic()
        self._last_heard.move_to_end(name)
        while len(self._last_heard) > MOST_REMEMBERED:
            self._last_heard.popitem(last=False)


AUDIENCE = Audience()
