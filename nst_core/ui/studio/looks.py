"""Holds the looks that are offered beside the papers' presets: each a preset of ours with one thing of it changed."""

from contextlib import suppress
from typing import NamedTuple

from nst_core.errors import NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PLAIN_PRESET
from nst_core.ui.studio.controls_and_config import default_config, preset_of

QUICK_STEPS = 24  # from a quick painting on; as near to both pictures as the studio's own (tests/benchmarks/any_style)


class Look(NamedTuple):
    """A way to paint.

    Attributes:
        name: of its picture.
        title: on the page.
        decades: by which β is moved, by powers of ten.
        color: one of COLORS.
        quick: begin with what one pass paints, and go on for a few steps.
        preset: one of PRESETS, from which it comes.
    """

    name: str
    title: str
    decades: float = 0.0
    color: str = "style"
    quick: bool = False
    preset: str = PLAIN_PRESET

    def config(self, backbone: str | None = None) -> StyleTransferConfig:
        """Give its settings on a network, by default the one that fits this machine."""
        config = default_config(self.preset, backbone)
        config = config.changed(style_weight=moved(config.style_weight, self.decades), color=self.color)
        return config.changed(start="quick", smallest_scale=0, steps=QUICK_STEPS) if self.quick else config


# The first is what the page begins with.
LOOKS = (
    Look("whole_strokes", "Whole strokes", preset="neighbours"),
    Look("balanced", "Balanced"),
    Look("bold", "Bold", decades=0.7),
    Look("quick", "Quick", quick=True),
    Look("photo_colours", "Photo colours", color="content"),
)


def moved(weight: float, decades: float) -> float:
    """Move a weight by powers of ten; of two digits, as it is read by people."""
    return float(f"{weight * 10**decades:.2g}") if decades else weight


def look_at(preset: str | None, backbone: str, at: tuple[float | None, str, str]) -> Look | None:
    """Find the look that is a preset with these settings on a network; None if there is none.

    Args:
        preset: one of PRESETS; None: none.
        backbone: the network.
        at: β, colour and start.
    """
    for look in LOOKS:
        config = look.config(backbone)
        if (look.preset, config.style_weight, config.color, config.start) == (preset, *at):
            return look
    return None


def called(config: StyleTransferConfig) -> str:
    """Name a config by its look, else its preset; "" if it is neither."""
    preset, look = preset_of(config), None
    with suppress(NSTError):
        look = look_at(preset, config.backbone, (config.style_weight, config.color, config.start))
    return look.name if look else preset or ""
