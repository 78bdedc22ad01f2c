"""Plans a run from coarse to fine: the sizes at which a picture is painted, and the steps of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from nst_core.images import MIN_SIDE, SIZE_RULES
from nst_core.transfer.config import StyleTransferConfig

RATIO = 2**0.5  # of one size to the one before, so that a step costs twice as much
BOOST_SIZE = 512  # pixels, from where on a content boost changes nothing
MOST_BOOST = 8.0
STEP_COST = 0.1  # of a step at the full size, that of the smallest step

# By columns, in steps of a scale's size that are not: measured with Lite on a CPU, at 512 and at 1024 pixels.
COLUMNS_STEP = 1.6
LAYERS_STEP = 3.4  # by columns and layer by layer, as the last are
SEARCH = 17.0  # before the first step of each scale

TURNS = 4  # quarter turns in which a style's columns are looked at
MOST_OFFERED = 2**14  # columns of a style in one turn: all of those of 512×512 pixels


@dataclass(frozen=True)
class Scale:
    """One rung of the ladder."""

    size: int  # pixels, by the config's size rule
    steps: int
    columns: bool = False  # whether it is painted by columns


def ladder(
    config: StyleTransferConfig, content_size: tuple[int, int], style_sizes: Sequence[tuple[int, int]] = ()
) -> list[Scale]:
    """List the scales of a run, small to large; the last is of the config's own size.

    The steps of all scales add up to the config's. A scale gets the more the smaller it is, as size to the power of
    -scale_falloff: 2 would spend equal time on each, 0 equal steps. Those that are not painted by columns, where some
    are, come in the end, at the full size once more.

    Args:
        config: size, smallest scale and steps.
        content_size, style_sizes: (height, width) of the pictures, which no scale but the last may make too small.

    Source: sizes as crowsonkb/style-transfer-pytorch: those of size / √2^i that are not below the smallest.
    """
    rule = SIZE_RULES[config.size_rule]

    def is_large_enough(size: int) -> bool:
        styles = [rule(*style, round(size * config.style_scale)) for style in style_sizes]
        return min(map(min, [rule(*content_size, size), *styles])) >= MIN_SIDE

    by_columns = max(1, round(config.column_share * config.steps)) if config.column_share else 0
    smallest, sizes, count = config.smallest_scale or config.size, [config.size], by_columns or config.steps
    while (size := round(config.size / RATIO ** len(sizes))) >= smallest and is_large_enough(size):
        sizes.append(size)
    sizes = sizes[:count][::-1]  # at least one step each
    shares = [size**-config.scale_falloff for size in sizes]
    spare, due = count - len(sizes), 0.0
    steps: list[int] = []
    for share in shares:
        due += spare * share / sum(shares)
        steps.append(1 + round(due) - (sum(steps) - len(steps)))
    scales = [Scale(size, made, by_columns > 0) for size, made in zip(sizes, steps, strict=True)]
    return scales if count == config.steps else [*scales, Scale(config.size, config.steps - count)]


def work_until(
    scales: Sequence[Scale], step: int, pixels: float = 1.0, step_cost: float = STEP_COST, beginning: float = 0.0
) -> float:
    """Count a run's work up to a step, as much as steps at the full size: pixels, what every step costs, searches.

    Args:
        scales: of the run.
        step: from 0.
        pixels: of the full size, in the unit in which the work is told.
        step_cost: what every step costs beside its pixels, in that unit.
        beginning: what comes before the first step of each scale, in that scale's steps.
    """
    done, total, by_columns = 0, 0.0, any(scale.columns for scale in scales)
    for scale in scales:
        made = step - done if scale is scales[-1] else min(step - done, scale.steps)
        own = pixels * (scale.size / scales[-1].size) ** 2
        if made > 0:
            each = COLUMNS_STEP if scale.columns else LAYERS_STEP if by_columns else 1.0
            total += (made * each + beginning) * (step_cost + own) + (SEARCH * own if by_columns else 0)
        done += scale.steps
    return total


def photos_share(config: StyleTransferConfig) -> float | None:
    """Find the photo's share, of the photo and the painting, in what is looked for by columns; None: nothing is."""
    return config.content_weight / (config.content_weight + config.style_weight) if config.column_share else None


def content_share(config: StyleTransferConfig) -> float:
    """Find the factor of α at the config's size."""
    return min(MOST_BOOST, max(1.0, BOOST_SIZE / config.size) ** config.content_boost)
