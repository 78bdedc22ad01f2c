"""Serves the page until a signal ends it: steps end, pages are told, and the process is gone within seconds."""

import logging
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from nst_core.engine.jobs import stop_all
from nst_core.engine.lane import DEVICE_LANE, PASS_LANE
from nst_core.engine.limits import limits
from nst_core.errors import ConfigError, NSTError
from nst_core.ui.page.node_search import NodeSearch
from nst_core.ui.page.slow_animations import CalmPages
from nst_core.ui.serving import agents
from nst_core.ui.serving.guard import Guard
from nst_core.ui.serving.housekeeping import housekeeping
from nst_core.ui.serving.kept_page import KeptPage

THREADS = 160  # events at a time, of which those that wait take no thread
STEPS_SECONDS = 3.0  # for the steps at hand to end, when the server is stopped
EXIT_SECONDS = 4.5  # from the signal on, however it goes
GOING_DOWN = "The server is going down. What is painted by now is shown; keep it, and reload the page in a while."

log = logging.getLogger(__name__)


def launch_options(**more: Any) -> dict[str, Any]:
    """Give the options that a page is launched with, here and in tests.

    Args:
        more: the page's own: theme, style sheet, routes, and scripts that come first in its head, as HTML.

    Raises:
        ConfigError: a variable that is wrong.
    """
    return {
        "max_file_size": "400mb",
        "max_threads": THREADS,
        "state_session_capacity": int(min(limits().sessions, 1e6)),
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "mcp_server": agents.are_here(),
        "footer_links": ["api"],
        "_frontend": False,  # gradio 6.31 else ends a server whose first answer takes a busy machine more than 3 s
        "app_kwargs": {
            "routes": more.pop("routes", []),
            "middleware": [
                Middleware(Guard),
                Middleware(KeptPage),
                Middleware(CalmPages, more.pop("first", "")),
                Middleware(NodeSearch),
            ],
            "lifespan": housekeeping,
        },
        **more,
    }


def check_folder() -> None:
    """Refuse a folder of uploads and results that cannot be written.

    Raises:
        ConfigError: they cannot.
    """
    folder = Path(gr.utils.get_upload_folder())
    probe = folder / f"probe-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"ink")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"the folder of uploads {folder} cannot be written ({error.strerror or error}); make room there, or set "
            "GRADIO_TEMP_DIR to a folder that can"
        ) from None


def serve(demo: gr.Blocks, options: dict[str, Any]) -> int:
    """Launch a page and wait for a signal to end it.

    Args:
        demo: the page.
        options: of `launch_options`.

    Returns:
        the exit code: 0, or 1 if it could not start, in which case a sentence on standard error says why.
    """
    ended = threading.Event()
    try:
        check_folder()
    except NSTError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: ended.set())
    demo.launch(**options, prevent_thread_lock=True)
    while not ended.wait(0.5):  # wakes up for signals on every system
        pass
    shut_down(demo)
    return 0


def shut_down(demo: gr.Blocks) -> None:
    """End the jobs after their present steps, give pages their last words, and close; the process ends in any case."""
    last = threading.Timer(EXIT_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()
    lanes, began = (DEVICE_LANE, PASS_LANE), time.monotonic()
    for lane in lanes:
        lane.closing = GOING_DOWN
        stop_all(lane, GOING_DOWN)
    while any(lane.taken for lane in lanes) and time.monotonic() - began < STEPS_SECONDS:
        time.sleep(0.05)
    time.sleep(0.2)  # for last words on their way
    demo.close(verbose=False)
