"""Lets a GPU repeat work by itself, as CUDA graphs: what was launched kernel by kernel once is launched as one then.

A graph does the same to the same tensors each time. It looks at no number on the way, and what Python decides while it
is captured stays decided.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakSet

import torch

from nst_core.errors import DeviceError, said

Value = TypeVar("Value")

SWITCH = "NST_GRAPHS"  # 0: launch all work kernel by kernel


@dataclass
class _Pool:
    """What a device's graphs share: memory, as never two are at work at once, and the stream they are captured on.

    Attributes:
        bytes: that it has taken from the device since any of its graphs lived.
    """

    stream: torch.cuda.Stream
    handle: Any  # torch's own
    bytes: int = 0
    graphs: WeakSet["CudaGraph"] = field(default_factory=WeakSet)


_pools: dict[torch.device, _Pool] = {}
_capturing = threading.Lock()  # as torch captures one graph at a time


def repeats(device: torch.device) -> bool:
    """Say whether a device repeats work by itself, and is to.

    Raises:
        DeviceError: the switch says neither.
    """
    wanted = os.environ.get(SWITCH, "1")
    if wanted not in ("0", "1"):
        raise DeviceError(f"{SWITCH} is {said(wanted)}; set 0 to launch all work kernel by kernel, 1 for CUDA graphs")
    return wanted == "1" and device.type.startswith("cuda")


def held_bytes(device: torch.device) -> int:
    """Count the bytes that a device's graphs hold, which torch takes for free between two of their turns."""
    pools = [pool for own, pool in _pools.items() if own.index == (device.index or 0)]
    return sum(pool.bytes for pool in pools if pool.graphs)


class CudaGraph:
    """Work that an NVIDIA GPU repeats.

    What it leaves in memory of its own is to be taken before any other graph of the device is at work.

    Args:
        device: "cuda:N".
    """

    def __init__(self, device: torch.device):
        self.device, self.graph = device, torch.cuda.CUDAGraph()

    def warm(self, work: Callable[[], Value]) -> Value:
        """Do work once where it will be captured, as libraries prepare themselves when they are first asked."""
        stream = _pool(self.device).stream
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
            pool = _pool(self.device)
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
                del _pools[self.device]  # it may think that it is still being captured in
                raise
            pool.bytes += max(0, torch.cuda.memory_reserved(self.device) - before)
            pool.graphs.add(self)
        return made

    def replay(self) -> None:
        """Do it again, after what the device was given before."""
        self.graph.replay()


def _pool(device: torch.device) -> _Pool:
    if device not in _pools:
        with torch.cuda.device(device):
            _pools[device] = _Pool(torch.cuda.Stream(device), torch.cuda.graph_pool_handle())
    return _pools[device]
