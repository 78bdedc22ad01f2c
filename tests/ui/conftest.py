"""What tests of the page share: picture files, and browsers that nobody knows yet."""

import pytest

from nst_core import images
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.window import press_stop


@pytest.fixture
def browsers(monkeypatch, tmp_path):
    """The sessions of browsers, key -> Session, which are this test's alone, as are its files; all end with it."""
    monkeypatch.setattr(Session, "known", {})
    monkeypatch.setattr(Session, "open", {})
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    yield Session.known
    for session in Session.known.values():
        press_stop(session)
        assert session.job is None or session.job.wait(30)


@pytest.fixture
def files(pictures, tmp_path):
    """A content and a style picture."""
    paths = tmp_path / "content.png", tmp_path / "style.png"
    for image, path in zip(pictures, paths, strict=True):
        images.save_png(image, path)
    return paths
