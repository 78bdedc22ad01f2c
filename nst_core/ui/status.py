"""What the run is doing, in words and as a bar."""

from html import escape

from nst_core.transfer.record import RunRecord

MINUTE = 60.0  # seconds


def duration(seconds: float) -> str:
    """Seconds as people say them: "8 s", "2 min 05 s"."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def rate(per_second: float) -> str:
    """Steps a second; below one, seconds a step."""
    return f"{per_second:.1f} steps/s" if per_second >= 1 else f"{1 / per_second:.1f} s/step"


def status_html(text: str, detail: str = "", *, share: float | None = None, kind: str = "", run: str = "") -> str:
    """A line of status.

    Args:
        text: what is going on.
        detail: a second line, smaller.
        share: 0 … 1 for a progress bar.
        kind: "" or "problem".
        run: the token of a run that goes on, whose preview may replace this line.
    """
    bar = "" if share is None else f'<progress max="1" value="{share:.4f}" aria-label="Progress"></progress>'
    more = f'<div class="detail">{escape(detail)}</div>' if detail else ""
    role = 'role="alert"' if kind == "problem" else ""
    return f'<div class="status {kind}" data-run="{run}" {role}><div>{escape(text)}</div>{bar}{more}</div>'


def progress_text(step: int, steps: int, steps_per_second: float | None) -> str:
    """ "Step 12 of 300 · 4.1 steps/s · 1 min 10 s left"."""
    parts = [f"Step {step} of {steps}"]
    if steps_per_second:
        parts += [rate(steps_per_second), f"{duration((steps - step) / steps_per_second)} left"]
    return " · ".join(parts)


def done_text(record: RunRecord) -> str:
    """ "Done: 300 steps in 1 min 10 s"."""
    made = f"{record.steps} step{'s' * (record.steps != 1)}"
    if record.stopped:
        return f"Stopped: {made} of {record.config.steps} in {duration(record.seconds)}"
    return f"Done: {made} in {duration(record.seconds)}"
