"""Connects jobs that take a while, such as a video, a batch or a lesson: Run, Stop, and a place in the queue."""

from collections.abc import Callable

import gradio as gr

from nst_core.engine.lane import DEVICE_LANE
from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Form
from nst_core.ui.page.status import status_html
from nst_core.ui.serving.turns import Held, JobHandler, in_lane


class Job:
    """A job of one page that goes on or waits for the device."""

    def __init__(self) -> None:
        self.steering = Steering()
        self.busy = False  # going on, rather than waiting


def connect_job(
    holder: gr.State,
    job: Callable[[Held], Job],
    buttons: tuple[gr.Button, gr.Button],
    work: JobHandler[Held],
    inputs: Form,
    outputs: Form,
) -> None:
    """Connect Run and Stop of a job: Stop takes it out of the queue, or ends it and keeps what is done.

    Args:
        holder: of what has the job.
        job: the job of what the holder has.
        buttons: Run and Stop.
        work: the handler, a generator; it is given what `inputs` hold by name, and gives updates of `outputs` by name.
        inputs, outputs: its components; "status" is an output.
    """
    run, stop = buttons
    handler = in_lane(DEVICE_LANE, inputs.given_to(work), lambda held: job(held).steering, outputs)
    shown = Form({"status": outputs["status"], "run": run, "stop": stop})
    again = shown.only("run", "stop")
    pressed = run.click(shown.filled_by(lambda held: press(job(held))), holder, list(shown), **INSTANT)
    working = pressed.then(handler, [holder, *inputs], list(outputs), **QUEUED)
    working.then(again.filled_by(lambda held: ready(job(held))), holder, list(again), **INSTANT)
    working.failure(shown.filled_by(lambda held: not_begun() | ready(job(held))), holder, list(shown), **INSTANT)
    stop.click(lambda held: job(held).steering.stop.set(), holder, None, **INSTANT)


def press(job: Job) -> dict[str, Update]:
    """Answer the click on Run at once: forget an earlier stop, say that a place in the queue is taken."""
    job.steering.stop.clear()
    status = status_html("Waiting for the device …")
    return {"status": status, "run": gr.Button(interactive=False), "stop": gr.Button(interactive=True)}


def not_begun() -> dict[str, Update]:
    """Give the status line after gradio refused an input, such as a number out of range; `then` does not follow."""
    return {"status": status_html("Nothing was begun; the message in the corner says why.", kind="problem")}


def ready(job: Job) -> dict[str, Update]:
    """Let Run be pressed again after a job, however it ended."""
    job.busy = False
    return {"run": gr.Button(interactive=True), "stop": gr.Button(interactive=False)}
