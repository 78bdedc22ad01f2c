"""Opens a window on a painting that belongs to the server: begins it, watches it, and finds it again."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import Job, TurnMissed
from nst_core.errors import NSTError
from nst_core.transfer.run import Run
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import shares_html, status_html
from nst_core.ui.page.toasts import noting, warn
from nst_core.ui.serving.turns import client_of, waiting_text
from nst_core.ui.studio.keeping import find_session
from nst_core.ui.studio.results import strip_value
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.control_events import note
from nst_core.ui.stylize.goes_on import goes_on
from nst_core.ui.stylize.pupil import follow, shown_name
from nst_core.ui.stylize.run import STAGE, go_on, paint, result_of
from nst_core.ui.widgets.channel import Channel
from nst_core.ui.widgets.loss_chart import LossHistory

LONGEST_KEY = 100  # letters
CUT_OFF = "The server was started again: here is step {} of {}. Continue goes on."

# What `look` gives, by name: the stage, the strip, and the buttons.
SEEN = (*STAGE, "strip", "run", "stop", "goes_on", "after", "go_on", "fetch")


def press_run(session: Session, key: str, shown: Mapping[str, Any], request: gr.Request) -> Updates:
    """Begin a painting with the page's pictures and settings.

    Args:
        session: the page's.
        key: by which the browser knows its session.
        shown: what it shows, by the names of PAINTED_WITH.
        request: of the page.

    Returns:
        "session" and what `look` gives.
    """
    own = _own(session, key)
    note(own, shown)  # controls that the page filled in itself, too
    return _begin(own, lambda: paint(own, shown), request)


def press_go_on(session: Session, key: str, steps: float | None, request: gr.Request) -> Updates:
    """Let the last painting go on, by some steps or to its end; arguments as of `press_run`."""
    own = _own(session, key)
    return _begin(own, lambda: go_on(own, steps), request, going_on=True)


def _own(session: Session, key: str) -> Session:
    """Find the session of a browser whose page lost it in a long gap of its connection."""
    return session if session.key or not isinstance(key, str) else Session.known.get(key, session)


def _begin(
    session: Session, work: Callable[[], Iterator[Updates]], request: gr.Request, *, going_on: bool = False
) -> Updates:
    session.enter(request)
    if session.busy:  # begun by another page of the same browser
        return {"session": session, **look(session)}
    session.steering.stop.clear()
    channel = session.channel = Channel()
    session.passing = {
        "preview": gr.HTML(value=channel.token, visible=True),
        "status": status_html("Waiting for the device …", run=channel.token),
        "losses": session.losses.html(channel.token) if going_on else LossHistory().html(channel.token),
        "shares": shares_html(run=channel.token),
        "result": gr.HTML(visible="hidden"),
        "download": gr.DownloadButton(visible="hidden"),
        "record_area": gr.Accordion(visible=False),
    }
    try:
        session.job = Job(
            lambda job: _followed(session, job, work()),
            client_of(request),
            session.steering,
            when_waiting=lambda job: _say(session, waiting_text(job.lane, job.place)),
            when_ended=lambda job: _ended(session, job),
        )
    except NSTError as error:
        _refused(session, error)
        _settle(session)
        channel.close()
    return {"session": session, **look(session)}


def _followed(session: Session, job: Job, work: Iterator[Updates]) -> Iterator[Updates]:
    """Note what a painting says, for whoever looks, and say what it is at before there are pictures."""
    session.job = job
    with noting(session.toasts):
        for updates in work:
            session.passing |= updates
            if session.channel and isinstance(status := updates.get("status"), str):
                session.channel.put(
                    None, {"status": status.replace('data-run=""', f'data-run="{session.channel.token}"')}
                )
            yield updates


def _say(session: Session, words: str) -> None:
    """Say in the status line how long a painting waits."""
    with session.settling:
        if session.channel and session.busy:  # it may have ended just now
            session.passing["status"] = status_html(words, run=session.channel.token)
            session.channel.put(None, {"status": session.passing["status"]})


def _ended(session: Session, job: Job) -> None:
    """Note how a painting ended, and let its pages know that it did."""
    if isinstance(job.error, TurnMissed):
        session.passing["status"] = status_html(str(job.error))
    elif job.error:
        _refused(session, job.error)
    elif job.why:
        with noting(session.toasts):
            warn(job.why, "Ended early")
    with session.settling:
        _settle(session)
        if session.channel:
            session.channel.close()


def _refused(session: Session, error: NSTError) -> None:
    session.passing["status"] = status_html(str(error), kind="problem")
    with noting(session.toasts):
        warn(error, "Not possible now")


def _settle(session: Session) -> None:
    """Show the result from now on; where there is none, what was shown before, and why there is none."""
    if "record" in session.passing:
        session.settled = session.passing
    else:
        session.settled["status"] = session.passing["status"]
    session.passing = {}


def press_stop(session: Session, key: str = "") -> None:
    """End a painting after its present step, or take it out of the queue; arguments as of `press_run`."""
    if job := _own(session, key).job:
        job.stop()


def look(session: Session) -> Updates:
    """Find what there is now: the stage, the strip, and what can be pressed, by the names of SEEN."""
    run, busy = session.run, session.busy
    goes = not busy and (session.laid_away is not None or can_go_on(run))
    return {
        **session.settled,
        **session.passing,
        "strip": strip_value(session),
        "run": gr.Button(interactive=not busy),
        "stop": gr.Button(interactive=busy),
        "goes_on": goes_on(session) if goes else None,
        "after": gr.Row(visible=goes),
        "fetch": gr.Button(interactive=not busy),  # which would write over the status
        "go_on": gr.Button(visible=bool(session.laid_away or run and run.remaining > 0)),
    }


def can_go_on(run: Run | None) -> bool:
    """Whether a run can be gone on with."""
    return run is not None and run.last_frame is not None and not run.broken


def tell(session: Session) -> None:
    """Tell what was noted while no event was at hand; for an event through gradio's queue."""
    told, session.toasts[:] = list(session.toasts), []
    for toast in told:
        warn(*toast)


