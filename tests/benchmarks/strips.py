"""A step in strips beside the step at once: seconds of a processor, peak of tensors, and how far gradients are apart.

Of a picture of --side pixels, each backbone, precision and preset; seconds are the process's own, so that others do not
count. Beside the strips' gradient stands that of a picture nudged by 1e-7, at once: of losses with roots of matrices
it moves as far. Both are of the largest value; beside the largest difference stands that of all but a hundredth.
"""

import argparse
import time

import torch

from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.features.loading import load_network
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.strips import StripwiseObjective
from tests.benchmarks.material import ensure_weights, pictures
from tests.benchmarks.memory import tensor_peak

NUDGE = 1e-7


def measured(kind: type[StyleTransferObjective], preset: str, backbone: str, precision: str, side: int) -> tuple:
    """Seconds, bytes a pixel and gradient of a step, and a function that gives a nudged picture's gradient."""
    compute = choose_compute(precision=precision)
    config = PRESETS[preset].config.on(backbone).changed(size=side)
    network, _ = load_network(backbone, compute, config.feature_scale)
    content, style = pictures(side, side)
    objective, canvas = kind(network, content, [style], config), (content * 0.9).requires_grad_(True)
    seconds = []

    def step(image: torch.Tensor = canvas) -> None:
        began, image.grad = time.process_time(), None
        torch.stack(list(objective(image).values())).sum().backward()
        seconds.append(time.process_time() - began)

    def nudged() -> torch.Tensor:
        image = canvas.detach() + NUDGE * torch.randn(canvas.shape, generator=torch.Generator().manual_seed(1))
        step(image.requires_grad_(True))
        return image.grad

    step()  # where oneDNN makes its kernels, and the system gives memory for the first time
    peak = tensor_peak(step) / side**2
    return seconds[1], peak, canvas.grad, nudged


def apart(one: torch.Tensor, other: torch.Tensor) -> str:
    """How far two gradients are apart: at most, and but for a hundredth of the numbers."""
    off = (one - other).abs().flatten() / other.abs().max()
    return f"{float(off.max()):8.1e} {float(off.kthvalue(int(0.99 * len(off))).values):8.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--presets", nargs="+", default=["lab", "studio"])
    parser.add_argument("--backbones", nargs="+", default=["lite", "vgg19"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    options = parser.parse_args()
    ensure_weights()
    keep_freed_memory()
    print("backbone precision preset  at once: s, bytes a pixel   in strips: times  peak   gradient off     by a nudge")
    for backbone in options.backbones:
        for precision in options.precisions:
            for preset in options.presets:
                own = preset, backbone, precision, options.side
                seconds, peak, slope, nudged = measured(StyleTransferObjective, *own)
                nudge = apart(nudged(), slope)
                del nudged  # and the targets with it
                strips_seconds, strips_peak, gradient, _ = measured(StripwiseObjective, *own)
                print(
                    f"{backbone:8} {precision:9} {preset:8} {seconds:8.1f} {peak:10.0f} "
                    f"{strips_seconds / seconds:21.2f} {strips_peak / peak:8.3f} {apart(gradient, slope)} {nudge}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
