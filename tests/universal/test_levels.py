"""Tests of levels on a GPU that repeats work by itself, pretended: a look and what is made of it are a graph each."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nst_core.devices import Compute
from nst_core.passes import WARM_PASSES
from nst_core.universal import levels, painter
from nst_core.universal.levels import LEVELS
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.pretend_gpu import NAME, Log, pretend_gpu
from tests.pretend_graph import PretendGraph

GPU = Compute(device=NAME, precision="fp32")


@pytest.fixture
def log(monkeypatch) -> Iterator[Log]:
    with pretend_gpu(monkeypatch) as log:
        yield log
    levels.levels_of.cache_clear()


@pytest.fixture
def captured(log, monkeypatch) -> list[PretendGraph]:
    found, capture = [], PretendGraph.capture
    monkeypatch.setattr(PretendGraph, "capture", lambda graph, work: (capture(graph, work), found.append(graph))[0])
    return found


def picture(seed: int, height: int = 40, width: int = 50) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def painter_of(*names: str) -> UniversalPainter:
    return UniversalPainter({name: style_picture(picture(10 + number)) for number, name in enumerate(names)}, GPU)


def test_any_style_blend_and_strength_is_painted_by_the_same_graphs_bit_for_bit(captured, monkeypatch):
    monkeypatch.setattr(painter, "COARSEST", 25)  # two sizes, coarse to fine
    monkeypatch.setattr(painter, "STYLE_SIDES", (32, 64))
    first, second = painter_of("a", "b"), painter_of("c", "d", "e")
    wanted = [(first, {"a": 1.0}, 1.0)] * (WARM_PASSES + 1)
    wanted += [(first, {"a": 1.0, "b": 2.0}, 1.0), (second, {"e": 1.0}, 1.0), (first, {"b": 1.0}, 0.6)]
    painted = [one.paint(picture(n), weights, strength=share) for n, (one, weights, share) in enumerate(wanted)]
    assert len(captured) == 2 * len(LEVELS) * 2
    assert {graph.replays for graph in captured} == {len(wanted) - WARM_PASSES + 1}
    monkeypatch.setenv("NST_GRAPHS", "0")
    for number, (one, weights, share) in enumerate(wanted):
        assert torch.equal(painted[number], one.paint(picture(number), weights, strength=share)), number


def test_a_picture_takes_two_graphs_a_level_between_which_its_cloud_is_waited_for(log):
    one = painter_of("a")
    for number in range(WARM_PASSES + 1):
        one.paint(picture(number), {"a": 1.0})
    log.clear()
    one.paint(picture(9), {"a": 1.0})
    assert log.launches["a graph"] == 2 * len(LEVELS) and sum(log.launches.values()) < 100
    clouds = sum(count for where, count in log.waits.items() if "transport.py" in where)
    assert clouds == 2 * len(LEVELS) and sum(log.waits.values()) == clouds + 2  # the picture, there and back


def test_in_bands_nothing_is_captured(captured, monkeypatch):
    monkeypatch.setattr(levels, "WHOLE_AREA", 40 * 40)
    monkeypatch.setattr(levels, "BAND_AREA", 40 * 32)
    one = painter_of("a")
    for _ in range(WARM_PASSES + 1):
        one.paint(picture(0, 80, 40), {"a": 1.0})
    assert not captured
