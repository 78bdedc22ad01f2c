"""How far runs from noise come in a few steps, at one size beside another: a run that arrives falls alike at both.

    NST_WEIGHTS=… python -m tests.benchmarks.noise PHOTO PAINTING OUT [--sizes 512 1024] [--steps 40] [--only NAME …]
        [--on lite …]

Prints for every preset from noise its total loss after steps, of the loss of the noise itself, the content's the same,
and the contrast of the last picture, of the photo's; keeps each last picture in OUT with its record.
"""

import argparse
from pathlib import Path

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import save_result
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights

FROM_NOISE = [
    name for name, preset in PRESETS.items() if preset.config.start == "noise" and not name.endswith("_printed")
]
TOLD = 4  # of the steps, evenly apart


def content_of(frame: Frame) -> float:
    """The content's part of a frame's loss."""
    return sum(loss for term, loss in frame.losses.items() if term.startswith("content"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=(512, 1024))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--only", nargs="+", choices=FROM_NOISE, default=FROM_NOISE)
    parser.add_argument("--on", nargs="+", choices=BACKBONES, default=("lite", "vgg19"))
    options = parser.parse_args()
    ensure_weights()
    options.output.mkdir(parents=True, exist_ok=True)
    pictures = images.load(options.content), images.load(options.style)
    for backbone in options.on:
        for name in options.only:
            for size in options.sizes:
                config = PRESETS[name].config.on(backbone).changed(size=size, last_step=options.steps)
                run = stylize(*pictures, config, compute=choose_compute())
                first, *frames = run
                told = [frame for frame in frames if frame.step % max(1, options.steps // TOLD) == 0]
                falls = "  ".join(
                    f"{frame.step}: {frame.total / first.total:.4f} ({content_of(frame) / content_of(first):.3f})"
                    for frame in told
                )
                contrast = float(run.last_frame.image.clamp(0, 1).std() / pictures[0].std())
                seconds = run.record().seconds
                print(f"{backbone:6} {name:14} {size:5}  {falls}  contrast {contrast:.2f}  {seconds:.0f} s", flush=True)
                save_result(run.last_frame.image, run.record(), options.output / f"{backbone}-{name}-{size}.png")


if __name__ == "__main__":
    main()
