"""Lets a GPU repeat work by itself, as CUDA graphs: what was launched kernel by kernel once is launched as one then.

A graph does the same to the same tensors each time. It looks at no number on the way, and what Python decides while it
is captured stays decided.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from weakref import WeakSet

import torch
from torch import Tensor

from nst_core.errors import DeviceError, said

Value = TypeVar("Value")

SWITCH = "NST_GRAPHS"  # 0: launch all work kernel by kernel
STEPS, PASSES = "steps", "passes"  # uses of graphs: for as long as a painting's scale lasts, and for longer
MOST_BESIDE = 5  # streams beside the one on which work is noted


@dataclass(eq=False)
class _Pool:
    """What a device's graphs of one use share: memory, as never two are at work at once, and the stream of captures.

    Attributes:
        bytes: that it has taken from the device since any of its graphs lived.
        spoilt: whether a capture in it failed: it may think that it is still being captured in.
    """

    device: torch.device
    use: str
    stream: torch.cuda.Stream
    handle: Any  # torch's own
    bytes: int = 0
    graphs: WeakSet["CudaGraph"] = field(default_factory=WeakSet)
    spoilt: bool = False


_pools: list[_Pool] = []
_finding = threading.Lock()
_turns: dict[tuple[torch.device, str], threading.Lock] = {}
_capturing = threading.Lock()  # as torch captures one graph at a time


def repeats(device: torch.device) -> bool:
    """Say whether a device repeats work by itself, and is to.

    Raises:
        DeviceError: the switch says neither.
    """
    wanted = os.environ.get(SWITCH) or "1"
    if wanted not in ("0", "1"):
        raise DeviceError(f"{SWITCH} is {said(wanted)}; set 0 to launch all work kernel by kernel, 1 for CUDA graphs")
    return wanted == "1" and device.type.startswith("cuda")


def held_bytes(device: torch.device) -> int:
    """Count the bytes that a device's graphs hold, which torch takes for free between two of their turns."""
    return sum(pool.bytes for pool in _pools if pool.graphs and pool.device.index == (device.index or 0))


def turn(device: torch.device, use: str) -> threading.Lock:
    """Give what threads hold while they capture a device's graphs of a use, replay them, and take what they made.

    As these share memory, one's work may lie where another's was left.
    """
    with _finding:
        return _turns.setdefault((device, use), threading.Lock())


class CudaGraph:
    """Work that an NVIDIA GPU repeats.

    What it leaves in memory of its own is to be taken before any other graph of the device and use is at work.

    Args:
        device: "cuda:N".
        use: graphs of another share no memory with it, so that what one use freed is not held for the other.
    """

    def __init__(self, device: torch.device, use: str = STEPS):
        self.device, self.use, self.graph = device, use, torch.cuda.CUDAGraph()

    def warm(self, work: Callable[[], Value]) -> Value:
        """Do work once where it will be captured, as libraries prepare themselves when they are first asked."""
        stream = _pool(self.device, self.use).stream
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            made = work()
        torch.cuda.current_stream(self.device).wait_stream(stream)
        return made

    def capture(self, work: Callable[[], Value]) -> Value:
        """Note what work launches, of which nothing is done.

        Returns:
            what it gives: tensors that each replay writes.

        Raises:
            RuntimeError: of torch's, where it wants what a graph cannot, or memory that is not there.
        """
        with _capturing:
            pool = _pool(self.device, self.use)
            if not pool.graphs:  # torch gives up a pool with the last of its graphs
                pool.handle, pool.bytes = torch.cuda.graph_pool_handle(), 0
            torch.cuda.empty_cache()
            before = torch.cuda.memory_reserved(self.device)
            try:
                # torch's own leaves another stream the current one where it fails
                with (
                    torch.cuda.stream(torch.cuda.current_stream(self.device)),
                    torch.cuda.graph(self.graph, pool.handle, pool.stream, capture_error_mode="thread_local"),
                ):
                    made = work()
            except BaseException:
                pool.spoilt = True
                raise
            pool.bytes += max(0, torch.cuda.memory_reserved(self.device) - before)
            pool.graphs.add(self)
        return made

    def replay(self) -> None:
        """Do it again, after what the device was given before."""
        self.graph.replay()


def _pool(device: torch.device, use: str) -> _Pool:
    """Find where graphs of a use are captured now."""
    with _finding:
        for pool in _pools:
            if (pool.device, pool.use, pool.spoilt) == (device, use, False):
                return pool
        with torch.cuda.device(device):
            made = _Pool(device, use, torch.cuda.Stream(device), torch.cuda.graph_pool_handle())
        _pools[:] = [pool for pool in _pools if pool.graphs or not pool.spoilt] + [made]
        return made


class SideStreams:
    """Lets a GPU do parts of some work beside the rest of it: what is begun here, each from there to where all join.

    It is for work whose many small parts leave most of the device idle. What a part gives belongs to the main stream
    once all have joined, and not before.

    Args:
        device: "cuda:N".
    """

    def __init__(self, device: torch.device):
        self.device = device
        self._begun: dict[str, tuple[torch.cuda.Stream, Any]] = {}

    def begin(self, name: str, work: Callable[..., object], *given: Tensor) -> None:
        """Begin a part.

        Args:
            name: of what it gives.
            work: takes what is given.
            given: all tensors made by the main stream since its work began that the part reads.
        """
        side = _side(self.device, len(self._begun) % MOST_BESIDE)
        side.wait_stream(torch.cuda.current_stream(self.device))
        for tensor in given:
            tensor.record_stream(side)  # or its memory might be another's before the part has read it
        with torch.cuda.stream(side):
            self._begun[name] = side, work(*given)

    def join(self) -> dict[str, Any]:
        """Have the main stream go on after all parts; what they give, by name."""
        begun, self._begun = self._begun, {}
        for side, _ in begun.values():
            torch.cuda.current_stream(self.device).wait_stream(side)
        return {name: made for name, (_, made) in begun.items()}


@cache  # as libraries prepare themselves for each stream anew
def _side(device: torch.device, number: int) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
