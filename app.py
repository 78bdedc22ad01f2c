"""Neural Style Lab: the page, built from its tabs. `python app.py` serves it."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio's Blocks is made

import gradio as gr
from starlette.middleware import Middleware

from nst_core.devices import keep_freed_memory
from nst_core.ui import endpoint, explain, instant, instant_endpoint, live, stylize, train
from nst_core.ui.calm import CalmPages
from nst_core.ui.look import CSS, THEME
from nst_core.ui.preview import ROUTE

TITLE = "Neural Style Lab"

with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(60, 3600)) as demo:
    gr.Markdown(f"# {TITLE}\nPaints one picture in the style of another, while you watch.", elem_id="title")
    with gr.Tabs() as tabs:
        with gr.Tab("Stylize", id="stylize"):
            studio = stylize.build()
        with gr.Tab("Instant", id="instant"):
            choices = instant.build(tabs, studio)
        with gr.Tab("Train", id="train"):
            train.build(choices)
        with gr.Tab("Explain", id="explain"):
            explain.build(tabs, studio)
    endpoint.add_endpoint()
    instant_endpoint.add_instant_endpoint()

demo.queue(max_size=16, default_concurrency_limit=4)

# How the page is served, here and in tests.
LAUNCH = {
    "theme": THEME,
    "css": CSS,
    "max_file_size": "400mb",
    "show_error": False,
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "footer_links": ["api"],
    "app_kwargs": {"routes": [ROUTE, live.ROUTE], "middleware": [Middleware(CalmPages)]},
}

if __name__ == "__main__":
    keep_freed_memory()
    demo.launch(**LAUNCH)
