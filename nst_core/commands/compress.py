"""`compress`: VGG-19 Lite out of VGG-19 and a folder of photographs."""

import argparse
import sys
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from nst_core.commands.fetching import fetch
from nst_core.commands.pictures import pictures_below
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError
from nst_core.features import weights
from nst_core.features.checkpoint import TEACHERS
from nst_core.features.compress import compress
from nst_core.features.distill import CompressionRecipe
from nst_core.outputs import check_network

HELP = "make VGG-19 Lite out of VGG-19 and a folder of photographs"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take what Lite is made of, and for how long."""
    parser.add_argument("--teacher", choices=sorted(set(TEACHERS.values())), default="vgg19")
    parser.add_argument("--images", type=Path, required=True, help="a folder of photographs, 1000 or more")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument(
        "--steps", type=int, default=CompressionRecipe.steps, help=f"of fine-tuning (default {CompressionRecipe.steps})"
    )
    parser.add_argument("--seed", type=int, default=CompressionRecipe.seed)


def run(options: argparse.Namespace) -> None:
    """Compress, with a progress bar, and the errors of each layer now and then; interrupted, it can go on."""
    for name in ("steps", "seed"):
        if not 0 <= getattr(options, name) < 2**32:
            raise ConfigError(f"{name} is {getattr(options, name)}; give a whole number from 0 to {2**32 - 1}")
    found = weights.find(options.teacher)
    check_network(options.output, chain([found.path] if found else [], pictures_below(options.images)))
    fetch(options.teacher)
    recipe = CompressionRecipe(steps=options.steps, seed=options.seed)
    teacher, compute = weights.require(options.teacher), choose_compute()
    compressing = compress(teacher, options.images, options.output, recipe, compute)
    with (
        tqdm(total=recipe.steps, unit="step", desc=str(compute)) as bar,
        DEVICES.own_job(),
        DEVICES.stepped(compressing) as stepped,
    ):
        for progress in stepped:
            bar.update(progress.step - bar.n)
            errors = " ".join(f"{layer} {error:.4f}" for layer, error in progress.errors.items())
            bar.write(f"step {progress.step}: {progress.text} {errors}", file=sys.stderr)
