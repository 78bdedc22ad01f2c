"""`weights`: which file holds a network's weights, and fetching it."""

import argparse

from nst_core.commands.fetching import fetch
from nst_core.features import weights
from nst_core.features.checkpoint import CLASSIFIER
from nst_core.features.vgg import BACKBONES

HELP = "say where a network's weights are, or fetch them"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take which network, and whether to fetch it."""
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--backbone", choices=BACKBONES, default="vgg19")
    network.add_argument(
        "--classifier",
        dest="backbone",
        action="store_const",
        const=CLASSIFIER,
        help="VGG-19 whole, 548 MB, which says what a picture shows",
    )
    parser.add_argument("--download", action="store_true", help="fetch them if they are not here")


def run(options: argparse.Namespace) -> None:
    """Say which file would be used."""
    if options.download:
        fetch(options.backbone)
    checkpoint = weights.require(options.backbone)
    print(f"{weights.title_of(options.backbone)}: {checkpoint.path} ({checkpoint.origin})")
