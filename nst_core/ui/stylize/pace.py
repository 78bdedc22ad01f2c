"""Measures how fast a painting goes, and says when it will be done."""

import time

from nst_core import images
from nst_core.transfer.optimize import Frame
from nst_core.transfer.run import Run
from nst_core.ui.page.status import place_text, progress_text, status_html
from nst_core.ui.widgets.channel import Channel

WORDS_SECONDS = 1.0  # between two updates of status and chart, of which each costs the browser as much as a picture


class Pace:
    """Measures how fast a run goes, since it was begun or went on; by work, as steps of a larger scale take longer."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.began, self.computed = 0.0, run.seconds
        self.first = run.last_frame.step if run.last_frame else 0

    def alone(self, frame: Frame) -> float | None:
        """Estimate the seconds of computing that remain; None before a step was made."""
        run = self.run
        made = run.work_until(frame.step) - run.work_until(self.first)
        if made <= 0:
            return None
        return (run.seconds - self.computed) / made * (run.work_until(run.steps) - run.work_until(frame.step))

    def text(self, frame: Frame) -> str:
        """Write what the status line says at a frame."""
        now, run = time.monotonic(), self.run
        if not self.began:
            self.began, self.first = now, frame.step
        seconds, made = now - self.began, frame.step - self.first
        pace = left = None
        if made > 1 and seconds > 0:
            pace = made / seconds
            work = run.work_until(frame.step) - run.work_until(self.first)
            left = seconds * (run.work_until(run.steps) - run.work_until(frame.step)) / max(work, 1e-9)
        height, width = images.size_of(frame.image)
        return progress_text(frame.step, run.steps, pace, left, place_text(frame.scale, width, height))


class Searching:
    """Says on the page how far the search is that a run's next frame waits for; called with the share that is done.

    Args:
        run: the run.
        channel: of its page.
        where: on what it computes, in words.
    """

    def __init__(self, run: Run, channel: Channel, where: str):
        self.run, self.channel, self.where = run, channel, where
        self.told = time.monotonic()

    def __call__(self, done: float) -> None:
        """Say it, if it was not just said."""
        if time.monotonic() - self.told < WORDS_SECONDS:
            return
        run, self.told = self.run, time.monotonic()
        step = run.last_frame.step if run.last_frame else 0
        text = f"Step {step} of {run.steps} · finding pieces of the style, {done:.0%}"
        share = run.work_until(step) / max(run.work_until(run.steps), 1e-9)
        self.channel.put(None, {"status": status_html(text, self.where, share=share, run=self.channel.token)})
