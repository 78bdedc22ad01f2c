import gc
import platform
import subprocess
import sys
import weakref

import pytest
import torch

from nst_core import devices
from nst_core.devices import PRECISIONS, Compute, choose_compute, computing_on, free_memory
from nst_core.errors import DeviceError
from tests.runs import CPU
from tests.stand_ins import DEVICES


@pytest.fixture(autouse=True)
def no_wishes(monkeypatch):
    """No device or precision named in the environment, nothing known of any."""
    monkeypatch.delenv("NST_DEVICE", raising=False)
    monkeypatch.delenv("NST_PRECISION", raising=False)
    devices._why_not.cache_clear()
    devices._warn_once.cache_clear()
    yield
    devices._why_not.cache_clear()


def computes_on(monkeypatch, *names: str):
    """Let a tiny sum succeed on some devices, and on all others fail as on a GPU that PyTorch has no kernels for."""
    ones = torch.ones

    def made(*size, device):
        if device not in names:
            raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nand so on")
        return ones(*size)

    monkeypatch.setattr(torch, "ones", made)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_is_present_can_be_asked_for(device, precision):
    compute = choose_compute(device, precision)
    assert (compute.device, compute.precision) == (device, precision)
    assert torch.ones(2, dtype=compute.dtype, device=compute.device).sum() == 2


def test_precisions_are_named_after_their_bits():
    assert {name: torch.finfo(dtype).bits for name, dtype in PRECISIONS.items()} == {"fp32": 32, "bf16": 16}
    assert Compute(device="cpu", precision="bf16").dtype == torch.bfloat16


