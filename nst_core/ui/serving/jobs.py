"""Work that takes a while, such as a video, a batch or a lesson: its Run and Stop, and its place in the queue."""

from collections.abc import Callable, Sequence

import gradio as gr
from gradio.blocks import Block

from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.status import status_html
from nst_core.ui.serving.lane import DEVICE_LANE
from nst_core.ui.serving.turns import Held, Work, in_lane


class Job:
    """Work of one page that goes on or waits for the device."""

    def __init__(self) -> None:
        self.steering = Steering()
        self.busy = False  # going on, rather than waiting


def connect_job(
    holder: gr.State,
    job: Callable[[Held], Job],
    buttons: tuple[gr.Button, gr.Button],
    work: Work[Held, tuple[Update, ...]],
    inputs: Sequence[Block],
    outputs: Sequence[Block],
) -> None:
    """Run and Stop; work that still waits for the device leaves the queue, work that goes on keeps what is done.

    Args:
        holder: of what has the job.
        job: the job of what the holder has.
        buttons: Run and Stop.
        work: the handler, a generator.
        inputs, outputs: its components; the first output is the status.
    """
    run, stop = buttons
    status, others = outputs[0], len(outputs) - 1

    def shows(line: str) -> tuple[Update, ...]:
        return line, *(gr.skip() for _ in range(others))

    handler = in_lane(DEVICE_LANE, work, lambda held: job(held).steering, shows)
    pressed = run.click(lambda held: press(job(held)), holder, [status, run, stop], **INSTANT)
    working = pressed.then(handler, [holder, *inputs], list(outputs), **QUEUED)
    working.then(lambda held: ready(job(held)), holder, [run, stop], **INSTANT)
    working.failure(lambda held: (not_begun(), *ready(job(held))), holder, [status, run, stop], **INSTANT)
    stop.click(lambda held: job(held).steering.stop.set(), holder, None, **INSTANT)


def press(job: Job) -> tuple[str, gr.Button, gr.Button]:
    """At once on the click: forget an earlier stop, say that a place in the queue is taken."""
    job.steering.stop.clear()
    return status_html("Waiting for the device …"), gr.Button(interactive=False), gr.Button(interactive=True)


def not_begun() -> str:
    """The status line after gradio refused what was asked, such as a number out of range: `then` does not run then."""
    return status_html("Nothing was begun; the message in the corner says why.", kind="problem")


def ready(job: Job) -> tuple[gr.Button, gr.Button]:
    """Afterwards, however it ended."""
    job.busy = False
    return gr.Button(interactive=True), gr.Button(interactive=False)
