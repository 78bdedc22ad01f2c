"""Preset `studio` against `lab`, the best of one scale, at 512 pixels: when is it as near to
both pictures? And at 256 pixels against what crowsonkb/style-transfer-pytorch scores there (tuebingen in two
paintings: content 0.33 and 0.25, style 0.19 and 0.20).

    NST_WEIGHTS=… python -m tests.benchmarks.studio PHOTOS PAINTINGS [lite] [vgg19]

Scores are the relative errors of VGG-19's conv4_2 and, mean over five layers, of its Gram matrices, in float32, of the
picture as it would be saved, enlarged to the full size where a scale before the last is scored.
"""

import sys
import time
from itertools import product
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights
from tests.judge import Judge

PAINTED = ("starry", "wave")  # in the names of the paintings
PEER = {"starry": (0.33, 0.19), "scream": (0.25, 0.20)}  # content and style score of crowsonkb's, of 308 and 292 s
SCORED = 4  # every so many steps, a picture is kept to be scored


def painted(preset: str, backbone: str, content_image: Tensor, style_image: Tensor, size: int, every: int) -> list:
    """(seconds, picture) of some steps, the last one's among them."""
    config = PRESETS[preset].config.on(backbone).changed(size=size)
    run = stylize(content_image, style_image, config, compute=choose_compute())
    kept = [(run.seconds, frame.image) for frame in run if frame.step % every == 0 or frame.step == config.steps]
    return kept if kept[-1][0] == run.seconds else [*kept, (run.seconds, run.last_frame.image)]


def against_one_scale(backbone: str, photo: Path, painting: Path) -> None:
    """A row: lab's time and scores, studio's when it is first at least as near to both pictures, and in the end."""
    content_image, style_image = images.load(photo), images.load(painting)
    judge = Judge(content_image, style_image, 512)
    lab_seconds, lab_image = painted("lab", backbone, content_image, style_image, 512, 10**6)[-1]
    lab_content, lab_style = judge.scores(lab_image)
    frames = painted("studio", backbone, content_image, style_image, 512, SCORED)
    reached = None
    for seconds, image in frames:
        content, style = judge.scores(image)
        if reached is None and style <= lab_style and content <= lab_content:
            reached = seconds, content, style
    row = f"{photo.stem[:10]:10} {painting.stem[:10]:10} lab {lab_seconds:6.1f} s {lab_content:.3f} {lab_style:.3f}  "
    if reached is None:
        row += "studio does not get there"
    else:
        row += f"studio is there after {reached[0]:5.1f} s ({reached[0] / lab_seconds:.2f}), content {reached[1]:.3f}"
    print(f"{row}; ends in {frames[-1][0]:5.1f} s at {content:.3f} {style:.3f}", flush=True)


def against_peer(backbone: str, photo: Path, painting: Path, peer: tuple[float, float]) -> None:
    """A row: studio's time and scores at 256 pixels beside crowsonkb's scores."""
    content_image, style_image = images.load(photo), images.load(painting)
    began = time.perf_counter()
    _, image = painted("studio", backbone, content_image, style_image, 256, 10**6)[-1]
    seconds = time.perf_counter() - began
    content, style = Judge(content_image, style_image, 256).scores(image)
    print(
        f"{painting.stem[:10]:10} studio {seconds:5.1f} s {content:.3f} {style:.3f}   peer {peer[0]} {peer[1]}",
        flush=True,
    )


def main() -> None:
    ensure_weights()
    photos, paintings = (sorted(Path(folder).glob("*.jpg")) for folder in sys.argv[1:3])
    for backbone in sys.argv[3:] or ("lite", "vgg19"):
        print(f"{backbone}, {choose_compute()}: seconds, content score, style score")
        for name, peer in PEER.items():
            [painting] = [path for path in paintings if name in path.stem]
            [photo] = [path for path in photos if "tuebingen" in path.stem]
            against_peer(backbone, photo, painting, peer)
        chosen = [path for path in paintings if any(name in path.stem for name in PAINTED)]
        for photo, painting in product(photos, chosen):
            against_one_scale(backbone, photo, painting)


if __name__ == "__main__":
    main()
