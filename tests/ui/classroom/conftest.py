"""A class: browsers with paintings, and a teacher who knows the password."""

from pathlib import Path

import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst_core import images
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord
from nst_core.ui.classroom import door, routes
from nst_core.ui.classroom.paintings import Pictures
from nst_core.ui.classroom.vote import Ballot
from nst_core.ui.studio.results import Result
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.widgets.channel import Channel

PASSWORD = "a password, with ümlaut"


@pytest.fixture
def app(browsers, monkeypatch) -> Starlette:
    """The class's routes, with a password, and nothing remembered of other tests."""
    monkeypatch.setenv("NST_CLASS_KEY", PASSWORD)
    monkeypatch.setattr(routes, "DOOR", door.Door())
    monkeypatch.setattr(routes, "PICTURES", Pictures())
    monkeypatch.setattr(routes, "BALLOT", Ballot())
    return Starlette(routes=routes.ROUTES)


@pytest.fixture
def stranger(app) -> TestClient:
    """Somebody who does not know the password."""
    return TestClient(app)


@pytest.fixture
def teacher(app) -> TestClient:
    """Somebody who gave the password."""
    client = TestClient(app)
    assert client.post("/class", data={"password": PASSWORD}).status_code == 200
    return client


def pupil(name: str = "", *, key: str = "") -> Session:
    """A browser that is known."""
    session = Session()
    session.key, session.name = key or f"key of {name}", name
    Session.known[session.key] = session
    return session


def plain(color: tuple[float, float, float], size: tuple[int, int] = (48, 64)) -> torch.Tensor:
    """A picture of one colour."""
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, *size).contiguous()


def at_work(session: Session, color: tuple[float, float, float] = (1, 0, 0)) -> Session:
    """The same with a run that goes on, of which there is a picture."""
    session.channel = Channel()
    session.channel.put(plain(color), {})
    return session


def done(session: Session, folder: Path, color: tuple[float, float, float], preset: str = "lab") -> Session:
    """The same with a result."""
    path = folder / f"{session.view}.png"
    images.save_png(plain(color), path)
    config = PRESETS[preset].config.on("lite").changed(size=64, steps=3)
    record = RunRecord(
        config=config,
        steps=3,
        stopped=False,
        losses={},
        seconds=1.0,
        content_size=(48, 64),
        style_size=(48, 64),
        device="cpu",
        precision="fp32",
        weights_file="",
        weights_sha256="",
        weights_origin="",
        versions={},
    )
    result = Result(number=1, path=path, uploads=Uploads(), thumbnail="", record=record, told="")
    session.results.kept = (result, *session.results.kept)
    return session
