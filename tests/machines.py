"""Machines of a cluster that are none: workers in this process, which can be lost, and nodes on this computer."""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from nst_core.assets import ASSETS
from nst_core.batch.on_cluster import BatchPainter
from nst_core.engine import cluster
from nst_core.engine.remote_run import Lost
from nst_core.engine.worker import Worker


class StandIn:
    """A machine of one worker."""

    def __init__(self, name: str, room: "Room"):
        self.name, self.room, self.worker = name, room, Worker()

    def start(self, method: str, *given: Any) -> Callable[[], Any]:
        """Calls it when it is waited for, or never."""
        return partial(self._answer, method, *given)

    def _answer(self, method: str, *given: Any) -> Any:
        self.room.calls.append(method)
        if self.room.fails(len(self.room.calls), method):
            self.worker = Worker()  # what it painted is gone
            raise Lost(self.name)
        return getattr(self.worker, method)(*given)

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

    def count(self) -> int:
        return len(self.machines)

    def choose(self) -> StandIn:
        self.chosen += 1
        return self.machines[self.chosen % 2]


def painted_by_one(rows: list[dict], given: tuple) -> Iterator[dict]:
    """In the place of Ray Data, a machine that paints all rows of a batch."""
    painter = BatchPainter(*pickle.loads(pickle.dumps(given[:1])), *given[1:])
    for row in rows:
        yield {name: values[0] for name, values in painter({name: [row[name]] for name in row}).items()}


@contextmanager
def ray_nodes(count: int, **environment: str) -> Iterator[Callable[[str], None]]:
    """Begin a cluster on this computer that NST_CLUSTER names: a node that coordinates, and others of a CPU each.

    Args:
        count: of the others.
        environment: of all that is begun meanwhile.

    Yields:
        what kills a node, given Ray's name of it; "": any.
    """
    import ray
    from ray.cluster_utils import Cluster

    path = os.pathsep.join(filter(None, (str(ASSETS.parent), os.environ.get("PYTHONPATH"))))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment | {"PYTHONPATH": path, "NST_PRECISION": "fp32"}).items():
            patch.setenv(name, value)
        patch.delenv("NST_DEVICE", raising=False)
        size = {"object_store_memory": 80_000_000}
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **size})
        others = {node.node_id: node for node in (made.add_node(num_cpus=1, **size) for _ in range(count))}
        patch.setenv("NST_CLUSTER", made.address)
        try:
            yield lambda name: made.remove_node(others.pop(name or next(iter(others))), allow_graceful=False)
        finally:
            ray.shutdown()
            made.shutdown()
            cluster._cluster.cache_clear()
