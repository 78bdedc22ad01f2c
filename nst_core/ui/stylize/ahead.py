"""Says of a run before it begins what this machine can hold, and on the button itself how long it would take."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import gradio as gr

from nst_core import images
from nst_core.devices import Compute
from nst_core.engine import cluster
from nst_core.engine.zero import painting_compute
from nst_core.errors import DeviceError, NSTError
from nst_core.pictures.opening import header_of
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import ladder, work_until
from nst_core.transfer.memory import largest_size, way_of
from nst_core.transfer.run import Run
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import duration
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.session import Session

STRIPS_COST = 1.7  # times a step at once, as measured on a CPU
PAINT = "Paint"  # on the button, alone where nothing is known of time
LEAST_WORK = 1.5  # that tells a kind's own pace, as of `work_of`

# What every step costs beside its pixels, in million pixels, and what comes before each scale's first, in its steps:
# measured with Lite on a CPU, at 256 to 640 pixels.
STEP_COST = 0.031
BEGINNING = 2.5

# Kind -> what a unit of its work costs, that of Gram matrices being 1: measured in turns with Lite on a CPU, in fp32 at
# 128 pixels and in bf16 at 256, and by whole paintings. Losses that draw at each step cost less in larger pictures.
COLUMNS = "columns"
KIND_COSTS = {
    COLUMNS: 1.1,
    "gram and wasserstein": 1.2,
    "wasserstein": 1.1,
    "sliced wasserstein": 1.4,
    "mmd gaussian": 2.0,
    "nearest neighbours": 1.6,
}
SHALLOW_COST = 0.7  # times that, where no layer beyond the third block is looked at

CLOSE = 4 / 3  # of two times one to the other, up to where they are told as one


class Speed(NamedTuple):
    """Seconds: of a step of a million pixels, or of a run.

    Attributes:
        alone: where nobody else wants the processors; too much where its threads waited long for each other.
        busy: as it was with all that was at work beside.
    """

    alone: float
    busy: float

    def times(self, factor: float) -> "Speed":
        """Both, so many times."""
        return Speed(self.alone * factor, self.busy * factor)

    def label(self) -> str:
        """ "Paint · about 25 s", or where others were at work, too, "Paint · from 25 s to 1 min 05 s"."""
        alone, busy = rounded(self.alone), rounded(self.busy)
        if alone == busy or self.busy <= CLOSE * self.alone:
            return f"{PAINT} · about {duration(busy)}"
        return f"{PAINT} · from {duration(alone)} to {duration(busy)}"


# (network, device and precision) -> (kind, "" of small runs -> how fast its last run was, a unit of work), newest last.
paces: dict[tuple[str, Compute], dict[str, Speed]] = {}


def kind_of(config: StyleTransferConfig) -> str:
    """Name what a run compares, on which it depends what its work costs: columns, or one of STYLE_LOSSES."""
    return COLUMNS if config.column_share else config.style_loss


def work_of(config: StyleTransferConfig, own_size: tuple[int, int], steps: int) -> float:
    """Count a run's work, in steps × million pixels by Gram matrices, with what every step costs.

    Args:
        config: its settings.
        own_size: (height, width) of the content, before it is fitted.
        steps: how many are made.
    """
    height, width = images.fitted_size(own_size, config.size, config.size_rule)
    deepest = max(int(layer[4]) for layer in (*config.style_layers, *config.content_layers))
    cost = KIND_COSTS.get(kind_of(config), 1.0) * (SHALLOW_COST if deepest <= 3 else 1)
    return cost * work_until(ladder(config, own_size), steps, height * width / 1e6, STEP_COST, BEGINNING)


def note_pace(run: Run, least: float = LEAST_WORK) -> None:
    """Note how fast a run went, for those to come, if it was of that much work."""
    step = run.last_frame.step if run.last_frame else 0
    work = work_of(run.config, images.size_of(run.content_image), step)
    if work >= least and step and run.seconds > 0:
        busy = run.seconds / work / (STRIPS_COST if run.painting.sources.note else 1)
        share = run.share if run.compute.device == "cpu" else 1.0
        kind = kind_of(run.config) if work >= LEAST_WORK else ""
        where = run.config.backbone, run.compute
        others = {other: pace for other, pace in paces.get(where, {}).items() if other != kind}
        paces[where] = {**others, kind: Speed(busy * share, busy)}


def say_ahead(session: Session, shown: Mapping[str, Any]) -> Updates:
    """Say beside the size what fits here, and on Paint how long it takes; nothing of what cannot be painted.

    Args:
        session: the page's.
        shown: the content picture, the preset's menu and the controls, by name.

    Returns:
        "size" and "run".
    """
    words, label = "", PAINT
    if cluster.named():  # whose memory and pace are not this computer's
        return {"size": gr.Number(info=words), "run": gr.Button(value=label)}
    with suppress(NSTError):
        config, compute = config_of(session.base or shown["preset"], shown), painting_compute()
        own_size = _size_of(shown["content"])
        words = ahead(config, own_size, compute)
        if time := time_ahead(config, own_size, compute):
            label = time.label()
    return {"size": gr.Number(info=words), "run": gr.Button(value=label)}


def ahead(config: StyleTransferConfig, own_size: tuple[int, int], compute: Compute) -> str:
    """Write what fits: "in strips, as it is large; up to 5120 fits here".

    Args:
        config: the settings.
        own_size: (height, width) of the content; the style's is taken to be alike.
        compute: where it would run.

    Raises:
        ConfigError: a size that is none.
    """
    size = images.fitted_size(own_size, config.size, config.size_rule)
    most = f"up to {largest_size(size, size, config, compute)} fits here"
    try:
        way = way_of(size, [size], config, compute)
    except DeviceError:
        return f"too large: {most}"
    return "; ".join(filter(None, ("in strips, as it is large" if way.note else "", most)))


def time_ahead(config: StyleTransferConfig, own_size: tuple[int, int], compute: Compute) -> Speed | None:
    """Estimate how long a run takes by the pace of the last of its kind, else of the last; None where there was none.

    None, too, where it is too large.

    Args:
        config, own_size, compute: as of `ahead`.
    """
    size = images.fitted_size(own_size, config.size, config.size_rule)
    known = paces.get((config.backbone, compute))
    if known is None:
        return None
    pace = known.get(kind_of(config)) or [*known.values()][-1]
    try:
        way = way_of(size, [size], config, compute)
    except DeviceError:
        return None
    return pace.times(work_of(config, own_size, config.steps) * (STRIPS_COST if way.note else 1))


def seconds_ahead(config: StyleTransferConfig, own_size: tuple[int, int], compute: Compute) -> float | None:
    """Estimate how long a run takes while as much goes on beside it as beside the last; else as `time_ahead`."""
    time = time_ahead(config, own_size, compute)
    return time and time.busy


def rounded(seconds: float) -> float:
    """Round a time that is estimated to what can be known of it: to 5 s from 20 s on, to 10 s from two minutes on."""
    step = 1 if seconds < 20 else 5 if seconds < 120 else 10
    return max(1, step * round(seconds / step))


def _size_of(path: str | None) -> tuple[int, int]:
    if not path:
        return 1, 1
    with header_of(path) as (picture, _, _):
        width, height = picture.size
    return height, width
