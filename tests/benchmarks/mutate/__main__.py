"""Damages files by the thousand and reads them as the program does: a result or a sentence, else the file is named.

`nice -n 10 python -m tests.benchmarks.mutate [--format jpeg …] [--count 2000] [--seed 0] [--only 17] [--keep folder]`
"""

import argparse
import re
from collections import Counter
from pathlib import Path

import torch

from nst_core.features.checkpoint import ARCHITECTURES
from tests.benchmarks.mutate import samples
from tests.benchmarks.mutate.worker import Outcome, file_of, outcomes


def main() -> None:
    """Print a line for each format, and every failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", nargs="+", choices=samples.FORMATS, default=list(samples.FORMATS))
    parser.add_argument("--count", type=int, default=2000, help="files of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", help="these numbers alone")
    parser.add_argument("--keep", type=Path, help="a folder for the files that failed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ARCHITECTURES["vgg16"] = samples.SMALL_VGG
    indices = options.only or range(options.count)
    print(f"{'format':<12}{'files':>6}{'opened':>8}{'refused':>8}{'failed':>8}{'slowest':>9}{'most MB':>9}", flush=True)
    for name in options.format:
        samples.samples(name)  # once, for all workers
        found = list(outcomes(name, options.seed, indices))
        failed = [outcome for outcome in found if outcome.failure]
        opened = sum(outcome.opened and not outcome.failure for outcome in found)
        slowest, most = max(one.seconds for one in found), max(one.megabytes for one in found)
        refused = len(found) - opened - len(failed)
        counts = f"{len(found):>6}{opened:>8}{refused:>8}{len(failed):>8}"
        print(f"{name:<12}{counts}{slowest:>7.2f} s{most:>9.0f}", flush=True)
        _tell(name, options.seed, failed, options.keep)


def _tell(name: str, seed: int, failed: list[Outcome], keep: Path | None) -> None:
    """Print failures, of each kind the first, and how many there are."""
    kinds: Counter[str] = Counter()
    for outcome in failed:
        last = re.sub(r"0x\w+|/\S+|\d+", "#", outcome.failure.strip().splitlines()[-1])[:80]
        kinds[last] += 1
        if kinds[last] == 1:
            print(f"  --format {name} --seed {seed} --only {outcome.index} ({outcome.mutation})")
            print("    " + outcome.failure.strip().replace("\n", "\n    "), flush=True)
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            path = keep / f"{name}-{seed}-{outcome.index}{samples.FORMATS[name][1]}"
            path.write_bytes(file_of(name, seed, outcome.index)[0])
    for last, count in kinds.items():
        if count > 1:
            print(f"  … {count} in all: {last}", flush=True)


if __name__ == "__main__":
    main()
