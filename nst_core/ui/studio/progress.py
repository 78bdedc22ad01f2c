"""Tells how far a session's painting is, to whoever looks on."""

from nst_core.ui.page.status import done_text, progress_text
from nst_core.ui.studio.session import Session


def progress_of(session: Session) -> tuple[str, float]:
    """Tell how far a painting is: in words, and 0 … 1."""
    job, run, channel = session.job, session.run, session.channel
    if session.busy and channel and channel.image is not None and run and (frame := run.last_frame):
        share = run.work_until(frame.step) / max(run.work_until(run.steps), 1e-9)
        return progress_text(frame.step, run.steps, None, None), min(1.0, share)
    if session.busy and job and not job.at_work:
        before = job.lane.before(job.place)
        return f"Waits, {before} before it" if before else "Waits", 0.0
    if session.busy:
        return "Begins", 0.0
    if not session.results.kept:
        return "Done", 1.0
    record = session.results.kept[0].record
    return done_text(record), min(1.0, record.steps / record.config.steps)
