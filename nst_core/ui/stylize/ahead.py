"""Says of a run before it begins what this machine can hold, and how long it would take."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import gradio as gr

from nst_core import images
from nst_core.devices import Compute, choose_compute
from nst_core.errors import DeviceError, NSTError
from nst_core.pictures.opening import header_of
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import ladder, work_until
from nst_core.transfer.memory import largest_size, way_of
from nst_core.transfer.run import Run
from nst_core.ui.page.events import Update
from nst_core.ui.page.status import duration
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.session import Session

STRIPS_COST = 1.7  # times a step at once, as measured on a CPU
LEAST_WORK = 1.0  # steps × million pixels that tell a pace

# (network, device and precision) -> seconds of a step of a million pixels, of the last run there.
paces: dict[tuple[str, Compute], float] = {}


def note_pace(run: Run) -> None:
    """Note how fast a run went, for those to come."""
    step = run.last_frame.step if run.last_frame else 0
    work = run.work_until(step) * run.content_image[0, 0].numel() / 1e6
    if work >= LEAST_WORK and run.seconds > 0:
        in_strips = bool(run.painting.sources.note)
        paces[run.config.backbone, run.compute] = run.seconds / work / (STRIPS_COST if in_strips else 1)


def say_ahead(session: Session, shown: Mapping[str, Any]) -> Update:
    """Say beside the size what fits here and how long it takes; nothing of settings or pictures that cannot be.

    Args:
        session: the page's.
        shown: the content picture, the preset's menu and the controls, by name.
    """
    with suppress(NSTError):
        config = config_of(session.base or shown["preset"], shown)
        return gr.Number(info=ahead(config, _size_of(shown["content"]), choose_compute()))
    return gr.Number(info="")


def ahead(config: StyleTransferConfig, own_size: tuple[int, int], compute: Compute) -> str:
    """Write what fits and how long it takes: "in strips, as it is large; up to 5120 here; about 3 min".

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
    parts = ["in strips, as it is large" if way.note else "", most]
    if pace := paces.get((config.backbone, compute)):
        work = work_until(ladder(config, own_size), config.steps) * size[0] * size[1] / 1e6
        parts.append(f"about {duration(pace * work * (STRIPS_COST if way.note else 1))}")
    return "; ".join(filter(None, parts))


def _size_of(path: str | None) -> tuple[int, int]:
    if not path:
        return 1, 1
    with header_of(path) as (picture, _, _):
        width, height = picture.size
    return height, width
