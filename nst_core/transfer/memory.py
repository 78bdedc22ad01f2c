"""Chooses how a painting is computed, by the memory that there is: at once, in strips, or with less to remember."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nst_core import images
from nst_core.devices import Compute, free_memory
from nst_core.errors import DeviceError
from nst_core.features.checkpoint import PRE, plan
from nst_core.features.strips import LEAST_ROWS, MOST_KEPT, STRIP_NUMBERS
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import MOST_OFFERED, TURNS

Size = tuple[int, int]  # (height, width), pixels

# Peak bytes for each pixel painted at once, with a history of 10. On CPUs the whole process', as
# tests/benchmarks/memory.py saw them and a little more; on NVIDIA's GPUs tensors alone, counted on one that is none
# (1,400 … 1,680 and 2,300) and what its convolutions want besides. Nobody has measured on Apple's.
BYTES_PER_PIXEL = {"fp32": 4000, "bf16": 2800}
BYTES_PER_PIXEL_ON_CUDA = {"fp32": 2700, "bf16": 1900}
WORKSPACE_ON_CUDA = 2**29  # bytes, of convolutions
BACKBONE_SHARE = {"lite": 0.68}  # of these for a network that is narrower than VGG-19
TILE_SHARE = 1.4  # of these for a tile, whose every map is kept once more with its edges around it
STYLE_SHARE = 0.4  # of these for a pixel of the style picture, which is looked at once and without gradients

CANVAS_BYTES = 12  # of a pixel: three float32 numbers
OWN_CANVASES = 6  # of a painting besides its history: canvas, gradient, content, and what the optimiser moves by
LOOKING_CANVASES = 3  # in strips, while they are looked at: content, canvas, and the picture that is shown
MOVING_CANVASES = 3  # beside these while an optimiser moves: gradient, direction, and how large that is
AHEAD_CANVASES = 3  # beside these on a GPU, which looks at its losses two steps later
AVERAGED_CANVASES = 3  # beside these of an average: its sum, the one before, and what is added
TINTED_CANVASES = 2  # beside these where colours are put back: of the photo, and of what is shown
USUAL_HISTORY = 10  # of what was measured
COLUMN_SHARE = 1.6  # of these by columns, whose goals, and the search for them, stand beside the maps
ADAMS_CANVASES = 2  # its moments
HALF = 0.5  # of the canvases that a history is, in bf16

# In strips: bytes for each number of the strip at hand, in either precision (measured: 28 … 40); of a pixel, what a
# CPU's process takes beside its tensors at 1536 pixels (measured: 52) and 4096; and, whatever the size, what libraries
# take and what smaller scales left (measured: 0.26 GB).
STRIP_BYTES = 40
SCRAP_BYTES = 4
KEPT_BYTES = 2**28
# By columns, of a pixel: the query, the columns that it asks for, and two numbers a layer with their slopes.
COLUMN_PIXELS = 16  # to a column
COLUMN_BYTES = CANVAS_BYTES + 4 * 256 / COLUMN_PIXELS + 50
SHORT_HISTORIES = (5, 3)  # steps, where more do not fit


@dataclass(frozen=True)
class Way:
    """How a painting is computed.

    Attributes:
        config: its settings; with a history in bf16, or a shorter one, or by Adam, where that is what fits.
        whole_pixels: scales of more pixels are painted in strips.
        note: what was chosen and why; "" for what was asked for, at once.
    """

    config: StyleTransferConfig
    whole_pixels: int
    note: str = ""


def held_between_steps(size: Size, config: StyleTransferConfig) -> int:
    """Count the bytes that a painting of that size (height, width) holds while others have their turns."""
    remembered: float = ADAMS_CANVASES
    if config.optimizer == "lbfgs":
        remembered = 2 * config.history * (HALF if config.history_precision == "bf16" else 1)
    return round(_pixels(size) * CANVAS_BYTES * (remembered + OWN_CANVASES))


def needed_at_once(
    content_size: Size,
    style_size: Size,
    config: StyleTransferConfig,
    compute: Compute,
    *,
    together: int = 1,
    styles: int = 1,
) -> float:
    """Estimate the bytes that a painting takes which is looked at as a whole; arguments as of `check_memory`.

    Args:
        styles: how many style pictures there are.
    """
    on_cuda = compute.device.startswith("cuda")
    each = (BYTES_PER_PIXEL_ON_CUDA if on_cuda else BYTES_PER_PIXEL)[compute.precision]
    pixels = max(together * _pixels(content_size), STYLE_SHARE * _pixels(style_size))
    needed = pixels * each * BACKBONE_SHARE.get(config.backbone, 1.0) * (TILE_SHARE if config.wrap else 1)
    if config.column_share:  # the share is of what one style's take
        one, all_columns = (_columns(content_size, style_size, config, compute, count) for count in (1, styles))
        needed = needed * COLUMN_SHARE + all_columns - one
    usual = _pixels(content_size) * CANVAS_BYTES * (2 * USUAL_HISTORY + OWN_CANVASES)
    needed += together * (held_between_steps(content_size, config) - usual)
    return needed + (WORKSPACE_ON_CUDA if on_cuda else 0)


def needed_in_strips(
    content_size: Size, style_size: Size, config: StyleTransferConfig, compute: Compute, *, styles: int = 1
) -> float:
    """Estimate the bytes that a painting takes which is measured in strips; arguments as of `needed_at_once`."""
    pixels, width = max(_pixels(content_size), _pixels(style_size) / 2), max(content_size[1], style_size[1])
    channels = next(count for _, _, count in plan(config.backbone))
    strip = STRIP_BYTES * max(STRIP_NUMBERS, 2 * LEAST_ROWS * channels * width)
    on_cuda = compute.device.startswith("cuda")
    canvases = LOOKING_CANVASES + AHEAD_CANVASES * on_cuda + _remembered(config)
    canvases += AVERAGED_CANVASES * (config.averaging > 0) + TINTED_CANVASES * COLORS[config.color].looks_at_content
    held = CANVAS_BYTES * canvases + compute.dtype.itemsize * _targets(config)
    looking = pixels * _maps(config, pixels, compute.dtype.itemsize) + strip
    moving = _pixels(content_size) * CANVAS_BYTES * MOVING_CANVASES
    beside = WORKSPACE_ON_CUDA if on_cuda else KEPT_BYTES + SCRAP_BYTES * pixels
    if config.column_share:
        beside += _columns(content_size, style_size, config, compute, styles) + pixels * COLUMN_BYTES
    pictures = max(1, styles) * _pixels(style_size) * CANVAS_BYTES
    return _pixels(content_size) * held + pictures + max(looking, moving) + beside


def _remembered(config: StyleTransferConfig) -> float:
    """Count the canvases that an optimiser remembers: moments, or a gradient and pairs, one more than its history."""
    if config.optimizer != "lbfgs":
        return ADAMS_CANVASES
    return 1 + 2 * (config.history + 1) * (HALF if config.history_precision == "bf16" else 1)


def _columns(content_size: Size, style_size: Size, config: StyleTransferConfig, compute: Compute, styles: int) -> float:
    """Count the bytes of the columns that are found in all styles, twice, as some replace others and all are joined.

    No more are kept than there are places that ask for one; those that are offered unturned are there at once.
    """
    channels = {name: count for name, _, count in plan(config.backbone)}
    offered = styles * min(MOST_OFFERED, _pixels(style_size) / COLUMN_PIXELS)
    kept = min(TURNS * offered, _pixels(content_size) / COLUMN_PIXELS)
    numbers = sum(channels[layer.removesuffix(PRE)] for layer in config.style_layers)
    return 2 * max(kept, offered) * numbers * compute.dtype.itemsize


def _targets(config: StyleTransferConfig) -> float:
    """Count the numbers of the content's features that are kept, for each pixel."""
    channels = {name: count for name, _, count in plan(config.backbone)}
    layers = config.content_layers if config.content_weight > 0 else ()
    return sum(channels[layer.removesuffix(PRE)] / 4 ** (int(layer[4]) - 1) for layer in layers)


