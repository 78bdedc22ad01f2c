"""Machines of a cluster that are none: workers in this process, which can be lost."""

from collections.abc import Callable
from typing import Any

from nst_core.engine.remote_run import Lost
from nst_core.engine.worker import Worker


class StandIn:
    """A machine of one worker."""

    def __init__(self, name: str, room: "Room"):
        self.name, self.room, self.worker = name, room, Worker()

    def call(self, method: str, *given: Any) -> Any:
        self.room.calls.append(method)
        if self.room.fails(len(self.room.calls), method):
            self.worker = Worker()  # what it painted is gone
            raise Lost(self.name)
        return getattr(self.worker, method)(*given)

    def send(self, method: str, *given: Any) -> None:
        self.call(method, *given)

    def leave(self) -> None:
        self.room.left += 1


class Room:
    """Two machines, chosen in turns.

    Args:
        fails: told the number of a call, from 1 for both together, and its method; whether the machine is lost then.
    """

    def __init__(self, fails: Callable[[int, str], bool] = lambda number, method: False):
        self.fails = fails
        self.calls: list[str] = []
        self.chosen = self.left = 0
        self.machines = [StandIn(f"machine {number}", self) for number in (1, 2)]

    def choose(self) -> StandIn:
        self.chosen += 1
        return self.machines[self.chosen % 2]