def come_back(session: Session, key: str, request: gr.Request) -> Updates:
    """Show a page that is opened what its browser left: the painting as it is now, its pictures and settings.

    Args:
        session: a fresh one, the page's own.
        key: by which the browser knows the session that it had; "": it has none.
        request: of the page.

    Returns:
        "session", "key" and "pupil", what `look` gives, what was put into fields, and what a link fills in.
    """
    if not isinstance(key, str) or len(key) > LONGEST_KEY:  # as no browser of ours has it
        key = ""
    if key and key not in Session.known:
        session = find_session(key) or session
        if session.run and session.run.last_frame:
            session.settled = dict(DEVICES.submit(result_of, session, session.run).result())
            if session.cut_off:
                session.settled["status"] = status_html(CUT_OFF.format(session.run.last_frame.step, session.run.steps))
    found = Session.of_browser(key, session, request)
    found.reflected = None  # the page's handle is where a new page has it
    found.leant.clear()
    updates: dict[str, Any] = {"session": found, "key": found.key, **shown_name(found)}
    if found.config is None and found.noted is None and not found.placed:
        return {**updates, **follow(found, request)}
    there = {name: path for name, path in found.uploads.there().items() if path is not None}
    placed = {name: str(path) for name, path in found.placed.items() if path and path.exists()}
    config = found.noted or (found.run.config if found.run else found.config)
    taken = found.take(config) if config else {}
    return {**updates, **look(found), **there, **placed, **taken, **follow(found, request)}


def see(session: Session, key: str, request: gr.Request) -> Updates:
    """Show what there is now; of a server that was started again meanwhile, what it finds of the browser's."""
    return look(session) if session.key else come_back(session, key, request)


def place(session: Session, name: str, path: str | Path | None) -> None:
    """Note a picture that was put into a field, so that a browser that comes again finds it there."""
    session.placed[name] = Path(path) if path else None
