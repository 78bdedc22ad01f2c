"""A step in strips beside the step at once: seconds of a processor, peak of tensors, and how far gradients are apart.

Of a picture of --side pixels, each backbone and preset; seconds are the process's own, so that others do not count.
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


def measured(kind: type[StyleTransferObjective], preset: str, backbone: str, precision: str, side: int) -> tuple:
    """Seconds, bytes a pixel and gradient of a step."""
    compute = choose_compute(precision=precision)
    config = PRESETS[preset].config.on(backbone).changed(size=side)
    network, _ = load_network(backbone, compute, config.feature_scale)
    content, style = pictures(side, side)
    objective, canvas = kind(network, content, [style], config), (content * 0.9).requires_grad_(True)

    def step() -> None:
        canvas.grad = None
        torch.stack(list(objective(canvas).values())).sum().backward()

    step()  # where oneDNN makes its kernels
    began = time.process_time()
    step()
    return time.process_time() - began, tensor_peak(step) / side**2, canvas.grad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--presets", nargs="+", default=["lab", "studio"])
    options = parser.parse_args()
    ensure_weights()
    keep_freed_memory()
    print("backbone precision preset   at once: s, bytes a pixel   in strips: times   peak of it   gradient off")
    for backbone in ("lite", "vgg19"):
        for precision in ("fp32", "bf16"):
            for preset in options.presets:
                own = preset, backbone, precision, options.side
                seconds, peak, slope = measured(StyleTransferObjective, *own)
                strips_seconds, strips_peak, gradient = measured(StripwiseObjective, *own)
                off = float((gradient - slope).abs().max() / slope.abs().max())
                print(
                    f"{backbone:8} {precision:9} {preset:8} {seconds:10.1f} {peak:10.0f} "
                    f"{strips_seconds / seconds:20.2f} {strips_peak / peak:12.3f} {off:14.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
