"""Work in steps: done at once, or step by step on a device."""

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import DeviceError
from nst_core.steps import finish, on_device

CPU = Compute(device="cpu", precision="fp32")


def counted(most: int):
    for _ in range(most):
        yield
    return most


def test_all_steps_are_made_and_the_result_is_what_the_generator_returns():
    assert finish(counted(3)) == 3 and finish(on_device(CPU, counted(3))) == 3
    assert len(list(on_device(CPU, counted(3)))) == 3


def test_a_full_device_is_said_in_a_sentence():
    def full():
        yield
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(DeviceError):
        finish(on_device(CPU, full()))
