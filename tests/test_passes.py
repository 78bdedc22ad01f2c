"""Tests of passes that a GPU repeats as one graph: on a pretended one, the pictures of those that it does not."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from nst_core import graphs, passes
from nst_core.devices import Compute
from nst_core.instant import painter as instant
from nst_core.instant.painter import Painter
from nst_core.passes import MOST_SIZES, NO_ROOM, WARM_PASSES, Passes
from nst_core.steps import Steps, finish
from tests.instant.test_painter import network_of
from tests.pretend_gpu import NAME, Log, pretend_gpu
from tests.pretend_graph import PretendGraph

GPU = Compute(device=NAME, precision="fp32")
CPU = torch.device("cpu")


@pytest.fixture
def log(monkeypatch) -> Iterator[Log]:
    with pretend_gpu(monkeypatch) as log:
        yield log


@pytest.fixture
def captured(log, monkeypatch) -> list[PretendGraph]:
    """The graphs that are captured on a pretended GPU."""
    found, capture = [], PretendGraph.capture

    def noted(graph: PretendGraph, work: Callable[[], Any]) -> Any:
        made = capture(graph, work)
        found.append(graph)
        return made

    monkeypatch.setattr(PretendGraph, "capture", noted)
    return found


@pytest.fixture
def painter(log) -> Painter:
    return Painter([network_of("waves", "stars"), network_of("rain", seed=1)], GPU)


def picture(seed: int, size: tuple[int, int] = (20, 28)) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def alone(monkeypatch, painter, *given, **named) -> Tensor:
    """What is painted without graphs."""
    with monkeypatch.context() as patch:
        patch.setenv("NST_GRAPHS", "0")
        return painter.paint(*given, **named)


def test_pictures_styles_blends_and_strengths_of_one_size_are_one_graph_bit_for_bit(captured, painter, monkeypatch):
    waves, stars = {"waves": 1.0}, {"stars": 1.0}
    wanted = [(waves, 1.0)] * (WARM_PASSES + 2) + [(stars, 1.0), ({"waves": 1.0, "stars": 3.0}, 1.0), (waves, 0.4)]
    painted = [painter.paint(picture(n), weights, strength=share) for n, (weights, share) in enumerate(wanted)]
    for number, (weights, share) in enumerate(wanted):
        expected = alone(monkeypatch, painter, picture(number), weights, strength=share)
        assert torch.equal(painted[number], expected), number
    assert [graph.replays for graph in captured] == [len(wanted) - WARM_PASSES + 1]  # less strength takes two passes


def test_of_less_strength_the_first_pass_is_not_overwritten_by_the_second(captured, painter, monkeypatch):
    given = picture(0), {"stars": 1.0}
    painted = [painter.paint(*given, strength=0.5) for _ in range(3)]
    assert len(captured) == 1 and all(torch.equal(one, painted[0]) for one in painted)
    there = painter.paint(picture(0).to(NAME), {"waves": 1.0})  # of a picture on the device, too
    before = there.cpu()
    painter.paint(picture(1), {"stars": 1.0})
    assert torch.equal(there.cpu(), before)


def test_a_repeated_pass_is_one_graph_and_is_waited_for_where_its_picture_is_taken(log, painter):
    for number in range(WARM_PASSES + 1):
        painter.paint(picture(number), {"waves": 1.0})
    log.clear()
    steps = sum(1 for _ in painter.steps(picture(9), {"waves": 1.0}))
    assert steps == 0 and log.launches == {"a graph": 1, "copy_": 2, "clone": 1, "_to_copy": 1}
    assert sum(log.waits.values()) == 1 and "painter.py" in next(iter(log.waits))


def test_what_comes_once_or_twice_is_not_captured_and_few_sizes_are_remembered(captured, painter, monkeypatch):
    sizes = [(20, 20 + 4 * number) for number in range(MOST_SIZES + 1)]
    for size in sizes * (WARM_PASSES + 1):  # each is forgotten before it comes again
        painter.paint(picture(0, size), {"waves": 1.0})
    assert not captured
    for _ in range(WARM_PASSES + 1):
        for size in sizes[:2]:
            painted = painter.paint(picture(1, size), {"waves": 1.0})
            assert torch.equal(painted, alone(monkeypatch, painter, picture(1, size), {"waves": 1.0}))
    assert [graph.replays for graph in captured] == [1, 1]


def test_networks_and_pictures_in_strips_have_their_own_ways(captured, painter, monkeypatch):
    for name in ("waves", "rain"):
        for number in range(WARM_PASSES + 1):
            painted = painter.paint(picture(number), {name: 1.0})
        assert torch.equal(painted, alone(monkeypatch, painter, picture(number), {name: 1.0}))
    assert len(captured) == 2
    monkeypatch.setattr(instant, "WHOLE_AREA", 100)
    for number in range(WARM_PASSES + 2):
        painter.paint(picture(number), {"stars": 1.0})
    assert [graph.replays for graph in captured] == [1, 1]


def test_what_cannot_be_captured_is_painted_as_before_and_the_log_says_so_once(captured, painter, monkeypatch, caplog):
    steps = type(painter.networks[0]).steps

    def looking(network, image: Tensor, shares: Tensor) -> Steps[Tensor]:
        made = yield from steps(network, image, shares)
        assert float(made.max()) <= 1
        return made

    monkeypatch.setattr(type(painter.networks[0]), "steps", looking)
    with caplog.at_level(logging.WARNING):
        painted = [painter.paint(picture(number), {"waves": 1.0}) for number in range(WARM_PASSES + 3)]
    assert not captured and [one.message[:42] for one in caplog.records] == [passes.NOT_CAPTURED[:42]]
    for number, one in enumerate(painted):
        assert torch.equal(one, alone(monkeypatch, painter, picture(number), {"waves": 1.0}))


@pytest.mark.parametrize("how", ["full", "too much"])
def test_a_size_without_room_for_a_graph_is_painted_as_before_and_others_are_captured(
    captured, painter, monkeypatch, caplog, how
):
    with monkeypatch.context() as patch:
        if how == "full":
            patch.setattr(PretendGraph, "capture", lambda graph, work: (_ for _ in ()).throw(torch.OutOfMemoryError()))
        else:
            left = iter([60, 40])  # gigabytes: more than a quarter is gone
            patch.setattr(passes, "free_memory", lambda device: next(left))
        painted = [painter.paint(picture(number), {"waves": 1.0}) for number in range(WARM_PASSES + 3)]
    assert [one.message for one in caplog.records] == [NO_ROOM] and not any(graph.replays for graph in captured)
    for number, one in enumerate(painted):
        assert torch.equal(one, alone(monkeypatch, painter, picture(number), {"waves": 1.0}))
    before = len(captured)
    for number in range(WARM_PASSES + 1):
        painter.paint(picture(number, (24, 24)), {"waves": 1.0})
    assert [graph.replays for graph in captured[before:]] == [1]


class SlowGraph:
    """A graph on a CPU, whose replay begins a while after it was given what it reads."""

    def __init__(self, device: torch.device, use: str):
        assert use == graphs.PASSES

    def warm(self, work: Callable[[], Any]) -> Any:
        return work()

    def capture(self, work: Callable[[], Any]) -> Any:
        self.work, self.made = work, work()
        return self.made

    def replay(self) -> None:
        time.sleep(0.002)
        (found,) = self.work()
        self.made[0].copy_(found)


def test_threads_that_ask_at_once_have_each_their_own(monkeypatch):
    monkeypatch.setattr(passes.graphs, "repeats", lambda device: True)
    monkeypatch.setattr(passes.graphs, "CudaGraph", SlowGraph)
    monkeypatch.setattr(passes, "free_memory", lambda device: 60)

    def doubled(image: Tensor) -> Steps[tuple[Tensor]]:
        yield
        return (2 * image,)

    both, wrong = Passes(doubled, CPU), []

    def ask(number: int) -> None:
        for _ in range(20):
            (made,) = finish(both(torch.full((3,), float(number))))
            wrong.extend([made] if not torch.equal(made, torch.full((3,), 2.0 * number)) else [])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
