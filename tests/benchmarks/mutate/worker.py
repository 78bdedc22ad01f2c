"""Reads damaged files in a process of its own, which may crash, hang or fill up, and judges each."""

import faulthandler
import multiprocessing
import os
import random
import resource
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from nst_core.features.checkpoint import ARCHITECTURES
from nst_core.pictures.cost import BUDGET_NAME
from tests.benchmarks.mutate import readers, samples
from tests.benchmarks.mutate.mutations import mutated

SECONDS, MOST_WAITED = 5.0, 90.0  # of computing for a file; by the clock, on a busy machine
BYTES = 1_500_000_000  # of memory for a file, above what the process has
GUARD = 6 * BYTES  # of addresses, beyond which the process gets none; Python asks for 4 GB to read a chunk that says so


@dataclass(frozen=True)
class Outcome:
    """What became of a file."""

    index: int
    opened: bool = False
    failure: str = ""  # what is wrong; "" for a result or a sentence
    mutation: str = ""
    seconds: float = 0.0  # of computing
    megabytes: float = 0.0  # at the peak, above what there was


def file_of(name: str, seed: int, index: int) -> tuple[bytes, str]:
    """The damaged file of a format, a seed and a number, and how it was damaged."""
    whole = samples.samples(name)
    draw = random.Random(f"{name} {seed} {index}")
    number = index % len(whole)
    data, words = mutated(whole[number], name, draw)
    return data, f"sample {number}: {words}"


def outcomes(name: str, seed: int, indices: Sequence[int]) -> Iterator[Outcome]:
    """Judge files one by one; where the process ends or hangs, another goes on."""
    left = list(indices)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            for outcome in _batch(name, seed, left, Path(folder)):
                left = left[left.index(outcome.index) + 1 :]
                yield outcome


def _batch(name: str, seed: int, indices: Sequence[int], folder: Path) -> Iterator[Outcome]:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(name, seed, indices, folder, there))
    process.start()
    there.close()
    index, failure = indices[0], ""
    try:
        while (message := _next(here, process.pid)) is not None:
            if isinstance(message, Outcome):
                yield message
                if message.index == indices[-1]:
                    return
            else:
                index = message
        failure = f"more than {SECONDS:.0f} s" if process.is_alive() else ""
    except EOFError:
        process.join()
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        here.close()
    last = (folder / "printed").read_text(errors="replace").strip() if (folder / "printed").exists() else ""
    failure = failure or f"the process ended with {process.exitcode}: {last[-1500:]}"
    yield Outcome(index, failure=failure, mutation=file_of(name, seed, index)[1])


def _next(connection: Connection, pid: int | None) -> "Outcome | int | None":
    """What a worker says next; None where it is over its time."""
    worker, began = psutil.Process(pid), time.monotonic()
    computed = sum(worker.cpu_times()[:2])
    while not connection.poll(0.25):
        spent = sum(worker.cpu_times()[:2]) - computed if worker.is_running() else 0
        if spent > SECONDS + 1 or time.monotonic() - began > MOST_WAITED:
            return None
    return connection.recv()


def _work(name: str, seed: int, indices: Sequence[int], folder: Path, connection: Connection) -> None:
    os.environ[BUDGET_NAME] = str(BYTES)
    os.environ["NST_CACHE"] = str(folder / "cache")
    ARCHITECTURES["vgg16"] = samples.SMALL_VGG
    printed = os.open(folder / "printed", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 2)
    faulthandler.enable()
    allowed = psutil.Process().memory_info().vms + GUARD
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for index in indices:
        connection.send(index)
        connection.send(_judged(name, seed, index, folder, printed))


def _judged(name: str, seed: int, index: int, folder: Path, printed: int) -> Outcome:
    data, words = file_of(name, seed, index)
    path = folder / f"file{samples.FORMATS[name][1]}"
    path.write_bytes(data)
    os.ftruncate(printed, 0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is in use now
    before, began, opened, failure = _peak(), _computed(), False, ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            opened = readers.read(name, path, folder / "room")
        except Exception as error:
            failure = "".join(traceback.format_exception(error)[-6:])
    seconds, bytes_ = _computed() - began, _peak() - before
    others = [warning for warning in told if not issubclass(warning.category, readers.PictureWarning)]
    if others:
        failure = failure or f"warns: {others[0].category.__name__}: {others[0].message} ({others[0].filename})"
    if size := os.fstat(printed).st_size:
        failure = failure or f"prints: {os.pread(printed, min(size, 500), 0).decode(errors='replace')}"
    if seconds > SECONDS:
        failure = failure or f"{seconds:.1f} s"
    if bytes_ > BYTES:
        failure = failure or f"{bytes_ / 1e6:.0f} MB"
    return Outcome(index, opened, failure, words, seconds, bytes_ / 1e6)


def _peak() -> int:
    """Bytes of memory that the process had at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def _computed() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
