"""Neural Style Lab: the page, built from its tabs. `python app.py` serves it."""

import os

# read when gradio is imported, and when its Blocks is made
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "50")  # which it goes through after every event
# Read by torch: how many compiled kernels oneDNN keeps, instead of 1024. A painting's step goes through 75, and where
# those of all who take turns do not fit, each is compiled anew in each step; a hundred are 20 MB.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "512")

import sys

import gradio as gr

from nst_core.cores import compute_on_one_core
from nst_core.devices import keep_freed_memory
from nst_core.errors import NSTError
from nst_core.pictures.notes import tell_by
from nst_core.ui.classroom import routes as classroom
from nst_core.ui.explain import examples
from nst_core.ui.explain import tab as explain
from nst_core.ui.folders.augment import build_augment
from nst_core.ui.folders.batch import build_batch
from nst_core.ui.instant import endpoint as instant_endpoint
from nst_core.ui.instant import tab as instant
from nst_core.ui.page.theme import CSS, THEME
from nst_core.ui.page.toasts import remark
from nst_core.ui.serving.page import Page
from nst_core.ui.serving.server import launch_options, serve
from nst_core.ui.studio import camera, health
from nst_core.ui.studio.class_question import ClassQuestion
from nst_core.ui.stylize import ahead, endpoint
from nst_core.ui.stylize import tab as stylize
from nst_core.ui.train import tab as train
from nst_core.ui.variations.area import build_variations
from nst_core.ui.widgets.channel import ROUTE
from nst_core.ui.words import served as words

TITLE = "Neural Style Lab"

tell_by(remark)
if __name__ == "__main__":  # else it is a part of a program that has its own ways
    compute_on_one_core()
    keep_freed_memory()

# delete_cache: gradio deletes uploads when the server ends; while it runs, `serving.housekeeping` does
with Page(title=TITLE, analytics_enabled=False, delete_cache=(10**9, 1)) as demo:
    gr.Markdown(f"# {TITLE}\nPaints one picture in the style of another, while you watch.", elem_id="title")
    with gr.Tabs(overflow_behavior="wrap") as tabs:
        with gr.Tab("Stylize", id="stylize"):
            studio = stylize.build()
            build_variations(studio)
            build_batch(studio, ahead.seconds_ahead)
        with gr.Tab("Instant", id="instant"):
            choices = instant.build(tabs, studio)
        with gr.Tab("Train", id="train"):
            train.build(choices)
        with gr.Tab("Explain", id="explain"):
            explain.build(tabs, studio, build_augment)
    ClassQuestion(elem_id="class-question")
    endpoint.add_endpoint()
    instant_endpoint.add_instant_endpoint()

# Jobs wait in `serving.lane`, where each client has its share; the size here bounds memory against a flood.
demo.queue(max_size=2000, default_concurrency_limit=None, api_open=False)

try:
    ROUTES = [ROUTE, camera.ROUTE, health.ROUTE, examples.ROUTE, words.ROUTE, *classroom.ROUTES]
    LAUNCH = launch_options(theme=THEME, css=CSS, routes=ROUTES, first=words.HEAD)  # here and in tests
except NSTError as error:  # a limit that is no number
    sys.exit(f"error: {error}")

if __name__ == "__main__":
    sys.exit(serve(demo, LAUNCH))
