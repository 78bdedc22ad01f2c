"""What every preset paints of real pictures, seen by real VGG-19: a painting that shows its photo."""

from functools import cache
from pathlib import Path

import pytest

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.judge import Judge

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SIZE = 256  # pixels
