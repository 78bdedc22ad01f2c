"""Shares the devices of this computer among jobs: a thread each, and for every job one of them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, TypeVar

from nst_core.devices import all_devices, free_memory
from nst_core.engine.device_thread import ACCOUNT, Account, DeviceThread, Given, Result, Steps
from nst_core.errors import DeviceError
from nst_core.interrupts import held

Yielded = TypeVar("Yielded", covariant=True)


class Closable(Iterator[Yielded], Protocol[Yielded]):
    """An iterator that is closed at its end, such as a generator, or a painting's Run."""

    def close(self) -> Any:
        """Free what it holds."""


class Elsewhere:
    """Marks an iterator that waits for what another machine or process computes; no device's thread waits along.

    It is asked at once, on the thread of who asks, in whose context it finds for whom.
    """


class Devices:
    """All that computes is handed over here, and computed on the device of the job in whose name it is, or the first.

    All that a device computes is computed by one thread, which has all cores (see `cores`). So whatever computes with
    torch has its place here, however quickly it is done.
    """

    def __init__(self) -> None:
        self._of: dict[Account, DeviceThread] = {}
        self._threads: list[DeviceThread] = []
        self._beginning = threading.Lock()  # as whoever computes first may not be alone

    @property
    def threads(self) -> list[DeviceThread]:
        """A thread a device; begun when something is first computed, as a GPU must not be touched before that."""
        with self._beginning:
            self._threads = self._threads or self._begin()
            return self._threads

    def _begin(self) -> list[DeviceThread]:
        try:
            devices = all_devices()
        except DeviceError:  # as whoever computes something will hear
            devices = []
        if len(devices) < 2:
            return [DeviceThread("device")]
        return [DeviceThread(f"device {device}", device) for device in devices]

    @property
    def begun(self) -> list[DeviceThread]:
        """The threads that there are, none as long as nothing was computed; none is begun for it."""
        return list(self._threads)

    @contextmanager
    def own_job(self, account: Account | None = None) -> Iterator[None]:
        """Compute what this thread, or a command, hands over until this ends in the name of one job.

        Args:
            account: of the job; a new one if None.
        """
        account = account or Account()
        before = ACCOUNT.set(account)
        try:
            with self.open(account):
                yield
        finally:
            ACCOUNT.reset(before)

    @contextmanager
    def open(self, account: Account) -> Iterator[None]:
        """Give a job its device, on which all is computed in the name of its account."""
        if len(self.threads) > 1:
            self._of[account] = max(self.threads, key=self._room)
        try:
            yield
        finally:
            self._of.pop(account, None)

    def _room(self, thread: DeviceThread) -> tuple[int, int]:
        """Tell how good a place a device is: jobs fewer than on others, then memory."""
        return -list(self._of.values()).count(thread), free_memory(thread.device or "cpu")

    def _own(self) -> DeviceThread:
        account = ACCOUNT.get()
        return self._of.get(account, self.threads[0]) if account else self.threads[0]

    def submit(self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        """Call a function in its turn, as one step."""
        return self._own().submit(function, *args, **kwargs)

    def next_of(self, steps: Iterator[Result]) -> Result | None:
        """Wait for what an iterator yields next, computed in its turn, as one step; None at its end."""
        if not isinstance(steps, Elsewhere):
            return self._own().next_of(steps)
        account = ACCOUNT.get()
        with account.waiting() if account else nullcontext():
            return next(steps, None)

    @contextmanager
    def stepped(self, steps: Closable[Result]) -> Iterator[Iterator[Result]]:
        """Give what a generator yields, each computed in its turn, as one step; at the end it is closed, in its turn.

        Whoever leaves this, by an interrupt too, waits for the step at hand.
        """
        try:
            yield iter(lambda: self.next_of(steps), None)
        finally:
            with held():
                self.submit(steps.close).result()

    def run_steps(self, steps: Steps[Result]) -> Future[Result]:
        """Go through a generator in turns with others; its return value is the result, what it yields is dropped."""
        return self._own().run_steps(steps)


DEVICES = Devices()
