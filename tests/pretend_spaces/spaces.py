"""Stands in for Hugging Face's `spaces` on ZeroGPU; follows version 0.51 (0.51.3 read), but for generators.

As there, torch of this process says that there is a GPU, which raises where it is touched; what is decorated runs in a
process forked from this one, which is used again; arguments and results are pickled; the visitor is who the request of
gradio's context is, by its header; a duration is held against what the visitor has left before anything runs; of an
error but gr.Error the name of its type alone comes back. The forked process has no GPU here, so that it takes the CPU.
"""

import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import wraps

import gradio as gr
import torch
from gradio.context import LocalContext

__version__ = "0.51.3"
COST = 2.0  # seconds counted for a call
left: dict[str | None, float] = {None: 0.0}  # token -> seconds that its visitor has; 120 for who is new
calls: list[tuple[str | None, int]] = []  # (token, seconds asked for)
sent: list[int] = []  # bytes of a call's pickled arguments
touched: list[str] = []  # what would have begun CUDA in this process
decorated: list[str] = []
_forked = False
_own = {
    name: getattr(torch.cuda, name)
    for name in ("is_available", "device_count", "get_device_name", "get_device_capability", "_lazy_init")
}
_context = multiprocessing.get_context("fork")


def _refuse() -> None:
    touched.append("cuda")
    raise RuntimeError("Low-level CUDA init (`torch._C._cuda_init`) reached.")


if os.environ.get("SPACES_ZERO_GPU") == "true":
    torch.cuda.is_available, torch.cuda.device_count = lambda: True, lambda: 1
    torch.cuda.get_device_name = lambda *_: "NVIDIA RTX PRO 6000 Blackwell Server Edition"
    torch.cuda.get_device_capability, torch.cuda._lazy_init = lambda *_: (12, 0), _refuse


def GPU(task=None, *, duration=None, size=None):  # as it is called there
    """Let a function run where a GPU is."""
    if task is None:
        return lambda task: GPU(task, duration=duration, size=size)
    if os.environ.get("SPACES_ZERO_GPU") != "true":
        return task
    decorated.append(task.__name__)
    workers: list[_Worker] = []

    @wraps(task)
    def called(*args, **kwargs):
        if _forked:
            return task(*args, **kwargs)
        seconds = duration(*args, **kwargs) if callable(duration) else duration or 60
        token = _schedule(seconds)
        sent.append(len(pickle.dumps((args, kwargs))))
        worker = workers.pop() if workers else _Worker(task)
        worker.given.put((args, kwargs))
        kind, value = worker.made.get()
        left[token] -= COST
        if kind == "error":
            raise value if isinstance(value, gr.Error) else _error("ZeroGPU worker error", value)
        workers.append(worker)
        return value

    return called


def _schedule(seconds: int) -> str | None:
    request = LocalContext.request.get(None)
    token = request.headers.get("x-ip-token") if request else None
    calls.append((token, seconds))
    if seconds > left.setdefault(token, 120.0):
        raise _error(
            "ZeroGPU quota exceeded",
            "Space app has reached its GPU limit. Try re-running outside of examples if it happened after clicking one"
            if token is None
            else f"You have exceeded your free ZeroGPU quota ({seconds}s requested vs. {left[token]:.0f}s left). "
            "Try again in 5:12:40. ",
        )
    return token


def _error(title: str, message: str) -> gr.Error:
    return gr.Error(message, title=title, print_exception=False)


class _Worker:
    def __init__(self, task):
        self.task, self.given, self.made = task, _context.SimpleQueue(), _context.SimpleQueue()
        _context.Process(target=self._work, daemon=True).start()

    def _work(self):
        global _forked
        _forked = True
        for name, value in _own.items():
            setattr(torch.cuda, name, value)
        while True:
            args, kwargs = self.given.get()
            with ThreadPoolExecutor(1) as executor:
                self.made.put(executor.submit(copy_context().run, self._try, args, kwargs).result())

    def _try(self, args, kwargs):
        try:
            return "value", self.task(*args, **kwargs)
        except gr.Error as error:
            return "error", error
        except Exception as error:
            return "error", type(error).__name__