def _maps(config: StyleTransferConfig, pixels: float, itemsize: int) -> float:
    """Count the bytes of the maps that there are at the worst moment of a look, for each of so many pixels.

    Which are the outputs of all poolings, the deepest of which becomes its gradient; but for the first, if that is
    made again later: beside the second, or its gradient. At last there are its gradient and the picture's. Of a tile,
    gradients stand beside what they are of.
    """
    deepest = max(int(layer[4]) for layer in (*config.content_layers, *config.style_layers))
    pools = [count for name, _, count in plan(config.backbone) if name.startswith("pool")][: deepest - 1]
    numbers = [count / 4**number for number, count in enumerate(pools, 1)]
    if not numbers:
        return CANVAS_BYTES
    above = [*numbers[1:], 0.0]
    again = numbers[0] if pixels * numbers[0] * itemsize > MOST_KEPT else 0.0
    kept = [sum(numbers[: at + 1]) - (again if at else 0) for at in range(len(numbers))]
    if config.wrap:
        kept = [count + own + next_one for count, own, next_one in zip(kept, numbers, above, strict=True)]
    else:
        kept[0] += above[0]
    return max(itemsize * max(kept), itemsize * numbers[0] + CANVAS_BYTES)


def way_of(content_size: Size, style_sizes: Sequence[Size], config: StyleTransferConfig, compute: Compute) -> Way:
    """Choose the first way that fits: at once, in strips, these with a history in bf16, a shorter one, and by Adam.

    In strips a step paints the same and takes two thirds longer; by what it remembers in bf16, L-BFGS comes as near to
    both pictures, by less of it not quite.

    Args:
        content_size, style_sizes: of the pictures as they would be used.
        config: the size that made them so, and the network.
        compute: whose free memory it is to fit.

    Raises:
        DeviceError: none fits; with a size that does.
    """
    free, style_size, styles = free_memory(compute.device), max(style_sizes, key=_pixels), len(style_sizes)
    whole = needed_at_once(content_size, style_size, config, compute, styles=styles)
    if whole <= free:
        return Way(config, _pixels(content_size))
    for changed, how in _leaner(config):
        if needed_in_strips(content_size, style_size, changed, compute, styles=styles) <= free:
            pixels = int(_pixels(content_size) * free / whole)
            return Way(changed, pixels, f"painted in strips{how}: {_told(whole, free, compute, ' at once')}")
    in_strips = [
        needed_in_strips(content_size, style_size, changed, compute, styles=styles) for changed, _ in _leaner(config)
    ]
    how = " even in strips" if in_strips else ""
    largest = largest_size(content_size, style_size, config, compute, styles=styles)
    fitting = min(largest, config.size // 16 * 16)
    raise _too_large(content_size, style_size, min([whole, *in_strips]), free, compute, fitting, "", how)


def _leaner(config: StyleTransferConfig) -> Iterator[tuple[StyleTransferConfig, str]]:
    """List the settings that take ever less memory in strips, and how they differ in words."""
    yield config, ""
    if config.optimizer != "lbfgs":
        return
    half = config.changed(history_precision="bf16")
    if half != config:
        yield half, ", with a history in bf16"
    for history in SHORT_HISTORIES:
        if history < config.history:
            yield half.changed(history=history), f", with a history of {history} steps in bf16, not {config.history}"
    yield config.changed(optimizer="adam"), ", by Adam rather than L-BFGS"


def largest_size(
    content_size: Size, style_size: Size, config: StyleTransferConfig, compute: Compute, *, styles: int = 1
) -> int:
    """Find the largest size, a multiple of 16, at which these pictures fit in some way; 0 for none.

    Args:
        content_size, style_size: (height, width) at the config's size.
        config: its network, and how it is painted.
        compute: whose free memory it is to fit.
        styles: how many style pictures there are.
    """
    free = free_memory(compute.device)

    def fits(size: int) -> bool:
        content, style = (_scaled(own, size / config.size) for own in (content_size, style_size))
        if content[0] * content[1] > images.MAX_SIDE**2:
            return False
        return needed_at_once(content, style, config, compute, styles=styles) <= free or any(
            needed_in_strips(content, style, leaner, compute, styles=styles) <= free for leaner, _ in _leaner(config)
        )

    sizes = range(images.MIN_SIDE, images.MAX_SIDE + 1, 16)
    return sizes[at - 1] if (at := bisect_left(sizes, True, key=lambda size: not fits(size))) else 0


def check_memory(
    content_size: Size,
    style_size: Size,
    config: StyleTransferConfig,
    compute: Compute,
    *,
    together: int = 1,
    beside: int = 0,
) -> None:
    """Refuse a size that this machine cannot hold at once, before it tries.

    Args:
        content_size, style_size: (height, width) of the pictures as they would be used.
        config: the size that made them so, and the network.
        compute: whose free memory they are to fit.
        together: paintings of that size in one pass of the network.
        beside: further ones, which wait for their turn with what their optimisers remember.

    Raises:
        DeviceError: with a size that fits.
    """
    needed = needed_at_once(content_size, style_size, config, compute, together=together)
    needed += beside * held_between_steps(content_size, config)
    free = free_memory(compute.device)
    if needed <= free:
        return
    fitting = int(config.size * (free / needed) ** 0.5) // 16 * 16
    count = f"{together + beside} pictures of " if together + beside > 1 else ""
    raise _too_large(content_size, style_size, needed, free, compute, fitting, count)


def _too_large(
    content_size: Size,
    style_size: Size,
    needed: float,
    free: float,
    compute: Compute,
    fitting: int,
    count: str,
    how: str = "",
) -> DeviceError:
    (height, width), (style_height, style_width) = content_size, style_size
    remedy = "close other programs"
    if fitting >= images.MIN_SIDE:
        remedy = f"choose a size of at most {fitting}"
    return DeviceError(
        f"painting {count}{width}×{height} pixels in a {style_width}×{style_height} style "
        f"{_told(needed, free, compute, how)}; {remedy}"
    )


def _told(needed: float, free: float, compute: Compute, how: str) -> str:
    return f"takes about {needed / 2**30:.1f} GB{how}, and {compute.name} has {free / 2**30:.1f} GB free"


def _pixels(size: Size) -> int:
    return size[0] * size[1]


def _scaled(size: Size, by: float) -> Size:
    return max(1, round(size[0] * by)), max(1, round(size[1] * by))
