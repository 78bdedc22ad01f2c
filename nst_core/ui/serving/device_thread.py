"""Runs all that computes on one thread, which takes turns between jobs in steps."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")
Steps = Generator[Any, None, Result]  # what they yield is of no matter


class DeviceThread(Executor):
    """Calls one thing after another, in the order in which they came, all on the same thread.

    What is called finds the context of who handed it over, by which a toast finds its page.

    Long work comes as a generator: after each of its steps whatever else waits has its turn, so that nobody waits for
    longer than a step of everybody.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str):
        self._waiting: SimpleQueue[tuple[Future[Any], Steps[Any], Context]] = SimpleQueue()
        # a daemon, so that a step that takes long does not hold up a program that ends
        threading.Thread(target=self._compute, name=name, daemon=True).start()

    def submit(self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        """Call a function in its turn, as one step."""
        return self.run_steps(_single(function, *args, **kwargs))

    def next_of(self, steps: Iterator[Result]) -> Result | None:
        """Wait for what an iterator yields next, computed in its turn, as one step; None at its end."""
        return self.submit(_next_of, steps).result()

    def run_steps(self, steps: Steps[Result]) -> Future[Result]:
        """Go through a generator in turns with others; its return value is the result, what it yields is dropped."""
        future: Future[Result] = Future()
        self._waiting.put((future, steps, copy_context()))
        return future

    def _compute(self) -> None:
        while True:
            self._step(*self._waiting.get())

    def _step(self, future: Future[Any], steps: Steps[Any], context: Context) -> None:
        if not future.running() and not future.set_running_or_notify_cancel():
            return
        try:
            context.run(next, steps)
        except StopIteration as end:
            future.set_result(end.value)
        except BaseException as error:  # whatever it is, it is the caller's
            future.set_exception(error)
        else:
            self._waiting.put((future, steps, context))


def _single(function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Steps[Result]:
    return function(*args, **kwargs)
    yield


def _next_of(steps: Iterator[Result]) -> Result | None:
    return next(steps, None)


# All that computes is computed by one thread: a generator may be resumed on several, each of which would have compute
# threads of its own, which halve the speed of all. So whatever computes with torch has its place on this thread,
# however quickly it is done. What takes long waits in `lane` before.
DEVICE_THREAD = DeviceThread("device")
