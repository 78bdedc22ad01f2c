"""Has whatever is no painting live on a machine of a cluster, in the care of a Worker, and be asked from here."""

from collections.abc import Callable
from typing import Any

from nst_core.engine.remote_run import Machines
from nst_core.engine.worker import Guest


class Hosted:
    """Something on a machine of a cluster, which has a place there until it is left or dismissed.

    Args:
        machines: of which one is chosen.
        make: makes it there; see `Worker.host`.

    Attributes:
        name: of the machine.

    Raises:
        Lost, NSTError: as of `Machines.choose`, and as `make` raises it; nothing is left there then.
    """

    def __init__(self, machines: Machines, make: Callable[[], Guest]):
        self._machine = machine = machines.choose()
        self.name = machine.name
        try:
            self._number: int = machine.start("host", make)()
        except BaseException:
            machine.leave()
            raise

    def start(self, method: str, *given: Any) -> Callable[[], Any]:
        """Call a method of it; what is given waits for the answer, as of `Machine.start`."""
        return self._machine.start("ask", self._number, method, *given)

    def ask(self, method: str, *given: Any) -> Any:
        """Call a method of it, and wait for the answer; errors as of `start`."""
        return self.start(method, *given)()

    def leave(self) -> None:
        """Give its place up, as its machine is lost."""
        self._machine.leave()

    def dismiss(self) -> Callable[[], None]:
        """Have it forgotten, and give its place up; what is given waits until it is, if anybody wants to."""
        forgotten = self._machine.start("dismiss", self._number)
        self._machine.leave()
        return forgotten
