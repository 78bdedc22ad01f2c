"""A GPU that is none: tensors that say they are on a device of their own, with real numbers on the CPU.

It refuses what a GPU would, such as tensors of two devices in one operation, a generator of the other device or numpy;
numbers of float64, which Apple's GPUs have not; and operations that add in another order each time. It notes what a GPU
would do: each kernel that is launched, each time that the program waits for the device. So laws of what runs on a GPU
are held where there is none.
"""

import linecache
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from nst_core import graphs
from tests.pretend_graph import REFUSED, PretendGraph
from tests.pretend_streams import MAIN, Order, PretendStream, tensors_in

NAME = "cudapretend"  # begins as CUDA's, so that the program takes CUDA's ways
# What makes another view of a tensor, or reserves memory, and launches nothing.
NO_KERNEL = set(
    """
    _reshape_alias _unsafe_view alias as_strided detach diagonal empty empty_like empty_strided expand is_pinned
    is_same_size lift_fresh narrow new_empty new_empty_strided permute reshape resize_ select set_ slice split
    split_with_sizes squeeze sym_size t transpose unbind unfold unsqueeze view view_as
    """.split()
)
MAY_MIX = {"_local_scalar_dense", "_index_put_impl_", "_to_copy", "copy_", "index", "index_put", "index_put_"}
# What a program has to wait for, as it looks at values or at how many there are.
WAITS = set(
    """
    _linalg_eigh _local_scalar_dense _unique2 equal is_nonzero item masked_select nonzero unique_consecutive
    unique_dim
    """.split()
)

# What adds in the order in which a GPU's threads come: see torch.use_deterministic_algorithms.
DIFFERS = {
    "adaptive_avg_pool2d_backward",
    "avg_pool3d_backward",
    "cumsum",
    "grid_sampler_2d_backward",
    "histc",
    "index_add",
    "index_add_",
    "kthvalue",
    "max_unpool2d",
    "median",
    "nll_loss2d_backward",
    "put_",
    "reflection_pad2d_backward",
    "replication_pad2d_backward",
    "scatter_add",
    "scatter_add_",
    "upsample_bilinear2d_backward",
    "upsample_bicubic2d_backward",
}


class Log:
    """What a GPU would have done.

    Attributes:
        launches: operation -> how often.
        waits: what was waited for, and where -> how often.
        looks: waits for something that the device was given before something else, where -> how often.
    """

    def __init__(self) -> None:
        self.launches: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self.given = 0  # kernels in all, whatever is cleared

    def clear(self) -> "Log":
        """Begin anew; what there was."""
        before = Log()
        before.launches, before.waits, before.looks = self.launches, self.waits, self.looks
        self.launches, self.waits, self.looks = Counter(), Counter(), Counter()
        return before

    def launch(self, what: str) -> None:
        """Count a kernel, or a graph of many."""
        self.launches[what] += 1
        self.given += 1

    def wait(self, what: str) -> None:
        """Count a wait by where it is; a graph that is being captured cannot have any."""
        if PretendGraph.noting:
            raise RuntimeError(f"{REFUSED}: {what} at {_place()}")
        self.waits[f"{what} at {_place()}"] += 1


# Before any gradient is computed: torch counts the devices then, and never again.
_setup_privateuseone_for_python_backend(NAME)
getattr(torch, NAME).get_amp_supported_dtype = lambda: [torch.bfloat16, torch.float32]
_log = Log()
_seeds: set[int] = set()  # of generators of the device
_tensor, _Generator = torch.tensor, torch.Generator


def _place() -> str:
    """Where in this program something happens, or else in torch."""
    frame = sys._getframe()
    while "nst_core" not in frame.f_code.co_filename and frame.f_back is not None:
        frame = frame.f_back
    if frame.f_back is None:
        frame = sys._getframe(5)
    path, line = frame.f_code.co_filename, frame.f_lineno
    return f"{path.rpartition('nst_core/')[2]}:{line} {linecache.getline(path, line).strip()}"


