"""On a real cluster of three nodes, all on this computer: the same pictures, and a lost node is got over."""

from collections.abc import Callable, Iterator

import pytest
import torch

from nst_core.engine.begin import begin
from nst_core.engine.worker import Material
from nst_core.errors import ConfigError
from nst_core.transfer.steering import Steering
from tests.machines import ray_nodes
from tests.runs import LADDER, small

pytest.importorskip("ray", reason="paints on many machines; nst_core/engine/requirements-ray.txt")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def kill(random_weights_folder) -> Iterator[Callable[[str], None]]:
    """A cluster of three nodes, and what kills one."""
    threads = str(torch.get_num_threads())
    with ray_nodes(2, NST_WEIGHTS=str(random_weights_folder), OMP_NUM_THREADS=threads) as killing:
        yield killing


def test_paintings_are_the_same_steered_stopped_and_outlive_a_node(kill, pictures):
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
    kill(run._machine.place.node)
    assert "was lost" in next(frame.note for frame in frames if frame.note) and run.newest.step > before
    steering.stop.set()
    last = [frame.step for frame in run][-1:] or [run.newest.step]
    assert last == [run.newest.step] and run.record().stopped and run.state().facts["frame"]["step"] == last[0]
