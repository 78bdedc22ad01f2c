"""`presets`: which recipes there are."""

import argparse

from nst_core.transfer.presets import PRESETS

HELP = "list the presets"


def add_options(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(options: argparse.Namespace) -> None:
    """One a line, name first."""
    for name, preset in PRESETS.items():
        print(f"{name:17} {preset.title}: {preset.source}")
