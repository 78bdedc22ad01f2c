"""How near a painting is to that of an independent loop of the printed formula, at the size of the papers' figures.

    NST_WEIGHTS=… python -m tests.benchmarks.parity PHOTO PAINTING

Luo's weights as printed and with more style, from the content, 320 pixels, 150 steps, VGG-19; LOOP is of Tübingen's
Neckarfront and The Starry Night. Tests compare at 112 pixels after 50 steps.
"""

import argparse
from pathlib import Path

from nst_core import images
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights
from tests.judge import Judge

SIZE, STEPS = 320, 150
LOOP = {8e4: (0.39, 0.17), 1e7: (1.37, 0.052)}  # β -> content and style error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    options = parser.parse_args()
    ensure_weights()
    pictures = images.load(options.content), images.load(options.style)
    judge = Judge(*pictures, SIZE)
    for style_weight, (content, style) in LOOP.items():
        config = PRESETS["luo_printed"].config.changed(size=SIZE, steps=STEPS, style_weight=style_weight)
        *_, last = stylize(*pictures, config)
        own_content, own_style = judge.scores(last.image)
        print(f"β {style_weight:.0e}: content {own_content:.3f} (loop {content}), style {own_style:.3f} ({style})")


if __name__ == "__main__":
    main()
