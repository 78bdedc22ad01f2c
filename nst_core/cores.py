"""Shares the cores of a CPU among threads: what paints computes on all of them, every other thread on one.

torch computes by OpenMP, which gives each thread that shares its work out a team of threads. GNU's lets a team wait for
its next piece of work awake, so that it begins at once; but where all teams together are of more threads than there are
cores, they wait asleep, and a painting's step, of hundreds of short pieces, takes twice as long. Where others want the
cores, it is the other way round: those who wait awake take the time of those for whom they wait. So there is one team,
and another, which does nothing, for as long as the cores are crowded (measured by tests/benchmarks/cores.py).

Source: GOMP_SPINCOUNT in the manual of GNU's libgomp; proc_pid_schedstat in the documentation of Linux.
"""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from nst_core.control_groups import GROUPS, OWN_GROUPS, limiting

TASKS = Path("/proc/self/task")  # where Linux shows this process's threads
LOOK_SECONDS = 1.0  # from one look at how crowded the cores are to the next
CROWDED, CALM = 0.6, 0.4  # threads that wait for a core, on average, from which it is so, and below which it is over
LEAST_ASLEEP, MOST_ASLEEP = (
    2.0,
    64.0,
)  # seconds until a team is tried awake again: doubled each time that it is too soon
SHARED_OUT = 2**15  # numbers for each thread, of which torch shares out an operation

_all_threads: int | None = None  # of the team, once others compute on one core each


def threads() -> int:
    """Count the threads on which this process computes."""
    return _all_threads or torch.get_num_threads()


def compute_on_one_core() -> None:
    """Let this thread, and all to come that are no device's, compute on one core; for programs, before they compute."""
    global _all_threads
    _all_threads = threads()
    if "OMP_NUM_THREADS" not in os.environ:  # else somebody has thought of it
        _all_threads = min(_all_threads, allowed_cores())
    torch.set_num_threads(1)


def allowed_cores(groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Read how many cores' time a container may use; as many as there are where nothing limits it.

    What the system shows as cores, and torch has threads for, are often those of the container's host.

    Args:
        groups: the folder of control groups.
        own_groups: the file that says in which of them this process is.
    """
    shares = [_share(version, folder) for version, folder in limiting("cpu", groups, own_groups)]
    return max(1, round(min([share for share in shares if share], default=os.cpu_count() or 1)))


def _share(version: int, folder: Path) -> float | None:
    """Read how many cores' time a control group may use; None where it does not say, or as much as it wants."""
    try:
        if version == 2:
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return max(0.0, int(quota) / int(period)) or None
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number
        return None


class Team:
    """Lets the thread that makes it compute on all cores, with threads that wait awake unless the cores are crowded."""

    def __init__(self) -> None:
        self.size = threads()
        _compute_on(self.size)
        self._idle: threading.Event | None = None  # ends the team that does nothing
        self._asleep_for, self._since = LEAST_ASLEEP, time.monotonic()
        self._looked, self._waited = self._since, _waited()

    @property
    def is_asleep(self) -> bool:
        """Whether its threads wait asleep."""
        return self._idle is not None

    def look(self) -> None:
        """Look, between two pieces of work, whether the cores are crowded, if the last look was a while ago."""
        now = time.monotonic()
        passed = now - self._looked
        if not _all_threads or self.size < 2 or passed < LOOK_SECONDS:  # others have teams, too, or there is none
            return
        waited = _waited()
        more = sum(seconds - self._waited.get(thread, 0.0) for thread, seconds in waited.items())
        self._looked, self._waited = now, waited
        if passed < 4 * LOOK_SECONDS:  # else nothing was computed for a while
            self.decide(more / passed, now)

    def decide(self, waiting: float, now: float) -> None:
        """Wait asleep or awake from now on.

        Args:
            waiting: threads of this process that waited for a core since the last look, on average.
            now: monotonic seconds.
        """
        if self._idle is None and waiting > CROWDED:
            soon = now - self._since < MOST_ASLEEP / 4
            self._asleep_for = min(MOST_ASLEEP, 2 * self._asleep_for) if soon else LEAST_ASLEEP
            self._idle, self._since = _idle_team(self.size), now
        elif self._idle and waiting < CALM and now - self._since > self._asleep_for:
            self._idle.set()
            self._idle, self._since = None, now


def _waited() -> Mapping[str, float]:
    """Read for how many seconds each thread of this process has waited for a core; nothing where it is not told."""
    waited = {}
    for task in TASKS.glob("*/schedstat"):
        try:
            waited[task.parent.name] = int(task.read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # it has just ended, or the system does not count
            continue
    return waited


def _compute_on(number: int) -> None:
    """Let this thread compute on so many cores, and those to come on what the program has for them."""
    torch.get_num_threads()  # a thread asks once what is set for all
    torch.set_num_threads(number)
    if _all_threads:
        other = threading.Thread(target=torch.set_num_threads, args=(1,))  # sets for all, but for those that asked
        other.start()
        other.join()


def _idle_team(beside: int) -> threading.Event:
    """Begin a team that does nothing, of so many threads that with those beside there are more than cores.

    Returns:
        what ends it.
    """
    size, over = max(2, _shown_cores() + 2 - beside), threading.Event()

    def wait() -> None:
        _compute_on(size)
        torch.ones(size * SHARED_OUT, dtype=torch.uint8).add_(1)
        over.wait()

    threading.Thread(target=wait, name="team", daemon=True).start()
    return over


def _shown_cores() -> int:
    """Count the cores that the system lets this process see, as OpenMP does."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
