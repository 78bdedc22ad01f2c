"""What tests of batches share: files that are dropped, and batches that are a test's alone."""

import gradio as gr
import pytest

from nst_core.ui.folders import batch_painting
from nst_core.ui.folders.batch import press_stop
from nst_core.ui.folders.batch_state import Batch
from tests.picture_files import png
from tests.ui.shown import untitled

NAMES = ("ant", "bee", "cat")


@pytest.fixture
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; files and batches are this test's alone."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    (tmp_path / "gradio").mkdir()
    monkeypatch.setattr(Batch, "known", {})
    monkeypatch.setattr(Batch, "open", {})
    monkeypatch.setattr(batch_painting, "WORDS_SECONDS", 0.0)
    yield shown
    for batch in Batch.known.values():
        press_stop(batch, "")
        assert batch.job is None or batch.job.wait(30)


@pytest.fixture
def uploads(tmp_path):
    """A function that makes files of those names, pictures unless it says what is in them."""

    def upload(*names: str, **others: bytes) -> list[str]:
        files = {f"{name}.png": png(20 + len(name), 16) for name in names} | others
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return [str(tmp_path / name) for name in files]

    return upload


@pytest.fixture
def files(uploads):
    return {"photos": uploads(*NAMES), "styles": uploads("waves")}
