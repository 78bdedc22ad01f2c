"""Adds the option of all commands that paint pictures: whether what is transparent stays so."""

import argparse


def add_transparency(parser: argparse.ArgumentParser) -> None:
    """Add --keep-transparency and --no-keep-transparency, on by default."""
    parser.add_argument(
        "--keep-transparency",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a PNG is as transparent as the picture it is painted from; else that is painted over white",
    )
