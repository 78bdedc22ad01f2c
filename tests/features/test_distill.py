"""Fine-tuning a student: its measure, and what a learning step does. The whole is tested by way of compress."""

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import WeightsError
from nst_core.features import weights
from nst_core.features.checkpoint import plan
from nst_core.features.distill import CompressionRecipe, Student, _schedule, relative_error
from nst_core.features.photographs import Photographs
from nst_core.features.refit import refit
from nst_core.features.vgg import VGG
from tests.stand_ins import DEVICES, random_state

SMALL = {"vgg19": (12, 12, "M", 16, 16, "M", 24), "lite": (6, 6, "M", 8, 8, "M", 24)}


def test_the_relative_error_is_0_for_the_same_and_1_for_nothing():
    features = torch.rand(1, 3, 4, 4).bfloat16()
    assert relative_error(features, features) == 0
    torch.testing.assert_close(relative_error(torch.zeros_like(features), features), torch.tensor(1.0))
    assert relative_error(features, features).dtype == torch.float32


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_student_learns_in_every_precision_and_a_teacher_does_not_change(device, precision, monkeypatch):
    for backbone, architecture in SMALL.items():
        monkeypatch.setitem(weights.ARCHITECTURES, backbone, architecture)
    compute = Compute(device=device, precision=precision)
    teacher = VGG("vgg19", random_state("vgg19"))
    pictures = tuple((torch.rand(1, 3, 40, 40) * 255).to(torch.uint8) for _ in range(8))
    photographs = Photographs(pictures, pictures[:2], (), "random")
    widths = {name: channels for name, _, channels in plan("lite") if name.startswith("conv")}
    student = Student.refitted(list(refit(teacher, widths, torch.rand(6, 3, 32, 32))), compute)
    seen = teacher.to(device, compute.dtype)
    before = {name: buffer.clone() for name, buffer in teacher.named_buffers()}
    reports = list(student.distilled(seen, photographs, CompressionRecipe(steps=150, batch=2, crop=32, step_size=3e-3)))
    assert [report.step for report in reports] == [100, 150]
    assert sum(reports[1].errors.values()) < sum(reports[0].errors.values())
    assert all(torch.equal(buffer, before[name]) for name, buffer in teacher.named_buffers())


def test_the_step_size_rises_then_falls_to_nothing():
    sizes = [_schedule(step, 1000) for step in range(1, 1001)]
    assert max(sizes) == sizes[99]
    assert sizes == sorted(sizes[:100]) + sorted(sizes[100:], reverse=True)
    assert sizes[0] < 0.02 and sizes[-1] < 1e-5


def test_a_damaged_partial_file_is_named_with_what_to_do(tmp_path):
    partial = tmp_path / "lite.safetensors.partial"
    partial.write_bytes(b"cut short")
    with pytest.raises(WeightsError, match="lite.safetensors.partial cannot be read to go on from; delete it"):
        Student.resumed(partial, {}, Compute(device="cpu", precision="fp32"))
