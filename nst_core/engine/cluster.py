"""Finds the machines of NST_CLUSTER by Ray, and calls a Worker on each: one a GPU or, where there is none, some CPUs.

An actor is begun when a painting is first put on it, and keeps what it has loaded. One that died is not restarted by
Ray but begun anew, here or elsewhere, by whoever needs it: its paintings go on from their own states.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from nst_core.engine.jobs import excuse
from nst_core.engine.ray_link import Link, connect, named
from nst_core.engine.remote_run import Lost, Machine, Machines
from nst_core.engine.worker import About, Worker, own_versions
from nst_core.errors import DeviceError, NoDeviceError, NSTError, OutputError, WeightsError, said

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

CPUS = 4  # of a worker, where there are no GPUs
MOST_CALLS = 128  # of one worker at a time: two for each painting, and some beside
BEGIN_SECONDS = 60.0  # that a worker may take until it answers
AVOIDED_SECONDS = 60.0  # after one was lost, in which its machine gets no other if there is a better place
MOST_TRIES = 4  # to find a machine that answers
ANSWER_SECONDS = 1.0  # that is waited for an answer before the first machine is thought of

log = logging.getLogger(__name__)


def machines() -> Machines | None:
    """Give the machines that NST_CLUSTER names, of which none is asked yet; None if it names none."""
    address = named()
    return _cluster(address) if address else None


@cache
def _cluster(address: str) -> "Cluster":
    return Cluster(address)


@dataclass(eq=False)
class Place:
    """Where a worker is, or may be: a GPU, or some CPUs of a machine."""

    node: str  # Ray's name of it
    host: str
    gpu: bool
    cpus: float
    actor: "ActorHandle | None" = None
    is_ready: bool = False
    paintings: int = 0

    @property
    def needs(self) -> dict[str, Any]:
        """What Ray gives a worker: a GPU or CPUs, and this program's choice of device and precision."""
        chosen = {name: os.environ[name] for name in ("NST_PRECISION", "NST_DEVICE") if os.environ.get(name)}
        if self.gpu:
            chosen.pop("NST_DEVICE", None)  # of which each sees one
        given = {"num_gpus": 1, "num_cpus": 1} if self.gpu else {"num_cpus": self.cpus}
        return given | ({"runtime_env": {"env_vars": chosen}} if chosen else {})


