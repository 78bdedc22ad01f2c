"""How the page's events reach the server."""

from typing import Any

# What computes nothing.
INSTANT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Through gradio's queue, where toasts and changed states arrive; nothing waits there.
QUEUED: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
