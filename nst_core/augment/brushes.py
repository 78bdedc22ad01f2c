"""Makes the two brushes for many pictures: a trained network in one pass, and the optimiser step by step."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, said
from nst_core.features import weights
from nst_core.instant.painter import Painter
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.stylize import stylize

# How much of the painting is done, 0 to 1; the picture so far (1, 3, H, W).
Strokes = Generator[tuple[float, Tensor], None, None]


@dataclass(frozen=True)
class Brush:
    """A way to paint pictures in given styles.

    Attributes:
        styles: their names.
        paint: a picture (1, 3, H, W) in [0, 1], one of styles, a strength from 0 to 1 -> Strokes, the last of which is
            the result. Closing them ends the painting. Raises NSTError for a picture that cannot be painted.
    """

    styles: tuple[str, ...]
    paint: Callable[[Tensor, str, float], Strokes]


def instant_brush(painter: Painter, styles: Sequence[str] = (), size: int | None = None) -> Brush:
    """Paint in one pass of a trained network.

    Args:
        painter: the networks.
        styles: of those that it has; none: all.
        size: pixels of the longer side; None for the picture's own.

    Raises:
        ConfigError: an unknown style, or one named twice.
    """
    chosen = tuple(styles) or painter.styles
    for name in chosen:
        painter.recipe({name: 1.0})
    _check_distinct(chosen)

    def paint(image: Tensor, style: str, strength: float) -> Strokes:
        yield 1.0, painter.paint(image if size is None else images.fit(image, size), {style: 1.0}, strength=strength)

    return Brush(chosen, paint)


def optimizer_brush(style_images: Mapping[str, Tensor], config: StyleTransferConfig, compute: Compute) -> Brush:
    """Paint by optimising pixels; slower, and in the style of any picture.

    A strength s stands for the style weight β·s, so that 1 is the config's own; 0 is the picture itself, at the
    config's size. By the studio recipe, pixels then change half as much at 0.3 as at 1, a quarter as much at 0.12.

    Args:
        style_images: name -> (1, 3, any, any) in [0, 1].
        config: how it is painted at full strength.
        compute: device and precision.

    Raises:
        ConfigError: no style.
        WeightsError: no weights for the config's network.
    """
    if not style_images:
        raise ConfigError("there is no style picture; name one")
    weights.require(config.backbone)

    def paint(image: Tensor, style: str, strength: float) -> Strokes:
        if strength == 0:
            yield 1.0, images.fit(image, config.size, config.size_rule)
            return
        weaker = config.changed(style_weight=config.style_weight * strength)
        with closing(stylize(image, style_images[style], weaker, compute=compute)) as run:
            for frame in run:
                yield run.work_until(frame.step) / run.work_until(run.steps), frame.image

    return Brush(tuple(style_images), paint)


def _check_distinct(styles: Sequence[str]) -> None:
    for name in styles:
        if styles.count(name) > 1:
            raise ConfigError(f"style {said(name)} is named {styles.count(name)} times; name each once")
