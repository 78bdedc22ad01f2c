"""Every preset's own picture of one pair, on VGG-19 and on Lite, and the figures of the papers that they come from.

    NST_WEIGHTS=… python -m tests.benchmarks.presets PHOTO PAINTING OUT [--size PIXELS] [--last-step N] [--only NAME …]
        [--on lite …] [--tiles assets/readme/presets]

Paints what is not in OUT yet, so that it can be interrupted, each with its record; prints seconds, VGG-19's content and
style error of each (relative errors of conv4_2 and of five Gram matrices, the photo's own beside it) and its contrast.
Without --size each is painted at its own. With --tiles it writes small pictures into that folder, beside those that are
there, and prints the tables of all as the README has them.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Chart
from nst_core.analysis.poster.blocks import draw_charts, stacked
from nst_core.analysis.poster.chart import colors_of
from nst_core.analysis.poster.lettering import best_lettering
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
# What Cheng gives for noise; of fainter noise than white, a smooth dark blot stays in the sky.
NOISE_OF_CHENG = {"start": "noise", "style_weight": 1e5, "noise_deviation": 0.25}
NETWORKS = ("lite", "vgg19")
TILE = 315  # pixels of a tile's width
CHART_WIDTH = 800  # pixels


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


OWN = [Painting(name, preset.title, name, {}) for name, preset in PRESETS.items() if not name.endswith("_printed")]
FIGURES = [
    Painting("luo_shallow", "Luo: shallow layers alone", "luo", {"style_layers": ("conv1_1", "conv2_1")}),
    Painting("luo", "Luo: all five layers", "luo", {}),
    *(Painting(f"chao-{step}", f"Chao: step {step}", "chao", {}, step) for step in range(100, 501, 100)),
    Painting("tran_nguyen_grey", "Tran & Nguyen: grey", "tran_nguyen", {}, grey=True),
    Painting("tran_nguyen", "Tran & Nguyen: colour", "tran_nguyen", {}),
    Painting("cheng_noise", "Cheng: from noise", "cheng", NOISE_OF_CHENG),
    Painting("cheng", "Cheng: from the clone", "cheng", {}),
    Painting("from_scratch_printed", "From scratch: their α", "from_scratch_printed", {}),
]


def paint(
    painting: Painting, backbone: str, pictures: tuple[Tensor, Tensor], size: int | None, folder: Path, last_step: int
) -> None:
    """Its picture, those of its steps on a page, and every STEP-th loss, as files; nothing where they are there."""
    if painting.step or (folder / f"{painting.name}.png").exists():
        return
    steps = [figure.step for figure in FIGURES if figure.preset == painting.name]
    if painting.grey:
        pictures = tuple(image.mean(1, keepdim=True).expand_as(image) for image in pictures)
    config = painting.config(backbone, size).changed(last_step=last_step)
    run = stylize(*pictures, config, compute=choose_compute())
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
    content, style = judge.scores(image)
    print(
        f"{painting.name:22} {record.steps:6} steps {record.seconds:7.1f} s  content {content:.3f}  "
        f"style {style:.3f} ({style / judge.own:.2f} of the photo's)  contrast {judge.contrast(image):.2f}",
        flush=True,
    )


def save_tile(path: Path, folder: Path) -> None:
    """A small JPEG of a painting, for the README."""
    folder.mkdir(parents=True, exist_ok=True)
    image = images.fit(images.load(path), TILE)
    images.to_pil(image).save(folder / f"{path.stem}.jpg", quality=90)


def table(paintings: list[Painting], tiles: Path) -> str:
    """The tiles that there are as the README has them: a row a painting, a column a network.

    Args:
        paintings: rows.
        tiles: a folder of each network's.
    """
    rows = [f"| | {' | '.join(BACKBONES[backbone] for backbone in NETWORKS)} |", "|---" * (1 + len(NETWORKS)) + "|"]
    for painting in paintings:
        cells = []
        for backbone in NETWORKS:
            there = (tiles / backbone / f"{painting.name}.jpg").exists()
            alt = f"{painting.label} on {BACKBONES[backbone]}"
            cells.append(f"![{alt}](../../{tiles}/{backbone}/{painting.name}.jpg)" if there else "not painted yet")
        rows.append(f"| {painting.label} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def losses_page(folders: list[Path], path: Path) -> None:
    """From Scratch's total loss every STEP steps beside its authors'."""
    lines = {"theirs": tuple(FROM_SCRATCH.items())}
    for folder in folders:
        if (file := folder / "from_scratch_printed.json").exists():
            lines[BACKBONES[folder.name]] = tuple(
                (int(step), loss) for step, loss in json.loads(file.read_text()).items()
            )
    chart = Chart("total loss, From scratch", "step", lines)
    blocks = list(draw_charts((chart,), colors_of((chart,)), CHART_WIDTH, 28, best_lettering()))
    stacked(blocks, 40).convert("RGB").save(path, quality=88)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", type=int, help="of all; else each its own")
    parser.add_argument("--last-step", type=int, default=0, help="of all, for a look; else each its own")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--tiles", type=Path)
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
                paint(painting, folder.name, pictures, options.size, folder, options.last_step)
                score(painting, folder / f"{painting.name}.png", judges, pictures, options.size)
    losses_page(folders, options.output / "from_scratch.jpg")
    if options.tiles:
        for folder in folders:
            for path in folder.glob("*.png"):
                save_tile(path, options.tiles / folder.name)
        print(table(OWN, options.tiles), table(FIGURES, options.tiles), sep="\n")


if __name__ == "__main__":
    main()
