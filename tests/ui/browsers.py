"""Browsers that come and go, as the handlers of the page see them."""

from types import SimpleNamespace

from nst_core.engine.device_thread import ACCOUNT
from nst_core.engine.devices import DEVICES
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.window import come_back, press_run
from tests.ui.shown import page_showing


def page(name: str) -> SimpleNamespace:
    """A request of a page, as gradio makes it."""
    return SimpleNamespace(session_hash=name, request=None)


def shown(files, **changes) -> dict:
    return page_showing("luo", *files, **{"size": 48, "steps": 3, **changes})


def opened(name: str, key: str = "") -> tuple[Session, dict]:
    """A page that a browser opens: its session, and what it shows of what was left."""
    found = come_back(Session(), key, page(name))
    return found["session"], found


def painting(files, name: str = "page", **changes) -> Session:
    """A page on which Run was pressed."""
    session, _ = opened(name)
    press_run(session, "", shown(files, **changes), page(name))
    return session


def under_way(session: Session) -> Session:
    """The same once a step was made."""
    while not (session.run and session.run.last_frame and session.run.last_frame.step):
        assert not session.job.wait(0.01), session.passing
    return session


def ended(session: Session) -> bool:
    """Whether the job came to its end in time, and what it left to be done on the device is done, too."""
    if not session.job.wait(60):
        return False
    before = ACCOUNT.set(session.job.account)  # without it, it would go before what the job left
    try:
        return DEVICES.submit(bool).result(60) is False
    finally:
        ACCOUNT.reset(before)
