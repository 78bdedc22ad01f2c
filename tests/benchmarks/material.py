"""What the benchmarks work on: our own pictures, real weights or random ones (which are as fast)."""

import os
import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import keep_freed_memory
from tests.stand_ins import random_state


def ensure_weights() -> None:
    """Be as the app is: allocate as it does, and set NST_WEIGHTS to random ones if it is not set."""
    keep_freed_memory()
    if not os.environ.get("NST_WEIGHTS"):
        folder = Path(tempfile.mkdtemp(prefix="nst-benchmark-"))
        save_file(random_state("vgg19"), folder / "vgg19_features.safetensors")
        os.environ["NST_WEIGHTS"] = str(folder)


def pictures(height: int, width: int) -> tuple[Tensor, Tensor]:
    """A content and a style image of that size."""
    content = images.load(ASSETS / "photos" / "china_temple.jpg")
    style = images.load(ASSETS / "styles" / "harvest_sun.jpg")
    return images.cover(content, (height, width)), images.cover(style, (height, width))
