"""Work that takes a while, such as a video, a batch or a lesson: its Run and Stop, and its place in the queue."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from nst_core.transfer.controls import Controls
from nst_core.ui.page.events import INSTANT, QUEUED
from nst_core.ui.page.status import status_html
from nst_core.ui.serving.lane import DEVICE_LANE
from nst_core.ui.serving.turns import in_lane


class Job:
    """Work of one page that goes on or waits for the device."""

    def __init__(self) -> None:
        self.controls = Controls()
        self.busy = False  # going on, rather than waiting


def connect_job(
    holder: gr.State,
    job: Callable[[Any], Job],
    buttons: tuple[gr.Button, gr.Button],
    work: Any,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Run and Stop; work that still waits for the device leaves the queue, work that goes on keeps what is done.

    Args:
        holder: of what has the job.
        job: the job of what the holder has.
        buttons: Run and Stop.
        work: the handler, a generator; it is given what the holder has and the inputs.
        inputs, outputs: its components; the first output is the status.
    """
    run, stop = buttons
    status, others = outputs[0], len(outputs) - 1
    pressed = run.click(lambda held: press(job(held)), holder, [status, run, stop], **INSTANT)
    working = pressed.then(
        in_lane(
            DEVICE_LANE, work, lambda held: job(held).controls, lambda line: (line, *(gr.skip() for _ in range(others)))
        ),
        [holder, *inputs],
        list(outputs),
        **QUEUED,
    )
    working.then(lambda held: ready(job(held)), holder, [run, stop], **INSTANT)
    working.failure(lambda held: (not_begun(), *ready(job(held))), holder, [status, run, stop], **INSTANT)
    stop.click(lambda held: job(held).controls.stop.set(), holder, None, **INSTANT)


def press(job: Job) -> tuple[Any, ...]:
    """At once on the click: forget an earlier stop, say that a place in the queue is taken."""
    job.controls.stop.clear()
    return status_html("Waiting for the device …"), gr.Button(interactive=False), gr.Button(interactive=True)


def not_begun() -> str:
    """The status line after gradio refused what was asked, such as a number out of range: `then` does not run then."""
    return status_html("Nothing was begun; the message in the corner says why.", kind="problem")


def ready(job: Job) -> tuple[Any, Any]:
    """Afterwards, however it ended."""
    job.busy = False
    return gr.Button(interactive=True), gr.Button(interactive=False)
