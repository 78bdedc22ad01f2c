"""Writes what a run is doing, in words and as a bar."""

from collections.abc import Mapping
from html import escape

from nst_core.transfer.record import RunRecord
from nst_core.transfer.terms import shares_of
from nst_core.ui.page.words import as_on_page

MINUTE = 60.0  # seconds


def duration(seconds: float) -> str:
    """Write seconds as people say them: "8 s", "2 min 05 s"."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def rate(per_second: float) -> str:
    """Write the steps a second; below one, the seconds a step."""
    return f"{per_second:.1f} steps/s" if per_second >= 1 else f"{1 / per_second:.1f} s/step"


def status_html(text: str, detail: str = "", *, share: float | None = None, kind: str = "", run: str = "") -> str:
    """Write a line of status, with a bar where the share is known.

    Args:
        text: what is going on.
        detail: a second line, smaller; in both, settings are called as the page does.
        share: 0 … 1 for a progress bar.
        kind: "", "problem", or "busy", which has a bar that says no more than that something goes on.
        run: the token of a run that goes on, whose preview may replace this line.
    """
    known = "" if share is None else f'max="1" value="{share:.4f}" '
    bar = f'<progress {known}aria-label="Progress"></progress>' if known or kind == "busy" else ""
    more = f'<div class="detail">{escape(as_on_page(detail))}</div>' if detail else ""
    role = 'role="alert"' if kind == "problem" else ""
    return f'<div class="status {kind}" data-run="{run}" {role}><div>{escape(as_on_page(text))}</div>{bar}{more}</div>'


def progress_text(step: int, steps: int, pace: float | None, left: float | None, place: str = "") -> str:
    """ "Step 12 of 300 · 181 px, scale 2 of 5 · 4.1 steps/s · 1 min 10 s left".

    Args:
        step, steps: where a run is, of how many.
        pace: steps a second, if known.
        left: seconds, if known; both or neither.
        place: the scale, in words; "" if there is but one.
    """
    parts = [f"Step {step} of {steps}", place]
    if pace and left is not None:
        parts += [rate(pace), f"{duration(left)} left"]
    return " · ".join(filter(None, parts))


def place_text(scale: tuple[int, int], width: int, height: int) -> str:
    """Write which scale of a run from coarse to fine is at work; "" for a run of one."""
    number, count = scale
    return f"{width}×{height} pixels, scale {number} of {count}" if count > 1 else ""


def done_text(record: RunRecord) -> str:
    """ "Done: 300 steps in 1 min 10 s"."""
    made = f"{record.steps} step{'s' * (record.steps != 1)}"
    if record.stopped:
        return f"Stopped: {made} of {record.config.steps} in {duration(record.seconds)}"
    return f"Done: {made} in {duration(record.seconds)}"


def shares_text(losses: Mapping[str, float]) -> str:
    """ "content 8 %, style 92 %": what α and β make of a loss; "" where it is 0.

    Args:
        losses: name of a term -> weighted loss.
    """
    return ", ".join(f"{side} {_percent(share)}" for side, share in shares_of(losses).items())


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def shares_html(
    first: Mapping[str, float] | None = None,
    now: Mapping[str, float] | None = None,
    run: str = "",
    looked_for: float | None = None,
) -> str:
    """Write what α and β make of the loss, now and at the start, to stand beside them.

    Args:
        first, now: losses of the start and of the newest picture; none before a run.
        run: the token of a run that goes on, whose preview may replace this line.
        looked_for: the photo's share in it, where that is what α and β say.
    """
    text = "What α and β make of the loss is told here while it paints."
    if now and shares_text(now):
        began = shares_text(first or {})
        text = f"Of the loss: {shares_text(now)}" + (f"; at the start: {began}" if began else "")
        if looked_for is not None:
            share = f"photo {_percent(looked_for)}, painting {_percent(1 - looked_for)}"
            text = f"What is looked for in the style: {share}"
    unbroken = escape(text).replace("&lt; ", "&lt;&nbsp;").replace(" %", "&nbsp;%")
    return f'<div class="shares" data-run="{run}">{unbroken}</div>'
