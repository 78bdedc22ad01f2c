"""Tests of how the page is served and ends: a folder that cannot be written, a signal, what is left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import httpx
import pytest
from gradio import networking
from PIL import Image

from nst_core.assets import ASSETS
from nst_core.errors import ConfigError
from nst_core.ui.serving.server import check_folder, launch_options

ROOT = ASSETS.parent
EXAMPLES = [ROOT / "assets" / "photos" / "china_temple.jpg", ROOT / "assets" / "styles" / "harvest_sun.jpg"]


def test_a_folder_of_uploads_that_cannot_be_written_is_told_at_the_start(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
        with pytest.raises(ConfigError, match="GRADIO_TEMP_DIR"):
            check_folder()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "new"))
    check_folder()
    assert list((tmp_path / "new").iterdir()) == []


def test_the_number_of_pages_that_are_kept_is_the_servers(monkeypatch):
    monkeypatch.setenv("NST_SESSIONS", "7")
    assert launch_options()["state_session_capacity"] == 7
    monkeypatch.setenv("NST_SESSIONS", "inf")
    assert launch_options(theme=None)["state_session_capacity"] > 10_000
    monkeypatch.setenv("NST_SESSIONS", "many")
    with pytest.raises(ConfigError, match="NST_SESSIONS"):
        launch_options()


def test_a_machine_that_is_slow_to_answer_is_a_server_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(networking, "url_ok", lambda url: False)
    with gr.Blocks(analytics_enabled=False) as page:
        pass
    try:
        page.launch(**launch_options(mcp_server=False), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        assert page.is_running
    finally:
        page.close(verbose=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Three pages that paint at once, and how many threads that are not Python's there are more afterwards; then the app.
PAINT_AND_SERVE = """
import os, runpy, sys, threading
import torch
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
from nst_core import cores
from nst_core.ui.stylize.run import paint, recolor
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import check_upload
from tests.ui.shown import page_showing

def workers():
    return len(os.listdir("/proc/self/task")) - threading.active_count()

def page():
    session, files = Session(), sys.argv[1:3]
    check_upload(files[0])
    for _ in paint(session, page_showing("luo", *files, **few)):
        pass
    assert session.run.last_frame.step == 2
    recolor(session, "content")

stroke = Image.new("RGBA", (640, 480), (255, 0, 0, 255))
few = {"backbone": "lite", "size": 160, "steps": 2, "gatys_layers": ["conv1_1"], "mask": {"layers": [stroke]}}
if os.path.exists("/proc/self/task"):
    torch.set_num_threads(2)  # which begins threads of another kind, too
    cores.compute_on_one_core()
    cores.CROWDED = float("inf")
    before = workers()
    with ThreadPoolExecutor(3) as pages:
        for made in [pages.submit(page) for _ in range(3)]:
            made.result()
        print(workers() - before, flush=True)
runpy.run_path("app.py", run_name="__main__")
"""


class Served(NamedTuple):
    """The app as its own process, its address, its folder of uploads, and the first line that the process wrote."""

    app: subprocess.Popen
    url: str
    folder: Path
    told: str


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("served")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}  # it is no test
    environment = {
        **own,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "NST_WEIGHTS": "",
        "NST_DEVICE": "cpu",
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "passive",
    }
    files = [folder / "content.png", folder / "style.png"]
    for file in files:
        Image.effect_noise((640, 480), 60).convert("RGB").save(file)
    command, pipe = [sys.executable, "-c", PAINT_AND_SERVE, *files], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as app:
        told, url = app.stdout.readline(), f"http://127.0.0.1:{port}"
        with httpx.Client() as client:  # one, as each reads the system's certificates
            for _ in range(600):
                try:
                    client.get(f"{url}/config")
                    break
                except httpx.TransportError:
                    if app.poll() is not None:
                        break
                    time.sleep(0.1)
        yield Served(app, url, folder / "uploads", told)
        app.kill()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux shows them")
def test_only_one_thread_has_compute_threads_of_its_own(served):
    """Else OpenMP sends all to sleep between any two operations; but for when that is as well, as cores are crowded."""
    assert served.told == "1\n", served.told or served.app.communicate()


def test_a_signal_lets_steps_end_tells_clients_and_leaves_nothing(served):
    app, url, folder, _ = served
    inputs = [{"path": str(path)} for path in EXAMPLES] + ["lab", "lite", *[None] * 6, 9999, 128, None, None]
    event = httpx.post(f"{url}/gradio_api/call/stylize", json={"data": inputs}).json()["event_id"]
    news = []

    def listen():
        with httpx.stream("GET", f"{url}/gradio_api/call/stylize/{event}", timeout=60) as answer:
            news.extend(answer.iter_lines())

    def hold():  # as an open page does
        with httpx.stream("GET", f"{url}/gradio_api/heartbeat/page", timeout=60) as answer:
            list(answer.iter_lines())

    for listener in (threading.Thread(target=listen), threading.Thread(target=hold, daemon=True)):
        listener.start()
    while not any("generating" in line for line in news):
        time.sleep(0.05)
        assert app.poll() is None and not any("error" in line for line in news), news
    began = time.monotonic()
    app.send_signal(signal.SIGTERM)
    assert app.wait(20) == 0
    while "event: complete" not in news:
        time.sleep(0.05)
        assert time.monotonic() - began < 20
    last = json.loads([line for line in news if line.startswith("data: ")][-1].removeprefix("data: "))
    content, style = (path.stem.replace("_", "-") for path in EXAMPLES)
    assert Path(last[0]["path"]).name == (name := f"{content}_{style}_lab_128.png")
    assert not list(folder.rglob(name))
    assert "Traceback" not in app.communicate()[1]
