"""Tells on the page which networks' weights are here, and fetches those that are not."""

from collections.abc import Iterator

import gradio as gr

from nst_core.errors import DownloadError, NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import BUNDLE_REMEDY, CLASSIFIER, TEACHERS
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import Update
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import warn


def fetch_weights(backbone: str, steering: Steering) -> Iterator[str]:
    """Download a network that is not here yet, or the classifier; status lines that show how far it is.

    Raises:
        DownloadError: it failed, or was stopped.
    """
    if weights.find(backbone):
        return
    for progress in weights.download(backbone):
        yield download_status(backbone, progress)
        if steering.stop.is_set():
            raise DownloadError(f"the download of {weights.title_of(backbone)} was stopped; press the button again")


def download_status(backbone: str, progress: weights.DownloadProgress) -> str:
    """Write how far a download is, as a status line."""
    done, total = progress.done_bytes, progress.total_bytes
    megabyte = 2**20 if backbone == CLASSIFIER else 1e6  # as its button says it
    text = f"Fetching {weights.title_of(backbone)}: {done / megabyte:.0f} of {total / megabyte:.0f} MB, once"
    return status_html(text, progress.note or progress.source, share=done / total if total else None)


def weights_text(backbone: str) -> str:
    """Write which checkpoint a backbone would use now, for the page."""
    name = BACKBONES[backbone]
    try:
        checkpoint = weights.find(backbone)
    except NSTError as error:
        return f"**{name}**: {error}"
    if checkpoint and checkpoint.origin == weights.BUNDLE:
        teacher = BACKBONES[TEACHERS[backbone]]
        return (
            f"**{name}** is in use: part of this program, it paints much as {teacher} does, two to three times faster."
        )
    if checkpoint is None and backbone in TEACHERS:
        return f"**{name}** is missing; {BUNDLE_REMEDY}."
    if checkpoint is None:
        return f"**{name}** is not here yet: Run fetches it once, {weights.download_size(backbone) / 1e6:.0f} MB."
    return f"**{name}** from {checkpoint.origin} (`{checkpoint.path.name}`)"


def describe_network(backbone: str) -> dict[str, Update]:
    """Give "words" of the weights in use, and "fetch", a button to VGG-19 itself or to weights that are missing."""
    target = TEACHERS.get(backbone, backbone)
    try:
        missing = weights.find(target) is None
    except NSTError:
        missing = True
    action = f"Use {BACKBONES[target]}" if target != backbone else f"Download {BACKBONES[target]}"
    cost = f" ({weights.download_size(target) / 1e6:.0f} MB{' to download' * (target != backbone)})" if missing else ""
    fetch = gr.Button(action + cost, visible=missing or target != backbone, interactive=True)
    return {"words": weights_text(backbone), "fetch": fetch}


def use_network(backbone: str) -> Iterator[tuple[str, Update]]:
    """Fetch the button's network if it is missing, shown in the status line, and choose it."""
    target = TEACHERS.get(backbone, backbone)
    try:
        if not weights.find(target):
            for progress in weights.download(target):
                yield download_status(target, progress), gr.skip()
        yield status_html(f"{BACKBONES[target]} is here. Ready."), target
    except NSTError as error:
        warn(error, "Download failed")
        yield status_html(str(error), kind="problem"), gr.skip()
