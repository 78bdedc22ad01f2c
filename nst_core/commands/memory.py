"""Tells in a sentence that a command takes more memory than there is."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nst_core.errors import DeviceError


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise a sentence instead of a traceback where memory runs out, whoever ran out of it.

    Raises:
        DeviceError: memory is full.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # the CPU's allocator raises a plain RuntimeError
        kinds = (MemoryError, torch.OutOfMemoryError)
        if isinstance(error, kinds) or "can't allocate memory" in str(error):
            said = "this takes more memory than there is; choose a smaller size, or close other programs"
            raise DeviceError(said) from None
        raise
