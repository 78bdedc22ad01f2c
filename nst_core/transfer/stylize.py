"""Does the whole method: two pictures and a config -> Frames, and in the end a record."""

from collections.abc import Sequence

from torch import Tensor

from nst_core.devices import Compute, choose_compute
from nst_core.errors import ConfigError
from nst_core.features import weights
from nst_core.transfer.config import MAX_STYLES, StyleTransferConfig
from nst_core.transfer.painting import Painting
from nst_core.transfer.run import Run
from nst_core.transfer.sources import sources
from nst_core.transfer.steering import Steering


def stylize(
    content_image: Tensor,
    style_image: Tensor | Sequence[Tensor],
    config: StyleTransferConfig,
    *,
    start_image: Tensor | None = None,
    masks: Sequence[Tensor] = (),
    compute: Compute | None = None,
    steering: Steering | None = None,
) -> Run:
    """Paint one picture in the style of another or of several, a Frame a step.

    Everything that can be wrong with the input is found here, before the first frame.

    Args:
        content_image: what is painted, (1, 3, H, W) in [0, 1]; or (1, 4, H, W), painted over white, and `Run.result`
            is as transparent.
        style_image: how it is painted, (1, 3, H', W') in [0, 1]; or up to MAX_STYLES of them, which blend.
        config: all settings.
        start_image: for start "image", (1, 3, any, any) in [0, 1].
        masks: (1, 1, any, any) in [0, 1] over the content, where each style applies; of several styles the last may go
            without, it gets the rest.
        compute: device and precision; chosen for this machine if None.
        steering: to stop and to steer the run.

    Returns:
        the Run: an iterator of Frames 0 … config.steps, with `record()`.

    Raises:
        ConfigError: a size that makes these pictures too small or too large; start "image" without one; shares or
            masks that are not as many as the styles.
        ImageError: an empty mask.
        WeightsError: no weights for the backbone.
        DeviceError: the device is absent, or its memory too small for this size, in whatever way `memory` knows.
    """
    style_images = [style_image] if isinstance(style_image, Tensor) else list(style_image)
    if not 1 <= len(style_images) <= MAX_STYLES:
        raise ConfigError(f"there are {len(style_images)} style pictures; give 1 to {MAX_STYLES}")
    if config.start == "image" and start_image is None:
        raise ConfigError("start is 'image', but there is no such picture; give one, or choose another start")
    compute, checkpoint = compute or choose_compute(), weights.require(config.backbone)
    made = sources(content_image, style_images, config, start_image=start_image, masks=masks, compute=compute)
    return Run(Painting(made, made.config, checkpoint=checkpoint, compute=compute), steering)
