"""Goes on from what one pass painted by a few steps of the optimiser, towards the same style."""

from collections.abc import Mapping
from contextlib import closing

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, ImageError
from nst_core.features.vgg import BUNDLED_BACKBONE
from nst_core.instant.any_style import Paints
from nst_core.steps import Steps
from nst_core.transfer.config import MAX_STYLES
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.transfer.stylize import stylize
from nst_core.universal.painter import UniversalPainter

STEPS = 4  # after which both errors are near the studio's; ten more than halve what is left (tests/benchmarks)
MOST_AREA = 2**22  # pixels; larger pictures stay as one pass paints them, as a step would take longer than it


def refined(
    painter: Paints, image: Tensor, painted: Tensor, weights: Mapping[str, float], strength: float, compute: Compute
) -> Steps[Tensor]:
    """Refine a painting in the style of pictures; one by a trained network, or of no strength, stays as it is.

    Args:
        painter: who painted it.
        image: (1, 3, H, W) in [0, 1], what was painted.
        painted: the painting, of the same size.
        weights: style -> how much of it.
        strength: 0 … 1; the less, the more of the picture itself is in the style that is gone towards.
        compute: device and precision.

    Returns:
        (1, 3, H, W) in [0, 1] on the CPU, a step of the optimiser a step; the painting itself where nothing is refined.
    """
    size = images.size_of(image)
    if not isinstance(painter, UniversalPainter) or strength == 0 or size[0] * size[1] > MOST_AREA:
        return painted
    shares = painter.recipe(weights)
    styles = [painter.pictures[name].float() / 255 for name in shares]
    blend = [strength * share for share in shares.values()]
    if strength < 1:
        styles, blend = [*styles, image], [*blend, 1 - strength]
    if len(styles) > MAX_STYLES:
        return painted
    config = PRESETS[PLAIN_PRESET].config.on(BUNDLED_BACKBONE)
    config = config.changed(size=max(size), start="image", smallest_scale=0, steps=STEPS, blend=tuple(blend))
    try:
        with closing(stylize(image, styles, config, start_image=painted, compute=compute)) as run:
            for _ in run:
                yield
            return run.result.detach().cpu().clamp(0, 1)
    except (ConfigError, DeviceError, ImageError):  # less memory than the optimiser takes, or a style too narrow for it
        return painted
