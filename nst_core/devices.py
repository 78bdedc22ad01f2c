"""Chooses the device to compute on, and the precision."""

import ctypes
import gc
import logging
import os
import platform
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

from nst_core.cores import threads
from nst_core.errors import DeviceError, said
from nst_core.graphs import held_bytes
from nst_core.host_memory import available_memory

# What the network computes in; images, statistics and losses are float32 always.
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
DEVICES = ("cuda", "mps", "cpu")
FULL = ("out of memory", "can't allocate memory")  # what errors of allocators say, if not by their type

Network = TypeVar("Network", bound=nn.Module)

_OF_THREAD = threading.local()  # device: what is chosen on this thread
_withheld = threading.Event()  # set while this process must not touch a GPU
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Compute:
    """A device and the precision of the network on it."""

    device: str  # "cuda", "cuda:1", "mps" or "cpu"
    precision: str  # one of PRECISIONS

    @property
    def dtype(self) -> torch.dtype:
        """The network's element type."""
        return PRECISIONS[self.precision]

    @property
    def name(self) -> str:
        """The device as a person knows it: "NVIDIA GeForce RTX 4090", "CPU (2 threads)"."""
        if self.device.startswith("cuda"):
            return torch.cuda.get_device_name(self.device)
        if self.device == "mps":
            return f"Apple GPU ({platform.machine()})"
        count = threads()
        return f"CPU ({count} thread{'s' if count > 1 else ''})"

    def __str__(self) -> str:
        return f"{self.name}, {self.precision}"


def choose_compute(device: str | None = None, precision: str | None = None) -> Compute:
    """Choose the fastest device present, in the fastest precision that paints the same picture.

    A GPU that is present but cannot compute is passed over, unless it is asked for; `unusable_gpu` says why.

    Args:
        device: "cuda", "cuda:N", "mps" or "cpu"; else this thread's own, else NST_DEVICE, else the first that computes.
        precision: one of PRECISIONS; else NST_PRECISION, else bf16 where the device computes it natively.

    Raises:
        DeviceError: unknown or absent device, one that cannot compute, unknown precision.
    """
    device = device or getattr(_OF_THREAD, "device", None) or os.environ.get("NST_DEVICE")
    if not device:
        device = next(name for name in DEVICES if _present(name) and not _why_not(name))
        _warn_once(unusable_gpu())
    if not _present(device):
        present = ", ".join(name for name in DEVICES if _present(name))
        raise DeviceError(f"device is {said(device)}, which is not present here; choose one of {present} (NST_DEVICE)")
    if why := _why_not(device):
        raise DeviceError(f"{why}; install a build of PyTorch made for it, or choose cpu (NST_DEVICE)")
    precision = precision or os.environ.get("NST_PRECISION") or fastest_precision(device)
    if precision not in PRECISIONS:
        raise DeviceError(f"precision is {said(precision)}; choose one of {', '.join(PRECISIONS)} (NST_PRECISION)")
    return Compute(device=device, precision=precision)


def choose_on_this_thread(device: str) -> None:
    """Let `choose_compute` choose a device for all that this thread computes."""
    _OF_THREAD.device = device


def withhold_gpus(withheld: bool = True) -> None:
    """Let no GPU be present for this process, whatever torch says, or again those that there are."""
    (_withheld.set if withheld else _withheld.clear)()


def all_devices() -> list[str]:
    """List the devices that compute side by side here: every GPU, or the one device that is chosen or asked for."""
    chosen = choose_compute().device
    if chosen != "cuda":
        return [chosen]
    every = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [device for device in every if not _why_not(device)]


def _present(device: str) -> bool:
    kind, _, index = device.partition(":")
    if kind != "cpu" and _withheld.is_set():
        return False
    if kind == "cuda":
        numbered = index.isdecimal() and str(int(index)) == index and int(index) < torch.cuda.device_count()
        return torch.cuda.is_available() and (device == kind or numbered)
    return device == "cpu" or device == "mps" and torch.backends.mps.is_available()


def unusable_gpu() -> str:
    """Say which GPU is present and cannot compute, and why, in a line; "" if there is none such."""
    return next((why for name in DEVICES if _present(name) and (why := _why_not(name))), "")


