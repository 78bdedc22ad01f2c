"""The page under a path behind nginx: one that buffers as it does by default, and one that does so come what may."""

import getpass
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from gradio.routes import App
from playwright.sync_api import expect

from nst_core.ui.widgets.channel import MOST_BUNDLES, Channel
from tests.e2e.preview_site import Site, follow, put
from tests.e2e.visitors import load, prepare, wait_for_status

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(NGINX is None, reason="needs Debian's nginx (apt-get install nginx-light)"),
]

CONFIGURATION = """
user {user}; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/requests;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_set_header Host $http_host; proxy_buffering on; client_max_body_size 50m;
  server {{ listen 127.0.0.1:{plain}; location /lab/ {{ proxy_pass {app}; }} }}
  server {{ listen 127.0.0.1:{stubborn};
    location /lab/ {{ proxy_pass {app}; proxy_ignore_headers X-Accel-Buffering; }} }}
}}
"""


# how many answers of the preview the page has got
REQUESTS = "performance.getEntriesByType('resource').filter(one => one.name.includes('/preview/')).length"


class Proxies:
    """nginx, and the requests that it answered."""

    def __init__(self, app_url: str, folder: Path) -> None:
        plain, stubborn = free_ports(2)
        self.plain, self.stubborn = (f"http://127.0.0.1:{port}/lab/" for port in (plain, stubborn))
        self.folder = folder
        self.ports = plain, stubborn
        self.configuration = folder / "nginx.conf"
        given = {"user": getpass.getuser(), "folder": folder, "plain": plain, "stubborn": stubborn, "app": app_url}
        self.configuration.write_text(CONFIGURATION.format(**given))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([str(NGINX), "-c", str(self.configuration), "-e", str(self.folder / "errors")])
        for port in self.ports:
            wait_for(port)

    def frames_asked(self) -> list[int]:
        """How many frames each request of the preview asked for, which is answered."""
        return [int(most) for most in re.findall(r"/preview/\S+&most=(\d+)", (self.folder / "requests").read_text())]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens at port {port}")


@contextmanager
def behind_nginx(app: App, url: str, folder: Path) -> Iterator[Proxies]:
    """Put an app under a path, as GRADIO_ROOT_PATH does when it starts, and nginx before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "root_path", "/lab")
        proxies = Proxies(url, folder)
        yield proxies
        proxies.close()


@pytest.fixture(scope="module")
def lab(app_url, tmp_path_factory) -> Iterator[Proxies]:
    """The whole page behind nginx."""
    from app import demo

    with behind_nginx(demo.app, app_url, tmp_path_factory.mktemp("nginx")) as proxies:
        yield proxies


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Proxies]:
    """A page with nothing but a preview behind nginx."""
    site = Site()
    with behind_nginx(site.blocks.app, site.url, tmp_path_factory.mktemp("nginx")) as proxies:
        yield proxies
    site.blocks.close()


def test_a_run_is_watched_through_a_proxy_that_buffers_by_default(browser_tab, lab, picture_files):
    page = load(browser_tab, lab.plain)
    prepare(page, picture_files, steps=100_000)
    page.click("#run")
    wait_for_status(page, "Step [1-9]")
    page.wait_for_function("document.querySelector('#preview canvas').dataset.version > 10")
    page.click("#stop")
    wait_for_status(page, "Stopped")


def test_a_result_comes_through_a_proxy_that_passes_on_nothing_before_its_end(browser_tab, lab, picture_files):
    page = load(browser_tab, lab.stubborn)
    prepare(page, picture_files, steps=2)
    page.click("#run")
    wait_for_status(page, "Done: 2 steps")
    expect(page.locator("#result img").first).to_be_visible()


def test_a_preview_finds_out_that_a_proxy_keeps_frames_and_asks_for_one_at_a_time(browser_tab, site):
    browser_tab.goto(site.stubborn)
    expect(browser_tab.locator("#preview figure")).to_be_visible()
    run, ended = Channel(), threading.Event()
    follow(browser_tab, run.token)

    def paint() -> None:
        while not ended.wait(0.02):
            run.put(torch.full((1, 3, 8, 8), 0.5), {})

    threading.Thread(target=paint, daemon=True).start()
    browser_tab.wait_for_function(f"{REQUESTS} >= 14")
    ended.set()
    run.close()
    asked = site.frames_asked()
    assert max(asked) == 2 and asked.count(2) <= MOST_BUNDLES


def test_a_page_goes_on_as_it_was_after_a_gap_in_which_it_was_used(browser_tab, site):
    browser_tab.goto(site.plain)
    expect(browser_tab.locator("#preview figure")).to_be_visible()
    run, later = Channel(), Channel()
    follow(browser_tab, run.token)
    put(run, "Step 1")
    expect(browser_tab.locator("#status .status")).to_have_text("Step 1")
    browser_tab.evaluate("window.again = 0; addEventListener('connected-again', () => window.again++)")
    site.close()
    browser_tab.locator("#token textarea").fill(later.token)
    expect(browser_tab.locator("#no-connection")).to_be_visible()
    expect(browser_tab.locator("#status .connection")).to_be_visible()
    with browser_tab.expect_request("**/gradio_api/heartbeat/*"):
        site.start()
    expect(browser_tab.locator(f"#status [data-run='{later.token}']")).to_have_text("Begun")
    expect(browser_tab.locator("#no-connection")).to_have_count(0)
    expect(browser_tab.locator("#token textarea")).to_have_value(later.token)  # it was not loaded anew
    browser_tab.wait_for_function("window.again === 1")
