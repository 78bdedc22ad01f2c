"""How good finished paintings are, by numbers: our two errors, and the two parts of ArtFID as far as our networks go.

    NST_WEIGHTS=… python -m tests.benchmarks.quality RESULTS --contents FOLDER --styles FOLDER [--on lite]
    NST_WEIGHTS=… python -m tests.benchmarks.quality --table TABLE.csv [--on lite]

RESULTS is a folder of paintings whose names begin with those of their photo and their style, as `batch` calls them; a
table has columns result, content and style, with paths beside it. Lower is better everywhere:

* content, style: relative errors of conv4_2 and, mean over five layers, of Gram matrices, which measure what Gatys et
  al.'s loss does.
* unlike: how far a result is from its photo, as LPIPS measures it: squared differences of feature vectors of length 1,
  mean over positions and over five layers. LPIPS weighs channels by what people said; here all count alike.
* Fréchet: between all results and all styles, W₂² of the two Gaussians of their features, as FID: features of conv5_1,
  mean over positions, in place of Inception's last layer, and divided by the styles' own mean square. Of fewer than
  some dozens of paintings in as many styles it says little.
* both: (1 + Fréchet) · (1 + unlike), as ArtFID, whose numbers are not these.

Source: Wright & Ommer (2022), "ArtFID"; Zhang et al. (2018), LPIPS; Heusel et al. (2017), FID.
"""

import argparse
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from nst_core import images
from nst_core.errors import ImageError
from nst_core.features.vgg import BACKBONES, VGG
from nst_core.file_names import named_after
from tests.benchmarks.material import ensure_weights
from tests.judge import Judge

LIKE = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_1")
POOLED = "conv5_1"
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


class Painted(NamedTuple):
    """A painting and what it was made of."""

    result: Path
    content: Path
    style: Path


class Scores(NamedTuple):
    """What is measured of one painting."""

    content: float
    style: float
    unlike: float


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def by_names(results: Iterable[Path], contents: Iterable[Path], styles: Iterable[Path]) -> list[Painted]:
    """Find out by their names what paintings were made of; those whose names tell nothing are left out."""
    pairs = [
        (named_after(content.stem, style.stem, ending=""), content, style) for content in contents for style in styles
    ]
    pairs.sort(key=lambda pair: -len(pair[0]))  # of two that fit, the longer one
    found = []
    for result in results:
        fitting = (pair for pair in pairs if f"{result.stem}_".startswith(f"{pair[0]}_"))
        if pair := next(fitting, None):
            found.append(Painted(result, pair[1], pair[2]))
    return found


def of_table(path: Path) -> list[Painted]:
    """What a table says: columns result, content, style."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [Painted(*(path.parent / row[name] for name in Painted._fields)) for row in csv.DictReader(file)]


def unlike(network: VGG, image: Tensor, content_image: Tensor) -> float:
    """Average over layers and positions the squared difference of feature vectors brought to length 1: 0 … 4."""
    with torch.no_grad():
        ours, theirs = (network(one, LIKE) for one in (image, content_image))
    total = torch.zeros(())
    for layer in LIKE:
        apart = F.normalize(ours[layer].float(), dim=1) - F.normalize(theirs[layer].float(), dim=1)
        total += apart.square().sum(1).mean()
    return total.item() / len(LIKE)


def pooled(network: VGG, image: Tensor) -> Tensor:
    """Average the features of POOLED over positions, (N,)."""
    with torch.no_grad():
        return network(image, [POOLED])[POOLED].float().mean((0, 2, 3))


def frechet(ours: Tensor, theirs: Tensor) -> float:
    """W₂² of the Gaussians of two sets of vectors (n, N), (m, N), by the mean square of the second.

    tr (Σ Σ')^½ is the sum of singular values of X X'ᵀ / √(n m), of centred vectors: no matrix of N by N is needed.
    """
    ours, theirs = ours.double(), theirs.double()
    mean, other_mean = ours.mean(0), theirs.mean(0)
    centred, other = ours - mean, theirs - other_mean
    spread = centred.square().sum() / len(ours) + other.square().sum() / len(theirs)
    coupling = torch.linalg.svdvals(centred @ other.T).sum() / (len(ours) * len(theirs)) ** 0.5
    distance = (mean - other_mean).square().sum() + spread - 2 * coupling
    return (distance.clamp(min=0) / theirs.square().sum(1).mean()).item()


def measured(paintings: Iterable[Painted], backbone: str) -> Iterator[tuple[Painted, Scores, Tensor, Tensor]]:
    """Measure each painting; its scores, and pooled features of it and of its style."""
    styles: dict[tuple[Path, int], Tensor] = {}
    for painted in paintings:
        image, content, style = (images.load(path) for path in painted)
        size = max(images.size_of(image))
        judge = Judge(images.resize(content, images.size_of(image)), style, size, backbone=backbone)
        if (painted.style, size) not in styles:
            styles[painted.style, size] = pooled(judge.network, images.fit(style, size))
        scores = Scores(*judge.scores(image), unlike(judge.network, image, judge.content_image))
        yield painted, scores, pooled(judge.network, image), styles[painted.style, size]


def told(scores: Scores) -> str:
    """Write scores into columns."""
    return " ".join(f"{score:7.3f}" for score in scores)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality")
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--contents", type=Path)
    parser.add_argument("--styles", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--on", choices=BACKBONES, default="vgg19")
    options = parser.parse_args()
    ensure_weights()
    if options.table:
        paintings = of_table(options.table)
    elif options.results and options.contents and options.styles:
        paintings = by_names(*map(pictures_in, (options.results, options.contents, options.styles)))
    else:
        parser.error("name RESULTS with --contents and --styles, or a --table")
    if not paintings:
        raise ImageError("there is no painting whose name begins with those of a photo and a style")
    rows, ours, theirs = [], [], []
    width = max(len(painted.result.name) for painted in paintings)
    print(f"{'':{width}} content   style  unlike")
    for painted, scores, own, style in measured(paintings, options.on):
        rows.append(scores)
        ours.append(own)
        theirs.append(style)
        print(f"{painted.result.name:{width}} {told(scores)}", flush=True)
    means = Scores(*(sum(column) / len(rows) for column in zip(*rows, strict=True)))
    distance = frechet(torch.stack(ours), torch.stack(theirs))
    print(f"{f'mean of {len(rows)}':{width}} {told(means)}")
    print(f"Fréchet {distance:.3f}; both {(1 + distance) * (1 + means.unlike):.3f}")


if __name__ == "__main__":
    main()
