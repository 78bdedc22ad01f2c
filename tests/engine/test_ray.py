"""On a real cluster of three nodes, all on this computer: the same pictures, and a lost node is got over."""

import os
from collections.abc import Iterator

import pytest
import torch

from nst_core.engine import cluster
from nst_core.engine.begin import begin
from nst_core.engine.worker import Material
from nst_core.errors import ConfigError
from nst_core.transfer.steering import Steering
from tests.runs import LADDER, small

pytest.importorskip("ray", reason="paints on many machines; nst_core/engine/requirements-ray.txt")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def nodes(random_weights_folder) -> Iterator:
    """A cluster whose first node only coordinates, and two of a CPU each, which are named in NST_CLUSTER."""
    import ray
    from ray.cluster_utils import Cluster

    chosen = {
        "NST_WEIGHTS": str(random_weights_folder),
        "NST_PRECISION": "fp32",
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
        "PYTHONPATH": os.getcwd(),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.items():
            patch.setenv(name, value)
        patch.delenv("NST_DEVICE", raising=False)
        size = {"object_store_memory": 80_000_000}
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **size})
        workers = {node.node_id: node for node in (made.add_node(num_cpus=1, **size) for _ in range(2))}
        patch.setenv("NST_CLUSTER", made.address)
        yield lambda node: made.remove_node(workers.pop(node), allow_graceful=False)
        ray.shutdown()
        made.shutdown()
        cluster._cluster.cache_clear()


def test_paintings_are_the_same_steered_stopped_and_outlive_a_node(nodes, pictures):
    material = Material(pictures[0], [pictures[1]])
    config, steering = small(**LADDER), Steering()
    here = material.begun(config)
    list(here)
    run = begin(material, config, steering)
    assert [frame.step for frame in run][-1] == LADDER["steps"]
    assert torch.equal(run.result, here.result) and run.record().losses == here.record().losses

    with pytest.raises(ConfigError, match="start is 'image'"):
        begin(material, config.changed(start="image"))

    run.more(10_000)
    next(run)
    steering.wanted = config.changed(style_weight=3.0)
    frames = (frame for frame in run if run.config.style_weight == 3.0)
    before = next(frames).step
    nodes(run._machine.place.node)
    assert "was lost" in next(frame.note for frame in frames if frame.note) and run.newest.step > before
    steering.stop.set()
    last = [frame.step for frame in run][-1:] or [run.newest.step]
    assert last == [run.newest.step] and run.record().stopped and run.state().facts["frame"]["step"] == last[0]
