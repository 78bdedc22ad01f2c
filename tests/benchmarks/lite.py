"""VGG-19 Lite against VGG-19: the same settings on both, each result measured by VGG-19.

    python -m tests.benchmarks.lite [PHOTOS STYLES [OUTPUT]]

Paints each of three photographs in each of three styles of these folders (ours by default); OUTPUT is a folder for
the pictures. Wants VGG-19's own weights.
"""

import statistics
import sys
import time
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, choose_compute
from nst_core.features.loading import load_network
from nst_core.losses.gram import gram_matrix
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.settings import GATYS_STYLE_LAYERS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ASSETS

PRESET, SIZE, STEPS, PICTURES = "lab", 320, 200, 3


def measured(result: Tensor, content: Tensor, style: Tensor) -> tuple[float, float]:
    """How far VGG-19 sees the result from both pictures: relative squared errors of conv4_2 and of Gram matrices.

    Of the result as it is saved: while it is painted, pixels may leave [0, 1].
    """
    network, _ = load_network("vgg19", Compute(device="cpu", precision="fp32"))
    layers = (*GATYS_STYLE_LAYERS, "conv4_2")
    result, content = result.cpu().clamp(0, 1), images.resize(content, images.size_of(result))
    seen, wanted, liked = (
        network(picture, layers) for picture in (result, content, images.fit(style, max(images.size_of(result))))
    )
    content_error = (seen["conv4_2"] - wanted["conv4_2"]).square().sum() / wanted["conv4_2"].square().sum()
    grams = [(gram_matrix(seen[layer]), gram_matrix(liked[layer])) for layer in GATYS_STYLE_LAYERS]
    errors = [float((ours - theirs).square().sum() / theirs.square().sum()) for ours, theirs in grams]
    return float(content_error), statistics.mean(errors)


def painted(content: Tensor, style: Tensor, backbone: str) -> tuple[Tensor, float]:
    """The result, and seconds."""
    config = PRESETS[PRESET].config.on(backbone).changed(size=SIZE, steps=STEPS)
    began = time.perf_counter()
    *_, last = stylize(content, style, config)
    return last.image, time.perf_counter() - began


def main(photos: Path, styles: Path, output: Path | None) -> None:
    """A line for each pair, then the medians."""
    rows = []
    print(f"{PRESET}, {SIZE} px, {STEPS} steps, {choose_compute()}; each: VGG-19, Lite, ratio")
    for photo in sorted(photos.glob("*.jpg"))[:PICTURES]:
        for painting in sorted(styles.glob("*.jpg"))[:PICTURES]:
            content, style = images.load(photo), images.load(painting)
            row = []
            for backbone in ("vgg19", "lite"):
                result, seconds = painted(content, style, backbone)
                row.append((*measured(result, content, style), seconds))
                if output:
                    images.save_png(result, output / f"{photo.stem[:12]}-{painting.stem[:12]}-{backbone}.png")
            numbers = list(zip(*row, strict=True))
            rows.append([lite / full for full, lite in numbers])
            shown = "  ".join(
                f"{name} {full:.4g} {lite:.4g} ×{lite / full:.2f}"
                for name, (full, lite) in zip(("content", "style", "seconds"), numbers, strict=True)
            )
            print(f"{photo.stem[:12]:12} {painting.stem[:12]:12} {shown}", flush=True)
    for name, column in zip(("content", "style", "seconds"), zip(*rows, strict=True), strict=True):
        print(f"{name}: median ratio {statistics.median(column):.2f}, from {min(column):.2f} to {max(column):.2f}")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    main(*(given or [ASSETS / "photos", ASSETS / "styles"])[:2], given[2] if len(given) > 2 else None)
