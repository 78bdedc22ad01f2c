"""Makes VGG-19 Lite: a narrower network that sees what VGG-19 sees, out of VGG-19 and a folder of photographs."""

import json
from collections.abc import Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from nst_core.devices import Compute, put_on
from nst_core.features.activations import measure
from nst_core.features.checkpoint import MEANS, PRE, TITLES, Checkpoint, load, plan, tap_name, unit_tap_name
from nst_core.features.distill import CompressionProgress, CompressionRecipe, Student
from nst_core.features.photographs import Reading
from nst_core.features.refit import refit
from nst_core.features.scale import unit_tap
from nst_core.features.vgg import BUNDLED_BACKBONE, VGG
from nst_core.files import writing
from nst_core.outputs import check_network

LICENCE = "distilled from VGG-19 (Simonyan & Zisserman 2014, CC BY 4.0)"
CHECKPOINT_STEPS = 500


def compress(
    teacher: Checkpoint, images: Path, output: Path, recipe: CompressionRecipe, compute: Compute
) -> Generator[CompressionProgress, None, None]:
    """Write a network that sees what the teacher sees with a quarter of its work.

    First in closed form (see `refit`), then all layers together, by Adam on the relative squared error of each.
    Interrupted, it goes on from "OUTPUT.partial" when called again in the same way.

    Args:
        teacher: VGG-19's weights.
        images: a folder of photographs; one in 20 is held out to measure errors.
        output: the safetensors file to write; provenance and errors go into its header.
        recipe: steps, sizes, seed.
        compute: device and precision of the fine-tuning.

    Raises:
        ImageError: fewer than 20 pictures in the folder.
        OutputError: the output or "OUTPUT.partial" cannot be written.
        WeightsError: the teacher's file is damaged; "OUTPUT.partial" is damaged, or of another teacher, folder or
            recipe.
    """
    check_network(output, [teacher.path])
    reading = Reading(images, smallest=recipe.crop)
    for text in reading:
        yield CompressionProgress(0, recipe.steps, {}, text)
    photographs = reading.photographs
    state = load(teacher)
    header = {
        "made by": "python -m nst_core compress",
        "licence": LICENCE,
        "teacher": f"{TITLES[teacher.backbone]}, {teacher.path.name}, sha256 {teacher.sha256()}",
        "images": photographs.summary,
        "recipe": json.dumps(asdict(recipe)),
    }
    partial = output.with_name(output.name + ".partial")
    if partial.is_file():
        student = Student.resumed(partial, header, compute)
        yield CompressionProgress(student.step, recipe.steps, {}, f"going on from {partial}")
    else:
        crops = photographs.crops(recipe.refit_crops, recipe.crop, 0.0, recipe.seed, 0)
        layers = []
        for made in refit(VGG(teacher.backbone, state), _widths(), crops, recipe.seed):
            layers.append(made)
            yield CompressionProgress(0, recipe.steps, {}, f"fitted {made.layer} in closed form")
        student = Student.refitted(layers, compute)
    seen = put_on(compute.device, VGG(teacher.backbone, state), compute.dtype)
    for progress in student.distilled(seen, photographs, recipe):
        if progress.step % CHECKPOINT_STEPS == 0:
            student.save(partial, progress.step, header)
        yield progress
    yield CompressionProgress(recipe.steps, recipe.steps, {}, "fitting the taps, measuring on pictures held out")
    reference = VGG(teacher.backbone, state).to(compute.device)
    taps = student.fitted_taps(reference, photographs, recipe)
    errors = student.errors(reference, photographs, taps)
    header["date"] = date.today().isoformat()
    header["errors"] = json.dumps({layer: round(error, 4) for layer, error in errors.items()})
    roots = {name: root_of(tap) for name, tap in taps.items()}
    _save(student.state() | roots | _scale_of(taps, measure(VGG(teacher.backbone, state))), header, output)
    partial.unlink(missing_ok=True)
    yield CompressionProgress(recipe.steps, recipe.steps, errors, f"wrote {output}")


def _scale_of(taps: dict[str, Tensor], means: dict[str, Tensor]) -> dict[str, Tensor]:
    """Measure the tensors that rescale the student's features, by the names of `scale_shapes`.

    Args:
        taps: tensor's name -> T (C, k).
        means: layer -> mean activations (C,) of the teacher's filters.
    """
    tensors = {MEANS + layer: means[layer] for layer in _widths()}
    for name, tap in taps.items():
        layer = name.removeprefix(tap_name(""))
        tensors[unit_tap_name(layer)] = root_of(unit_tap(tap, means[layer.removesuffix(PRE)]))
    return tensors


def root_of(tap: Tensor) -> Tensor:
    """R = (TᵀT)^½ (k, k) of T (C, k): R f has the inner products of T f. Of all such R the nearest to f's own axes."""
    values, vectors = torch.linalg.eigh(tap.double().T @ tap.double())
    return (vectors * values.clamp(min=0).sqrt() @ vectors.T).float()


def _widths() -> dict[str, int]:
    return {name: channels for name, _, channels in plan(BUNDLED_BACKBONE) if name.startswith("conv")}


def _save(tensors: dict[str, Tensor], header: dict[str, str], path: Path) -> None:
    """Write the student, in half precision."""
    with writing(path) as aside:
        aside.write_bytes(save({name: tensor.half().contiguous() for name, tensor in tensors.items()}, header))
