"""`presets`: which recipes there are."""

import argparse

from nst_core.transfer.presets import PRESETS

HELP = "list the presets"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: there are none."""


def run(options: argparse.Namespace) -> None:
    """List the presets, one a line, name first."""
    for name, preset in PRESETS.items():
        print(f"{name:17} {preset.title}: {preset.source}")