def test_the_environment_says_what_is_not_asked_for(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    for precision in PRECISIONS:
        monkeypatch.setenv("NST_PRECISION", precision)
        assert choose_compute() == Compute(device="cpu", precision=precision)


def test_what_is_asked_for_outdoes_the_environment(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "abacus")
    monkeypatch.setenv("NST_PRECISION", "fp7")
    assert choose_compute("cpu", "fp32") == Compute(device="cpu", precision="fp32")


@pytest.mark.parametrize(
    "device", ["abacus", "CPU", "cpu:3", "cuda:99", "cuda:x", "cuda:-1", "mps:1", "cuda:", "cuda:01", "cuda:²"]
)
def test_an_absent_device_is_refused_by_name_with_those_present(monkeypatch, device):
    monkeypatch.setenv("NST_DEVICE", device)
    for ask in (lambda: choose_compute(), lambda: choose_compute(device)):
        with pytest.raises(DeviceError) as raised:
            ask()
        assert repr(device) in str(raised.value) and "NST_DEVICE" in str(raised.value)
        choices = str(raised.value).split("choose one of ")[1].split(" (")[0].split(", ")
        assert sorted(choices) == sorted(DEVICES)


@pytest.mark.parametrize("precision", ["fp16", "FP32", "32"])
def test_an_unknown_precision_is_refused_with_the_choices(monkeypatch, precision):
    monkeypatch.setenv("NST_PRECISION", precision)
    for ask in (lambda: choose_compute(), lambda: choose_compute("cpu", precision)):
        with pytest.raises(DeviceError) as raised:
            ask()
        assert repr(precision) in str(raised.value) and "NST_PRECISION" in str(raised.value)
        assert all(name in str(raised.value) for name in PRECISIONS)


def test_the_first_device_present_is_chosen(monkeypatch):
    assert choose_compute().device == next(name for name in devices.DEVICES if name in DEVICES)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    computes_on(monkeypatch, "mps")
    assert choose_compute() == Compute(device="mps", precision="fp32")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_compute().device == "cpu"


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({}, "fp32"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True, "avx512_bf16": False}, "bf16")],
)
def test_a_cpu_computes_in_bf16_only_where_it_has_instructions_for_it(monkeypatch, capabilities, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_compute("cpu").precision == precision


def test_an_older_torch_that_knows_no_capabilities_computes_in_fp32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_compute("cpu").precision == "fp32"


def test_a_gpu_that_cannot_compute_is_passed_over_in_a_line_and_refused_if_it_is_asked_for(monkeypatch, caplog):
    assert devices.unusable_gpu() == "" and choose_compute() and not caplog.messages
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    devices._why_not.cache_clear()
    computes_on(monkeypatch)
    assert [choose_compute().device for _ in range(2)] == ["cpu"] * 2
    assert len(caplog.messages) == 1 and caplog.messages[0].endswith("; the CPU computes instead")
    why = "this computer's GPU (cuda) cannot be used: CUDA error: no kernel image is available for execution"
    assert devices.unusable_gpu().startswith(why) and "\n" not in devices.unusable_gpu()
    with pytest.raises(DeviceError, match="no kernel image.*; install a build of PyTorch made for it, or choose cpu"):
        choose_compute("cuda")


def test_a_gpu_that_is_withheld_is_not_present_nor_touched(monkeypatch):
    """As on ZeroGPU, where torch says that there is one and touching it is an error."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    computes_on(monkeypatch, "cpu")
    devices.withhold_gpus()
    try:
        assert choose_compute().device == "cpu" and devices.all_devices() == ["cpu"] and devices.unusable_gpu() == ""
        with pytest.raises(DeviceError, match="not present here; choose one of cpu"):
            choose_compute("cuda")
    finally:
        devices.withhold_gpus(False)
    assert "cuda" in devices.unusable_gpu()


def test_a_gpu_that_only_emulates_bf16_computes_in_fp32_whichever_is_beside_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", {"cuda:0": (9, 0), "cuda:1": (7, 5)}.get)
    computes_on(monkeypatch, "cuda:0", "cuda:1")
    for device, precision in (("cuda:0", "bf16"), ("cuda:1", "fp32")):
        assert choose_compute(device) == Compute(device=device, precision=precision)
    with pytest.raises(DeviceError, match="cuda:2"):
        choose_compute("cuda:2")


@pytest.mark.parametrize(
    "full",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_a_step_that_found_memory_full_holds_nothing_of_it_and_says_what_to_do(full):
    held = []

    def step():
        activations = torch.zeros(9)
        held.append(weakref.ref(activations))
        raise full

    gc.disable()  # what is freed is so at once
    try:
        words = "^CPU .* ran out of memory; choose a smaller size$"
        with pytest.raises(DeviceError, match=words) as caught, computing_on(CPU):
            step()
    finally:
        gc.enable()
    assert caught.value and held[0]() is None


def test_other_errors_of_a_step_stay_as_they_are():
    with pytest.raises(RuntimeError, match="^a shape is wrong$"), computing_on(CPU):
        raise RuntimeError("a shape is wrong")


def test_fp32_on_a_gpu_is_no_coarser_and_kernels_are_those_that_repeat():
    with computing_on(CPU):
        assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32


def test_an_apple_gpu_has_a_part_of_the_computer_s_memory(monkeypatch):
    monkeypatch.setattr(devices, "available_memory", lambda: 100)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 70)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 9)
    assert free_memory("mps") == 61
    monkeypatch.setattr(devices, "available_memory", lambda: 40)
    assert free_memory("mps") == 40


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_device_is_shown_as_people_know_it(monkeypatch, precision):
    cpu = Compute(device="cpu", precision=precision)
    for threads, told in ((1, "1 thread"), (2, "2 threads")):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert str(cpu) == f"CPU ({told}), {precision}"
    assert platform.machine() in str(Compute(device="mps", precision=precision))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA GeForce, number {device[-1]}")
    assert str(Compute(device="cuda:1", precision=precision)) == f"NVIDIA GeForce, number 1, {precision}"


@pytest.mark.parametrize("device", DEVICES)
def test_free_memory_is_counted_in_bytes(device):
    assert 10**7 < free_memory(device) < 10**14


# What an allocation costs, seen from the system: pages handed out anew, and pages held.
ALLOCATIONS = """
import resource, psutil, torch
from nst_core.devices import keep_freed_memory, release_freed_memory
def step():
    return [torch.ones(12_000_000) for _ in range(2)]  # beyond what glibc learns to keep of itself
def faults():
    for _ in range(3): step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5): step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults())
assert keep_freed_memory()
print(faults())
held = psutil.Process().memory_info().rss
release_freed_memory()
print(held - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_kept_when_asked_for_and_given_back_when_released():
    told = subprocess.run([sys.executable, "-c", ALLOCATIONS], check=True, capture_output=True, text=True).stdout
    usual_faults, faults, released = map(int, told.split())
    assert faults < 1000 < usual_faults  # of 23,000 pages each of five times
    assert released > 80e6  # of 96 MB


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(devices.ctypes, "CDLL", lambda _: pytest.fail("called"))
    assert not devices.keep_freed_memory()
    devices.release_freed_memory()