class Gpu(torch.Tensor):
    """A tensor on the pretended device; `inner` has its numbers."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> "Gpu":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, inner: torch.Tensor):
        self.inner = inner

    def __repr__(self) -> str:
        return f"Gpu({tuple(self.shape)}, {self.dtype})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})

    def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
        return _tensor(data, dtype=dtype or self.dtype).to(device or self.device)

    def __matmul__(self, other):  # torch's own changes the shape of a vector in place, which a wrapper does not see
        return torch.mv(other.T, self) if self.dim() == 1 and other.dim() == 2 else torch.matmul(self, other)

    def __getitem__(self, index):  # torch makes a tensor of a list where nobody sees it
        return super().__getitem__(_tensor(index) if isinstance(index, list) else index)

    def record_stream(self, stream):
        Order.now.lend(self.inner, stream)

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, **_):
        raise TypeError(f"can't convert a device's tensor to numpy, at {_place()}")

    __array__ = numpy

    def __deepcopy__(self, memo):
        made = Gpu(self.inner.clone()).requires_grad_(self.requires_grad)
        memo[id(self)] = made
        return made


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do one operation of torch's, with what it was given taken out of its wrappers."""
    name, mutable = _known(function)
    given = tensors_in((args, kwargs))
    there = [one for one in given if isinstance(one, Gpu)]
    device = torch.device(kwargs["device"]) if kwargs.get("device") is not None else None
    to_gpu, to_cpu = device is not None and device.type == NAME, device is not None and device.type == "cpu"
    on_gpu = to_gpu if device is not None else bool(there)
    strange = [one for one in given if not isinstance(one, Gpu) and one.dim()]
    if there and strange and name not in MAY_MIX:
        raise RuntimeError(
            f"{name} of two devices, of {[tuple(one.shape) for one in strange]} on the CPU, at {_place()}"
        )
    if on_gpu and name in DIFFERS and any(one.is_floating_point() for one in there):
        raise RuntimeError(f"{name} differs from time to time, at {_place()}")
    generator = kwargs.get("generator")
    if generator is not None and (generator.initial_seed() in _seeds) is not on_gpu:
        raise RuntimeError(f"a generator of the other device for {name}, at {_place()}")
    _note(name, args, there, to_gpu=to_gpu, to_cpu=to_cpu, by_the_way=bool(kwargs.get("non_blocking")))
    inner_args = [_changed(_unwrapped, one) for one in args]
    inner_kwargs = {key: _changed(_unwrapped, one) for key, one in kwargs.items()}
    graph = PretendGraph.noting if there or on_gpu else None
    if graph:
        # of a number on the CPU `where` makes one on the device, below what is seen here
        copies = name in ("_to_copy", "copy_", "where") and len(there) < len(given) or to_cpu
        graph.ask(name, function, inner_args, inner_kwargs, waits=copies)
    if to_gpu:
        inner_kwargs["device"] = torch.device("cpu")
    if inner_kwargs.get("pin_memory"):
        inner_kwargs["pin_memory"] = False
    made = function(*inner_args, **inner_kwargs)
    if name == "_to_copy" and any(made is one for one in inner_args):
        made = made.clone()
    if graph:
        graph.note(name, function, inner_args, inner_kwargs, made, kernel=name not in NO_KERNEL)
    if not on_gpu:
        return made
    if any(one.dtype == torch.float64 for one in tensors_in(made)):
        raise RuntimeError(f"{name} gives float64, at {_place()}")
    if mutable and name.endswith("_") and args and isinstance(args[0], Gpu):
        return args[0]
    return kwargs["out"] if mutable and "out" in kwargs else _changed(_wrapped, made)


@cache
def _known(function: Any) -> tuple[str, bool]:
    """An operation's name, and whether it writes to what it is given."""
    return function._schema.name.split("::")[1], function._schema.is_mutable


def _changed(change: Callable[[Any], Any], value: Any) -> Any:
    """A value, or each of those in it."""
    if isinstance(value, list | tuple):
        return type(value)([_changed(change, one) for one in value])
    return change(value)


def _note(name: str, args: Any, there: list[Any], *, to_gpu: bool, to_cpu: bool, by_the_way: bool) -> None:
    if there and (name in WAITS or name == "index" and _has_mask(args)):
        _log.wait(name)
    if name == "_to_copy" and (there and to_cpu or to_gpu and not there and not by_the_way):
        _log.wait("a copy")
    copied = name == "copy_" and isinstance(args[0], Gpu) is not isinstance(args[1], Gpu)
    if copied and not (by_the_way or args[2:] == (True,)):
        _log.wait("a copy")
    if (there or to_gpu) and name not in NO_KERNEL | WAITS and not PretendGraph.noting:
        _log.launch(name)


def _has_mask(args: Any) -> bool:
    return any(one.dtype == torch.bool for one in tensors_in(args[1]))


def _unwrapped(value: Any) -> Any:
    return value.inner if isinstance(value, Gpu) else value


def _wrapped(value: Any) -> Any:
    return Gpu(value) if isinstance(value, torch.Tensor) and not isinstance(value, Gpu) else value


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})


class _PretendGenerator(_Generator):
    """A generator that knows its device by its seed, as torch hands a copy of it on."""

    def __new__(cls, device="cpu"):
        made = _Generator.__new__(cls, "cpu")
        made.kind = torch.device(device).type
        return made

    def manual_seed(self, seed):
        if self.kind == NAME:
            seed = (int(seed) ^ 0x5A5A5A5A00000000) % 2**63
            _seeds.add(seed)
        return super().manual_seed(seed)

    @property
    def device(self):
        return torch.device(self.kind)


def _made(data, *, device=None, **named):
    made = _tensor(data, **named)
    return made if device is None else made.to(device)


class _Event:
    """What a host waits for where it does not wait for all."""

    def record(self, stream=None):
        self.at = _log.given

    def synchronize(self):
        busy = _log.given > self.at  # with something else meanwhile
        (_log.looks if busy else _log.waits)[f"an event at {_place()}"] += 1


@contextmanager
def pretend_gpu(monkeypatch: Any) -> Iterator[Log]:
    """Let the program find the device NAME; yields what it notes.

    Args:
        monkeypatch: pytest's.
    """
    global _log
    _log = Log()
    with monkeypatch.context() as patch, _Mode():
        patch.setattr(torch, "tensor", _made)
        patch.setattr(torch, "Generator", _PretendGenerator)
        patch.setattr(torch.cuda, "get_device_name", lambda device=None: "Pretend GPU")
        patch.setattr(torch.cuda, "Event", _Event)
        patch.setattr(graphs, "CudaGraph", PretendGraph)
        patch.setattr(PretendGraph, "launched", partial(_log.launch, "a graph"))
        patch.setattr(torch.cuda, "Stream", PretendStream)
        patch.setattr(torch.cuda, "stream", PretendStream.using)
        patch.setattr(torch.cuda, "current_stream", lambda device=None: PretendStream.current or MAIN)
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (60 << 30, 80 << 30))
        for name in ("memory_reserved", "memory_allocated"):
            patch.setattr(torch.cuda, name, lambda device=None: 0)
        yield _log
