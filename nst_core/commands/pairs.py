"""Reads options of the form NAME=NUMBER."""

import argparse
import math

from nst_core.errors import said


def pair(text: str) -> tuple[str, float]:
    """Split at the last "=", behind which is a number; for argparse, which says what is wrong."""
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not name or not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{said(text)} is not NAME=NUMBER with a number above 0, such as waves=0.5")
    return name, value