class Cluster(Machines):
    """The machines of a Ray cluster; those that join are found when a painting begins.

    Args:
        address: of the cluster, "auto" for the one of this machine; it is joined when there is something to paint.
    """

    def __init__(self, address: str):
        self.address = address
        self._lock = threading.Lock()
        self._places: dict[tuple[str, int, bool], Place] = {}
        self._lost_at: dict[str, float] = {}  # machine -> monotonic seconds
        self._link: Link | None = None  # of these places

    def __str__(self) -> str:
        return f"the cluster {self.address}"

    def choose(self) -> Machine:
        """Give a place on the worker that has the fewest paintings, one that is there already before others.

        Raises:
            ConfigError, NoDeviceError: as of `connect`; no machine answers, or one has other versions than this one.
        """
        for _ in range(MOST_TRIES):
            with self._calling() as link:
                if self._link is not link:
                    self._link, self._places = link, {}
                place = min(self.places(), key=self._distance)
                actor = place.actor = place.actor or _begun(place)
                place.paintings += 1
            machine = _RayMachine(self, link, place, actor)
            try:
                self._check(machine)
                return machine
            except Lost:
                machine.leave()
            except NSTError:
                machine.leave()
                raise
        raise NoDeviceError(f"no machine of the cluster {said(self.address)} answers; look at `ray status`")

    def count(self) -> int:
        """Count the places of all machines that are there; raises as `connect` and `places`."""
        with self._calling():
            return len(self.places())

    @contextmanager
    def _calling(self) -> Iterator[Link]:
        """Join the cluster for a short call about its places; anew, if another thread left it before the call."""
        link = connect(self.address)
        with ExitStack() as held:
            held.enter_context(self._lock)
            try:
                held.enter_context(link.calling())
            except NoDeviceError:
                link = connect(self.address)
                held.enter_context(link.calling())
            yield link

    def _distance(self, place: Place) -> tuple[bool, int, bool]:
        """Tell how far a place is from being chosen: one of a machine of which one was lost just now is last."""
        is_new = place.actor is None
        return (
            is_new and self._lost_at.get(place.node, -math.inf) > time.monotonic() - AVOIDED_SECONDS,
            place.paintings,
            is_new,
        )

    def places(self) -> list[Place]:
        """List the places of all machines that are there; those of machines that are gone are forgotten.

        Raises:
            NoDeviceError: there are none, or none such as NST_DEVICE asks for.
        """
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"]]
        asked = os.environ.get("NST_DEVICE", "").partition(":")[0]
        gpus = sum(node["Resources"].get("GPU", 0) for node in nodes) if asked in ("", "cuda") else 0
        if asked == "cuda" and not gpus:
            raise NoDeviceError(
                f"NST_DEVICE is cuda, and the cluster {said(self.address)} has no GPU; add a machine with one "
                "(ray start --address=… --num-gpus=1), or unset it"
            )
        found = {}
        for node in nodes:
            share = 1 if gpus else min(CPUS, node["Resources"].get("CPU", 0)) or 1
            count = int(node["Resources"].get("GPU" if gpus else "CPU", 0) // share)
            for number in range(count):
                key = node["NodeID"], number, bool(gpus)
                host = node["NodeManagerHostname"]
                found[key] = self._places.get(key) or Place(key[0], host, bool(gpus), share)
        if not found:
            raise NoDeviceError(
                f"the cluster {said(self.address)} has no machine with CPUs; add one (ray start --address=…)"
            )
        self._places = found
        return list(found.values())

    def _check(self, machine: "_RayMachine") -> None:
        """Wait until a worker answers, once, and compare what pictures depend on."""
        if machine.place.is_ready:
            return
        about: About = machine.start("about", seconds=BEGIN_SECONDS)()
        for name, own in own_versions().items():
            if (its := about.versions.get(name)) != own:
                raise NoDeviceError(
                    f"{machine.name} has {name} {its}, and this computer {own}; install the same on both"
                )
        machine.place.is_ready = True

    def lose(self, place: Place, actor: "ActorHandle") -> None:
        """Note that a worker died or does not answer, so that the next painting begins another."""
        import ray

        with self._lock:
            if place.actor is actor:
                place.actor, place.is_ready = None, False
                self._lost_at[place.node] = time.monotonic()
        with suppress(DeviceError), self._link.calling() if self._link else nullcontext():
            ray.kill(actor)


def _begun(place: Place) -> "ActorHandle":
    """Begin a worker at a place, with this program's choice of device and precision."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    actor = ray.remote(Worker).options(
        max_concurrency=MOST_CALLS,
        max_restarts=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(place.node, soft=False),
        **place.needs,
    )
    return cast("ActorHandle", actor.remote(own_process=True))


class _RayMachine:
    def __init__(self, cluster: Cluster, link: Link, place: Place, actor: "ActorHandle"):
        self.cluster, self.link, self.place, self.actor, self.name = cluster, link, place, actor, place.host
        self._left = False

    def start(self, method: str, *given: Any, seconds: float | None = None) -> Callable[[], Any]:
        """Call a method of its Worker; as of Machine, and Lost if it takes more seconds than that."""
        try:
            with self.link.calling():
                coming = getattr(self.actor, method).remote(*given)
        except DeviceError as gone:
            return partial(_raise, gone)
        return partial(self._answer, coming, seconds)

    def _answer(self, coming: "ObjectRef", seconds: float | None) -> Any:
        import ray
        from ray.exceptions import GetTimeoutError, ObjectStoreFullError, OutOfDiskError, RayError, RayTaskError

        until = time.monotonic() + (math.inf if seconds is None else seconds)
        try:
            while True:
                with self.link.calling(), suppress(GetTimeoutError):
                    return ray.get(coming, timeout=max(0.0, min(ANSWER_SECONDS, until - time.monotonic())))
                if time.monotonic() >= until:
                    raise GetTimeoutError(f"no answer in {seconds} s")
        except RayTaskError as error:
            raise self._told(error.cause) from None
        except (ObjectStoreFullError, OutOfDiskError):
            raise OutputError(f"memory or disk of {self.name} is full, by what Ray says; make room there") from None
        except RayError as error:
            self.link.check()  # without the first machine all others are lost
            log.warning("%s: %s", self.name, (str(error).splitlines() or [""])[0])
            self.cluster.lose(self.place, self.actor)
            raise Lost(self.name) from None

    def _told(self, error: Exception) -> NSTError:
        """Say where it was, where that matters."""
        if isinstance(error, DeviceError | OutputError | WeightsError):
            return type(error)(f"on {self.name}: {error}")
        return error if isinstance(error, NSTError) else excuse(error)

    def leave(self) -> None:
        """Give the place up; once more does no harm."""
        with self.cluster._lock:
            if not self._left:
                self._left = True
                self.place.paintings -= 1


def _raise(error: DeviceError) -> None:
    raise error
