"""Paints what the page shows before a click: its recipes, and a small picture of each look, into assets.

python -m tests.benchmarks.recipes [--only NAME …]
"""

import argparse

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.ui.studio.looks import LOOKS
from nst_core.ui.stylize.looks import PICTURES
from nst_core.ui.stylize.recipes import RECIPES, SIZE

LOOK_PAIR = "chelsea_cat", "starlit_valley"
LOOK_SIZE, TILE = 256, 96  # pixels
QUALITY = 88  # of the JPEGs


def paint(photo: str, style: str, config: StyleTransferConfig) -> Run:
    """Paint one bundled picture in the style of another; return the finished run."""
    pictures = images.load(ASSETS / "photos" / f"{photo}.jpg"), images.load(ASSETS / "styles" / f"{style}.jpg")
    run = stylize(*pictures, config, compute=choose_compute())
    for _ in run:
        pass
    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+")
    only = parser.parse_args().only
    for look in LOOKS:
        if not only or look.name in only:
            run = paint(*LOOK_PAIR, look.config(BUNDLED_BACKBONE).changed(size=LOOK_SIZE))
            PICTURES.mkdir(exist_ok=True)
            side = min(images.size_of(run.result))
            small = images.fit(run.result[..., :side, :side], TILE)
            images.to_pil(small).save(PICTURES / f"{look.name}.jpg", quality=QUALITY)
            print(look.title, flush=True)
    for recipe in RECIPES:
        if not only or recipe.painting.stem in only:
            run = paint(recipe.photo, recipe.style, recipe.look.config(BUNDLED_BACKBONE).changed(size=SIZE))
            recipe.painting.parent.mkdir(exist_ok=True)
            images.to_pil(run.result).save(recipe.painting, quality=QUALITY)
            print(recipe.title, f"{run.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
