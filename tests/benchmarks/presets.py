"""Every preset's own picture of one pair, on VGG-19 and on Lite, and the figures of the papers that they come from.

    NST_WEIGHTS=… python -m tests.benchmarks.presets PHOTO PAINTING OUT [--size PIXELS] [--only NAME …] [--on lite …]

Paints what is not in OUT yet, so that it can be interrupted, each with its record; prints seconds, VGG-19's content and
style error of each (relative errors of conv4_2 and of five Gram matrices, the photo's own beside it) and its contrast,
and writes OUT/presets.jpg and OUT/figures.jpg. Without --size each is painted at its own.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Chart, Moment, Part
from nst_core.analysis.poster.blocks import draw_charts, stacked
from nst_core.analysis.poster.chart import colors_of
from nst_core.analysis.poster.lettering import best_lettering
from nst_core.analysis.poster.parts import draw_parts
from nst_core.devices import choose_compute
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import read_record, save_result
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights
from tests.judge import Judge

STEP = 500  # between two losses of From Scratch's that are known
# Its authors' total loss every 500 steps, as far as it is known, and after 10,000.
FROM_SCRATCH = {0: 2.9e6, 500: 3.0e4, 1000: 1.35e4, 1500: 8.5e3, 2000: 6.0e3, 2500: 4.3e3, 10_000: 184.0}
NETWORKS = ("lite", "vgg19")
COLUMNS = 4
WIDTH = 1600  # pixels of a page


@dataclass(frozen=True)
class Painting:
    """A picture of a page.

    Attributes:
        name: of its file.
        label: below it.
        preset: one of PRESETS.
        changes: of its settings.
        step: of its preset's own run, else None.
        grey: whether its pictures are made grey before.
    """

    name: str
    label: str
    preset: str
    changes: dict
    step: int | None = None
    grey: bool = False

    def config(self, backbone: str, size: int | None) -> StyleTransferConfig:
        """Its settings on a network."""
        return PRESETS[self.preset].config.on(backbone).changed(**self.changes, size=size)


OWN = [Painting(name, preset.title, name, {}) for name, preset in PRESETS.items()]
FIGURES = [
    Painting("luo_shallow", "Luo: shallow layers alone", "luo", {"style_layers": ("conv1_1", "conv2_1")}),
    Painting("luo", "Luo: all five layers", "luo", {}),
    *(Painting(f"chao-{step}", f"Chao: step {step}", "chao", {}, step) for step in range(100, 501, 100)),
    Painting("tran_nguyen_grey", "Tran & Nguyen: grey", "tran_nguyen", {}, grey=True),
    Painting("tran_nguyen", "Tran & Nguyen: colour", "tran_nguyen", {}),
    Painting("cheng", "Cheng: from noise", "cheng", {}),
    Painting("cheng_clone", "Cheng: from the clone", "cheng", {"start": "content"}),
]  # fmt: skip


def paint(painting: Painting, backbone: str, pictures: tuple[Tensor, Tensor], size: int | None, folder: Path) -> None:
    """Its picture, those of its steps on a page, and every STEP-th loss, as files; nothing where they are there."""
    if painting.step or (folder / f"{painting.name}.png").exists():
        return
    steps = [figure.step for figure in FIGURES if figure.preset == painting.name]
    if painting.grey:
        pictures = tuple(image.mean(1, keepdim=True).expand_as(image) for image in pictures)
    run = stylize(*pictures, painting.config(backbone, size), compute=choose_compute())
    losses = {}
    for frame in run:
        if frame.step % STEP == 0:
            losses[frame.step] = frame.total
        if frame.step in steps:
            save_result(frame.image, run.record(), folder / f"{painting.name}-{frame.step}.png")
    save_result(run.last_frame.image, run.record(), folder / f"{painting.name}.png")
    (folder / f"{painting.name}.json").write_text(json.dumps(losses))


def score(painting: Painting, path: Path, judges: dict, pictures: tuple[Tensor, Tensor], size: int | None) -> None:
    """A line: seconds, errors, contrast."""
    record, image = read_record(path), images.load(path)
    config = painting.config("vgg19", size)
    look = config.size, config.size_rule
    judge = judges[look] = judges.get(look) or Judge(*pictures, *look)
    (content, style), (_, own) = judge.scores(image), judge.scores(judge.content_image)
    print(
        f"{painting.name:22} {record.steps:6} steps {record.seconds:7.1f} s  content {content:.3f}  "
        f"style {style:.3f} ({style / own:.2f} of the photo's)  contrast {judge.contrast(image):.2f}",
        flush=True,
    )


def page(paintings: list[Painting], folders: list[Path], path: Path, *, timed: bool) -> None:
    """Pictures in rows, labelled; a row of each network below each other."""
    parts, rows = [], []
    for first in range(0, len(paintings), COLUMNS):
        for folder in folders:
            for column, painting in enumerate(paintings[first : first + COLUMNS]):
                if (file := folder / f"{painting.name}.png").exists():
                    image = images.load(file)
                    seconds = f", {read_record(file).seconds:.0f} s" if timed else ""
                    parts.append(Part(len(rows), column, painting.name, image, painting.label + seconds))
            rows.append(BACKBONES[folder.name])
    moment = Moment(tuple(rows), (), tuple(parts))
    if picture := draw_parts(moment, WIDTH, best_lettering()):
        picture.save(path, quality=88)


def losses_page(folders: list[Path], path: Path) -> None:
    """From Scratch's total loss every STEP steps beside its authors'."""
    lines = {"theirs": tuple(FROM_SCRATCH.items())}
    for folder in folders:
        if (file := folder / "from_scratch.json").exists():
            lines[BACKBONES[folder.name]] = tuple(
                (int(step), loss) for step, loss in json.loads(file.read_text()).items()
            )
    chart = Chart("total loss, From scratch", "step", lines)
    blocks = list(draw_charts((chart,), colors_of((chart,)), WIDTH // 2, 28, best_lettering()))
    stacked(blocks, 40).convert("RGB").save(path, quality=88)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", type=int, help="of all; else each its own")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--on", nargs="+", choices=NETWORKS, default=NETWORKS)
    options = parser.parse_args()
    ensure_weights()
    pictures, judges = (images.load(options.content), images.load(options.style)), {}
    every = list({painting.name: painting for painting in (*OWN, *FIGURES)}.values())
    folders = [options.output / backbone for backbone in options.on]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{BACKBONES[folder.name]}, {choose_compute()}", flush=True)
        for painting in every:
            if not options.only or painting.name in options.only:
                paint(painting, folder.name, pictures, options.size, folder)
                score(painting, folder / f"{painting.name}.png", judges, pictures, options.size)
    page(OWN, folders, options.output / "presets.jpg", timed=False)
    page(FIGURES, folders, options.output / "figures.jpg", timed=True)
    losses_page(folders, options.output / "from_scratch.jpg")


if __name__ == "__main__":
    main()
