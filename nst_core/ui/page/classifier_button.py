"""Lays out the button that fetches the classifier, which some figures need; it goes when that is here."""

from collections.abc import Iterator

import gradio as gr

from nst_core.errors import NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import CLASSIFIER
from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import INSTANT, PRIVATE, Update, page_at_hand
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights

NOTE = """Some figures ask what a picture shows: they need VGG-19 whole, whose last layers no painting uses. Nothing is
fetched unless you press this; it is kept on the computer that paints, so once is enough."""


def classifier_button(status: gr.HTML) -> gr.Button:
    """Lay out the button and its note, to be seen while the classifier is missing; call inside a Blocks.

    Args:
        status: where it is told how far the download is.
    """
    note = gr.Markdown(NOTE, elem_id="classifier-note", visible=False)
    button = gr.Button(weights.download_label(CLASSIFIER), elem_id="classifier-fetch", size="sm", visible=False)
    button.click(fetch_classifier, None, [status, button], **PRIVATE).then(
        offer_classifier, None, [note, button], **INSTANT
    )
    page_at_hand().load(offer_classifier, None, [note, button], **INSTANT)
    return button


def offer_classifier() -> tuple[Update, Update]:
    """Show note and button while the classifier is missing."""
    try:
        missing = weights.find(CLASSIFIER) is None
    except NSTError:  # NST_WEIGHTS is wrong, as a click will say
        missing = True
    return gr.Markdown(visible=missing), gr.Button(visible=missing, interactive=True)


def fetch_classifier() -> Iterator[tuple[str, Update]]:
    """Fetch the classifier, shown in the status line; meanwhile the button cannot be pressed again."""
    try:
        for line in fetch_weights(CLASSIFIER, Steering()):
            yield line, gr.Button(interactive=False)
        yield status_html("The classifier is here. Ready."), gr.skip()
    except NSTError as error:
        warn(error, "Download failed")
        yield status_html(str(error), kind="problem"), gr.Button(interactive=True)