@cache
def _why_not(device: str) -> str:
    """Try a device once: "" if it computes, else why not. A driver may show a GPU that PyTorch has no kernels for."""
    if device == "cpu":
        return ""
    try:
        computes = torch.ones(2, device=device).add(1).sum().item() == 4
    except Exception as error:  # torch has a type of its own for each version and device
        reason = str(error).partition("\n")[0] or type(error).__name__
    else:
        reason = "" if computes else "it computes wrongly"
    return reason and f"this computer's GPU ({device}) cannot be used: {reason}"


@cache
def _warn_once(why: str) -> None:
    """Let the log, or a command's reader, know that a slower device is in use."""
    if why:
        log.warning("%s; the CPU computes instead", why)


def fastest_precision(device: str) -> str:
    """Choose bf16 where the hardware multiplies in it: emulated, it is slower than fp32.

    A fact of the machine rather than a stopwatch decides, so that one machine always paints the same picture.
    Measured on AVX512-BF16 with AMX: a VGG-19 step 2.5 times faster (tests/benchmarks).
    """
    if device.startswith("cuda") and torch.cuda.is_available():
        # Ampere is the first of NVIDIA's; torch.cuda.is_bf16_supported asks whichever GPU is at hand, not this one
        native = torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
    elif device == "cpu":
        # older releases of torch cannot tell
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        native = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    else:
        native = False
    return "bf16" if native else "fp32"


def put_on(device: str, network: Network, dtype: torch.dtype | None = None) -> Network:
    """Move a network itself to a device, in the layout in which convolutions are fastest.

    Args:
        device: as of Compute.
        network: what is moved; it is returned, too.
        dtype: of its numbers from then on; None to leave it.
    """
    # torch's stubs have no form of `to` that takes all of these, which it does in one go
    return network.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]


def free_memory(device: str) -> int:
    """Measure the bytes that a run can still take on the device."""
    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + cached - held_bytes(torch.device(device))
    if device == "mps":  # which shares the computer's own, and may have a part of it
        return min(available_memory(), torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return available_memory()


@contextmanager
def computing_on(compute: Compute) -> Iterator[None]:
    """Surround what a device computes, so that the same input gives the same numbers, on a GPU too.

    Not around what yields, as torch's settings are the whole process'.

    Raises:
        DeviceError: its memory is full; what the failed step held is free again.
    """
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
        return
    except RuntimeError as error:
        if not (isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in FULL)):
            raise
        # whoever keeps what is raised below keeps this error as its context, and with its frames all activations
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
    gc.collect()
    release_freed_memory()
    raise DeviceError(f"{compute.name} ran out of memory; choose a smaller size")


def steps_ahead(device: torch.device) -> int:
    """Say how many steps a device is given before the first one's numbers are looked at.

    A fixed number, so that what is decided by them does not depend on who was faster. A CPU is done when it is asked,
    and Apple's GPUs have no copy that can be waited for alone.
    """
    return 2 if device.type.startswith("cuda") else 0


def on_its_way(values: Tensor) -> Callable[[], Tensor]:
    """Begin to copy values to the CPU; what is given waits for these alone, not for what the device was given since."""
    if not values.device.type.startswith("cuda"):
        return values.cpu
    there = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)  # as only to such memory a GPU copies alone
    there.copy_(values, non_blocking=True)
    copied = torch.cuda.Event()
    copied.record(torch.cuda.current_stream(values.device))

    def arrived() -> Tensor:
        copied.synchronize()
        return there

    return arrived


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, for its next use; where the C library is glibc.

    Every step of a painting frees some hundred megabytes and wants them again at once. glibc gives large blocks back to
    the system, which hands them out anew page by page, zeroed: a quarter of a Lite step's time. For programs to call
    before they start threads, since a thread that has allocated keeps its own ways.

    Returns:
        whether the C library could be told.

    Source: mallopt(3).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    top_pad, trim_threshold, mmap_threshold, arena_max = -2, -1, -3, -8  # as malloc.h numbers them
    settings = {mmap_threshold: 2**30, trim_threshold: 2**31 - 1, top_pad: 2**26, arena_max: 1}
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(name, value) for name, value in settings.items()])


def release_freed_memory() -> None:
    """Give the system what `keep_freed_memory` kept and nothing uses now, and other programs what is so on GPUs."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
