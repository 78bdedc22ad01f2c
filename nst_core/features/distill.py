"""Trains a narrower network to see what its teacher sees: all layers together, by the error of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nst_core.devices import Compute, put_on
from nst_core.features.checkpoint import PRE, expected_shapes, plan, tap_name
from nst_core.features.partial import put_aside, take_up
from nst_core.features.photographs import Photographs
from nst_core.features.refit import Refit, least_squares
from nst_core.features.vgg import BUNDLED_BACKBONE, VGG, through

REPORT_STEPS = 100
HELD_OUT_SIDE = 256  # pixels of the pictures on which errors are measured


@dataclass(frozen=True, kw_only=True)
class CompressionRecipe:
    """All that a distillation depends on besides the teacher and the photographs."""

    refit_crops: int = 240  # 128 pixels each, for the closed form
    steps: int = 5_000  # of fine-tuning; 0 for the closed form alone
    batch: int = 16  # crops
    crop: int = 128  # pixels
    step_size: float = 4e-4  # Adam's, falling to 0 along a cosine
    noisy: float = 0.25  # share of crops with noise on them, since painting starts from noise and makes it
    seed: int = 0


@dataclass(frozen=True)
class CompressionProgress:
    """Tells how far a compression is, and how wrong the student still is."""

    step: int
    steps: int
    errors: dict[str, float]  # layer -> relative squared error of the teacher's features, a mean since the last report
    text: str


def relative_error(features: Tensor, target: Tensor) -> Tensor:
    """‖f − t‖² / ‖t‖², a float32 scalar; any shape."""
    difference = torch.linalg.vector_norm(features - target, dtype=torch.float32).square()
    return difference / torch.linalg.vector_norm(target, dtype=torch.float32).square()


class Student:
    """The network in the making: bare convolutions, and for each layer the tap T (C, k) that reads the teacher's."""

    def __init__(self, tensors: dict[str, Tensor], taps: dict[str, Tensor], compute: Compute):
        self.compute = compute
        self.network = put_on(compute.device, VGG(BUNDLED_BACKBONE, tensors))
        self.taps = {layer: tap.to(compute.device) for layer, tap in taps.items()}
        self.layers = [name for name, _, _ in plan(BUNDLED_BACKBONE) if name.startswith("conv")]
        self.parameters = [*self.network.buffers(), *self.taps.values()]
        for parameter in self.parameters:
            parameter.requires_grad_()
        self.adam = torch.optim.Adam(self.parameters)
        self.step = 0

    @classmethod
    def refitted(cls, layers: list[Refit], compute: Compute) -> "Student":
        """Make a student of the closed form's layers."""
        indices = {name: index for name, index, _ in plan(BUNDLED_BACKBONE)}
        tensors: dict[str, Tensor] = {}
        for made in layers:
            index = indices[made.layer]
            tensors |= {f"features.{index}.weight": made.weight, f"features.{index}.bias": made.bias}
        tapped = [made for made in layers if tap_name(made.layer) in expected_shapes(BUNDLED_BACKBONE)]
        return cls(tensors, {made.layer: made.tap for made in tapped}, compute)

    def distilled(
        self, teacher: VGG, photographs: Photographs, recipe: CompressionRecipe
    ) -> Iterator[CompressionProgress]:
        """Fine-tune the student; yields a CompressionProgress every REPORT_STEPS."""
        sums = dict.fromkeys(self.layers, 0.0)
        for step in range(self.step + 1, recipe.steps + 1):
            crops = photographs.crops(recipe.batch, recipe.crop, recipe.noisy, recipe.seed, step)
            crops = crops.to(self.compute.device)
            for group in self.adam.param_groups:
                group["lr"] = recipe.step_size * _schedule(step, recipe.steps)
            errors = self._errors_of(crops, teacher)
            self.adam.zero_grad()
            (sum(errors.values(), torch.zeros(())) / len(errors)).backward()
            self.adam.step()
            for layer, error in errors.items():
                sums[layer] += float(error.detach())
            if step % REPORT_STEPS == 0 or step == recipe.steps:
                count = (step - 1) % REPORT_STEPS + 1
                means = {layer: value / count for layer, value in sums.items()}
                sums = dict.fromkeys(self.layers, 0.0)
                yield CompressionProgress(step, recipe.steps, means, "fine-tuning")

    def _errors_of(self, crops: Tensor, teacher: VGG) -> dict[str, Tensor]:
        with torch.no_grad():
            wanted = teacher(crops, self.layers)
        with torch.autocast(crops.device.type, self.compute.dtype, enabled=self.compute.precision != "fp32"):
            seen = self.network(crops, self.layers)
            read = {layer: through(self.taps.get(layer), seen[layer]) for layer in self.layers}
            return {layer: relative_error(read[layer], wanted[layer]) for layer in self.layers}

    def fitted_taps(self, teacher: VGG, photographs: Photographs, recipe: CompressionRecipe) -> dict[str, Tensor]:
        """Fit the best taps of the finished convolutions, before ReLU and after: tensor's name -> T (C, k)."""
        layers = [name + ending for name in self.taps for ending in ("", PRE)]
        moments: dict[str, Tensor] = {}
        products: dict[str, Tensor] = {}
        with torch.no_grad():
            for number in range(1, 1 + recipe.refit_crops // recipe.batch * 2):
                batch = recipe.steps + number  # crops that fine-tuning has not seen
                crops = photographs.crops(recipe.batch, recipe.crop, recipe.noisy, recipe.seed, batch)
                crops = crops.to(self.compute.device)
                seen, wanted = self.network(crops, layers), teacher(crops, layers)
                for layer in layers:
                    flat, target = (f[layer].movedim(1, -1).flatten(0, -2) for f in (seen, wanted))  # (R, k), (R, C)
                    moments[layer] = moments.get(layer, 0) + (flat.T @ flat).cpu().double()
                    products[layer] = products.get(layer, 0) + (flat.T @ target).cpu().double()
        return {tap_name(layer): least_squares(moments[layer], products[layer]).T.float() for layer in layers}

    def errors(self, teacher: VGG, photographs: Photographs, taps: dict[str, Tensor]) -> dict[str, float]:
        """Measure the error over all pictures held out: layer -> ‖T f − t‖² / ‖t‖²."""
        layers = [name + ending for name in self.layers for ending in ("", PRE)]
        wrong, whole = dict.fromkeys(layers, 0.0), dict.fromkeys(layers, 0.0)
        on_device = {name: tap.to(self.compute.device) for name, tap in taps.items()}
        with torch.no_grad():
            for picture in photographs.held_out(HELD_OUT_SIDE):
                seen, wanted = (net(picture.to(self.compute.device), layers) for net in (self.network, teacher))
                for layer in layers:
                    read = through(on_device.get(tap_name(layer)), seen[layer])
                    wrong[layer] += float((read - wanted[layer]).square().sum())
                    whole[layer] += float(wanted[layer].square().sum())
        return {layer: wrong[layer] / whole[layer] for layer in layers}

    def state(self) -> dict[str, Tensor]:
        """Give the convolutions by torchvision's names."""
        named = {}
        for name, index in self.network.plan:
            if name.startswith("conv"):
                named[f"features.{index}.weight"] = self.network.get_buffer(f"{name}_weight")
                named[f"features.{index}.bias"] = self.network.get_buffer(f"{name}_bias")
        return {name: tensor.detach().cpu() for name, tensor in named.items()}

    def save(self, path: Path, step: int, header: dict[str, str]) -> None:
        """Write all that going on needs."""
        taps = {layer: tap.detach().cpu() for layer, tap in self.taps.items()}
        put_aside(path, header, step, state=self.state(), taps=taps, adam=self.adam.state_dict())

    @classmethod
    def resumed(cls, path: Path, header: dict[str, str], compute: Compute) -> "Student":
        """Read a student that `save` wrote, to go on from there."""
        kept = take_up(path, header)
        student = cls(kept["state"], kept["taps"], compute)
        student.adam.load_state_dict(kept["adam"])
        student.step = kept["step"]
        return student


def _schedule(step: int, steps: int, warm_up: int = 100) -> float:
    """Give the share of the step size: rising at first, then half a cosine."""
    return min(1.0, step / warm_up) * (1 + torch.cos(torch.tensor(torch.pi * step / steps)).item()) / 2
