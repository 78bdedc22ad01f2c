"""Tests of CUDA graphs: whether there are any, what they hold, and on a GPU that they do what was captured."""

import gc
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from nst_core import graphs
from nst_core.devices import free_memory
from nst_core.errors import DeviceError
from nst_core.graphs import PASSES, STEPS, CudaGraph, SideStreams, held_bytes, repeats

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")


def test_work_is_repeated_on_cuda_unless_it_is_switched_off(monkeypatch):
    assert repeats(CUDA) and not repeats(CPU) and not repeats(torch.device("mps"))
    monkeypatch.setenv("NST_GRAPHS", "0")
    assert not repeats(CUDA)
    monkeypatch.setenv("NST_GRAPHS", "")
    assert repeats(CUDA)
    monkeypatch.setenv("NST_GRAPHS", "no")
    with pytest.raises(DeviceError, match="NST_GRAPHS is 'no'; set 0"):
        repeats(CUDA)


@pytest.fixture
def taken(monkeypatch) -> SimpleNamespace:
    """Stands in for what torch asks of a driver; `bytes` is what it has reserved, `pools` which captures were in."""
    there = SimpleNamespace(bytes=100, pools=[], handles=iter(range(9)))

    def capturing(graph, pool, stream, *, capture_error_mode):
        there.pools.append(pool)
        return nullcontext()

    named = {
        "CUDAGraph": SimpleNamespace,
        "Stream": lambda device: "side",
        "graph_pool_handle": lambda: next(there.handles),
        "graph": capturing,
        "stream": nullcontext,
        "device": nullcontext,
        "current_stream": lambda device=None: "main",
        "empty_cache": lambda: None,
        "memory_reserved": lambda device=None: there.bytes,
        "memory_allocated": lambda device=None: 60,
        "mem_get_info": lambda device=None: (1000 - there.bytes, 1000),
    }
    for name, value in named.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(graphs, "_pools", [])
    return there


def captured(there: SimpleNamespace, size: int, use: str = STEPS) -> CudaGraph:
    """A graph that took so many bytes."""
    graph = CudaGraph(CUDA, use)
    graph.capture(lambda: setattr(there, "bytes", there.bytes + size))
    return graph


def test_what_graphs_hold_is_not_free_while_one_of_them_lives(taken):
    assert free_memory("cuda") == 940
    first = captured(taken, 300)
    second = captured(taken, 50)
    assert held_bytes(CUDA) == held_bytes(torch.device("cuda")) == 350 and free_memory("cuda:0") == 590
    assert held_bytes(torch.device("cuda", 1)) == 0
    del first
    gc.collect()
    assert held_bytes(CUDA) == 350 and taken.pools[0] == taken.pools[1]
    del second
    gc.collect()
    assert held_bytes(CUDA) == 0
    third = captured(taken, 10)
    assert held_bytes(CUDA) == 10 and taken.pools[2] not in taken.pools[:2] and third


def test_where_a_capture_fails_the_next_has_another_pool_and_what_others_hold_is_held(taken):
    def work():
        raise RuntimeError("operation not permitted when stream is capturing")

    kept = captured(taken, 20)
    with pytest.raises(RuntimeError, match="not permitted"):
        CudaGraph(CUDA).capture(work)
    assert held_bytes(CUDA) == 20
    again = captured(taken, 30)
    assert taken.pools[0] == taken.pools[1] != taken.pools[2] and held_bytes(CUDA) == 50
    del kept
    gc.collect()
    assert held_bytes(CUDA) == 30 and again


def test_graphs_of_another_use_share_no_memory_and_are_counted_too(taken):
    kept, other = captured(taken, 20), captured(taken, 30, PASSES)
    assert taken.pools[0] != taken.pools[1] and held_bytes(CUDA) == 50 and other
    del kept
    gc.collect()
    assert held_bytes(CUDA) == 30


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no such GPU here")
def test_on_cuda_what_is_captured_is_done_at_each_replay_and_a_look_at_a_number_is_refused():
    total, one = torch.zeros(3, device=CUDA), torch.ones(3, device=CUDA)

    def work() -> torch.Tensor:
        total.add_(one)
        return total * 2

    graph = CudaGraph(CUDA)
    graph.warm(work)
    doubled = graph.capture(work)
    assert total.tolist() == [1, 1, 1]
    for count in (2, 3):
        graph.replay()
        assert doubled.tolist() == [2 * count] * 3
    stream = torch.cuda.current_stream(CUDA)
    with pytest.raises(RuntimeError):
        CudaGraph(CUDA).capture(lambda: float(total.sum()))
    assert torch.cuda.current_stream(CUDA) == stream and (total + one).tolist() == [4, 4, 4]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no such GPU here")
def test_on_cuda_parts_beside_the_main_stream_are_captured_and_joined():
    values = torch.arange(4.0, device=CUDA)

    def work() -> torch.Tensor:
        streams, doubled = SideStreams(CUDA), values * 2
        for number in range(7):
            streams.begin(str(number), lambda given, number=number: given + number, doubled)
        return torch.stack(list(streams.join().values()))

    graph = CudaGraph(CUDA)
    assert graph.warm(work)[:, 1].tolist() == [2, 3, 4, 5, 6, 7, 8]
    made = graph.capture(work)
    values.add_(1)
    graph.replay()
    assert made[:, 1].tolist() == [4, 5, 6, 7, 8, 9, 10]
